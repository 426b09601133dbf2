//! What a comparison found: plain data, serialisable.

use serde::{Deserialize, Serialize};

use super::DriftSpec;
use crate::result::{Interval, Status};

/// What a comparison of two tables found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftReport {
    /// What was asked for, as it was asked for.
    pub spec: DriftSpec,
    /// Version of this engine: the same version, data and spec give the same report.
    pub engine_version: String,
    /// Rows of the reference.
    pub reference_rows: u64,
    /// Rows of what is compared with it.
    pub current_rows: u64,
    /// One entry for each column, in the order asked for, or that of the reference.
    pub columns: Vec<ColumnDrift>,
    /// Performance and fairness, if an analysis was asked for.
    pub metrics: Vec<MetricDrift>,
    /// The worst status of any column or metric; `None` when nothing could be judged.
    pub status: Option<Status>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// What a column is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// By its different values.
    Category,
    /// By the order and size of its numbers.
    Number,
}

/// One column in both tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    /// Its name.
    pub name: String,
    /// What it is compared as.
    pub kind: ColumnKind,
    /// Values of the reference.
    pub reference_values: u64,
    /// Values of the current table.
    pub current_values: u64,
    /// Share of the reference's rows without a value; NaN and infinities are none.
    pub reference_missing: f64,
    /// The same of the current table.
    pub current_missing: f64,
    /// Categories that only the current table has, the most frequent first; the most frequent only.
    pub new_values: Vec<Seen>,
    /// How many there are, listed or not.
    pub new_count: u64,
    /// Categories that only the reference has, likewise.
    pub gone_values: Vec<Seen>,
    /// How many there are, listed or not.
    pub gone_count: u64,
    /// How exactly numbers were kept; `None` for categories.
    pub precision: Option<NumberPrecision>,
    /// Every test that applies to the kind, in the registry's order.
    pub tests: Vec<DriftTest>,
    /// Shares of both tables, for a plot: of numbers by bins of the reference's quantiles, of the most frequent categories.
    pub bins: Vec<Bin>,
    /// The worst status of its judged tests; `None` when none could be judged.
    pub status: Option<Status>,
    /// The finding in one sentence.
    pub sentence: String,
}

/// A value that only one table has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The value.
    pub value: String,
    /// Rows that have it.
    pub rows: u64,
    /// Their share of the rows with a value.
    pub share: f64,
}

/// How exactly numbers were kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NumberPrecision {
    /// Every different number was kept.
    pub exact: bool,
    /// The greatest error that rounding can cause in the Kolmogorov-Smirnov distance; 0 when exact.
    pub ks_error: f64,
    /// The greatest error that it can cause in the scaled Wasserstein distance; 0 when exact.
    pub wasserstein_error: f64,
}

/// One test of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriftTest {
    /// Its id in [`registry`](super::registry).
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The distance or statistic; `None` when undefined.
    pub value: Option<f64>,
    /// The probability of so great a value without drift; of tests that have one.
    pub p_value: Option<f64>,
    /// The same, adjusted for the number of columns.
    pub p_adjusted: Option<f64>,
    /// An interval of the value; of tests that have one.
    pub interval: Option<Interval>,
    /// How great a value is accepted; `None` when it is not judged, or judged by its p-value.
    pub threshold: Option<f64>,
    /// The threshold comes from the reference's chunks.
    pub threshold_of_chunks: bool,
    /// This test, by the column's kind and size, decides unless the spec says otherwise.
    pub chosen: bool,
    /// `None` when it is undefined or not judged.
    pub status: Option<Status>,
    /// Why it is undefined.
    pub undefined: Option<String>,
    /// What the number means.
    pub sentence: String,
}

/// Shares of both tables in one bin or category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// What is in it: `18 to 25`, or a category.
    pub label: String,
    /// Numbers above this; `None` for no bound, and for categories.
    pub lower: Option<f64>,
    /// Numbers up to this.
    pub upper: Option<f64>,
    /// Share of the reference's values.
    pub reference: f64,
    /// Share of the current table's values.
    pub current: f64,
}

/// What a compared metric is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// How right the model is, or how often it selects: a metric of everybody or of a group.
    Performance,
    /// How unequally it treats groups: a disparity.
    Fairness,
}

/// A metric in both tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricDrift {
    /// What it is about.
    pub kind: MetricKind,
    /// The protected attribute, or combination joined by `|`; `None` for everybody.
    pub attribute: Option<String>,
    /// The group; `None` for everybody, and for a disparity between groups. Of a disparity of one class against the rest, the
    /// class.
    pub group: Option<String>,
    /// The metric's or disparity's id.
    pub metric: String,
    /// Its name for people.
    pub title: String,
    /// Its value in the reference; `None` when undefined.
    pub reference: Option<f64>,
    /// Its value in the current table.
    pub current: Option<f64>,
    /// Of a metric: current - reference. Of a disparity: how much further from its ideal it is; less than 0 is nearer.
    pub difference: Option<f64>,
    /// An interval of the difference, at its own confidence: of this difference alone, whatever else is judged.
    pub interval: Option<Interval>,
    /// Of what is judged: how likely chance makes it worse than the threshold by so much, two-sided. 1 where it is within the
    /// threshold, `None` without an interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same, adjusted for all metrics (or all disparities) that the run judges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// How much worse (or, where neither way is better, how different) is accepted; `None` when it is not judged.
    pub threshold: Option<f64>,
    /// Fail: worse by more than the threshold, and chance does not explain it by the adjusted p. Warning: only the difference
    /// itself is.
    pub status: Option<Status>,
    /// What that means.
    pub sentence: String,
}
