//! Properties of the tasks other than yes or no: order and parts of the data change nothing, weights repeat, complements and
//! mirrors agree, and every number lies in its interval.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use ephor_fairness::{
    CancellationToken, Disparity, Interval,
    frame::{Comparison, Findings, Grouping},
    multiclass::{self, MulticlassReport, MulticlassSpec},
    ranking::{self, RankingReport, RankingSpec},
    regression::{self, RegressionReport, RegressionSpec},
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::{
    kinds_support::{comparison, grouping},
    support::{batch, table},
};

/// A row: its group, the other attribute, two classes (or places), a number, and a weight.
type Row = (u8, u8, u8, u8, f64, u8);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_u8..3, 0_u8..2, 0_u8..3, 0_u8..3, -20.0..20.0_f64, 1_u8..4);
    prop::collection::vec(row, 6..60)
}

fn texts(rows: &[Row], name: impl Fn(&Row) -> String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(name)))
}

fn numbers(rows: &[Row], number: impl Fn(&Row) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(number)))
}

/// The table of some rows, whose numbers are times this.
fn made(rows: &[Row], sign: f64) -> RecordBatch {
    batch(vec![
        ("g", texts(rows, |row| format!("g{}", row.0))),
        ("h", texts(rows, |row| format!("h{}", row.1))),
        ("truth", texts(rows, |row| format!("class {}", row.2))),
        ("given", texts(rows, |row| format!("class {}", row.3))),
        ("number", numbers(rows, |row| sign * row.4)),
        ("guess", numbers(rows, |row| sign * (row.4 / 2.0 + f64::from(row.2)))),
        ("w", numbers(rows, |row| f64::from(row.5))),
    ])
}

/// Many small batches, the last first.
fn pieces(rows: &[Row]) -> Vec<RecordBatch> {
    rows.chunks(7).rev().map(|rows| made(rows, 1.0)).collect()
}

fn repeated(rows: &[Row]) -> Vec<Row> {
    let copies = |row: &Row| std::iter::repeat_n(*row, usize::from(row.5));
    rows.iter().flat_map(copies).collect()
}

fn by(weight: bool) -> Grouping {
    Grouping { weight: weight.then(|| "w".to_owned()), ..grouping(&["g", "h"]) }
}

fn numbers_of(runtime: &Runtime, batches: Vec<RecordBatch>, weight: bool) -> RegressionReport {
    let spec = RegressionSpec::new("number", "guess", by(weight));
    let cancel = CancellationToken::new();
    runtime.block_on(regression::analyze(table(batches), &spec, &cancel)).unwrap()
}

/// The analysis of classes, unless there is only one.
fn classes_of(
    runtime: &Runtime,
    batches: Vec<RecordBatch>,
    columns: (&str, &str),
    weight: bool,
) -> Option<MulticlassReport> {
    let spec = MulticlassSpec::new(columns.0, columns.1, by(weight));
    let cancel = CancellationToken::new();
    runtime.block_on(multiclass::analyze(table(batches), &spec, &cancel)).ok()
}

fn lists_of(runtime: &Runtime, batches: Vec<RecordBatch>) -> RankingReport {
    let mut spec = RankingSpec::by_score(Some("truth".to_owned()), "number", by(false));
    spec.top = 2;
    let cancel = CancellationToken::new();
    runtime.block_on(ranking::analyze(table(batches), &spec, &cancel)).unwrap()
}

/// Every number that does not depend on how many rows there are.
fn told(findings: &Findings) -> Vec<(String, Option<f64>)> {
    let mut told = Vec::new();
    for comparison in &findings.comparisons {
        let name = |group: &str, id: &str| format!("{} {group} {id}", comparison.name);
        for group in &comparison.groups {
            let metrics = group.metrics.iter();
            told.extend(metrics.map(|one| (name(&group.name, &one.id), one.value)));
        }
        told.extend(comparison.disparities.iter().map(|one| (name("", &one.id), one.value)));
    }
    told
}

