//! Routes, extractors and representations.

mod accept;
mod conditional;
mod csv;
mod docs;
mod extract;
mod method;
mod offer;
mod problem;
mod routes;
mod rows;

pub use conditional::IfMatch;
pub use csv::csv_table;
pub use extract::{Authenticated, Body, Id, MAX_BODY_BYTES, Needs, Permitted, Query};
pub use method::method_word;
pub use problem::{ApiError, PROBLEM_JSON, name_request};
pub use rows::csv_file;
