//! Predictions of numbers: is the model as right about each group, and does it predict the same of each?
//!
//! One pass over the rows leaves sums for each combination of attributes, and the distribution of its predictions; every metric,
//! intersection and disparity is computed from these.

mod bounded_group_loss;
mod distribution;
mod gathered;
mod mean_absolute_error;
mod mean_prediction;
mod mean_residual;
mod mean_squared_error;
mod metrics;
mod moments;
mod r_squared;
mod root_mean_squared_error;
mod spec;
mod statistical_parity;

use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, ENGINE_VERSION, Exclusion, Rows, StatusCounts,
    frame::{
        Findings, GroupReader, Joined, Measured, Quantity, Tests, compare_and_test, excluded, line,
    },
    gather::{Question, gather},
    off_thread::off_thread,
};
pub(crate) use gathered::State;
pub use metrics::{DISPARITIES, Metric, registry};
use moments::Moments;
pub use spec::{Loss, RegressionSpec};

/// What an analysis of predicted numbers found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionReport {
    /// What was asked for.
    pub spec: RegressionSpec,
    /// Version of this engine.
    pub engine_version: String,
    /// Whether every distinct prediction was kept, so that the distributions' distances are exact.
    pub exact: bool,
    /// The greatest error that binning can cause in a distance of distributions; 0 when exact.
    pub distance_error: f64,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// Analyses predictions of numbers: one pass over the data, in bounded memory.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &RegressionSpec,
    cancel: &CancellationToken,
) -> Result<RegressionReport, AnalysisError> {
    let faults = spec.faults(table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let columns: Vec<&str> = GroupReader::columns(&spec.groups)
        .chain([spec.target.as_str(), spec.prediction.as_str()])
        .collect();
    let question = || Question::Regression(spec.clone());
    let state = gather(table, &columns, question, State::new(spec), cancel).await?;
    off_thread(move || state.report()).await
}

impl State {
    fn report(self) -> Result<RegressionReport, AnalysisError> {
        let Self { spec, groups, moments, distribution, missing, .. } = self;
        let sum = |cells: &[usize]| {
            cells.iter().fold(Moments::default(), |sum, cell| sum.merged(&moments[*cell]))
        };
        let everybody = sum(&groups.by_name());
        if let Some(nothing) = groups.nothing(everybody.count.n, everybody.count.w) {
            return Err(nothing);
        }
        let quantities: Vec<Quantity<'_>> =
            registry().iter().map(|metric| metric.about.quantity()).collect();
        let (groupings, mut notes) = groups.groupings();
        let (mut faults, mut comparisons, mut distance_error) = (Vec::new(), Vec::new(), 0.0_f64);
        for attributes in &groupings {
            let mut joined = groups.groups(attributes);
            let mut sums: Vec<Moments> = joined.iter().map(|group| sum(&group.cells)).collect();
            let mut kept = sums.iter().map(|sums| sums.count.n > 0);
            joined.retain(|_| kept.next().unwrap_or(false));
            sums.retain(|sums| sums.count.n > 0);
            let measured: Vec<Measured> =
                joined.iter().zip(&sums).map(|(group, sums)| measured(group, sums)).collect();
            let names = groups.names(attributes);
            let mut comparison = compare_and_test(
                names,
                &measured,
                &quantities,
                &spec.groups,
                true,
                Tests::All,
                &mut faults,
            );
            let cells: Vec<&[usize]> = joined.iter().map(|group| group.cells.as_slice()).collect();
            let parity = statistical_parity::draft(&distribution, &cells, &measured, &sums, &spec);
            distance_error = distance_error.max(parity.error);
            comparison.push(parity.draft.judged_with(&spec.groups, parity.evidence));
            comparison
                .push(bounded_group_loss::draft(&measured, &sums, &spec).judged(&spec.groups));
            comparisons.push(comparison);
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        let exact = distribution.exact();
        if !exact {
            notes.push(format!("There are too many different predictions to keep all: distances of distributions may be up to {distance_error:.6} greater than stated, which their intervals allow for."));
        }
        let named = [("missing_target", &spec.target), ("missing_prediction", &spec.prediction)];
        let all = Joined { values: Vec::new(), name: "all".to_owned(), cells: Vec::new() };
        let findings = Findings {
            rows: Rows {
                read: groups.rows,
                used: everybody.count.n,
                weight: everybody.count.w,
                effective: everybody.count.effective(),
            },
            excluded: exclusions(&named, missing).chain(groups.excluded()).collect(),
            overall: line(&measured(&all, &everybody), &quantities, false, spec.groups.confidence),
            comparisons,
            notes,
            counts: StatusCounts::default(),
            status: None,
        };
        Ok(RegressionReport {
            spec,
            engine_version: ENGINE_VERSION.to_owned(),
            exact,
            distance_error,
            findings: findings.judged(&[]),
        })
    }
}

fn exclusions<'a>(
    named: &'a [(&'a str, &'a String); 2],
    missing: [u64; 2],
) -> impl Iterator<Item = Exclusion> + 'a {
    named
        .iter()
        .zip(missing)
        .filter(|(_, rows)| *rows > 0)
        .map(|((reason, column), rows)| excluded(reason, column, rows, "have no finite number"))
}

fn measured(group: &Joined, sums: &Moments) -> Measured {
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: sums.count.n,
        weight: sums.count.w,
        metrics: registry().iter().map(|metric| metric.of(sums)).collect(),
    }
}
