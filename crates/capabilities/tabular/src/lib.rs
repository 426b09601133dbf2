//! Tables from CSV, NDJSON, JSON and Parquet of any size: schema, profile, conversion, faults by line and column.
//!
//! [`open`] reads a file once, in parallel and in bounded memory, to learn what it holds and to refuse what is
//! broken; the [`Table`] that it gives is then scanned by DataFusion as often as one likes, only the columns that are
//! asked for. Of CSV whose columns are named beforehand ([`OpenOptions::only`]) and have few values, that one pass is all. [`convert_to_parquet`] does the same for a stream of bytes, and stores the table as Parquet.
//!
//! What a text means:
//! - **Types** are those that *every* row agrees with. A CSV column is `true`/`false`, integers, numbers, dates,
//!   timestamps, or else text; one row that disagrees makes it text, and [`Table::notes`] names that row. Digits with
//!   leading zeros, and more of them than 64 bits hold, are text: they are codes, not numbers. In JSON a value says
//!   its own type, so a column that mixes texts with numbers is refused; objects and lists are kept as their JSON.
//! - **Missing values** are the unquoted words of [`OpenOptions::null_words`], JSON's `null`, and keys that are not
//!   there. A quoted word is never missing; a quoted empty text is, in a column that holds no text.
//! - **Text** comes as Arrow's `Dictionary(Int32, Utf8)` when its values repeat, so that codes survive to the
//!   aggregate that reads them; else as `Utf8`. A column without any value is text.

mod convert;
mod csv;
mod decode;
mod error;
mod file;
mod format;
mod json;
mod options;
mod parquet;
mod profile;
mod roles;
mod split;
mod spool;
mod store;
mod survey;
mod table;
mod upload;

pub use convert::{Converted, Destination, Progress, Stage, convert_to_parquet};
pub use error::{Malformed, TabularError};
pub use format::Format;
pub use options::{Limits, OpenOptions, Source};
pub use profile::{
    ColumnProfile, Distinct, Profile, Quantile, TopValue, Value, ValueKind, profile,
};
pub use roles::{Candidate, Roles, suggest_roles};
pub use store::{Stored, TableWriter};
pub use survey::Note;
pub use table::{Table, open};
pub use upload::Upload;
