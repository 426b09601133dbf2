//! Drift: how a table differs from the one it is compared with, column by column, and in performance and fairness.
//!
//! Small tables (the smaller has at most [`SMALL`] values) are judged by a test, Kolmogorov-Smirnov of numbers and chi-square of
//! categories, with p-values adjusted for the number of columns. In large tables every difference is significant, so that a
//! distance decides: Wasserstein of numbers, Jensen-Shannon of categories.
//!
//! Performance and fairness are judged by p-values too, adjusted for all metrics of all groups, and for all disparities: of a run
//! in which nothing changed, each of these three finds something no more often than its level says.

pub mod chi_square;
pub mod jensen_shannon;
pub mod kolmogorov_smirnov;
pub mod l_infinity;
pub mod missing_share;
pub mod psi;
pub mod registry;
pub mod wasserstein;

mod bins;
mod categories;
mod chance;
mod chunks;
mod columns;
mod compare;
mod judge;
mod metrics;
mod numbers;
mod report;
mod scan;
mod settle;
mod spec;
mod tasks;

use std::collections::BTreeMap;

use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisResult, AnalysisSpec, ENGINE_VERSION, Fault, analyze,
    off_thread::off_thread,
};
use scan::{Part, Wanted};

pub use categories::{MAX_CATEGORIES, MAX_CATEGORY_BYTES};
pub use chunks::{MAX_CHUNKS, MIN_CHUNKS};
pub use compare::FEW_NUMBERS;
pub use metrics::{METRIC_THRESHOLD, group_changes, metric_drift};
pub use numbers::MAX_NUMBERS;
pub use registry::Definition;
pub use report::{
    Bin, ColumnDrift, ColumnKind, DriftReport, DriftTest, MetricDrift, MetricKind, NumberPrecision,
    Seen,
};
pub use spec::{Adjustment, DriftSpec, MAX_COLUMNS};
pub use tasks::{judges_disparity, judges_metric, task_drift, task_notes};

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

/// How many columns one pass over the tables reads; one with chunks, of which each holds its own.
const AT_ONCE: usize = 32;
/// How many names a note lists.
const LISTED: usize = 20;

/// Compares `current` with `reference`.
///
/// Reads each table a few times, once for each 32 columns (for each column, with chunks) and once for an analysis, within bounded
/// memory.
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
    let mut notes = Vec::new();
    let schemas = (reference.schema().as_arrow().clone(), current.schema().as_arrow().clone());
    let mut faults = spec.faults();
    let wanted = columns::wanted(spec, &schemas.0, &schemas.1, &mut faults, &mut notes);
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let compared = Compared::compare(&reference, &current, spec, wanted, cancel).await?;
    let Compared { rows, mut columns, thresholds, notes: more } = compared;
    notes.extend(more);
    let of_chunks = |column: &str, test: &str| thresholds.get(column)?.get(test).copied();
    judge::judge(&mut columns, spec, &of_chunks);
    let mut found = Vec::new();
    if let Some(asked) = &spec.analysis {
        let reference = analysis(reference, asked, spec, "reference", cancel).await?;
        let current = analysis(current, asked, spec, "current table", cancel).await?;
        found = metric_drift(&reference, &current, spec);
        if asked.weight.is_some() {
            notes.push("Columns are compared by rows, without weights.".to_owned());
        }
        let (new, gone) = group_changes(&reference, &current);
        for (groups, table) in [(new, "current table"), (gone, "reference")] {
            if !groups.is_empty() {
                notes.push(format!(
                    "Only the {table} has these groups: {}.",
                    columns::listed(&groups)
                ));
            }
        }
    }
    Ok(DriftReport {
        spec: spec.clone(),
        engine_version: ENGINE_VERSION.to_owned(),
        reference_rows: rows[0],
        current_rows: rows[1],
        status: columns
            .iter()
            .filter_map(|column| column.status)
            .chain(found.iter().filter_map(|metric| metric.status))
            .max(),
        columns,
        metrics: found,
        notes,
    })
}

