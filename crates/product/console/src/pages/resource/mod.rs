//! Lists, details and forms: what pages of every resource share, and the pages of those that
//! have none of their own.

mod browse;
mod detail_page;
pub(crate) mod edit;
mod form_page;
mod list_page;
pub(crate) mod listing;

pub(crate) use browse::{routes, status as browse_status};
pub(crate) use detail_page::{DetailPage, Section, Step};
pub(crate) use form_page::FormPage;
pub(crate) use list_page::{Action, Empty, ListPage};
pub(crate) use listing::{Column, Listing};
