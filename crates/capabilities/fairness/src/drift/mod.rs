//! Drift: how a table differs from the one it is compared with, column by column, and in performance and fairness.
//!
//! Small tables (the smaller has at most [`SMALL`] values) are judged by a test, Kolmogorov-Smirnov of numbers and chi-square of
//! categories, with p-values adjusted for the number of columns. In large tables every difference is significant, so that a
//! distance decides: Wasserstein of numbers, Jensen-Shannon of categories.

pub mod chi_square;
pub mod jensen_shannon;
pub mod kolmogorov_smirnov;
pub mod l_infinity;
pub mod missing_share;
pub mod psi;
pub mod registry;
pub mod wasserstein;

mod report;
mod spec;

use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

use crate::{AnalysisError, ENGINE_VERSION};

pub use registry::Definition;
pub use report::{
    Bin, ColumnDrift, ColumnKind, DriftReport, DriftTest, MetricDrift, MetricKind, NumberPrecision,
    Seen,
};
pub use spec::{Adjustment, DriftSpec, MAX_COLUMNS};

/// Up to so many values in the smaller table a test decides; beyond, a distance. (Evidently's rule.)
pub const SMALL: u64 = 1_000;

/// Rows of a bin or category: of the reference, and of the current table.
pub type Counts = [u64; 2];

/// A number, and how often each table has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The number.
    pub value: f64,
    /// Rows that have it.
    pub counts: Counts,
}

/// The rows of both tables; `None` if either has none.
fn totals(cells: &[Counts]) -> Option<[f64; 2]> {
    let sum = |table: usize| cells.iter().map(|counts| counts[table]).sum::<u64>() as f64;
    let totals = [sum(0), sum(1)];
    (totals[0] > 0.0 && totals[1] > 0.0).then_some(totals)
}

/// The shares of both tables; `None` if either has no rows.
fn shares(cells: &[Counts]) -> Option<impl Iterator<Item = [f64; 2]>> {
    let [reference, current] = totals(cells)?;
    Some(cells.iter().map(move |[p, q]| [*p as f64 / reference, *q as f64 / current]))
}

/// Compares `current` with `reference`.
///
/// Reads each table a few times, once for each 32 columns and once for an analysis, within bounded memory.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of spec and data; [`AnalysisError::Cancelled`] soon after `cancel` is;
/// [`AnalysisError::Read`] if the data cannot be read to their end.
pub async fn drift(
    reference: DataFrame,
    current: DataFrame,
    spec: &DriftSpec,
    cancel: &CancellationToken,
) -> Result<DriftReport, AnalysisError> {
    let faults = spec.faults();
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    if cancel.is_cancelled() {
        return Err(AnalysisError::Cancelled);
    }
    Ok(DriftReport {
        spec: spec.clone(),
        engine_version: ENGINE_VERSION.to_owned(),
        reference_rows: reference.count().await.map_err(AnalysisError::Read)? as u64,
        current_rows: current.count().await.map_err(AnalysisError::Read)? as u64,
        columns: Vec::new(),
        metrics: Vec::new(),
        status: None,
        notes: Vec::new(),
    })
}
