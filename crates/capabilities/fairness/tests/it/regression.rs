//! Predicted numbers: against scikit-learn, Fairlearn and `SciPy`, and at the edges.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use ephor_fairness::{
    AnalysisError, CancellationToken, DataFrame, Status,
    frame::Grouping,
    regression::{Loss, RegressionReport, RegressionSpec, analyze, registry},
};
use proptest::prelude::*;

use crate::{
    kinds_support::{comparison, frame, grouping, input, values},
    support::{batch, close, table},
};

async fn run(table: DataFrame, spec: &RegressionSpec) -> Result<RegressionReport, AnalysisError> {
    analyze(table, spec, &CancellationToken::new()).await
}

fn spec(protected: &[&str]) -> RegressionSpec {
    RegressionSpec::new("price", "guess", grouping(protected))
}

#[tokio::test]
async fn equals_scikit_learn_and_scipy() {
    let peers = &values()["regression"];
    let report = run(input().await, &spec(&["group", "region"])).await.unwrap();
    let mut equal = 0;
    for name in ["group", "group|region"] {
        equal += frame(&report.findings, name, &peers["plain"][name]);
    }
    for name in ["group", "region"] {
        let distance = comparison(&report.findings, name).disparity("prediction_distance").unwrap();
        let peer = peers["distance"][name].as_f64().unwrap();
        assert!(close(distance.value.unwrap(), peer), "{name}: {distance:?} is not {peer}");
        let interval = distance.interval.as_ref().unwrap();
        assert!(interval.lower <= peer && peer <= interval.upper);
    }
    assert!(equal > 60, "{equal}");
    assert!(report.exact && report.distance_error == 0.0);
    let weighted = RegressionSpec {
        groups: Grouping { weight: Some("weight".to_owned()), ..grouping(&["group"]) },
        ..spec(&["group"])
    };
    let report = run(input().await, &weighted).await.unwrap();
    frame(&report.findings, "group", &peers["weighted"]["group"]);
}

#[tokio::test]
async fn a_bound_of_the_loss_is_judged_beyond_noise() {
    let with = |loss, loss_bound| RegressionSpec { loss, loss_bound, ..spec(&["group"]) };
    let status = async |spec: RegressionSpec| {
        let report = run(input().await, &spec).await.unwrap();
        let found =
            comparison(&report.findings, "group").disparity("bounded_group_loss").unwrap().clone();
        (found.status, found.value.unwrap())
    };
    let (none, worst) = status(with(Loss::Squared, None)).await;
    assert_eq!(none, None);
    assert_eq!(status(with(Loss::Squared, Some(worst + 1.0))).await.0, Some(Status::Pass));
    assert_eq!(status(with(Loss::Squared, Some(worst - 1.0))).await.0, Some(Status::Warning));
    assert_eq!(status(with(Loss::Squared, Some(worst / 3.0))).await.0, Some(Status::Fail));
    let (_, absolute) = status(with(Loss::Absolute, None)).await;
    assert!(absolute < worst);
}

fn numbers(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test]
async fn what_is_no_number_is_listed_and_no_result_is_nan() {
    let huge = f64::MAX;
    let columns = vec![
        ("g", texts(&["a", "a", "a", "b", "b", "b", "c"])),
        ("price", numbers(&[1.0, 2.0, f64::NAN, 3.0, huge, f64::INFINITY, 5.0])),
        ("guess", numbers(&[1.0, 3.0, 1.0, f64::NAN, -huge, 1.0, 5.0])),
    ];
    let report = run(table(vec![batch(columns)]), &spec(&["g"])).await.unwrap();
    let reasons: Vec<(&str, u64)> =
        report.findings.excluded.iter().map(|one| (one.reason.as_str(), one.rows)).collect();
    assert_eq!(reasons, [("missing_target", 2), ("missing_prediction", 1)]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RegressionReport>(&text).unwrap(), report);
    let by_group = comparison(&report.findings, "g");
    let overflowed = by_group.group("b").unwrap().metric("mse").unwrap();
    assert_eq!((overflowed.value, overflowed.undefined.is_some()), (None, true));
    let lonely = by_group.group("c").unwrap().metric("r2").unwrap();
    assert_eq!(lonely.undefined.as_deref(), Some("all of the group's true numbers are equal"));
}