fn agree(left: &Findings, right: &Findings) {
    let (left, right) = (told(left), told(right));
    assert_eq!(left.len(), right.len());
    for ((name, left), (other, right)) in left.into_iter().zip(right) {
        assert_eq!(name, other);
        match (left, right) {
            (Some(left), Some(right)) => {
                let most = 1e-9 * right.abs().max(1.0);
                assert!((left - right).abs() <= most, "{name}: {left} {right}");
            }
            (left, right) => assert_eq!(left, right, "{name}"),
        }
    }
}

/// Values lie in their intervals, and probabilities are some, adjusted ones no less.
fn is_sound(comparisons: &[Comparison]) {
    let within = |value: f64, found: Option<&Interval>, what: &str| {
        if let Some(found) = found {
            let (lower, upper) = (found.lower - 1e-9, found.upper + 1e-9);
            assert!(lower <= value && value <= upper, "{what}: {value} {found:?}");
        }
    };
    for comparison in comparisons {
        for metric in comparison.groups.iter().flat_map(|group| &group.metrics) {
            metric
                .value
                .iter()
                .for_each(|value| within(*value, metric.interval.as_ref(), &metric.id));
        }
        for one in &comparison.disparities {
            one.value.iter().for_each(|value| within(*value, one.interval.as_ref(), &one.id));
            tests_are_sound(one);
        }
    }
}

