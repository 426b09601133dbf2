//! What a table's columns hold, from one pass over it.

mod column;
mod counts;
mod distinct;
mod run;
mod value;

use serde::{Deserialize, Serialize};

pub use value::Value;

pub(crate) use run::Profiler;
pub use run::profile;

/// What a table's columns hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// How many rows there are.
    pub rows: u64,
    /// The columns, in the table's order.
    pub columns: Vec<ColumnProfile>,
}

/// What values are, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueKind {
    /// True or false.
    Boolean,
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// Days.
    Date,
    /// Days with an hour.
    Timestamp,
    /// Text.
    Text,
    /// Lists, objects, bytes: only counted.
    Other,
}

/// What one column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ValueKind,
    /// Arrow's name of their type.
    pub data_type: String,
    /// How many values are missing.
    pub nulls: u64,
    /// How many values are not a number (NaN). They are in no other figure of the column.
    pub nan: u64,
    /// How many different values there are.
    pub distinct: Distinct,
    /// The least value; of texts the first by their bytes.
    pub min: Option<Value>,
    /// The greatest value.
    pub max: Option<Value>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// The standard deviation of numbers, of a sample (n - 1).
    pub std: Option<f64>,
    /// The quantiles 0.05, 0.25, 0.5, 0.75 and 0.95 of numbers.
    pub quantiles: Vec<Quantile>,
    /// Are the quantiles exact? Else they come from a t-digest of 100 centroids.
    pub quantiles_exact: bool,
    /// The most frequent values, most frequent first.
    pub top: Vec<TopValue>,
    /// Are their counts exact? Else each may be too low, by at most the rows divided by 1000.
    pub top_exact: bool,
}

/// How many different values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    /// How many.
    pub count: u64,
    /// Exact up to 10 000 values; beyond that an estimate (`HyperLogLog`, standard error 0.8 %).
    pub exact: bool,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// The share of values that are at most `value`, from 0 to 1.
    pub q: f64,
    /// The value.
    pub value: f64,
}

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopValue {
    /// The value.
    pub value: Value,
    /// How often.
    pub count: u64,
}