/// The columns of both tables beside one another, not yet judged.
struct Compared {
    rows: [u64; 2],
    columns: Vec<ColumnDrift>,
    /// What the reference's chunks accept, by column and test.
    thresholds: BTreeMap<String, BTreeMap<&'static str, f64>>,
    notes: Vec<String>,
}

impl Compared {
    async fn compare(
        reference: &DataFrame,
        current: &DataFrame,
        spec: &DriftSpec,
        wanted: Vec<Wanted>,
        cancel: &CancellationToken,
    ) -> Result<Self, AnalysisError> {
        let mut all = Self {
            rows: [0; 2],
            columns: Vec::new(),
            thresholds: BTreeMap::new(),
            notes: Vec::new(),
        };
        let chunks = spec.chunks.as_deref();
        let at_once = if chunks.is_some() { 1 } else { AT_ONCE };
        // Without columns the rows are counted still.
        let none: &[Wanted] = &[];
        let groups = wanted.chunks(at_once).chain(wanted.is_empty().then_some(none));
        for group in groups {
            let before = scan::read(reference, group, chunks, cancel).await?;
            columns::enough(&before, chunks)?;
            let now = scan::read(current, group, None, cancel).await?;
            all.rows = [&before, &now].map(|parts| parts.iter().map(|part| part.rows).sum());
            columns::not_empty(all.rows)?;
            let (group, spec, rows) = (group.to_vec(), spec.clone(), all.rows);
            // Exact tests take time: not the runtime's.
            let made = off_thread(move || Ok(beside(before, now, group, &spec, rows)));
            for (column, thresholds, note) in made.await? {
                all.thresholds.insert(column.name.clone(), thresholds);
                all.columns.push(column);
                all.notes.extend(note);
            }
        }
        Ok(all)
    }
}

type Beside = (ColumnDrift, BTreeMap<&'static str, f64>, Vec<String>);

/// The columns of one pass beside one another.
fn beside(
    before: Vec<Part>,
    now: Vec<Part>,
    wanted: Vec<Wanted>,
    spec: &DriftSpec,
    rows: [u64; 2],
) -> Vec<Beside> {
    let pair = |(at, wanted): (usize, Wanted)| {
        let (whole, current) = (chunks::whole(&before, at)?, chunks::whole(&now, at)?);
        let thresholds = if spec.chunks.is_some() {
            chunks::thresholds(&before, at, &whole, spec.min_rows)
        } else {
            BTreeMap::new()
        };
        let mut notes = Vec::new();
        for (tally, table) in [(&whole, "reference"), (&current, "current table")] {
            if tally.invalid() > 0 {
                notes.push(format!(
                    "`{}` is no finite number in {} rows of the {table}: they count as missing.",
                    wanted.name,
                    tally.invalid()
                ));
            }
        }
        if spec.chunks.is_some() && thresholds.is_empty() {
            notes.push(format!(
                "`{}` has too few chunks of {} values to take thresholds from: the usual ones hold.",
                wanted.name, spec.min_rows
            ));
        }
        let column = compare::column(&wanted.name, whole, current, rows, spec.confidence);
        if column.precision.is_some_and(|precision| !precision.exact) {
            notes.push(format!(
                "`{}` has too many different numbers to keep each: neighbours were counted together.",
                wanted.name
            ));
        }
        Some((column, thresholds, notes))
    };
    wanted.into_iter().enumerate().filter_map(pair).collect()
}

/// The analysis of one of the tables, which its faults name.
async fn analysis(
    table: DataFrame,
    asked: &AnalysisSpec,
    spec: &DriftSpec,
    name: &str,
    cancel: &CancellationToken,
) -> Result<AnalysisResult, AnalysisError> {
    let seed = if asked.seed == 0 { spec.seed } else { asked.seed };
    let asked = AnalysisSpec { seed, ..asked.clone() };
    analyze(table, &asked, &(), cancel).await.map_err(|error| match error {
        AnalysisError::Invalid(faults) => {
            let of = |fault: Fault| columns::of_table(spec::within_analysis(fault), name);
            AnalysisError::Invalid(faults.into_iter().map(of).collect())
        }
        other => other,
    })
}
