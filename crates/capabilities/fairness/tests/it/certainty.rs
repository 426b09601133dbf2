//! What is judged can fail when it is truly apart, and does not when it is not, however many groups there are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, IntervalMethod, Status, analyze_cube,
    cube::{Cube, Layout},
};

use crate::support::{Find, FindIn};

/// A row: its group, label and score.
type Row = (i64, bool, f64);

fn analyzed(rows: &[Row], thresholds: &[(&str, f64)]) -> AnalysisResult {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(row.1)))),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))),
    ];
    let mut cube = Cube::new(Layout {
        label: true,
        attributes: 1,
        prediction: false,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    cube.update(&columns).unwrap();
    let spec = AnalysisSpec {
        score: Some("s".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        thresholds: thresholds.iter().map(|(id, most)| ((*id).to_owned(), *most)).collect(),
        ..AnalysisSpec::new("y", ["g"])
    };
    analyze_cube(&cube, &spec).unwrap()
}

/// A number between 0 and 1 that looks like chance.
fn uniform(row: u64) -> f64 {
    let mixed = (row + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// So many rows of a group whose labels are positive with the probability of their score, and so much more.
fn calibrated(group: i64, n: u64, more: f64) -> impl Iterator<Item = Row> {
    (0..n).map(move |row| {
        let at = 2 * (row + 100_000 * group as u64);
        let score = 0.25 + 0.5 * uniform(at);
        (group, uniform(at + 1) < score + more, score)
    })
}

/// So many rows of a group whose labels the score tells apart as well as this: 0 not at all, 1 wholly.
fn ranked(group: i64, n: u64, skill: f64) -> impl Iterator<Item = Row> {
    (0..n).map(move |row| {
        let at = 2 * (row + 100_000 * group as u64);
        let label = row % 2 == 0;
        let half = if label { 0.5 } else { 0.0 };
        let score = uniform(at);
        (group, label, if uniform(at + 1) < skill { half + score / 2.0 } else { score })
    })
}

fn status(result: &AnalysisResult, id: &str) -> Status {
    result.attribute("g").disparity(id).status.unwrap()
}

#[test]
fn scores_that_are_wrong_for_one_group_only_fail() {
    let ids =
        [("ece_difference", 0.05), ("ece_difference_to_overall", 0.05), ("brier_difference", 0.05)];
    let equal: Vec<Row> = (0..6).flat_map(|group| calibrated(group, 60, 0.0)).collect();
    let result = analyzed(&equal, &ids);
    assert!(ids.iter().all(|(id, _)| status(&result, id) != Status::Fail));
    let apart: Vec<Row> = (0..6)
        .flat_map(|group| calibrated(group, 600, if group == 3 { 0.24 } else { 0.0 }))
        .collect();
    let result = analyzed(&apart, &ids);
    for id in ["ece_difference", "ece_difference_to_overall"] {
        assert_eq!(status(&result, id), Status::Fail, "{id}");
        let found = result.attribute("g").disparity(id);
        let interval = found.interval.as_ref().unwrap();
        assert!(interval.lower > 0.05 && interval.lower < found.value.unwrap(), "{interval:?}");
    }
}

#[test]
fn scores_that_tell_nothing_in_one_group_only_fail() {
    let ids = [
        ("ks_difference", 0.1),
        ("ks_difference_to_overall", 0.1),
        ("roc_auc_difference", 0.1),
        ("roc_auc_difference_to_overall", 0.1),
        ("mae_difference_to_overall", 0.05),
        ("log_loss_difference_to_overall", 0.1),
    ];
    let equal: Vec<Row> = (0..8).flat_map(|group| ranked(group, 40, 0.5)).collect();
    let result = analyzed(&equal, &ids);
    for (id, _) in ids {
        assert_ne!(status(&result, id), Status::Fail, "{id}");
    }
    let apart: Vec<Row> =
        (0..8).flat_map(|group| ranked(group, 1_500, if group == 5 { 0.0 } else { 0.9 })).collect();
    let result = analyzed(&apart, &ids);
    for (id, _) in ids {
        assert_eq!(status(&result, id), Status::Fail, "{id}");
    }
    let method = |id: &str| result.attribute("g").disparity(id).interval.clone().unwrap().method;
    assert_eq!(method("roc_auc_difference"), IntervalMethod::SimultaneousPairs);
    assert_eq!(method("roc_auc_difference_to_overall"), IntervalMethod::SimultaneousGroups);
}

#[test]
fn a_group_of_one_positive_does_not_hide_that_others_are_apart() {
    let mut rows: Vec<Row> = ranked(0, 1_000, 0.9).chain(ranked(1, 1_000, 0.0)).collect();
    rows.extend([(2, true, 0.6), (2, false, 0.3), (2, false, 0.4)]);
    let ids = [("roc_auc_difference", 0.1), ("roc_auc_difference_to_overall", 0.1)];
    let result = analyzed(&rows, &ids);
    for (id, _) in ids {
        let found = result.attribute("g").disparity(id);
        assert_eq!(found.status, Some(Status::Fail), "{id}");
        // The group might be anywhere.
        assert_eq!(found.interval.as_ref().unwrap().upper, 1.0);
        assert!(
            found.left_out.iter().any(|left| left.name == "2" && left.reason.contains("too few")),
            "{:?}",
            found.left_out
        );
    }
    let ratio = result.attribute("g").disparity("roc_auc_ratio");
    let interval = ratio.interval.as_ref().unwrap();
    assert!(interval.lower == 0.0 && interval.upper < 0.8, "{interval:?}");
}

#[test]
fn an_attribute_of_a_thousand_values_fails_if_one_is_apart_and_only_then() {
    let ids = [
        ("base_rate_difference", 0.1),
        ("base_rate_ratio", 0.2),
        ("base_rate_difference_to_overall", 0.1),
        ("calibration_in_the_large_difference", 0.1),
    ];
    let groups = |apart: f64| -> Vec<Row> {
        let more = |group: i64| if group == 77 { apart } else { 0.0 };
        (0..1_000).flat_map(|group| calibrated(group, 200, more(group))).collect()
    };
    let result = analyzed(&groups(0.0), &ids);
    for (id, _) in ids {
        assert_eq!(status(&result, id), Status::Warning, "{id}");
    }
    // All labels of one group are positive, of the others' about half.
    let mut rows = groups(0.0);
    rows.iter_mut().filter(|row| row.0 == 77).for_each(|row| row.1 = true);
    let result = analyzed(&rows, &ids);
    for (id, _) in ids {
        let found = result.attribute("g").disparity(id);
        assert_eq!(found.status, Some(Status::Fail), "{id} {:?}", found.interval);
        assert!(found.interval.as_ref().unwrap().lower <= found.value.unwrap());
    }
    assert!(result.warnings.iter().any(|warning| warning.contains("not every pair")));
}
