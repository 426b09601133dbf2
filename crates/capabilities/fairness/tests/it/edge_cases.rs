//! The edges of the contract: where peers go wrong, and every kind of bad input.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use ephor_fairness::{AnalysisSpec, AnalysisType, Mitigation, Status, disparities};

use crate::support::{Find, FindIn, batch, faults, run, run_batch, table, value};

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(
        values.iter().map(|value| (*value != "?").then_some(*value)).collect::<Vec<_>>(),
    ))
}

fn whole(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(
        values.iter().map(|value| (*value != -9).then_some(*value)).collect::<Vec<_>>(),
    ))
}

fn real(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    }
}

/// Four of each: a and b are ordinary, c has no positives, d has no negatives (as in the peers' edge cases).
fn four_groups() -> Vec<(&'static str, ArrayRef)> {
    vec![
        (
            "g",
            text(&["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c", "d", "d", "d", "d"]),
        ),
        ("y", whole(&[1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1])),
        ("p", whole(&[1, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0])),
    ]
}

#[tokio::test]
async fn an_undefined_rate_is_null_left_out_and_listed() {
    let result = run_batch(four_groups(), &spec()).await.unwrap();
    let attribute = result.attribute("g");
    let tpr = attribute.group("c").metric("tpr").unwrap();
    assert_eq!(
        (tpr.value, tpr.undefined.as_deref()),
        (None, Some("the group has no positive labels"))
    );
    // Fairlearn takes 0.0 for c's TPR and says 0.75.
    let odds = attribute.disparity("equalized_odds_difference");
    assert_eq!(odds.value, Some(0.5));
    let left_out: Vec<&str> = odds.left_out.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(left_out, ["c", "d"]);
    assert!(odds.left_out[0].reason.contains("no positive labels"));
    // Fairlearn says 0.0.
    assert!(
        (attribute.disparity("equal_opportunity_ratio").value.unwrap() - 2.0 / 3.0).abs() < 1e-12
    );
}

#[tokio::test]
async fn nobody_selected_leaves_no_ratio() {
    let mut columns = four_groups();
    columns[2].1 = whole(&[0; 16]);
    let result = run_batch(columns, &spec()).await.unwrap();
    let attribute = result.attribute("g");
    let ratio = attribute.disparity("demographic_parity_ratio");
    assert_eq!(ratio.value, None);
    assert!(ratio.undefined.as_deref().unwrap().contains("no ratio"), "{ratio:?}");
    assert_eq!(attribute.disparity("demographic_parity_difference").value, Some(0.0));
    // Aequitas says 10.0, AIF360 nan.
    assert_eq!(attribute.disparity("disparate_impact").value, None);
    assert!(attribute.disparity("disparate_impact").undefined.as_deref().unwrap().contains("is 0"));
    assert_eq!(value(attribute.group("a"), "ppv"), None);
}

#[tokio::test]
async fn one_group_is_not_comparable() {
    let columns =
        vec![("g", text(&["a"; 4])), ("y", whole(&[1, 0, 1, 0])), ("p", whole(&[1, 0, 0, 0]))];
    let result = run_batch(columns, &spec()).await.unwrap();
    let attribute = result.attribute("g");
    assert!(!attribute.comparable);
    // Fairlearn says 0.0 and 1.0: perfectly fair.
    assert!(
        attribute.disparities.iter().all(|disparity| disparity.value.is_none()),
        "{:?}",
        attribute.disparities
    );
    assert_eq!((result.compliance_score, result.status), (None, None));
    assert_eq!(result.left_out.len(), 3);
    assert!(result.left_out[0].reason.contains("only one group"));
}

#[tokio::test]
async fn a_missing_attribute_is_a_group_of_its_own() {
    let columns = vec![
        ("g", text(&["a", "a", "?", "?", "b", ""])),
        ("y", whole(&[1, 0, 1, 0, 1, 0])),
        ("p", whole(&[1, 0, 0, 0, 1, 0])),
    ];
    let result = run_batch(columns, &spec()).await.unwrap();
    assert_eq!(result.attribute("g").group("(missing)").n, 3);
    let excluded = &result.excluded[0];
    assert_eq!((excluded.reason.as_str(), excluded.rows), ("missing_attribute", 3));
}

