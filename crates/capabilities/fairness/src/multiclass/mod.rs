//! Predictions of one class of several: is the model as right about each group, and is each class given as often?
//!
//! One pass over the rows leaves counts by (protected attributes…, true class, predicted class). Each class against the rest is a
//! binary classifier, whose counts, and with them every binary metric, are sums of these.

mod accuracy;
mod averages;
mod classes;
mod demographic_parity;
mod equalized_odds;
mod gathered;
mod macro_f1;
mod macro_precision;
mod macro_recall;
mod matrix;
mod one_against_rest;
mod spec;
mod weighted_f1;
mod weighted_precision;

use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, ENGINE_VERSION, Fault, Rows, StatusCounts,
    analysis::Estimated,
    frame::{
        About, Comparison, Findings, GroupReader, Joined, Line, Measured, Quantity, Tests,
        compare_and_test, excluded, line, untested,
    },
    gather::{Question, gather},
    off_thread::off_thread,
    tally::Count,
};
pub use classes::MAX_CLASSES;
pub(crate) use gathered::State;
use matrix::Matrix;
pub use spec::MulticlassSpec;

/// The most pairs of a group and a class that one combination of attributes may have.
const MAX_PARTS: usize = 50_000;
/// The most numbers of which the confusions of one combination of attributes may consist.
const MAX_CONFUSION: usize = 4_000_000;
/// With more pairs of groups, in all classes together, disparities of single classes have no intervals.
const MAX_PAIRS: usize = 200_000;

/// A metric of a classifier of several classes.
#[derive(Debug, Serialize)]
pub struct Metric {
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    #[serde(skip)]
    measure: fn(&Matrix) -> Estimated,
}

static REGISTRY: [Metric; 6] = [
    accuracy::METRIC,
    macro_recall::METRIC,
    macro_precision::METRIC,
    macro_f1::METRIC,
    weighted_precision::METRIC,
    weighted_f1::METRIC,
];

/// All metrics, in the order in which results list them.
pub fn registry() -> &'static [Metric] {
    &REGISTRY
}

/// The disparities that are no difference or ratio of a metric.
pub static DISPARITIES: [About; 2] = [demographic_parity::ABOUT, equalized_odds::ABOUT];

/// What is compared of each class against the rest.
pub(crate) fn of_one_class() -> Vec<Quantity<'static>> {
    one_against_rest::quantities()
}

/// What an analysis of predicted classes found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MulticlassReport {
    /// What was asked for.
    pub spec: MulticlassSpec,
    /// Version of this engine.
    pub engine_version: String,
    /// The classes, by name: true ones and predicted ones.
    pub classes: Vec<String>,
    /// Everybody's rows (weighted, with weights) by true class, then by predicted class.
    pub confusion: Vec<Vec<f64>>,
    /// The same of each group.
    pub confusions: Vec<Confusions>,
    /// What was found of all classes together.
    #[serde(flatten)]
    pub findings: Findings,
    /// Each class against the rest, by every metric of binary decisions.
    pub against_rest: Vec<ClassResult>,
}

/// The confusion of each group of an attribute, or of several together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusions {
    /// The attributes joined by `|`.
    pub name: String,
    /// Each group, by name, with its rows (weighted, with weights) by true class, then by predicted class; none where a note
    /// says that there are too many.
    pub groups: Vec<(String, Vec<Vec<f64>>)>,
}

/// One class against the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassResult {
    /// The class, which counts as positive here.
    pub class: String,
    /// Everybody.
    pub overall: Line,
    /// By each attribute, then by their combinations.
    pub comparisons: Vec<Comparison>,
}

