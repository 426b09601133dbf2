//! Lists, details and forms: what pages of every resource share.

mod detail_page;
mod form_page;
mod list_page;

pub(crate) use detail_page::{DetailPage, Section, Step};
pub(crate) use form_page::FormPage;
pub(crate) use list_page::{Action, Empty, ListPage};