#[tokio::test]
async fn a_missing_prediction_is_missing_and_not_a_rejection() {
    let columns = vec![
        ("g", text(&["a", "a", "a", "b", "b", "b"])),
        ("y", whole(&[1, 0, 1, 1, 0, -9])),
        ("p", whole(&[1, -9, 0, 1, 0, 1])),
    ];
    let result = run_batch(columns, &spec()).await.unwrap();
    let a = result.attribute("g").group("a");
    assert_eq!((value(a, "selection_rate"), a.missing_prediction, a.n), (Some(0.5), 1, 3));
    let b = result.attribute("g").group("b");
    assert_eq!(
        (value(b, "selection_rate"), value(b, "accuracy"), b.missing_target),
        (Some(2.0 / 3.0), Some(1.0), 1)
    );
    let reasons: Vec<(&str, u64)> =
        result.excluded.iter().map(|excluded| (excluded.reason.as_str(), excluded.rows)).collect();
    assert_eq!(reasons, [("missing_target", 1), ("missing_prediction", 1)]);
}

#[tokio::test]
async fn scores_that_are_nan_count_as_missing() {
    let columns = vec![
        ("g", text(&["a", "a", "a", "b", "b", "b"])),
        ("y", whole(&[1, 0, 1, 1, 0, 0])),
        ("s", real(&[0.9, f64::NAN, 0.4, 0.8, 0.2, f64::INFINITY])),
    ];
    let spec = AnalysisSpec { score: Some("s".to_owned()), prediction: None, ..spec() };
    let result = run_batch(columns, &spec).await.unwrap();
    let (a, b) = (result.attribute("g").group("a"), result.attribute("g").group("b"));
    assert_eq!((a.missing_score, a.missing_prediction, value(a, "mean_score")), (1, 1, Some(0.65)));
    assert_eq!((b.missing_score, value(b, "roc_auc"), value(a, "roc_auc")), (1, Some(1.0), None));
    assert_eq!(
        result.excluded[0].reason,
        "missing_prediction".replace("prediction", "score").replace("missing", "nan")
    );
    assert_eq!(result.excluded[0].rows, 2);
    assert!(result.scores.unwrap().exact);
}

#[tokio::test]
async fn labels_with_names_are_asked_for_or_taken_by_name() {
    let columns = || {
        vec![
            ("g", text(&["a", "a", "b", "b"])),
            ("y", text(&["yes", "no", "yes", "no"])),
            ("p", text(&["yes", "no", "no", "no"])),
        ]
    };
    let asked = faults(run_batch(columns(), &spec()).await);
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[0].where_.as_str(), asked[0].code.as_str()), ("/positive_label", "required"));
    assert!(asked[0].message.contains("`no`, `yes`"), "{asked:?}");
    // Fairlearn's difference is 0.0 with them.
    let named = AnalysisSpec { positive_label: Some("yes".to_owned()), ..spec() };
    let result = run_batch(columns(), &named).await.unwrap();
    assert_eq!(result.attribute("g").disparity("demographic_parity_difference").value, Some(0.5));
    assert_eq!(
        (result.labels.positive.as_str(), result.labels.negative.as_deref()),
        ("yes", Some("no"))
    );
    let unknown = faults(
        run_batch(columns(), &AnalysisSpec { positive_label: Some("yse".to_owned()), ..spec() })
            .await,
    );
    assert_eq!(unknown[0].code, "unknown_label");
}

