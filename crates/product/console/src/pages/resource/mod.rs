//! Lists, details and forms: what pages of every resource share, and the pages of those that
//! have none of their own.

mod browse;
mod detail_page;
pub(crate) mod edit;
mod form_page;
mod list_page;
pub(crate) mod listing;
mod people;
pub(crate) mod undo;
mod views;

use axum::Router;

pub(crate) use browse::status as browse_status;
pub(crate) use detail_page::{DetailPage, Section, Step};
pub(crate) use form_page::FormPage;
pub(crate) use list_page::{Action, Empty, ListPage};
pub(crate) use listing::{Column, ListTools, Listing};
#[cfg(test)]
pub(crate) use {
    listing::ColumnChoice,
    views::{OwnView, ViewBar, ViewLink},
};

use crate::ConsoleState;

/// The pages of every resource, and the saved views of their lists.
pub(crate) fn routes() -> Router<ConsoleState> {
    browse::routes().merge(views::routes())
}
