//! Parquet: checked before it is trusted, then scanned by DataFusion.

mod check;
mod guard;
mod pages;
mod provider;
mod schema;

pub(crate) use check::{check, stored, unreadable};
pub(crate) use guard::guarded;
pub(crate) use provider::ParquetTable;
pub(crate) use schema::table_schema;
