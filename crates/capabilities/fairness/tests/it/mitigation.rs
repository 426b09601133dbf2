//! Mitigations: against AIF360 and Fairlearn, on the data they were made from, and on other data.

use std::{fs::File, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::prelude::{CsvReadOptions, DataFrame, ParquetReadOptions};
use ephor_fairness::{
    AnalysisError, CancellationToken, Fault, Mitigation,
    mitigation::{
        ApplyOptions, ApplyReport, Constraint, Method, MitigationArtifact, MitigationSpec,
        Objective, OutputFormat, Rules, apply, fit,
    },
};
use serde_json::Value;

use crate::support::{DataSet, batch, close, context, data_sets, reference_json, table};

fn spec(method: Method, protected: &[&str]) -> MitigationSpec {
    MitigationSpec {
        score: (method != Method::Reweighing).then(|| "score".to_owned()),
        objective: Objective::Accuracy,
        min_group_size: 1,
        ..MitigationSpec::new(method, "y_true", protected.iter().copied())
    }
}

async fn read(set: &DataSet) -> DataFrame {
    // One partition: rows stay in the order of the file.
    context(1).read_csv(set.file.to_str().unwrap(), CsvReadOptions::new()).await.unwrap()
}

async fn made(table: DataFrame, spec: &MitigationSpec) -> MitigationArtifact {
    fit(table, spec, &(), &CancellationToken::new()).await.unwrap()
}

async fn refused(table: DataFrame, spec: &MitigationSpec) -> Vec<Fault> {
    match fit(table, spec, &(), &CancellationToken::new()).await {
        Err(AnalysisError::Invalid(faults)) => faults,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// Applies to a Parquet file, and reads that.
async fn applied(
    table: DataFrame,
    artifact: &MitigationArtifact,
    options: &ApplyOptions,
) -> Result<(ApplyReport, DataFrame), AnalysisError> {
    let file = tempfile::Builder::new().suffix(".parquet").tempfile().unwrap();
    let out = File::create(file.path()).unwrap();
    let cancel = CancellationToken::new();
    let report = apply(table, artifact, options, OutputFormat::Parquet, out, &(), &cancel).await?;
    let (_, path) = file.keep().unwrap();
    let options = ParquetReadOptions::default();
    let written = context(1).read_parquet(path.to_str().unwrap(), options).await.unwrap();
    let written = written.cache().await.unwrap();
    std::fs::remove_file(path).unwrap();
    Ok((report, written))
}

async fn column(table: &DataFrame, name: &str) -> Vec<Option<f64>> {
    let batches = table.clone().select_columns(&[name]).unwrap().collect().await.unwrap();
    let floats = batches.iter().map(|batch| {
        arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Float64).unwrap()
    });
    floats
        .flat_map(|array| {
            let array = array.as_any().downcast_ref::<Float64Array>().unwrap().clone();
            array.iter().collect::<Vec<_>>()
        })
        .collect()
}

fn measured(report: &ApplyReport, attribute: Option<&str>, id: &str) -> (f64, f64) {
    let found = report
        .measured
        .iter()
        .find(|one| one.attribute.as_deref() == attribute && one.id == id)
        .unwrap_or_else(|| panic!("no {id} of {attribute:?} in {report:?}"));
    (found.before.unwrap(), found.after.unwrap())
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no {key} in {value}"))
}

#[tokio::test]
async fn weights_are_those_of_aif360() {
    let peers = reference_json("mitigation/values.json");
    let mut compared = 0;
    for set in data_sets() {
        for (attribute, peer) in peers["data"][set.name].as_object().unwrap() {
            for (key, weight) in [("reweighing", None), ("reweighing_weighted", Some("weight"))] {
                let Some(peer_weights) = peer[key].as_object() else { continue };
                let asked = MitigationSpec {
                    weight: weight.map(str::to_owned),
                    ..spec(Method::Reweighing, &[attribute])
                };
                let artifact = made(read(&set).await, &asked).await;
                let Rules::Weights { groups } = &artifact.rules else { panic!("no weights") };
                assert_eq!(groups.len(), 2);
                for group in groups {
                    let privileged = group.values == [peer["privileged"].as_str().unwrap()];
                    let side = if privileged { "privileged" } else { "unprivileged" };
                    for (label, ours) in
                        [("positive", group.positive), ("negative", group.negative)]
                    {
                        let peer = peer_weights[&format!("{side}_{label}")].as_f64().unwrap();
                        assert!(close(ours.unwrap(), peer), "{attribute} {side} {label}");
                        compared += 1;
                    }
                }
                let (report, written) =
                    applied(read(&set).await, &artifact, &ApplyOptions::default()).await.unwrap();
                let sum: f64 =
                    column(&written, "mitigated_weight").await.into_iter().flatten().sum();
                assert!(close(sum, number(&peer[key], "sum")), "{sum}");
                assert!(close(sum, artifact.data.weight));
                let (before, after) = measured(&report, Some(attribute), "base_rate_difference");
                assert!(before > 0.01 && after < 1e-9, "{before} {after}");
                assert!(close(before, artifact.expected.before.base_rate_difference.unwrap()));
                assert!(artifact.expected.after.base_rate_difference.unwrap() < 1e-9);
            }
        }
    }
    assert_eq!(compared, 24);
}

#[tokio::test]
async fn combinations_of_attributes_are_reweighed_together() {
    let set = &data_sets()[1];
    let artifact = made(read(set).await, &spec(Method::Reweighing, &["race", "sex"])).await;
    let Rules::Weights { groups } = &artifact.rules else { panic!("no weights") };
    assert_eq!(groups.len(), 10);
    let (report, _) = applied(read(set).await, &artifact, &ApplyOptions::default()).await.unwrap();
    for attribute in ["race", "sex", "race|sex"] {
        assert!(measured(&report, Some(attribute), "base_rate_difference").1 < 1e-9);
    }
}

#[tokio::test]
async fn drawn_thresholds_are_never_worse_than_fairlearns() {
    let peers = reference_json("mitigation/values.json");
    let mut compared = 0;
    for set in data_sets() {
        for (attribute, peer) in peers["data"][set.name].as_object().unwrap() {
            for (key, peer) in peer["thresholds"].as_object().unwrap() {
                let (constraint, objective) = key.split_once('/').unwrap();
                let constraint = match constraint {
                    "demographic_parity" => Constraint::DemographicParity,
                    "true_positive_rate_parity" => Constraint::EqualOpportunity,
                    "false_positive_rate_parity" => Constraint::FalsePositiveRateParity,
                    _ => Constraint::EqualizedOdds,
                };
                let is_balanced = objective == "balanced_accuracy_score";
                let asked = MitigationSpec {
                    constraint,
                    objective: if is_balanced {
                        Objective::BalancedAccuracy
                    } else {
                        Objective::Accuracy
                    },
                    randomized: true,
                    ..spec(Method::Threshold, &[attribute])
                };
                let artifact = made(read(&set).await, &asked).await;
                let after = &artifact.expected.after;
                assert!(
                    after.disparity(constraint).unwrap() < 1e-9,
                    "{attribute} {key}: {after:?}"
                );
                let (ours, theirs) = if is_balanced {
                    (after.balanced_accuracy.unwrap(), number(peer, "balanced_accuracy"))
                } else {
                    (after.accuracy.unwrap(), number(peer, "accuracy"))
                };
                // Fairlearn tries 1 001 places, we the places where the optimum can be.
                assert!(ours >= theirs - 1e-9, "{attribute} {key}: {ours} is below {theirs}");
                assert!(ours <= theirs + 5e-4, "{attribute} {key}: {ours} is far from {theirs}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 20);
}

#[tokio::test]
async fn reject_options_are_those_of_aif360() {
    let peers = reference_json("mitigation/values.json");
    let mut compared = 0;
    for set in data_sets() {
        for (attribute, peer) in peers["data"][set.name].as_object().unwrap() {
            let privileged = peer["privileged"].as_str().unwrap();
            for (metric, peer) in peer["reject_option"].as_object().into_iter().flatten() {
                let constraint = match metric.as_str() {
                    "Statistical parity difference" => Constraint::DemographicParity,
                    "Equal opportunity difference" => Constraint::EqualOpportunity,
                    _ => Constraint::EqualizedOdds,
                };
                let asked = MitigationSpec {
                    constraint,
                    objective: Objective::BalancedAccuracy,
                    reference_groups: [((*attribute).clone(), privileged.to_owned())].into(),
                    ..spec(Method::RejectOption, &[attribute])
                };
                let artifact = made(read(&set).await, &asked).await;
                let Rules::Scores { band: Some(band), .. } = &artifact.rules else {
                    panic!("no band")
                };
                let what = format!("{} {attribute} {metric}", set.name);
                assert!(
                    close(band.threshold, number(peer, "threshold")),
                    "{what}: {band:?} {peer}"
                );
                assert!(close(band.margin, number(peer, "margin")), "{what}: {band:?} {peer}");
                let after = &artifact.expected.after;
                let balanced = after.balanced_accuracy.unwrap();
                assert!(close(balanced, number(peer, "balanced_accuracy")), "{what}");
                for group in &after.groups {
                    let side =
                        if group.values == [privileged] { "privileged" } else { "unprivileged" };
                    let selected = group.selection_rate.unwrap() * group.weight;
                    assert!(close(selected, number(peer, &format!("selected_{side}"))), "{what}");
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 9);
}

#[tokio::test]
async fn single_thresholds_do_on_the_same_data_what_they_promise() {
    for set in data_sets() {
        for (method, constraint) in [
            (Method::Threshold, Constraint::DemographicParity),
            (Method::Threshold, Constraint::EqualOpportunity),
            (Method::Threshold, Constraint::FalsePositiveRateParity),
            (Method::RejectOption, Constraint::DemographicParity),
        ] {
            let asked = MitigationSpec {
                constraint,
                min_group_size: 30,
                prediction: Some("y_pred".to_owned()),
                objective: if method == Method::Threshold {
                    Objective::Accuracy
                } else {
                    Objective::BalancedAccuracy
                },
                ..spec(method, &["sex"])
            };
            let artifact = made(read(&set).await, &asked).await;
            assert!(artifact.is_deterministic());
            let (report, written) =
                applied(read(&set).await, &artifact, &ApplyOptions::default()).await.unwrap();
            let id = match constraint {
                Constraint::DemographicParity => "demographic_parity_difference",
                Constraint::EqualOpportunity => "equal_opportunity_difference",
                _ => "predictive_equality_difference",
            };
            let (before, after) = measured(&report, Some("sex"), id);
            let expected = &artifact.expected;
            assert!(close(after, expected.after.disparity(constraint).unwrap()));
            assert!(close(before, expected.before.disparity(constraint).unwrap()));
            // What is within the tolerance already may move inside it.
            assert!(after <= asked.accepted() + 1e-9, "{before} {after}");
            assert!(after <= before.max(asked.accepted()), "{before} {after}");
            let accuracy = measured(&report, None, "accuracy");
            assert!(close(accuracy.0, expected.before.accuracy.unwrap()));
            assert!(close(accuracy.1, expected.after.accuracy.unwrap()));
            let selected = column(&written, "mitigated_prediction").await;
            let selected = selected.into_iter().filter(|one| *one == Some(1.0)).count();
            assert_eq!(selected as u64, report.selected);
            assert_eq!((report.drawn, report.unknown), (0, 0));
        }
    }
}

#[tokio::test]
async fn the_frontier_rises_and_keeps_within_its_tolerances() {
    let set = &data_sets()[1];
    for (constraint, randomized) in [
        (Constraint::DemographicParity, false),
        (Constraint::DemographicParity, true),
        (Constraint::EqualOpportunity, false),
        (Constraint::EqualOpportunity, true),
        (Constraint::FalsePositiveRateParity, true),
        (Constraint::EqualizedOdds, true),
    ] {
        let asked = MitigationSpec {
            constraint,
            randomized,
            min_group_size: 30,
            ..spec(Method::Threshold, &["race", "sex"])
        };
        let artifact = made(read(set).await, &asked).await;
        assert_eq!(artifact.frontier.len(), 11);
        for pair in artifact.frontier.windows(2) {
            assert!(pair[0].tolerance < pair[1].tolerance);
            let (low, high) = (pair[0].accuracy.unwrap(), pair[1].accuracy.unwrap());
            assert!(high >= low - 1e-12, "{constraint:?} {randomized}: {low} then {high}");
        }
        for point in &artifact.frontier {
            assert!(point.disparity.unwrap() <= point.tolerance + 1e-9, "{constraint:?}");
        }
    }
}

#[tokio::test]
async fn draws_follow_the_row_and_reach_what_is_expected_on_average() {
    let set = &data_sets()[1];
    let asked = MitigationSpec {
        constraint: Constraint::EqualizedOdds,
        randomized: true,
        seed: 11,
        ..spec(Method::Threshold, &["sex"])
    };
    let artifact = made(read(set).await, &asked).await;
    assert!(!artifact.is_deterministic());
    let options =
        ApplyOptions { row_id: Some("row_id".to_owned()), column: Some("fair".to_owned()) };
    let (report, forward) = applied(read(set).await, &artifact, &options).await.unwrap();
    assert!(report.drawn > 100);
    let (before, after) = measured(&report, Some("sex"), "equalized_odds_difference");
    assert!(after < before && after < 0.05, "{before} {after}");
    let accuracy = measured(&report, None, "accuracy").1;
    assert!((accuracy - artifact.expected.after.accuracy.unwrap()).abs() < 0.01);
    // The same rows the other way round are decided alike.
    let descending = datafusion::prelude::col("row_id").sort(false, false);
    let backward = read(set).await.sort(vec![descending]).unwrap();
    let (again, backward) = applied(backward, &artifact, &options).await.unwrap();
    assert_eq!((again.selected, again.drawn), (report.selected, report.drawn));
    let mut turned = column(&backward, "fair").await;
    turned.reverse();
    assert_eq!(turned, column(&forward, "fair").await);
}

fn people() -> Vec<(&'static str, ArrayRef)> {
    let groups = (0..400).map(|row| if row % 2 == 0 { "a" } else { "b" });
    let scores = (0..400).map(|row| f64::from(row) / 400.0 + if row % 2 == 0 { 0.2 } else { 0.0 });
    let labels =
        (0..400).map(|row| if (row * 7 + row % 2 * 90) % 400 > 220 { "yes" } else { "no" });
    vec![
        ("sex", Arc::new(StringArray::from_iter_values(groups)) as ArrayRef),
        ("y_true", Arc::new(StringArray::from_iter_values(labels))),
        ("score", Arc::new(Float64Array::from_iter_values(scores))),
    ]
}

#[tokio::test]
async fn unknown_groups_and_missing_values_follow_the_stated_rules() {
    let asked = MitigationSpec {
        positive_label: Some("yes".to_owned()),
        ..spec(Method::Threshold, &["sex"])
    };
    let artifact = made(table(vec![batch(people())]), &asked).await;
    let Rules::Scores { fallback, .. } = &artifact.rules else { panic!("no scores") };
    let other = vec![
        (
            "sex",
            Arc::new(StringArray::from(vec![Some("a"), Some("z"), None, Some("z"), Some("b")]))
                as ArrayRef,
        ),
        (
            "score",
            Arc::new(Float64Array::from(vec![
                Some(9.0),
                Some(9.0),
                Some(-9.0),
                None,
                Some(f64::NAN),
            ])) as ArrayRef,
        ),
    ];
    assert_eq!((fallback.probability(9.0), fallback.probability(-9.0)), (1.0, 0.0));
    let options = ApplyOptions::default();
    let (report, written) = applied(table(vec![batch(other)]), &artifact, &options).await.unwrap();
    assert_eq!((report.rows, report.unknown, report.without_score), (5, 3, 2));
    assert_eq!(report.unknown_groups, [["z"], ["(missing)"]]);
    assert_eq!(report.selected, 2);
    assert!(report.measured.is_empty() && report.not_measured.is_some());
    let batches = written.collect().await.unwrap();
    let decided = arrow::compute::cast(
        batches[0].column_by_name("mitigated_prediction").unwrap(),
        &arrow::datatypes::DataType::Utf8,
    )
    .unwrap();
    let decided = decided.as_any().downcast_ref::<StringArray>().unwrap();
    let decided: Vec<_> = decided.iter().collect();
    assert_eq!(decided, [Some("yes"), Some("yes"), Some("no"), None, None]);
}

#[tokio::test]
async fn weights_of_unknown_groups_stay_and_rows_without_label_have_none() {
    let asked = MitigationSpec {
        positive_label: Some("yes".to_owned()),
        ..spec(Method::Reweighing, &["sex"])
    };
    let artifact = made(table(vec![batch(people())]), &asked).await;
    let other = vec![
        ("sex", Arc::new(StringArray::from(vec!["a", "z", "a", "b"])) as ArrayRef),
        (
            "y_true",
            Arc::new(StringArray::from(vec![Some("yes"), Some("no"), None, Some("no")]))
                as ArrayRef,
        ),
    ];
    let (report, written) =
        applied(table(vec![batch(other)]), &artifact, &ApplyOptions::default()).await.unwrap();
    let weights = column(&written, "mitigated_weight").await;
    assert_eq!((weights[1], weights[2]), (Some(1.0), None));
    assert_eq!((report.unknown, report.without_label), (1, 1));
}

#[tokio::test]
async fn an_existing_column_is_not_overwritten_and_all_faults_come_at_once() {
    let asked = MitigationSpec {
        positive_label: Some("yes".to_owned()),
        ..spec(Method::Threshold, &["sex"])
    };
    let artifact = made(table(vec![batch(people())]), &asked).await;
    let mut columns = people();
    columns.remove(0);
    let options =
        ApplyOptions { column: Some("y_true".to_owned()), row_id: Some("nobody".to_owned()) };
    let Err(AnalysisError::Invalid(faults)) =
        applied(table(vec![batch(columns)]), &artifact, &options).await
    else {
        panic!("it was applied")
    };
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["unknown_column", "unknown_column", "column_exists"]);
}

#[tokio::test]
async fn an_artefact_is_the_same_after_a_round_trip_and_a_damaged_one_is_refused() {
    let asked = MitigationSpec {
        positive_label: Some("yes".to_owned()),
        constraint: Constraint::EqualizedOdds,
        randomized: true,
        ..spec(Method::Threshold, &["sex"])
    };
    let artifact = made(table(vec![batch(people())]), &asked).await;
    assert!(artifact.notes.iter().any(|note| note.contains("disparate treatment")));
    let text = serde_json::to_string(&artifact).unwrap();
    assert!(artifact.faults().is_empty());
    let again: MitigationArtifact = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&again).unwrap(), text);
    let damaged = |change: &dyn Fn(&mut MitigationArtifact)| {
        let mut damaged = again.clone();
        change(&mut damaged);
        damaged.faults().into_iter().map(|fault| fault.code).collect::<Vec<_>>()
    };
    assert_eq!(damaged(&|one| one.format = "ephor-mitigation/2".to_owned()), ["unknown_format"]);
    assert_eq!(damaged(&|one| one.kind = Method::Reweighing), ["inconsistent"]);
    assert_eq!(damaged(&|one| one.labels.negative = "yes".to_owned()), ["inconsistent"]);
    let rules = |change: &dyn Fn(&mut Vec<ephor_fairness::mitigation::GroupRule>)| {
        damaged(&|one| {
            if let Rules::Scores { groups, .. } = &mut one.rules {
                change(groups);
            }
        })
    };
    assert_eq!(rules(&|groups| groups[0].rule.below = 1.5), ["out_of_range"]);
    assert_eq!(rules(&|groups| groups[0].rule.steps[0].from = f64::NAN), ["out_of_range"]);
    assert_eq!(rules(&|groups| groups[1].values = groups[0].values.clone()), ["duplicate"]);
    assert_eq!(rules(&|groups| groups[1].values.clear()), ["inconsistent"]);
    assert!(serde_json::from_str::<MitigationArtifact>("{}").is_err());
}

#[tokio::test]
async fn data_that_allow_no_mitigation_are_refused_with_a_reason() {
    let code = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.code).collect::<Vec<_>>();
    let rows = |groups: &[&'static str], labels: &[i64], scores: &[f64]| {
        table(vec![batch(vec![
            ("sex", Arc::new(StringArray::from(groups.to_vec())) as ArrayRef),
            ("y_true", Arc::new(Int64Array::from(labels.to_vec()))),
            ("score", Arc::new(Float64Array::from(scores.to_vec()))),
        ])])
    };
    let all = [Method::Reweighing, Method::Threshold, Method::RejectOption];
    for method in all {
        let one_group = rows(&["a", "a"], &[0, 1], &[0.1, 0.9]);
        assert_eq!(code(refused(one_group, &spec(method, &["sex"])).await), ["too_few_groups"]);
        let empty = rows(&[], &[], &[]);
        assert_eq!(code(refused(empty, &spec(method, &["sex"])).await), ["no_rows"]);
    }
    let balanced = MitigationSpec {
        objective: Objective::BalancedAccuracy,
        ..spec(Method::Threshold, &["sex"])
    };
    let one_class = || rows(&["a", "b"], &[1, 1], &[0.1, 0.9]);
    assert_eq!(code(refused(one_class(), &balanced).await), ["label_empty"]);
    // Accuracy alone can be had: everybody is selected.
    let artifact = made(one_class(), &spec(Method::Threshold, &["sex"])).await;
    assert_eq!(artifact.expected.after.accuracy, Some(1.0));
    let odds = MitigationSpec {
        constraint: Constraint::EqualizedOdds,
        randomized: true,
        ..spec(Method::Threshold, &["sex"])
    };
    assert_eq!(code(refused(one_class(), &odds).await), ["too_few_groups"]);
    let single = MitigationSpec { randomized: false, ..odds };
    assert_eq!(code(refused(one_class(), &single).await), ["required"]);
    let scores = rows(&["a", "b", "b"], &[1, 0, 1], &[10.0, 20.0, 30.0]);
    let refused_scores = refused(scores, &spec(Method::RejectOption, &["sex"])).await;
    assert_eq!(code(refused_scores), ["out_of_range"]);
    let same = rows(&["a", "b", "a", "b"], &[1, 0, 0, 1], &[0.5; 4]);
    let artifact = made(same, &spec(Method::Threshold, &["sex"])).await;
    assert_eq!(artifact.expected.after.demographic_parity_difference, Some(0.0));
    let many: Vec<String> = (0..300).map(|group| format!("g{group}")).collect();
    let many: Vec<&'static str> = many.into_iter().map(|name| &*name.leak()).collect();
    let labels: Vec<i64> = (0..300).map(|row| row % 2).collect();
    let faults =
        refused(rows(&many, &labels, &[0.5; 300]), &spec(Method::Threshold, &["sex"])).await;
    assert_eq!(code(faults), ["too_many_groups"]);
}

#[tokio::test]
async fn recommendations_name_the_same_weights() {
    let set = &data_sets()[1];
    let asked = MitigationSpec { min_group_size: 30, ..spec(Method::Reweighing, &["sex"]) };
    let artifact = made(read(set).await, &asked).await;
    let Rules::Weights { groups } = &artifact.rules else { panic!("no weights") };
    let analysed = set.analyze(&asked.before()).await;
    let recommended = analysed.recommendations.iter().find_map(|one| match &one.mitigation {
        Mitigation::Reweighing { weights } if one.attribute == "sex" => Some(weights),
        _ => None,
    });
    let recommended = recommended.unwrap();
    assert_eq!(recommended.len(), 4);
    for one in recommended {
        let group = groups.iter().find(|group| group.values == [one.group.as_str()]).unwrap();
        let weight = if one.label == "1" { group.positive } else { group.negative };
        assert_eq!(weight, Some(one.weight));
    }
}

#[tokio::test]
async fn weights_beyond_all_measure_are_refused() {
    let mut columns = people();
    columns.push(("weight", Arc::new(Float64Array::from(vec![1e300; 400])) as ArrayRef));
    let asked = MitigationSpec {
        positive_label: Some("yes".to_owned()),
        weight: Some("weight".to_owned()),
        ..spec(Method::Threshold, &["sex"])
    };
    let faults = refused(table(vec![batch(columns)]), &asked).await;
    assert_eq!(faults[0].code, "out_of_range");
}

#[tokio::test]
async fn thresholds_on_the_edges_of_bins_do_what_they_promise() {
    let rows = 300_000_u64;
    let chance =
        |row: u64| (row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64;
    let score = |row: u64| chance(row).powi(1 + (row % 3) as i32);
    let label = |row: u64| i64::from(chance(row + 1_000_000) < score(row));
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            (
                "sex",
                Arc::new(Int64Array::from_iter_values((0..rows).map(|row| (row % 3) as i64)))
                    as ArrayRef,
            ),
            ("y_true", Arc::new(Int64Array::from_iter_values((0..rows).map(label)))),
            ("score", Arc::new(Float64Array::from_iter_values((0..rows).map(score)))),
        ]
    };
    for constraint in [Constraint::DemographicParity, Constraint::EqualOpportunity] {
        let asked = MitigationSpec { constraint, ..spec(Method::Threshold, &["sex"]) };
        let artifact = made(table(vec![batch(columns())]), &asked).await;
        assert!(artifact.data.score_bins.is_some());
        let (report, _) =
            applied(table(vec![batch(columns())]), &artifact, &ApplyOptions::default())
                .await
                .unwrap();
        let id = format!("{}_difference", constraint.as_str());
        let (before, after) = measured(&report, Some("sex"), &id);
        assert!(close(after, artifact.expected.after.disparity(constraint).unwrap()), "{after}");
        assert!(before > 0.1 && after <= 0.01 + 1e-9, "{before} {after}");
        let accuracy = measured(&report, None, "accuracy").1;
        assert!(close(accuracy, artifact.expected.after.accuracy.unwrap()));
    }
}
