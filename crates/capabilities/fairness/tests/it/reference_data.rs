//! The data alone: association, representation, completeness.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, CancellationToken,
    data::{
        association::{Moments, correlation_ratio, of_counts},
        describe,
        representation::Population,
    },
};

use crate::support::{batch, close, reference_json, table};

#[test]
fn associations_are_equal() {
    for case in reference_json("significance/values.json")["associations"].as_array().unwrap() {
        let counts: Vec<Vec<f64>> = serde_json::from_value(case["table"].clone()).unwrap();
        let ours = of_counts(&counts).unwrap();
        for (name, ours) in [
            ("cramers_v", ours.cramers_v),
            ("cramers_v_corrected", ours.cramers_v_corrected),
            ("mutual_information", ours.mutual_information),
            ("uncertainty", ours.uncertainty),
            ("p", ours.p),
        ] {
            let theirs = case[name].as_f64().unwrap();
            assert!(close(ours, theirs), "{name}: {ours} here, {theirs} there: {case}");
        }
    }
}

#[test]
fn correlation_ratios_are_equal() {
    for case in reference_json("significance/values.json")["correlation_ratios"].as_array().unwrap()
    {
        let groups: Vec<[f64; 3]> = serde_json::from_value(case["groups"].clone()).unwrap();
        let moments: Vec<Moments> = groups
            .into_iter()
            .map(|[weight, sum, squares]| Moments { weight, sum, squares })
            .collect();
        let ours = correlation_ratio(&moments).unwrap();
        assert!(close(ours, case["eta"].as_f64().unwrap()), "{ours} {case}");
    }
}

/// 60 women and 40 men; the street says the sex, the height nearly, the shoe nothing.
fn people() -> Vec<(&'static str, ArrayRef)> {
    let is_woman = |row: usize| row < 60;
    let rows = 0..100_usize;
    let text = |of: &dyn Fn(usize) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.clone().map(of)))
    };
    vec![
        (
            "y",
            Arc::new(Int64Array::from_iter(
                rows.clone().map(|row| (row % 10 != 0).then_some((row % 2) as i64)),
            )) as ArrayRef,
        ),
        ("sex", text(&|row| if is_woman(row) { "F" } else { "M" })),
        ("street", text(&|row| if is_woman(row) { "Elm" } else { "Oak" })),
        ("shoe", text(&|row| if row % 2 == 0 { "left" } else { "right" })),
        (
            "height",
            Arc::new(Float64Array::from_iter_values(rows.clone().map(|row| {
                let least = if is_woman(row) { 165.0 } else { 178.0 };
                least + (row % 5) as f64
            }))) as ArrayRef,
        ),
    ]
}

fn population(women: f64, men: f64) -> Population {
    let shares = [("F".to_owned(), women), ("M".to_owned(), men)];
    Population::from([("sex".to_owned(), shares.into())])
}

#[tokio::test]
async fn what_gives_sex_away_is_named_first() {
    let features = ["shoe", "height", "street"].map(str::to_owned);
    let report = describe(
        table(vec![batch(people())]),
        &AnalysisSpec::new("y", ["sex"]),
        &features,
        &population(0.5, 0.5),
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    let names: Vec<&str> = report.proxies.iter().map(|proxy| proxy.column.as_str()).collect();
    assert_eq!(names, ["street", "height", "shoe"]);
    let street = report.proxies[0].association.unwrap();
    assert!(close(street.cramers_v, 1.0) && close(street.uncertainty, 1.0) && street.p < 1e-20);
    assert!(report.proxies[1].correlation_ratio.unwrap() > 0.9);
    assert!(report.proxies[2].strength.unwrap() < 0.01);

    let women = &report.tables[0].groups[0];
    assert_eq!((women.n, women.share, women.labelled), (60, 0.6, 0.9));
    let found = report.tables[0].representation.as_ref().unwrap();
    assert!(close(found.groups[0].ratio, 1.2) && close(found.groups[1].ratio, 0.8));
    // SciPy: chisquare([60, 40], [50, 50]): 4.0, p = 0.045500263896358195.
    let test = found.test.unwrap();
    assert!(close(test.statistic, 4.0) && close(test.p, 0.045_500_263_896_358_195));
}

#[tokio::test]
async fn wrong_shares_and_unknown_columns_are_told() {
    let spec = AnalysisSpec::new("y", ["sex"]);
    let (none, cancel) = ([], CancellationToken::new());
    let data = || table(vec![batch(people())]);
    let Err(AnalysisError::Invalid(faults)) =
        describe(data(), &spec, &none, &population(0.5, 0.9), &cancel).await
    else {
        panic!("it was accepted")
    };
    assert!(faults[0].message.contains("1.400"), "{faults:?}");
    let unknown = ["shoo".to_owned(), "nothing at all".to_owned()];
    let Err(AnalysisError::Invalid(faults)) =
        describe(data(), &spec, &unknown, &Population::new(), &cancel).await
    else {
        panic!("it was accepted")
    };
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert_eq!(faults[0].hint.as_deref(), Some("Did you mean `shoe`?"));
}