/// Analyses predictions of classes: one pass over the data, in bounded memory.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &MulticlassSpec,
    cancel: &CancellationToken,
) -> Result<MulticlassReport, AnalysisError> {
    let faults = spec.faults(table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let columns: Vec<&str> = GroupReader::columns(&spec.groups)
        .chain([spec.target.as_str(), spec.prediction.as_str()])
        .collect();
    let question = || Question::Multiclass(spec.clone());
    let state = gather(table, &columns, question, State::new(spec), cancel).await?;
    let cancel = cancel.clone();
    off_thread(move || state.report(&cancel)).await
}

impl State {
    /// What the counts say; looks whether somebody cancels before each attribute, each class and each family of tests.
    fn report(self, cancel: &CancellationToken) -> Result<MulticlassReport, AnalysisError> {
        let Self { spec, groups, classes, counts, missing } = self;
        let (names, places) = classes.sorted();
        let mut of_cell: Vec<Vec<(usize, usize, Count)>> = vec![Vec::new(); groups.len()];
        for ((cell, truth, predicted), count) in counts {
            of_cell[cell as usize].push((
                places[truth as usize],
                places[predicted as usize],
                count,
            ));
        }
        let sum = |cells: &[usize]| {
            let mut matrix = Matrix::new(names.len());
            cells.iter().flat_map(|cell| &of_cell[*cell]).for_each(|entry| matrix.add(*entry));
            matrix.finished()
        };
        let everybody = sum(&groups.by_name());
        if let Some(nothing) = groups.nothing(everybody.judged().n, everybody.all().w) {
            return Err(nothing);
        }
        if names.len() < 2 {
            let fault =
                Fault::new("/target", "one_class", "There is only one class in these data.")
                    .hint("Name a column of classes that differ.");
            return Err(AnalysisError::Invalid(vec![fault]));
        }
        let whole = everybody.all().w;
        let quantities: Vec<Quantity<'_>> =
            registry().iter().map(|metric| metric.about.quantity()).collect();
        let binary = one_against_rest::quantities();
        let (groupings, mut notes) = groups.groupings();
        let mut against_rest: Vec<ClassResult> = names
            .iter()
            .enumerate()
            .map(|(class, name)| ClassResult {
                class: name.clone(),
                overall: line(
                    &one_against_rest::measured(&all(), &everybody, class, whole),
                    &binary,
                    false,
                    spec.groups.confidence,
                ),
                comparisons: Vec::new(),
            })
            .collect();
        let (mut faults, mut comparisons, mut confusions) = (Vec::new(), Vec::new(), Vec::new());
        for attributes in &groupings {
            goes_on(cancel)?;
            let joined = groups.groups(attributes);
            let (title, name) = (groups.names(attributes), groups.names(attributes).join("|"));
            if attributes.len() > 1 && joined.len() * names.len() > MAX_PARTS {
                notes.push(format!("{name} has {} groups: with {} classes, combinations of so many are not analysed.", joined.len(), names.len()));
                continue;
            }
            if joined.len() * names.len() > 4 * MAX_PARTS {
                let message = format!(
                    "`{name}` has {} groups and there are {} classes: together too many.",
                    joined.len(),
                    names.len()
                );
                faults.push(Fault::new("/protected", "too_many_groups", message));
                continue;
            }
            let sure = joined.len() * joined.len() * names.len() <= 2 * MAX_PAIRS;
            if !sure {
                notes.push(format!("{name} has {} groups: with {} classes, disparities of single classes have no intervals.", joined.len(), names.len()));
            }
            let is_told = joined.len() * names.len() * names.len() <= MAX_CONFUSION;
            if !is_told {
                notes.push(format!(
                    "{name} has {} groups: with {} classes, the confusion of each is not listed.",
                    joined.len(),
                    names.len()
                ));
            }
            let mut measured: Vec<Measured> = Vec::new();
            let mut parts: Vec<Vec<Measured>> = names.iter().map(|_| Vec::new()).collect();
            let mut tables = Vec::new();
            for group in &joined {
                goes_on(cancel)?;
                let matrix = sum(&group.cells);
                if matrix.all().n == 0 {
                    continue;
                }
                measured.push(of_group(group, &matrix));
                for (class, part) in parts.iter_mut().enumerate() {
                    part.push(one_against_rest::measured(group, &matrix, class, whole));
                }
                if is_told {
                    tables.push((group.name.clone(), matrix.rows()));
                }
            }
            confusions.push(Confusions { name, groups: tables });
            let mut comparison = compare_and_test(
                title.clone(),
                &measured,
                &quantities,
                &spec.groups,
                true,
                Tests::All,
                &mut faults,
            );
            for (draft, evidence) in [
                demographic_parity::draft(&measured, &parts, &names, &spec, sure, cancel),
                equalized_odds::draft(&measured, &parts, &names, &spec, sure, cancel),
            ] {
                // A test that was given up for it has no evidence, which must not be told as none.
                goes_on(cancel)?;
                let tested = evidence.as_ref();
                notes.extend(
                    tested.and_then(|found| untested(&comparison.name, &draft.title, found)),
                );
                comparison.push(draft.judged_with(&spec.groups, evidence));
            }
            comparisons.push(comparison);
            // Of single classes there are very many: what nobody judges is not tested.
            let tests = if sure { Tests::Judged } else { Tests::None };
            for (result, part) in against_rest.iter_mut().zip(&parts) {
                goes_on(cancel)?;
                let (groups, title) = (&spec.groups, title.clone());
                // What the groups lack was said of all classes together.
                let untold = &mut Vec::new();
                result
                    .comparisons
                    .push(compare_and_test(title, part, &binary, groups, sure, tests, untold));
            }
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        let excluded = [("missing_target", &spec.target), ("missing_prediction", &spec.prediction)]
            .into_iter()
            .zip(missing)
            .filter(|(_, rows)| *rows > 0)
            .map(|((reason, column), rows)| {
                let mut found = excluded(reason, column, rows, "have no class");
                found.sentence = format!(
                    "{rows} rows have no class in `{column}`: they are in no number that needs it."
                );
                found
            })
            .chain(groups.excluded())
            .collect();
        let findings = Findings {
            rows: Rows {
                read: groups.rows,
                used: everybody.all().n,
                weight: whole,
                effective: everybody.all().effective(),
            },
            excluded,
            overall: line(
                &of_group(&all(), &everybody),
                &quantities,
                false,
                spec.groups.confidence,
            ),
            comparisons,
            notes,
            counts: StatusCounts::default(),
            status: None,
        };
        let more: Vec<&Comparison> =
            against_rest.iter().flat_map(|result| &result.comparisons).collect();
        Ok(MulticlassReport {
            spec,
            engine_version: ENGINE_VERSION.to_owned(),
            classes: names,
            confusion: everybody.rows(),
            confusions,
            findings: findings.judged(&more),
            against_rest,
        })
    }
}

/// Whether nobody cancelled.
fn goes_on(cancel: &CancellationToken) -> Result<(), AnalysisError> {
    if cancel.is_cancelled() { Err(AnalysisError::Cancelled) } else { Ok(()) }
}

fn all() -> Joined {
    Joined { values: Vec::new(), name: "all".to_owned(), cells: Vec::new() }
}

fn of_group(group: &Joined, matrix: &Matrix) -> Measured {
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: matrix.all().n,
        weight: matrix.all().w,
        metrics: registry().iter().map(|metric| (metric.measure)(matrix)).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};

    use super::*;
    use crate::{frame::Grouping, gather::Gather as _};

    fn state() -> State {
        let column = |values: [&str; 4]| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(values.into_iter().cycle().take(400)))
        };
        let columns = [
            ("g", column(["f", "f", "m", "m"])),
            ("grade", column(["good", "poor", "good", "poor"])),
            ("given", column(["good", "good", "poor", "poor"])),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let grouping = Grouping::new(["g"]);
        let spec = MulticlassSpec::new("grade", "given", grouping);
        let mut state = State::new(&spec);
        state.add(&batch).unwrap();
        state
    }

    #[test]
    fn what_comes_after_the_rows_is_cancelled_too() {
        let cancel = CancellationToken::new();
        assert!(state().report(&cancel).is_ok());
        cancel.cancel();
        assert!(matches!(state().report(&cancel), Err(AnalysisError::Cancelled)));
    }
}
