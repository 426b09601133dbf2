//! The passes after the first: chunks, or what is kept of them, to Arrow's columns, for a query.

mod builder;
mod plan;
mod provider;
mod recalled;
mod segment;

pub(crate) use provider::{Delimited, DelimitedTable};
