//! Many values, many scores: bounded memory and clear errors.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisError, AnalysisSpec,
    cube::{Cube, Layout, limits},
    law::{LawSpec, Rule},
};

use crate::support::{Find, batch, faults, run, table};

fn hash(row: u64) -> u64 {
    row.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (row >> 3).wrapping_mul(0xD1B5_4A32_D192_ED03)
}

fn bits(rows: u64, salt: u64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values((0..rows).map(|row| (hash(row + salt) >> 40 & 1) as i64)))
}

#[tokio::test]
async fn an_attribute_of_ten_thousand_values_works() {
    let rows = 60_000;
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|row| format!("postcode {}", row % 10_000)),
    ));
    let two: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|row| if row % 2 == 0 { "x" } else { "y" }),
    ));
    let scores: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (0..rows).map(|row| (hash(row) >> 11) as f64 / (1_u64 << 53) as f64),
    ));
    let whole = batch(vec![
        ("g", names),
        ("h", two),
        ("y", bits(rows, 0)),
        ("p", bits(rows, 9_999)),
        ("s", scores),
    ]);
    let parts = vec![whole.slice(0, 20_000), whole.slice(20_000, 40_000)];
    let spec = AnalysisSpec {
        prediction: Some("p".to_owned()),
        score: Some("s".to_owned()),
        bootstrap_draws: 200,
        ..AnalysisSpec::new("y", ["g", "h"])
    };
    let result = run(table(parts), &spec).await.unwrap();
    let attribute = result.attribute("g");
    assert_eq!(attribute.groups.len(), 10_000);
    assert_eq!(attribute.small_groups.len(), 10_000);
    assert!(
        !attribute.comparable && attribute.reason.as_deref().unwrap().contains("least group size")
    );
    assert!(attribute.groups[0].metrics.is_empty() && attribute.groups[0].n == 6);
    assert!(result.attribute("h").comparable);
    assert!(
        result.intersections.is_empty() && result.warnings[0].starts_with("g|h has 10000 groups"),
        "{:?}",
        result.warnings
    );
}

#[tokio::test]
async fn many_groups_have_disparities_and_say_that_not_every_pair_is_looked_at() {
    let rows = 30_000_u64;
    let names: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| (row % 500) as i64)));
    let whole = batch(vec![("g", names), ("y", bits(rows, 0)), ("p", bits(rows, 5))]);
    let spec = AnalysisSpec {
        prediction: Some("p".to_owned()),
        bootstrap_draws: 200,
        ..AnalysisSpec::new("y", ["g"])
    };
    let result = run(table(vec![whole]), &spec).await.unwrap();
    let found = result
        .attribute("g")
        .disparities
        .iter()
        .find(|disparity| disparity.id == "demographic_parity_difference")
        .unwrap();
    let interval = found.interval.as_ref().unwrap();
    assert!(interval.lower == 0.0 && found.value.unwrap() <= interval.upper, "{interval:?}");
    // Half of all are selected in every group: what is far apart is so by chance.
    assert_eq!(found.status, Some(ephor_fairness::Status::Warning));
    assert!(
        result.warnings.iter().any(|warning| warning.contains("not every pair is looked at")),
        "{:?}",
        result.warnings
    );
}

#[tokio::test]
async fn too_many_values_or_combinations_are_refused() {
    // Whoever compares within strata, and the law, tell all values apart.
    let rows = limits::MAX_VALUES as u64 + 2;
    let unique: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    let whole = batch(vec![("g", unique), ("h", bits(rows, 1)), ("y", bits(rows, 0))]);
    let within = AnalysisSpec { strata: Some("g".to_owned()), ..AnalysisSpec::new("y", ["h"]) };
    let law = Some(LawSpec::new([Rule::Eeoc]));
    let by_law = AnalysisSpec { law, ..AnalysisSpec::new("y", ["g"]) };
    for (spec, place) in [(within, "/strata"), (by_law, "/protected/0")] {
        let found = faults(run(table(vec![whole.clone()]), &spec).await);
        assert_eq!((found[0].where_.as_str(), found[0].code.as_str()), (place, "too_many_values"));
    }

    let rows = limits::MAX_CELLS as u64 + 100_000;
    let part = |by: u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| (row / by % 1_000) as i64)))
    };
    let spec = AnalysisSpec::new("y", ["g", "h"]);
    let found = faults(
        run(
            table(vec![batch(vec![("g", part(1)), ("h", part(1_000)), ("y", bits(rows, 0))])]),
            &spec,
        )
        .await,
    );
    assert_eq!(
        (found[0].where_.as_str(), found[0].code.as_str()),
        ("/protected", "too_many_groups")
    );

    let long: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..20).map(|row| format!("{row}{}", "x".repeat(1 << 20))),
    ));
    let spec = AnalysisSpec::new("y", ["g"]);
    let found = faults(run(table(vec![batch(vec![("g", long), ("y", bits(20, 0))])]), &spec).await);
    assert_eq!(found[0].code, "values_too_long");
}

