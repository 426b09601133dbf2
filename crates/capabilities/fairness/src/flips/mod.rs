//! What would the model have decided of the same people, had one of their protected attributes been another?
//!
//! The data hold two decisions of each row, or a model at hand makes them: the one as it is, and the one with the attribute changed
//! and all else as it is. A decision that flips rests on the attribute itself. That it does not flip proves less: other columns may
//! stand for the attribute.

mod asked;
mod beside;
mod flip_rate;
mod flips_to_negative;
mod flips_to_positive;
mod gathered;
mod greatest_flip_rate;
mod metrics;
mod pairs;
mod spec;
mod test;

use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, ENGINE_VERSION, Exclusion, Rows, StatusCounts,
    frame::{Findings, GroupReader, Joined, Measured, Quantity, compare, excluded, line},
    gather::{Question, gather},
    off_thread::off_thread,
};
pub use asked::{Decide, MAX_VALUES, analyze_asked, asked_faults, values};
pub use beside::judged;
pub(crate) use beside::{column_fault, faults, names};
pub(crate) use gathered::of_columns;
use gathered::{Decisions, State};
pub use metrics::{DISPARITIES, Metric, registry};
use pairs::Pairs;
pub use spec::FlipSpec;
pub use test::FlipTest;

/// What was found of decisions under a changed attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlipReport {
    /// What was asked for.
    pub spec: FlipSpec,
    /// Version of this engine.
    pub engine_version: String,
    /// Everybody, then each group: do more decisions flip one way than the other?
    pub tests: Vec<FlipTest>,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// How many decisions flip, by group: one pass over the data, in bounded memory.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &FlipSpec,
    cancel: &CancellationToken,
) -> Result<FlipReport, AnalysisError> {
    let faults = spec.faults(table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let columns: Vec<&str> = GroupReader::columns(&spec.groups)
        .chain([spec.prediction.as_str(), spec.flipped.as_str()])
        .collect();
    let question = || Question::Flips(spec.clone());
    let state = gather(table, &columns, question, of_columns(spec), cancel).await?;
    off_thread(move || state.report()).await
}

impl<D: Decisions> State<D> {
    fn report(self) -> Result<FlipReport, AnalysisError> {
        let positive = self.spec.positive_label.as_deref();
        let faults =
            if self.groups.rows > 0 { self.decisions.faults(positive) } else { Vec::new() };
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        let Self { spec, groups, decisions: _, cells, missing } = self;
        let sum =
            |of: &[usize]| of.iter().fold(Pairs::default(), |sum, cell| sum.merged(&cells[*cell]));
        let everybody = sum(&groups.by_name());
        if let Some(nothing) = groups.nothing(everybody.all.n, everybody.all.w) {
            return Err(nothing);
        }
        let quantities: Vec<Quantity<'_>> =
            registry().iter().map(|metric| metric.about.quantity()).collect();
        let (groupings, notes) = groups.groupings();
        let mut tests = vec![FlipTest::of("", "all", &everybody)];
        let (mut faults, mut comparisons) = (Vec::new(), Vec::new());
        for attributes in &groupings {
            let (joined, sums): (Vec<Joined>, Vec<Pairs>) = groups
                .groups(attributes)
                .into_iter()
                .map(|group| {
                    let sums = sum(&group.cells);
                    (group, sums)
                })
                .filter(|(_, sums)| sums.all.n > 0)
                .unzip();
            let measured: Vec<Measured> =
                joined.iter().zip(&sums).map(|(group, sums)| measured(group, sums)).collect();
            let names = groups.names(attributes);
            tests.extend(FlipTest::of_groups(&names.join("|"), &joined, &sums));
            let mut comparison =
                compare(names, &measured, &quantities, &spec.groups, true, &mut faults);
            comparison
                .push(greatest_flip_rate::draft(&measured, &sums, &spec).judged(&spec.groups));
            comparisons.push(comparison);
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        let all = Joined { values: Vec::new(), name: "all".to_owned(), cells: Vec::new() };
        let findings = Findings {
            rows: Rows {
                read: groups.rows,
                used: everybody.all.n,
                weight: everybody.all.w,
                effective: everybody.all.effective(),
            },
            excluded: exclusions(&spec, missing).chain(groups.excluded()).collect(),
            overall: line(&measured(&all, &everybody), &quantities, false, spec.groups.confidence),
            comparisons,
            notes,
            counts: StatusCounts::default(),
            status: None,
        };
        Ok(FlipReport {
            spec,
            engine_version: ENGINE_VERSION.to_owned(),
            tests,
            findings: findings.judged(&[]),
        })
    }
}

fn exclusions(spec: &FlipSpec, missing: [u64; 2]) -> impl Iterator<Item = Exclusion> {
    let columns = [&spec.prediction, &spec.flipped];
    let reasons = ["missing_prediction", "missing_flipped"];
    columns
        .into_iter()
        .zip(reasons)
        .zip(missing)
        .filter(|(_, rows)| *rows > 0)
        .map(|((column, reason), rows)| excluded(reason, column, rows, "have no decision"))
}

fn measured(group: &Joined, sums: &Pairs) -> Measured {
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: sums.all.n,
        weight: sums.all.w,
        metrics: registry().iter().map(|metric| metric.of(sums)).collect(),
    }
}
