//! Predicted classes: against scikit-learn and Fairlearn, against the binary analysis, and at the edges.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, CancellationToken, DataFrame,
    frame::Grouping,
    multiclass::{MulticlassReport, MulticlassSpec, analyze, registry},
};

use crate::{
    kinds_support::{comparison, frame, grouping, input, values},
    support::{Find, FindIn, batch, close, data_sets, table},
};

async fn run(table: DataFrame, spec: &MulticlassSpec) -> Result<MulticlassReport, AnalysisError> {
    analyze(table, spec, &CancellationToken::new()).await
}

fn spec(protected: &[&str]) -> MulticlassSpec {
    MulticlassSpec::new("grade", "given", grouping(protected))
}

#[tokio::test]
async fn equals_scikit_learn_and_fairlearn() {
    let peers = &values()["multiclass"];
    let report = run(input().await, &spec(&["group", "region"])).await.unwrap();
    let mut equal = 0;
    for name in ["group", "group|region"] {
        equal += frame(&report.findings, name, &peers["plain"][name]);
    }
    assert!(equal > 60, "{equal}");
    assert_eq!(report.classes, ["fair", "good", "poor"]);
    let (mut parity, mut odds) = (0.0_f64, 0.0_f64);
    for (class, peer) in peers["against_rest"].as_object().unwrap() {
        let ours = report.against_rest.iter().find(|one| one.class == *class).unwrap();
        let by_group = ours.comparisons.iter().find(|one| one.name == "group").unwrap();
        for metric in ["tpr", "f1", "ppv"] {
            for (group, peer) in peer[metric].as_object().unwrap() {
                let found = by_group.group(group).unwrap().metric(metric).unwrap();
                assert!(
                    close(found.value.unwrap(), peer.as_f64().unwrap()),
                    "{class} {group} {metric}"
                );
                assert!(found.interval.is_some(), "{class} {group} {metric}");
            }
        }
        let found = by_group.disparity("selection_rate_difference").unwrap().value.unwrap();
        let peer_parity = peer["demographic_parity"].as_f64().unwrap();
        assert!(close(found, peer_parity), "{class}");
        parity = parity.max(peer_parity);
        odds = odds.max(peer["equalized_odds"].as_f64().unwrap());
    }
    let by_group = comparison(&report.findings, "group");
    for (id, peer) in [
        ("multiclass_demographic_parity_difference", parity),
        ("multiclass_equalized_odds_difference", odds),
    ] {
        let found = by_group.disparity(id).unwrap();
        assert!(close(found.value.unwrap(), peer), "{id}: {found:?} is not {peer}");
        assert!(found.status.is_some() && found.interval.is_some(), "{id}");
    }
    let weighted = MulticlassSpec {
        groups: Grouping { weight: Some("weight".to_owned()), ..grouping(&["group"]) },
        ..spec(&["group"])
    };
    let report = run(input().await, &weighted).await.unwrap();
    frame(&report.findings, "group", &peers["weighted"]["group"]);
}