fn tests_are_sound(one: &Disparity) {
    let (Some(p), Some(adjusted), Some(found)) = (one.p_value, one.p_adjusted, &one.significance)
    else {
        return assert_eq!((one.p_value, one.detectable), (None, None), "{one:?}");
    };
    assert!((0.0..=1.0).contains(&p) && (0.0..=1.0).contains(&adjusted), "{one:?}");
    assert!(
        p <= adjusted + 1e-15 && adjusted <= (p * found.tests as f64).min(1.0) + 1e-12,
        "{one:?}"
    );
    assert!(found.p_benjamini_hochberg.is_none_or(|other| other <= adjusted + 1e-15), "{one:?}");
    if let Some(shown) = one.detectable {
        assert!(shown.is_finite() && shown >= 0.0, "{one:?}");
        assert!(one.ideal == 0.0 || shown <= 1.0, "{one:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn predicted_numbers_do_not_depend_on_order_or_parts_and_mirror(rows in rows()) {
        let runtime = Runtime::new().unwrap();
        let whole = numbers_of(&runtime, vec![made(&rows, 1.0)], false);
        agree(&whole.findings, &numbers_of(&runtime, pieces(&rows), false).findings);
        is_sound(&whole.findings.comparisons);
        let weighted = numbers_of(&runtime, vec![made(&rows, 1.0)], true);
        agree(&weighted.findings, &numbers_of(&runtime, vec![made(&repeated(&rows), 1.0)], false).findings);
        is_sound(&weighted.findings.comparisons);
        // With all numbers below 0 that were above it, errors are as great, and groups as far apart.
        let mirrored = numbers_of(&runtime, vec![made(&rows, -1.0)], false);
        let (one, other) = (comparison(&whole.findings, "g"), comparison(&mirrored.findings, "g"));
        for id in [
            "mean_prediction_difference", "mean_residual_difference", "mae_difference", "mse_ratio",
            "rmse_difference", "prediction_distance", "bounded_group_loss",
        ] {
            let (left, right) = (one.disparity(id).unwrap(), other.disparity(id).unwrap());
            match (left.value, right.value) {
                (Some(one), Some(other)) => prop_assert!((one - other).abs() <= 1e-9 * one.abs().max(1.0), "{id}: {one} {other}"),
                (one, other) => prop_assert_eq!(one, other, "{}", id),
            }
        }
    }

    #[test]
    fn classes_do_not_depend_on_order_or_parts_and_weights_repeat(rows in rows()) {
        let runtime = Runtime::new().unwrap();
        let of = |batches, weight| classes_of(&runtime, batches, ("truth", "given"), weight);
        let (Some(whole), Some(parts)) = (of(vec![made(&rows, 1.0)], false), of(pieces(&rows), false)) else { return Ok(()) };
        agree(&whole.findings, &parts.findings);
        is_sound(&whole.findings.comparisons);
        prop_assert_eq!(&whole.confusion, &parts.confusion);
        let weighted = of(vec![made(&rows, 1.0)], true).unwrap();
        let copies = of(vec![made(&repeated(&rows), 1.0)], false).unwrap();
        agree(&weighted.findings, &copies.findings);
        is_sound(&weighted.findings.comparisons);
        prop_assert_eq!(&weighted.confusion, &copies.confusion);
    }

    #[test]
    fn complements_of_classes_mirror(rows in rows()) {
        let runtime = Runtime::new().unwrap();
        let of = |columns| classes_of(&runtime, vec![made(&rows, 1.0)], columns, false);
        let (Some(forth), Some(back)) = (of(("truth", "given")), of(("given", "truth"))) else { return Ok(()) };
        let pairs = [("tpr", "fnr"), ("fpr", "tnr"), ("ppv", "fdr"), ("npv", "for")];
        for (one, other) in forth.against_rest.iter().zip(&back.against_rest) {
            is_sound(&one.comparisons);
            for (group, mirrored) in one.comparisons[0].groups.iter().zip(&other.comparisons[0].groups) {
                let value = |id: &str| group.metric(id).unwrap().value;
                for (rate, complement) in pairs {
                    match (value(rate), value(complement)) {
                        (Some(rate), Some(complement)) => prop_assert!((rate + complement - 1.0).abs() < 1e-12),
                        (rate, complement) => prop_assert_eq!(rate, complement),
                    }
                }
                // What is recalled of one column's class is right of the other's.
                let turned = |id: &str| mirrored.metric(id).unwrap().value;
                prop_assert_eq!((value("tpr"), value("ppv")), (turned("ppv"), turned("tpr")));
            }
        }
        for (one, other) in forth.findings.comparisons.iter().zip(&back.findings.comparisons) {
            let of = |comparison: &Comparison| comparison.disparity("accuracy_difference").unwrap().value;
            prop_assert_eq!(of(one), of(other));
        }
    }

    #[test]
    fn lists_do_not_depend_on_order_copies_or_the_size_of_scores(rows in rows()) {
        let runtime = Runtime::new().unwrap();
        let whole = lists_of(&runtime, vec![made(&rows, 1.0)]);
        agree(&whole.findings, &lists_of(&runtime, pieces(&rows)).findings);
        is_sound(&whole.findings.comparisons);
        // Every list twice is as fair as once.
        let named = |copy: &str| {
            let list = texts(&rows, |row| format!("{copy} {}", row.2));
            let rows = made(&rows, 1.0);
            let mut columns = rows.columns().to_vec();
            columns[2] = list;
            RecordBatch::try_new(rows.schema(), columns).unwrap()
        };
        agree(&whole.findings, &lists_of(&runtime, vec![named("first"), named("second")]).findings);
        // Only the order of scores counts.
        agree(&whole.findings, &lists_of(&runtime, vec![made(&rows, 8.0)]).findings);
        for comparison in &whole.findings.comparisons {
            let all: u64 = comparison.groups.iter().map(|group| group.n).sum();
            let value = |at: usize, id: &str| comparison.groups[at].metric(id).unwrap().value.unwrap();
            let (mut tops, mut exposures) = (0.0, 0.0);
            for (at, group) in comparison.groups.iter().enumerate() {
                tops += value(at, "top_share");
                exposures += value(at, "relative_exposure") * group.n as f64 / all as f64;
            }
            prop_assert!((tops - 1.0).abs() < 1e-9 && (exposures - 1.0).abs() < 1e-9, "{tops} {exposures}");
        }
    }
}