#[tokio::test]
async fn labels_of_every_type_mean_the_same() {
    let expected = run_batch(four_groups(), &spec()).await.unwrap();
    let bits = [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    let variants: [(ArrayRef, Option<&str>); 5] = [
        (Arc::new(BooleanArray::from(bits.map(|bit| bit == 1).to_vec())), None),
        (real(&bits.map(|bit| bit as f64)), Some("1")),
        (text(&bits.map(|bit| if bit == 1 { "1" } else { "0" })), None),
        (text(&bits.map(|bit| if bit == 1 { "good" } else { "bad" })), Some("good")),
        (whole(&bits.map(|bit| 2 - bit)), Some("1.0")),
    ];
    for (target, positive) in variants {
        let mut columns = four_groups();
        columns[1].1 = target.clone();
        let spec = AnalysisSpec { positive_label: positive.map(str::to_owned), ..spec() };
        let result = run_batch(columns, &spec).await.unwrap();
        assert_eq!(result.attributes, expected.attributes, "{:?} {positive:?}", target.data_type());
    }
}

#[tokio::test]
async fn a_label_with_three_values_is_refused() {
    let mut columns = four_groups();
    columns[1].1 = whole(&[1, 1, 0, 0, 1, 1, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1]);
    let found = faults(run_batch(columns, &spec()).await);
    assert_eq!((found[0].where_.as_str(), found[0].code.as_str()), ("/target", "label_not_binary"));
    assert!(found[0].message.contains("`0`, `1`, `2`"), "{found:?}");
}

#[tokio::test]
async fn a_column_of_scores_is_no_prediction() {
    let mut columns = four_groups();
    columns[2].1 = real(&(0..16).map(|row| f64::from(row) / 16.0).collect::<Vec<_>>());
    let found = faults(run_batch(columns, &spec()).await);
    assert_eq!(
        (found[0].where_.as_str(), found[0].code.as_str()),
        ("/prediction", "prediction_not_binary")
    );
    assert!(found[0].hint.as_deref().unwrap().contains("score"));
}

#[tokio::test]
async fn all_faults_come_at_once_with_the_nearest_name() {
    let spec = AnalysisSpec {
        target: Some("yy".to_owned()),
        score: Some("g".to_owned()),
        weight: Some("nothing_like_it".to_owned()),
        confidence: 1.5,
        thresholds: [("demographic_parity_diference".to_owned(), 0.1)].into(),
        reference_groups: [("h".to_owned(), "a".to_owned())].into(),
        protected: vec!["g".to_owned(), "g".to_owned()],
        ..spec()
    };
    let found = faults(run_batch(four_groups(), &spec).await);
    let codes: Vec<(&str, &str)> =
        found.iter().map(|fault| (fault.where_.as_str(), fault.code.as_str())).collect();
    for expected in [
        ("/target", "unknown_column"),
        ("/score", "score_not_numeric"),
        ("/weight", "unknown_column"),
        ("/confidence", "out_of_range"),
        ("/thresholds/demographic_parity_diference", "unknown_disparity"),
        ("/reference_groups/h", "unknown_attribute"),
        ("/protected/1", "duplicate"),
    ] {
        assert!(codes.contains(&expected), "{expected:?} is not in {codes:?}");
    }
    let hint = |place: &str| {
        found
            .iter()
            .find(|fault| fault.where_ == place)
            .and_then(|fault| fault.hint.clone())
            .unwrap()
    };
    assert_eq!(hint("/target"), "Did you mean `y`?");
    assert!(hint("/weight").contains("g, y, p"));
    assert!(
        hint("/thresholds/demographic_parity_diference")
            .contains("`demographic_parity_difference`")
    );
}

#[tokio::test]
async fn nothing_to_analyse_is_said() {
    let none = AnalysisSpec { protected: Vec::new(), ..spec() };
    assert_eq!(faults(run_batch(four_groups(), &none).await)[0].where_, "/protected");
    let empty = batch(four_groups()).slice(0, 0);
    assert_eq!(faults(run(table(vec![empty]), &spec()).await)[0].code, "no_rows");
    let mut columns = four_groups();
    columns[1].1 = whole(&[-9; 16]);
    assert_eq!(faults(run_batch(columns, &spec()).await)[0].code, "label_empty");
    let individual = AnalysisSpec { analysis_type: AnalysisType::IndividualFairness, ..spec() };
    assert_eq!(faults(run_batch(four_groups(), &individual).await)[0].where_, "/features");
    let group =
        AnalysisSpec { reference_groups: [("g".to_owned(), "A".to_owned())].into(), ..spec() };
    let found = faults(run_batch(four_groups(), &group).await);
    assert_eq!(
        (found[0].code.as_str(), found[0].hint.as_deref()),
        ("unknown_group", Some("Did you mean `a`?"))
    );
}

#[tokio::test]
async fn weights_that_are_none_are_excluded_and_listed() {
    let mut columns = four_groups();
    let mut weights = [1.0; 16];
    weights[0] = -1.0;
    weights[4] = f64::NAN;
    columns.push(("w", real(&weights)));
    let spec = AnalysisSpec { weight: Some("w".to_owned()), ..spec() };
    let result = run_batch(columns, &spec).await.unwrap();
    assert_eq!((result.rows.read, result.rows.used), (16, 14));
    assert_eq!(
        (result.excluded[0].reason.as_str(), result.excluded[0].rows),
        ("invalid_weight", 2)
    );
    let mut columns = four_groups();
    columns.push(("w", real(&[0.0; 16])));
    assert_eq!(faults(run_batch(columns, &spec).await)[0].code, "no_weight");
}

#[tokio::test]
async fn small_groups_are_listed_and_not_compared() {
    let mut columns = four_groups();
    columns[0].1 =
        text(&["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c", "c", "c", "c", "d"]);
    let result = run_batch(columns, &AnalysisSpec { min_group_size: 3, ..spec() }).await.unwrap();
    let attribute = result.attribute("g");
    assert_eq!((attribute.small_groups[0].group.as_str(), attribute.small_groups[0].n), ("d", 1));
    assert!(
        attribute.group("d").small && value(attribute.group("d"), "selection_rate") == Some(0.0)
    );
    assert_eq!(attribute.disparity("demographic_parity_difference").n, 15);
    assert!(result.warnings.iter().any(|warning| warning.contains("fewer than 3 rows")));
}

#[tokio::test]
async fn without_predictions_the_labels_are_judged() {
    let mut columns = four_groups();
    columns.pop();
    let result = run_batch(columns, &AnalysisSpec { prediction: None, ..spec() }).await.unwrap();
    let attribute = result.attribute("g");
    assert_eq!(attribute.disparity("base_rate_difference").value, Some(1.0));
    assert_eq!(attribute.disparity("base_rate_difference").threshold, Some(0.1));
    assert!(
        attribute
            .disparities
            .iter()
            .all(|disparity| disparity.id != "demographic_parity_difference")
    );
    assert_eq!(result.compliance_score, None);
    assert_eq!(result.left_out[0].reason, "there are no predictions");
}

#[tokio::test]
async fn status_follows_the_interval() {
    // 400 rows in each of two groups: selected 50 % and as given.
    let run_with = async |selected: usize, rows: usize| {
        let groups: Vec<&str> =
            (0..2 * rows).map(|row| if row < rows { "a" } else { "b" }).collect();
        let predictions: Vec<i64> = (0..2 * rows)
            .map(|row| {
                i64::from(if row < rows {
                    row * 2 < rows
                } else {
                    (row - rows) * 100 < selected * rows
                })
            })
            .collect();
        let labels: Vec<i64> = (0..2 * rows).map(|row| (row % 2) as i64).collect();
        let columns = vec![("g", text(&groups)), ("y", whole(&labels)), ("p", whole(&predictions))];
        let result = run_batch(columns, &spec()).await.unwrap();
        let found = result.attribute("g").disparity("demographic_parity_difference").clone();
        (found, result)
    };
    let (pass, _) = run_with(55, 400).await;
    assert_eq!(pass.status, Some(Status::Pass));
    let (warning, _) = run_with(62, 400).await;
    assert_eq!(warning.status, Some(Status::Warning), "{warning:?}");
    assert!(warning.sentence.contains("could be chance"), "{}", warning.sentence);
    let (fail, result) = run_with(90, 400).await;
    assert_eq!(fail.status, Some(Status::Fail));
    assert!(
        fail.interval.as_ref().unwrap().lower > 0.1 && fail.interval.as_ref().unwrap().upper < 0.5
    );
    assert_eq!(
        fail.worst_pair.as_ref().map(|pair| (pair.low.as_str(), pair.high.as_str())),
        Some(("a", "b"))
    );
    assert_eq!(
        fail.sentence.split(". ").next().unwrap(),
        "Selection rate is 50.0 % for “a” and 90.0 % for “b”: 40.0 percentage points apart"
    );
    assert_eq!(result.status, Some(Status::Fail));
    assert_eq!(
        result.counts.fail,
        result
            .attribute("g")
            .disparities
            .iter()
            .filter(|disparity| disparity.status == Some(Status::Fail))
            .count() as u64
    );
}

#[tokio::test]
async fn the_type_decides_what_is_judged_and_scored() {
    for (analysis_type, scored) in [
        (AnalysisType::DemographicParity, 1),
        (AnalysisType::EqualizedOdds, 2),
        (AnalysisType::Comprehensive, 3),
    ] {
        let result =
            run_batch(four_groups(), &AnalysisSpec { analysis_type, ..spec() }).await.unwrap();
        assert_eq!(result.scored.len(), scored, "{analysis_type:?}");
        for disparity in &result.attribute("g").disparities {
            let family = disparities::find(&disparity.id).unwrap().family;
            assert!(
                disparity.threshold.is_none() || family.judged_by(analysis_type),
                "{}",
                disparity.id
            );
        }
    }
    // 0.5 - 0.25 beyond 0.1: 100 - 100 x (0.5 - 0.1) with thresholds of the spec.
    let own = AnalysisSpec {
        analysis_type: AnalysisType::DemographicParity,
        thresholds: [("demographic_parity_difference".to_owned(), 0.3)].into(),
        ..spec()
    };
    let result = run_batch(four_groups(), &own).await.unwrap();
    assert_eq!((result.scored[0].value, result.compliance_score), (0.5, Some(80.0)));
}

#[tokio::test]
async fn a_result_survives_json() {
    let mut columns = four_groups();
    columns
        .push(("s", real(&(0..16).map(|row| f64::from(row * 7 % 16) / 16.0).collect::<Vec<_>>())));
    let spec = AnalysisSpec { score: Some("s".to_owned()), bootstrap_draws: 300, ..spec() };
    let result = run_batch(columns, &spec).await.unwrap();
    let text = serde_json::to_string(&result).unwrap();
    assert_eq!(serde_json::from_str::<ephor_fairness::AnalysisResult>(&text).unwrap(), result);
}

#[tokio::test]
async fn recommendations_are_computed_and_the_most_effective_comes_first() {
    // Group b scores a fifth lower throughout, and its labels are positive less often.
    let rows = 2_000_u32;
    let groups: Vec<&str> = (0..rows).map(|row| if row % 2 == 0 { "a" } else { "b" }).collect();
    let scores: Vec<f64> = (0..rows)
        .map(|row| f64::from(row * 7_919 % 1_000) / 1_250.0 + if row % 2 == 0 { 0.2 } else { 0.0 })
        .collect();
    let labels: Vec<i64> = scores
        .iter()
        .enumerate()
        .map(|(row, score)| i64::from(*score > 0.5) ^ i64::from(row % 10 == 3))
        .collect();
    let columns = vec![("g", text(&groups)), ("y", whole(&labels)), ("s", real(&scores))];
    let spec = AnalysisSpec {
        analysis_type: AnalysisType::DemographicParity,
        prediction: None,
        score: Some("s".to_owned()),
        score_threshold: 0.6,
        ..spec()
    };
    let result = run_batch(columns, &spec).await.unwrap();
    assert_eq!(
        result.attribute("g").disparity("demographic_parity_difference").status,
        Some(Status::Fail)
    );

    let first = &result.recommendations[0];
    let Mitigation::GroupThresholds { thresholds, equalises } = &first.mitigation else {
        panic!("{first:?}")
    };
    assert_eq!(equalises, "selection_rate");
    let effect = first.effect.as_ref().unwrap();
    assert!(effect.after < 0.01 && effect.before > 0.2, "{effect:?}");
    // Deciding by these thresholds gives what is promised.
    let chosen = |group: &str| {
        thresholds.iter().find(|threshold| threshold.group == group).unwrap().threshold
    };
    let rate = |group: &str| {
        let mine: Vec<bool> = groups
            .iter()
            .zip(&scores)
            .filter(|(name, _)| **name == group)
            .map(|(_, score)| *score >= chosen(group))
            .collect();
        mine.iter().filter(|selected| **selected).count() as f64 / mine.len() as f64
    };
    assert!(((rate("a") - rate("b")).abs() - effect.after).abs() < 1e-12);

    let reweighed = result.recommendations.iter().find_map(|made| match &made.mitigation {
        Mitigation::Reweighing { weights } => Some(weights),
        _ => None,
    });
    // With the weights the label is independent of the group, and no rows are gained or lost.
    let weight = |group: &str, label: i64| {
        reweighed
            .unwrap()
            .iter()
            .find(|cell| cell.group == group && cell.label == label.to_string())
            .unwrap()
            .weight
    };
    let total = |group: &str, label: i64| {
        groups.iter().zip(&labels).filter(|(name, of)| **name == group && **of == label).count()
            as f64
            * weight(group, label)
    };
    let rate = |group: &str| total(group, 1) / (total(group, 0) + total(group, 1));
    assert!((rate("a") - rate("b")).abs() < 1e-12);
    assert!((total("a", 0) + total("a", 1) - 1_000.0).abs() < 1e-9);
}
