//! The small parts that pages are made of. Each is a type that escapes what it shows and
//! prints itself as HTML, so that a template only says where it stands.

mod badge;
mod field;
pub mod format;
mod icon;
pub(crate) mod json;
mod moment;
mod notice;
mod paper;
mod prose;
mod range;
mod spark;
mod table;

pub use badge::Badge;
pub use field::{Boxes, Choice, Control, Field, Form};
pub use icon::{Icon, Sprite};
pub use moment::Moment;
pub use notice::Notice;
pub(crate) use prose::prose;
pub use range::RangeMark;
pub use spark::{Bar, Bars, Spark};
pub use table::{Head, Html, Table};
