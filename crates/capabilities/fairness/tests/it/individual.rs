//! Individual fairness: against AIF360's definition, and at the edges.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{AnalysisResult, AnalysisSpec, AnalysisType};

use crate::{
    kinds_support::{comparison, input, values},
    support::{close, faults, run, run_batch},
};

fn spec(features: &str, neighbours: u32) -> AnalysisSpec {
    AnalysisSpec {
        analysis_type: AnalysisType::IndividualFairness,
        features: features.split(',').map(str::to_owned).collect(),
        neighbours,
        min_group_size: 1,
        bootstrap_draws: 0,
        ..AnalysisSpec::new("hired", ["group"])
    }
}

#[tokio::test]
async fn equals_aif360() {
    let peers = &values()["consistency"];
    for (features, by_number) in peers.as_object().unwrap() {
        for (neighbours, peer) in by_number.as_object().unwrap() {
            let spec = spec(features, neighbours.parse().unwrap());
            let result = run(input().await, &spec).await.unwrap();
            let individual = result.individual.as_ref().unwrap();
            assert!(individual.exact && individual.asked == 600);
            let overall = individual.findings.overall.metric("consistency").unwrap();
            let (ours, theirs) = (overall.value.unwrap(), peer["overall"].as_f64().unwrap());
            assert!(close(ours, theirs), "{features} {neighbours}: {ours} is not {theirs}");
            let by_group = comparison(&individual.findings, "group");
            for (group, peer) in peer["by_group"].as_object().unwrap() {
                let ours = by_group.group(group).unwrap().metric("consistency").unwrap();
                assert!(close(ours.value.unwrap(), peer.as_f64().unwrap()), "{features} {group}");
                assert!(ours.interval.is_some());
            }
            let difference = by_group.disparity("consistency_difference").unwrap();
            assert!(difference.status.is_some());
            assert_eq!(result.counts, individual.findings.counts, "nothing else is judged");
            assert_eq!(result.status, individual.findings.status);
            let text = serde_json::to_string(&result).unwrap();
            assert_eq!(serde_json::from_str::<AnalysisResult>(&text).unwrap(), result);
        }
    }
}

#[tokio::test]
async fn a_spec_that_cannot_be_answered_is_refused_at_once() {
    let wrong = AnalysisSpec { neighbours: 0, ..spec("income,income,hired,incme", 5) };
    let found = faults(run(input().await, &wrong).await);
    let codes: Vec<(&str, &str)> =
        found.iter().map(|fault| (fault.where_.as_str(), fault.code.as_str())).collect();
    assert_eq!(
        codes,
        [
            ("/features/1", "duplicate"),
            ("/features/2", "two_roles"),
            ("/neighbours", "out_of_range"),
            ("/features/3", "unknown_column"),
        ]
    );
    let none = AnalysisSpec { features: Vec::new(), ..spec("income", 5) };
    assert_eq!(faults(run(input().await, &none).await)[0].where_, "/features");
}

fn columns(rows: &[(&str, i64, Option<f64>, f64)]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("group", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)))),
        ("hired", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)))),
        ("x", Arc::new(Float64Array::from(rows.iter().map(|row| row.2).collect::<Vec<_>>()))),
        ("w", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.3)))),
    ]
}

fn consistency(result: &AnalysisResult) -> f64 {
    let individual = result.individual.as_ref().unwrap();
    individual.findings.overall.metric("consistency").unwrap().value.unwrap()
}

#[tokio::test]
async fn order_changes_nothing_and_weights_repeat() {
    let rows: Vec<(&str, i64, Option<f64>, f64)> = (0..60_i64)
        .map(|at| {
            let group = if at % 3 == 0 { "a" } else { "b" };
            (group, at * 7 % 5 / 3, Some((at * 13 % 11) as f64), (at % 4 + 1) as f64)
        })
        .collect();
    let plain = spec("x", 4);
    let turned: Vec<_> = rows.iter().rev().copied().collect();
    let (forth, back) = (
        run_batch(columns(&rows), &plain).await.unwrap(),
        run_batch(columns(&turned), &plain).await.unwrap(),
    );
    assert!(close(consistency(&forth), consistency(&back)));
    let repeated: Vec<_> =
        rows.iter().flat_map(|row| std::iter::repeat_n(*row, row.3 as usize)).collect();
    let weighted = AnalysisSpec { weight: Some("w".to_owned()), ..plain.clone() };
    let (weighted, repeated) = (
        run_batch(columns(&rows), &weighted).await.unwrap(),
        run_batch(columns(&repeated), &plain).await.unwrap(),
    );
    assert!(close(consistency(&weighted), consistency(&repeated)));
}

#[tokio::test]
async fn rows_that_cannot_be_compared_are_listed() {
    let rows = [
        ("a", 1, Some(1.0), 1.0),
        ("a", 0, None, 1.0),
        ("b", 1, Some(f64::NAN), 1.0),
        ("b", 1, Some(1.0), 1.0),
    ];
    let result = run_batch(columns(&rows), &spec("x", 5)).await.unwrap();
    let individual = result.individual.as_ref().unwrap();
    assert_eq!((individual.among, individual.findings.excluded[0].rows), (2, 2));
    assert_eq!(consistency(&result), 1.0);
}

#[tokio::test]
async fn more_rows_than_can_be_compared_are_drawn_and_the_interval_holds() {
    // Neighbours agree in three of four: whoever is asked, the truth is known.
    let rows: Vec<(&str, i64, Option<f64>, f64)> = (0..24_000_i64)
        .map(|at| {
            (
                if at % 2 == 0 { "a" } else { "b" },
                i64::from(at % 4 != 0),
                Some((at / 4) as f64),
                1.0,
            )
        })
        .collect();
    let result = run_batch(columns(&rows), &spec("x", 4)).await.unwrap();
    let individual = result.individual.as_ref().unwrap();
    assert!(!individual.exact && individual.asked < 24_000 && individual.among == 24_000);
    assert!(!individual.findings.notes.is_empty());
    let overall = individual.findings.overall.metric("consistency").unwrap();
    let interval = overall.interval.as_ref().unwrap();
    assert!(interval.lower < 0.625 && 0.625 < interval.upper, "{overall:?}");
    // Whoever is drawn is drawn from the rows as they are, and not as they come.
    let turned: Vec<_> = rows.iter().rev().copied().collect();
    assert_eq!(result, run_batch(columns(&turned), &spec("x", 4)).await.unwrap());
}