#[test]
fn memory_stays_bounded_and_binned_scores_keep_their_stated_error() {
    let mut cube = Cube::new(Layout {
        attributes: 1,
        label: true,
        prediction: false,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    let (batches, size) = (150, 4_096_u64);
    let mut exact: Vec<(f64, bool)> = Vec::new();
    for number in 0..batches {
        let rows = number * size..(number + 1) * size;
        let label = |row: u64| hash(row * 3) >> 33 & 1 == 1;
        // Positives score higher: AUC about 0.75.
        let score = |row: u64| {
            let base = (hash(row) >> 11) as f64 / (1_u64 << 53) as f64;
            if label(row) { base.sqrt() } else { base }
        };
        exact.extend(rows.clone().map(|row| (score(row), label(row))));
        let columns: [ArrayRef; 3] = [
            Arc::new(StringArray::from_iter_values(rows.clone().map(|_| "a"))),
            Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| i64::from(label(row))))),
            Arc::new(Float64Array::from_iter_values(rows.map(score))),
        ];
        cube.update(&columns).unwrap();
        assert!(cube.size() < 32 << 20, "{}", cube.size());
    }
    let spec = AnalysisSpec {
        score: Some("s".to_owned()),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    };
    let result = ephor_fairness::analyze_cube(&cube, &spec).unwrap();
    let scores = result.scores.as_ref().unwrap();
    assert_eq!((scores.exact, scores.bins), (false, Some(limits::SCORE_BINS)));

    exact.sort_by(|left, right| left.0.total_cmp(&right.0));
    let positives = exact.iter().filter(|row| row.1).count() as f64;
    let negatives = exact.len() as f64 - positives;
    let (mut below, mut wins) = (0.0, 0.0);
    for (_, positive) in &exact {
        if *positive { wins += below } else { below += 1.0 }
    }
    let auc = wins / (positives * negatives);
    let ours = result.overall.metric("roc_auc").unwrap().value.unwrap();
    assert!(scores.auc_error > 0.0 && scores.auc_error < 2e-4, "{}", scores.auc_error);
    assert!((ours - auc).abs() <= scores.auc_error, "{ours} {auc} {}", scores.auc_error);
    // Sums are exact whatever the bins.
    let brier = exact
        .iter()
        .map(|(score, positive)| (score - f64::from(u8::from(*positive))).powi(2))
        .sum::<f64>()
        / exact.len() as f64;
    assert!((result.overall.metric("brier").unwrap().value.unwrap() - brier).abs() < 1e-12);
}

#[tokio::test]
async fn a_plan_that_fails_to_read_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.csv");
    std::fs::write(&path, "g,y\na,1\nb,0\nc,1,2,3,4\n").unwrap();
    let schema = arrow::datatypes::Schema::new(vec![
        arrow::datatypes::Field::new("g", arrow::datatypes::DataType::Utf8, true),
        arrow::datatypes::Field::new("y", arrow::datatypes::DataType::Int64, true),
    ]);
    let options = datafusion::prelude::CsvReadOptions::new().schema(&schema);
    let table = crate::support::context(1).read_csv(path.to_str().unwrap(), options).await.unwrap();
    let failed = run(table, &AnalysisSpec::new("y", ["g"])).await;
    assert!(matches!(failed, Err(AnalysisError::Read(_))), "{failed:?}");
}
