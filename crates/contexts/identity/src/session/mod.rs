//! Sessions: log-ins in browsers.

mod end;
mod list;
mod lookup;
mod open;
mod switch;

pub use list::SessionSummary;
pub use lookup::CurrentSession;
pub(crate) use open::{OpenProven, OpenSession, no_organization};