#[tokio::test]
async fn faults_are_told_together() {
    let columns = vec![
        ("g", texts(&["a", "b"])),
        ("price", texts(&["x", "y"])),
        ("guess", numbers(&[1.0, 2.0])),
    ];
    let mut wrong = spec(&["g"]);
    wrong.loss_bound = Some(f64::NAN);
    wrong.groups.thresholds.insert("mae_ration".to_owned(), 0.2);
    let Err(AnalysisError::Invalid(faults)) = run(table(vec![batch(columns)]), &wrong).await else {
        panic!("it was accepted")
    };
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["out_of_range", "unknown_disparity", "target_not_numeric"]);
    assert_eq!(faults[1].hint.as_deref(), Some("Did you mean `mae_ratio`?"));
    for rows in [0, 2] {
        let columns = vec![
            ("g", texts(&["a"; 2])),
            ("price", numbers(&[f64::NAN; 2])),
            ("guess", numbers(&[1.0; 2])),
        ];
        let Err(AnalysisError::Invalid(faults)) =
            run(table(vec![batch(columns).slice(0, rows)]), &spec(&["g"])).await
        else {
            panic!("it was accepted")
        };
        assert_eq!(faults[0].code, if rows == 0 { "no_rows" } else { "no_usable_rows" });
    }
}

#[test]
fn the_registry_says_all_of_each() {
    for metric in registry() {
        let about = metric.about;
        for text in [about.id, about.title, about.formula, about.source, about.edge_cases] {
            assert!(!text.is_empty(), "{}", about.id);
        }
    }
}

/// Everything that is no interval, to nine digits; weights change the effective number of rows, and with it intervals.
fn told(report: &RegressionReport) -> Vec<(String, Option<f64>)> {
    let mut told = Vec::new();
    for comparison in &report.findings.comparisons {
        for group in &comparison.groups {
            told.extend(
                group.metrics.iter().map(|one| (format!("{} {}", group.name, one.id), one.value)),
            );
        }
        told.extend(comparison.disparities.iter().map(|one| (one.id.clone(), one.value)));
    }
    told
}

fn agree(left: &RegressionReport, right: &RegressionReport) {
    let (left, right) = (told(left), told(right));
    assert_eq!(left.len(), right.len());
    for ((name, left), (other, right)) in left.into_iter().zip(right) {
        assert_eq!(name, other);
        match (left, right) {
            (Some(left), Some(right)) => assert!(
                (left - right).abs() <= 1e-9 * right.abs().max(1.0),
                "{name}: {left} {right}"
            ),
            (left, right) => assert_eq!(left, right, "{name}"),
        }
    }
}

type Row = (u8, f64, f64, u8);

