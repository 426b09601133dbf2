//! Ranked lists: against the definitions, and at the edges.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisError, CancellationToken, DataFrame, Status,
    frame::Grouping,
    ranking::{RankingReport, RankingSpec, analyze},
};

use crate::{
    kinds_support::{comparison, grouping, input, values},
    support::{batch, close, table},
};

async fn run(table: DataFrame, spec: &RankingSpec) -> Result<RankingReport, AnalysisError> {
    analyze(table, spec, &CancellationToken::new()).await
}

fn spec(protected: &[&str]) -> RankingSpec {
    let by_score = RankingSpec::by_score(Some("query".to_owned()), "rating", grouping(protected));
    RankingSpec { top: 5, ..by_score }
}

#[tokio::test]
async fn equals_the_definitions_written_out() {
    let peer = &values()["ranking"];
    let report = run(input().await, &spec(&["group", "region"])).await.unwrap();
    assert_eq!(report.lists, 40);
    let by_group = comparison(&report.findings, "group");
    for (group, metrics) in peer["by_group"].as_object().unwrap() {
        for (metric, peer) in metrics.as_object().unwrap() {
            let found = by_group.group(group).unwrap().metric(metric).unwrap();
            let (value, interval) = (found.value.unwrap(), found.interval.as_ref().unwrap());
            assert!(close(value, peer.as_f64().unwrap()), "{group} {metric}: {value} not {peer}");
            assert!(interval.lower < value && value < interval.upper, "{group} {metric}");
        }
    }
    let ndkl = by_group.disparity("ndkl").unwrap();
    assert!(close(ndkl.value.unwrap(), peer["ndkl"].as_f64().unwrap()), "{ndkl:?}");
    let ratio = by_group.disparity("exposure_ratio").unwrap();
    let interval = ratio.interval.as_ref().unwrap();
    assert!(interval.lower < ratio.value.unwrap() && ratio.value.unwrap() < interval.upper);
    assert!(ratio.status.is_some());
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RankingReport>(&text).unwrap(), report);
    let sorted = input().await.sort_by(vec![datafusion::prelude::col("income")]).unwrap();
    let other = run(sorted, &spec(&["group", "region"])).await.unwrap();
    for (one, other) in report.findings.comparisons.iter().zip(&other.findings.comparisons) {
        for (one, other) in one.disparities.iter().zip(&other.disparities) {
            assert!(close(one.value.unwrap_or(9.0), other.value.unwrap_or(9.0)), "{}", one.id);
        }
    }
}

fn lists(groups: &[&str], positions: &[f64], list: &[i64]) -> DataFrame {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("g", Arc::new(StringArray::from(groups.to_vec()))),
        ("at", Arc::new(Float64Array::from(positions.to_vec()))),
        ("list", Arc::new(Int64Array::from(list.to_vec()))),
    ];
    table(vec![batch(columns)])
}

fn by_position(list: Option<&str>) -> RankingSpec {
    RankingSpec {
        list: list.map(str::to_owned),
        position: Some("at".to_owned()),
        score: None,
        top: 2,
        groups: grouping(&["g"]),
    }
}

#[tokio::test]
async fn one_list_has_no_intervals_and_fails_nothing() {
    let one = lists(&["a", "b", "a", "b"], &[1.0, f64::NAN, 2.0, 3.0], &[1, 1, 1, 1]);
    let report = run(one, &by_position(None)).await.unwrap();
    let found = comparison(&report.findings, "g").disparity("exposure_ratio").unwrap();
    assert_eq!((found.interval.as_ref(), found.status), (None, Some(Status::Warning)));
    assert_eq!(report.findings.excluded[0].rows, 1);
    let never = comparison(&report.findings, "g").group("b").unwrap().metric("skew").unwrap();
    assert_eq!((never.value, never.undefined.is_some()), (None, true));
}

#[tokio::test]
async fn a_group_that_is_always_last_fails_and_faults_are_told_together() {
    let (mut groups, mut positions, mut list) = (Vec::new(), Vec::new(), Vec::new());
    for id in 0..60_i64 {
        for place in 0..8 + id % 3 {
            groups.push(if place < 4 { "a" } else { "b" });
            positions.push(place as f64);
            list.push(id);
        }
    }
    let table = || lists(&groups, &positions, &list);
    let report = run(table(), &by_position(Some("list"))).await.unwrap();
    assert_eq!(report.findings.status, Some(Status::Fail));
    let wrong = RankingSpec {
        top: 0,
        score: Some("at".to_owned()),
        list: Some("lits".to_owned()),
        groups: Grouping { weight: Some("at".to_owned()), ..grouping(&["g"]) },
        ..by_position(None)
    };
    let Err(AnalysisError::Invalid(faults)) = run(table(), &wrong).await else {
        panic!("it was accepted")
    };
    let places: Vec<&str> = faults.iter().map(|fault| fault.where_.as_str()).collect();
    assert_eq!(places, ["/position", "/top", "/weight", "/list"]);
}