#[tokio::test]
async fn two_classes_are_the_binary_analysis() {
    let data = &data_sets()[0];
    let binary = data.analyze(&AnalysisSpec { score: None, ..data.spec() }).await;
    let table = crate::support::context(2)
        .read_csv(data.file.to_str().unwrap(), datafusion::prelude::CsvReadOptions::new())
        .await
        .unwrap();
    let spec = MulticlassSpec::new("y_true", "y_pred", grouping(&data.attributes));
    let report = run(table, &spec).await.unwrap();
    let positive = report.against_rest.iter().find(|one| one.class == "1").unwrap();
    let mut equal = 0;
    for comparison in &positive.comparisons {
        let theirs = binary.attribute(&comparison.name);
        for group in &comparison.groups {
            for metric in &group.metrics {
                let their = theirs.group(&group.name).metric(&metric.id).unwrap();
                match (metric.value, their.value) {
                    (Some(ours), Some(their)) => {
                        assert!(close(ours, their), "{} {}", group.name, metric.id);
                        equal += 1;
                    }
                    (ours, their) => assert_eq!(ours, their, "{} {}", group.name, metric.id),
                }
            }
        }
        for (id, mine) in [
            ("demographic_parity_difference", "selection_rate_difference"),
            ("equal_opportunity_difference", "tpr_difference"),
            ("equal_opportunity_ratio", "tpr_ratio"),
        ] {
            let (ours, their) = (comparison.disparity(mine).unwrap(), theirs.disparity(id));
            assert!(close(ours.value.unwrap_or(-1.0), their.value.unwrap_or(-1.0)), "{id}");
            if let (Some(ours), Some(their)) = (&ours.interval, &their.interval) {
                assert!(close(ours.lower, their.lower) && close(ours.upper, their.upper), "{id}");
            }
        }
    }
    assert!(equal > 300, "{equal}");
    for comparison in &report.findings.comparisons {
        let theirs = binary.attribute(&comparison.name).disparity("demographic_parity_difference");
        let ours = comparison.disparity("multiclass_demographic_parity_difference").unwrap();
        assert!(close(ours.value.unwrap(), theirs.value.unwrap()), "{}", comparison.name);
    }
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test]
async fn numbers_of_any_type_are_one_class_and_what_is_missing_is_told() {
    let whole: ArrayRef =
        Arc::new(Int64Array::from(vec![Some(1), Some(2), Some(10), Some(1), None]));
    let float: ArrayRef =
        Arc::new(Float64Array::from(vec![Some(1.0), Some(10.0), Some(10.0), None, Some(2.0)]));
    let columns =
        vec![("g", texts(&["a", "a", "b", "b", "b"])), ("grade", whole), ("given", float)];
    let report = run(table(vec![batch(columns)]), &spec(&["g"])).await.unwrap();
    assert_eq!(report.classes, ["1", "2", "10"]);
    assert_eq!(report.confusion, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]);
    let reasons: Vec<&str> =
        report.findings.excluded.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["missing_target", "missing_prediction"]);
    assert_eq!(report.findings.overall.metric("accuracy").unwrap().value, Some(2.0 / 3.0));
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<MulticlassReport>(&text).unwrap(), report);
}

#[tokio::test]
async fn too_many_classes_and_one_class_are_faults() {
    let many: Vec<String> = (0..101).map(|at| format!("class {at}")).collect();
    let many: ArrayRef = Arc::new(StringArray::from(many));
    let groups = texts(&["a"; 101]);
    for (column, code) in [(many, "too_many_classes"), (texts(&["x"; 101]), "one_class")] {
        let columns =
            vec![("g", Arc::clone(&groups)), ("grade", Arc::clone(&column)), ("given", column)];
        let Err(AnalysisError::Invalid(faults)) =
            run(table(vec![batch(columns)]), &spec(&["g"])).await
        else {
            panic!("it was accepted")
        };
        assert_eq!(faults[0].code, code);
    }
}

#[tokio::test]
async fn of_very_many_pairs_in_all_classes_only_the_furthest_is_tested() {
    // 60 groups and 20 classes: 1770 pairs of each class' recall, and as many of its false alarms.
    let (groups, classes, rows) = (60, 20, 60 * 20 * 3);
    let text = |value: &dyn Fn(usize) -> usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("{:02}", value(row)))))
    };
    let columns = vec![
        ("g", text(&|row| row % groups)),
        ("grade", text(&|row| row / groups % classes)),
        ("given", text(&|row| if row % 7 == 0 { 3 } else { row / groups % classes })),
    ];
    let report = run(table(vec![batch(columns)]), &spec(&["g"])).await.unwrap();
    let found = comparison(&report.findings, "g");
    let significance = |id: &str| found.disparity(id).unwrap().significance.clone().unwrap();
    let parity = significance("multiclass_demographic_parity_difference");
    assert_eq!(parity.tests, 35_400);
    assert!(parity.p_benjamini_hochberg.is_some());
    let odds = significance("multiclass_equalized_odds_difference");
    assert_eq!((odds.tests, odds.p_benjamini_hochberg), (70_800, None));
    let told: Vec<&String> =
        report.findings.notes.iter().filter(|note| note.contains("are tested")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("g: Equalized odds difference of the worst class"), "{told:?}");
}

#[tokio::test]
async fn order_changes_nothing() {
    let forth = run(input().await, &spec(&["group"])).await.unwrap();
    let sorted = input().await.sort_by(vec![datafusion::prelude::col("income")]).unwrap();
    let back = run(sorted, &spec(&["group"])).await.unwrap();
    assert_eq!(forth.confusion, back.confusion);
    assert_eq!(forth.findings.comparisons.len(), back.findings.comparisons.len());
    for (one, other) in forth.findings.comparisons.iter().zip(&back.findings.comparisons) {
        for (one, other) in one.disparities.iter().zip(&other.disparities) {
            assert!(close(one.value.unwrap(), other.value.unwrap()), "{}", one.id);
        }
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