fn made(rows: &[Row]) -> DataFrame {
    let names = ["a", "b", "c"];
    let group: Vec<&str> = rows.iter().map(|row| names[usize::from(row.0)]).collect();
    let of = |get: fn(&Row) -> f64| numbers(&rows.iter().map(get).collect::<Vec<f64>>());
    table(vec![batch(vec![
        ("g", texts(&group)),
        ("price", of(|row| row.1)),
        ("guess", of(|row| row.2)),
        ("w", of(|row| f64::from(row.3))),
    ])])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_changes_nothing_and_weights_repeat(
        rows in prop::collection::vec((0_u8..3, (-50..50_i32).prop_map(f64::from), -50.0..50.0_f64, 1_u8..4), 4..40),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let run = |rows: &[Row], weight: bool| {
            let weight = weight.then(|| "w".to_owned());
            let spec = RegressionSpec {
                groups: Grouping { weight, ..grouping(&["g"]) },
                ..spec(&["g"])
            };
            runtime.block_on(run(made(rows), &spec)).unwrap()
        };
        let turned: Vec<Row> = rows.iter().rev().copied().collect();
        agree(&run(&rows, false), &run(&turned, false));
        let repeated: Vec<Row> = rows
            .iter()
            .flat_map(|row| std::iter::repeat_n((row.0, row.1, row.2, 1), usize::from(row.3)))
            .collect();
        let (weighted, repeated) = (run(&rows, true), run(&repeated, false));
        // A group of one weighted row is one row, and of its repetitions several: neither has an R².
        agree(&weighted, &repeated);
    }
}

#[tokio::test]
async fn two_groups_without_any_error_hide_no_ratio_to_the_reference() {
    let groups = ["a", "a", "a", "b", "b", "c", "c"];
    let columns = vec![
        ("g", texts(&groups)),
        ("price", numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])),
        ("guess", numbers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 7.5])),
    ];
    let report = run(table(vec![batch(columns)]), &spec(&["g"])).await.unwrap();
    let by_group = comparison(&report.findings, "g");
    let found = by_group.disparity("mae_ratio_to_reference").unwrap();
    assert_eq!(
        (found.value, by_group.reference.as_ref().unwrap().group.as_str()),
        (Some(0.0), "a")
    );
    assert_eq!(found.worst_pair.as_ref().unwrap().high, "c");
    // Residuals of both signs have no ratio, whatever the others'.
    assert_eq!(by_group.disparity("mean_residual_ratio_to_reference").unwrap().value, None);
}

#[tokio::test]
async fn a_reference_group_that_is_too_small_is_named_as_the_reason() {
    let mut spec = spec(&["g"]);
    spec.groups.min_group_size = 2;
    spec.groups.reference_groups = [("g".to_owned(), "c".to_owned())].into();
    let columns = vec![
        ("g", texts(&["a", "a", "b", "b", "c"])),
        ("price", numbers(&[1.0, 2.0, 3.0, 4.0, 5.0])),
        ("guess", numbers(&[1.5, 2.0, 3.5, 4.0, 5.0])),
    ];
    let report = run(table(vec![batch(columns)]), &spec).await.unwrap();
    let found = comparison(&report.findings, "g").disparity("mae_difference_to_reference").unwrap();
    assert!(found.undefined.as_ref().unwrap().contains("below the least group size"), "{found:?}");
}

#[tokio::test]
async fn a_group_of_other_magnitude_changes_nothing_of_the_others() {
    let near: Vec<(f64, f64)> =
        (0..40).map(|row| (f64::from(row * 7 % 40), f64::from(row * 7 % 40 + row % 3))).collect();
    let r_squared = async |first: Option<f64>| {
        let far = first.map(|far| (far, far + 1.0));
        let rows: Vec<(f64, f64)> = far.into_iter().chain(near.iter().copied()).collect();
        let group: Vec<&str> =
            (0..rows.len()).map(|row| if rows[row].0 > 1e6 { "far" } else { "near" }).collect();
        let columns = vec![
            ("g", texts(&group)),
            ("price", numbers(&rows.iter().map(|row| row.0).collect::<Vec<_>>())),
            ("guess", numbers(&rows.iter().map(|row| row.1).collect::<Vec<_>>())),
        ];
        let report = run(table(vec![batch(columns)]), &spec(&["g"])).await.unwrap();
        let found = comparison(&report.findings, "g").group("near").unwrap().clone();
        let found = found.metric("r2").unwrap().clone();
        let interval = found.interval.unwrap();
        (found.value.unwrap(), interval.lower, interval.upper)
    };
    assert_eq!(r_squared(None).await, r_squared(Some(1e9)).await);
}
