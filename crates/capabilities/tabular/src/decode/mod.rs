//! The second and later passes: chunks to Arrow's columns, for a query.

mod builder;
mod plan;
mod provider;
mod segment;

pub(crate) use provider::{Delimited, DelimitedTable};
