//! What two analyses say side by side.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, CancellationToken, Status,
    comparison::{
        AttributeChange, Comparison, DisparityChange, Effect, MetricChange, Verdict, compare,
        compare_tasks,
    },
    task::{self, Task, TaskResult, TaskSpec},
};

use crate::{
    kinds_support::input,
    support::{batch, run_batch, table},
};

/// Groups with the number selected, of so many rows; every other row is positive.
async fn selected(groups: &[(&str, usize, usize)], spec: &AnalysisSpec) -> AnalysisResult {
    let (mut labels, mut predictions, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (name, chosen, rows) in groups {
        for row in 0..*rows {
            labels.push((row % 2) as i64);
            predictions.push(i64::from(row < *chosen));
            names.push(*name);
        }
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(Int64Array::from(labels))),
        ("p", Arc::new(Int64Array::from(predictions))),
        ("sex", Arc::new(StringArray::from(names.clone()))),
        (
            "shop",
            Arc::new(Int64Array::from_iter_values((0..names.len() as i64).map(|row| row % 2))),
        ),
        (
            "floor",
            Arc::new(Int64Array::from_iter_values((0..names.len() as i64).map(|row| row % 3))),
        ),
        ("town", Arc::new(StringArray::from(names))),
    ];
    run_batch(columns, spec).await.unwrap()
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        bootstrap_draws: 200,
        ..AnalysisSpec::new("y", ["sex"])
    }
}

fn attribute<'a>(comparison: &'a Comparison, name: &str) -> &'a AttributeChange {
    comparison.attributes.iter().find(|one| one.name == name).unwrap()
}

fn parity(comparison: &Comparison) -> &DisparityChange {
    let found = &attribute(comparison, "sex").disparities;
    found.iter().find(|one| one.id == "demographic_parity_difference").unwrap()
}

#[tokio::test]
async fn with_itself_nothing_changed() {
    let result = selected(&[("f", 300, 1_000), ("m", 600, 1_000)], &spec()).await;
    let found = compare(&result, &result);
    assert!(found.comparable && found.differences.is_empty());
    assert_eq!((found.counts.worse, found.counts.improved, found.counts.regressed), (0, 0, 0));
    assert_eq!(found.regressions().count(), 0);
    assert_eq!(found.score.change, Some(0.0));
    let all = found.attributes.iter().flat_map(|one| &one.disparities);
    for change in all {
        assert!(matches!(change.verdict, Verdict::Unchanged | Verdict::Undefined), "{change:?}");
    }
    assert!(found.overall.iter().all(|one| one.sentence.ends_with('.')));
}

#[tokio::test]
async fn worse_and_better_are_beyond_noise_and_mirror_one_another() {
    let even = selected(&[("f", 500, 1_000), ("m", 510, 1_000)], &spec()).await;
    let uneven = selected(&[("f", 300, 1_000), ("m", 600, 1_000)], &spec()).await;
    let (there, back) = (compare(&even, &uneven), compare(&uneven, &even));
    let (worse, better) = (parity(&there), parity(&back));
    assert_eq!((worse.verdict, better.verdict), (Verdict::Worse, Verdict::Improved));
    assert!(worse.regressed && !better.regressed && worse.stops());
    assert_eq!(
        (worse.baseline_status, worse.current_status),
        (Some(Status::Pass), Some(Status::Fail))
    );
    assert!((worse.change.unwrap() - 0.29).abs() < 1e-9, "{worse:?}");
    let interval = worse.gap_interval.unwrap();
    assert!(
        interval.lower > 0.15 && interval.lower < 0.29 && interval.upper < 0.45,
        "{interval:?}"
    );
    assert!(there.regressions().any(|(of, one)| of.name == "sex" && one.id == worse.id));
    assert_eq!(back.regressions().count(), 0);
    assert!(there.counts.regressed > 0 && there.sentence.contains("worse beyond noise"));
    assert!(
        worse.sentence.contains("It fails now; in the baseline it passed."),
        "{}",
        worse.sentence
    );
}

#[tokio::test]
async fn what_chance_explains_is_unchanged() {
    let was = selected(&[("f", 40, 100), ("m", 50, 100)], &spec()).await;
    let is = selected(&[("f", 36, 100), ("m", 52, 100)], &spec()).await;
    let change = compare(&was, &is);
    let change = parity(&change);
    assert_eq!(
        (change.verdict, change.regressed, change.stops()),
        (Verdict::Unchanged, false, false)
    );
    assert!(
        change.sentence.contains("no further apart than chance explains"),
        "{}",
        change.sentence
    );
}

#[tokio::test]
async fn groups_and_attributes_come_and_go() {
    let was = selected(&[("f", 300, 600), ("m", 300, 600), ("x", 20, 40)], &spec()).await;
    let both = AnalysisSpec { protected: vec!["town".into(), "sex".into()], ..spec() };
    let is = selected(&[("f", 100, 600), ("m", 500, 600), ("y", 20, 40)], &both).await;
    let found = compare(&was, &is);
    let sex = attribute(&found, "sex");
    assert_eq!(
        (&sex.groups_new[..], &sex.groups_gone[..]),
        (&["y".to_owned()][..], &["x".to_owned()][..])
    );
    let town = attribute(&found, "town");
    assert_eq!((town.verdict, town.groups_new.len()), (Verdict::New, 3));
    // What is new and fails has nothing to be compared with: a gate may not let it through unseen.
    assert!(found.regressions().any(|(of, one)| of.name == "town" && one.verdict == Verdict::New));
    let back = compare(&is, &was);
    assert_eq!(attribute(&back, "town").verdict, Verdict::Gone);
    assert!(back.regressions().all(|(of, _)| of.name != "town"));
}

#[tokio::test]
async fn combinations_are_the_same_in_any_order() {
    let of = |protected: [&str; 2]| AnalysisSpec {
        protected: protected.map(str::to_owned).to_vec(),
        ..spec()
    };
    let groups = [("f", 300, 600), ("m", 300, 600)];
    let was = selected(&groups, &of(["sex", "town"])).await;
    let is = selected(&groups, &of(["town", "sex"])).await;
    let found = compare(&was, &is);
    assert_eq!(found.attributes.len(), 3);
    let pair = attribute(&found, "town|sex");
    assert!(pair.groups_new.is_empty() && pair.groups_gone.is_empty(), "{pair:?}");
    assert_ne!(pair.verdict, Verdict::New);
}

#[tokio::test]
async fn what_was_asked_differently_is_told() {
    let groups = [("f", 300, 600), ("m", 400, 600)];
    let was = selected(&groups, &spec()).await;
    let other = AnalysisSpec {
        positive_label: Some("0".into()),
        confidence: 0.9,
        reference_groups: [("sex".to_owned(), "m".to_owned())].into(),
        thresholds: [("demographic_parity_difference".to_owned(), 0.3)].into(),
        ..spec()
    };
    let is = selected(&groups, &other).await;
    let found = compare(&was, &is);
    let fields: Vec<(&str, Effect)> =
        found.differences.iter().map(|one| (one.field.as_str(), one.effect)).collect();
    assert!(!found.comparable);
    assert_eq!(
        fields,
        [
            ("positive_label", Effect::Numbers),
            ("thresholds/demographic_parity_difference", Effect::Verdicts),
            ("confidence", Effect::Verdicts),
        ]
    );
    assert!(parity(&found).gap_interval.is_none(), "intervals of two confidences say nothing");
    let obstacles: Vec<&str> = found.obstacles().map(|one| one.field.as_str()).collect();
    assert_eq!(obstacles, ["positive_label", "confidence"]);

    let mirrored = AnalysisSpec { reference_groups: other.reference_groups.clone(), ..spec() };
    let found = compare(&was, &selected(&groups, &mirrored).await);
    let sex = attribute(&found, "sex");
    assert!(found.comparable && sex.references.is_some());
    let signed = sex.disparities.iter().find(|one| one.id == "statistical_parity_difference");
    assert_eq!(signed.unwrap().verdict, Verdict::Undefined);
    assert!(signed.unwrap().sentence.contains("another reference group"));
}

#[tokio::test]
async fn within_other_strata_is_another_measure() {
    let groups = [("f", 300, 600), ("m", 400, 600)];
    let within = |column: &str| AnalysisSpec { strata: Some(column.to_owned()), ..spec() };
    let (was, is) =
        (selected(&groups, &within("shop")).await, selected(&groups, &within("floor")).await);
    let found = compare(&was, &is);
    let differences: Vec<(&str, Effect)> =
        found.differences.iter().map(|one| (one.field.as_str(), one.effect)).collect();
    assert_eq!(differences, [("strata", Effect::Verdicts)]);
    assert!(found.comparable && found.obstacles().next().is_none());
    assert_eq!(parity(&found).verdict, Verdict::Unchanged);
    let of = |found: &Comparison| {
        let all = &attribute(found, "sex").disparities;
        all.iter()
            .find(|one| one.id == "conditional_demographic_parity_difference")
            .unwrap()
            .clone()
    };
    let conditional = of(&found);
    assert_eq!(conditional.verdict, Verdict::Undefined);
    assert!(conditional.sentence.contains("within other strata"), "{}", conditional.sentence);
    assert_eq!(of(&compare(&was, &was)).verdict, Verdict::Unchanged);
}

#[tokio::test]
async fn a_result_that_somebody_made_up_breaks_nothing() {
    let result = selected(&[("f", 300, 600), ("m", 400, 600)], &spec()).await;
    let mut odd = result.clone();
    for disparity in odd.attributes.iter_mut().flat_map(|one| &mut one.disparities) {
        disparity.value = disparity.value.map(|_| -f64::MAX);
        if let Some(interval) = &mut disparity.interval {
            (interval.lower, interval.upper) = (f64::MAX, -f64::MAX);
        }
    }
    odd.attributes.push(odd.attributes[0].clone());
    odd.attributes[0].groups.iter_mut().for_each(|group| group.values.clear());
    odd.overall.metrics.iter_mut().for_each(|metric| metric.value = Some(f64::MAX));
    for comparison in [compare(&odd, &result), compare(&result, &odd), compare(&odd, &odd)] {
        let text = serde_json::to_string(&comparison).unwrap();
        // No infinity was written as null where a number must be: it reads back as the same.
        assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison);
    }
}

async fn of_task(parameters: serde_json::Value) -> TaskResult {
    let spec = TaskSpec::read(&parameters).unwrap();
    task::analyze(input().await, &spec, &(), &CancellationToken::new()).await.unwrap()
}

/// One specification of each task other than yes or no, with one of its fields asked otherwise, and that field.
fn tasks() -> [(serde_json::Value, serde_json::Value, &'static str); 3] {
    use serde_json::json;
    [
        (
            json!({ "task": "regression", "target": "price", "prediction": "guess", "protected": ["group", "region"],
                    "min_group_size": 1, "thresholds": { "mae_difference": 0.5 } }),
            json!({ "task": "regression", "target": "price", "prediction": "guess", "protected": ["region", "group"],
                    "min_group_size": 1, "thresholds": { "mae_difference": 0.5 }, "loss": "absolute" }),
            "loss",
        ),
        (
            json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["group", "region"],
                    "min_group_size": 1, "thresholds": { "tpr_difference": 0.2 } }),
            json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["region", "group"],
                    "min_group_size": 1, "thresholds": { "tpr_difference": 0.2 }, "weight": "weight" }),
            "weight",
        ),
        (
            json!({ "task": "ranking", "list": "query", "score": "rating", "protected": ["group", "region"],
                    "min_group_size": 1 }),
            json!({ "task": "ranking", "list": "query", "score": "rating", "protected": ["region", "group"],
                    "min_group_size": 1, "top": 3 }),
            "top",
        ),
    ]
}

#[tokio::test]
async fn every_task_is_compared_metric_by_metric_and_group_by_group() {
    for (asked, otherwise, field) in tasks() {
        let result = of_task(asked).await;
        let same = compare_tasks(&result, &result).unwrap();
        assert_eq!(same.task, result.task());
        assert!(same.comparable && same.differences.is_empty(), "{same:?}");
        assert_eq!((same.counts.worse, same.counts.improved, same.counts.regressed), (0, 0, 0));
        let findings = result.findings().unwrap();
        assert_eq!(same.overall.len(), findings.overall.metrics.len());
        assert!(same.overall.iter().all(|one| one.title != one.id), "{:?}", same.overall);
        // All that is judged is compared, and nothing of it changed.
        let told: Vec<_> = same.attributes.iter().flat_map(|one| &one.disparities).collect();
        let judged = told.iter().filter(|one| one.judged).count();
        let kept = result.disparities();
        assert_eq!(judged, kept.iter().filter(|one| one.disparity.threshold.is_some()).count());
        for change in &told {
            assert!(
                matches!(change.verdict, Verdict::Unchanged | Verdict::Undefined),
                "{change:?}"
            );
        }
        for name in ["group", "region"] {
            let one = same.attributes.iter().find(|one| one.name == name && one.class.is_none());
            let one = one.unwrap();
            let groups = findings.comparisons.iter().find(|found| found.name == name).unwrap();
            assert_eq!((one.groups.len(), one.groups_left_out), (groups.groups.len(), 0));
            assert!(one.groups.iter().all(|group| group.rows.baseline == group.rows.current));
        }
        let classes: Vec<_> = same.attributes.iter().filter(|one| one.class.is_some()).collect();
        assert_eq!(classes.is_empty(), result.task() != Task::Multiclass);
        assert!(classes.iter().all(|one| one.groups.is_empty() && !one.disparities.is_empty()));
        let text = serde_json::to_string(&same).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), same);

        let other = of_task(otherwise).await;
        let found = compare_tasks(&result, &other).unwrap();
        assert!(found.differences.iter().any(|one| one.field == field), "{:?}", found.differences);
        assert_eq!(found.comparable, field == "loss");
        // Combinations are the same in any order of their attributes.
        assert_eq!(found.attributes.len(), same.attributes.len());
        assert_eq!((found.counts.new, found.counts.gone), (0, 0), "{}", found.sentence);
        let of_loss = |one: &&DisparityChange| one.id == "bounded_group_loss";
        for change in found.attributes.iter().flat_map(|one| &one.disparities).filter(of_loss) {
            assert_eq!(change.verdict, Verdict::Undefined);
            assert!(
                change.sentence.contains("but is counted by another loss now"),
                "{}",
                change.sentence
            );
        }
    }
}

#[tokio::test]
async fn numbers_get_worse_and_better_by_their_own_direction() {
    // The predictions of women are off by so much.
    let off = async |by: f64| {
        let rows = 0..400_u32;
        let truth: Vec<f64> = rows.clone().map(|row| f64::from(row * 7 % 50)).collect();
        let noise = |row: u32| f64::from(row % 5) - 2.0;
        let predicted: Vec<f64> = rows
            .clone()
            .zip(&truth)
            .map(|(row, truth)| truth + noise(row) + if row % 2 == 0 { by } else { 0.0 })
            .collect();
        let sex = rows.map(|row| ["f", "m"][(row % 2) as usize]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("y", Arc::new(Float64Array::from(truth))),
            ("p", Arc::new(Float64Array::from(predicted))),
            ("sex", Arc::new(StringArray::from_iter_values(sex))),
        ];
        let spec = TaskSpec::read(&serde_json::json!({
            "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"],
            "thresholds": { "mae_difference": 1.0 },
        }))
        .unwrap();
        let frame = table(vec![batch(columns)]);
        task::analyze(frame, &spec, &(), &CancellationToken::new()).await.unwrap()
    };
    let (even, uneven) = (off(0.0).await, off(9.0).await);
    let found = compare_tasks(&even, &uneven).unwrap();
    let metric = |all: &[MetricChange], id: &str| {
        all.iter().find(|one| one.id == id).map(|one| one.verdict).unwrap()
    };
    // Of errors less is better, of r2 more; of a mean prediction neither.
    assert_eq!(metric(&found.overall, "mae"), Verdict::Worse);
    assert_eq!(metric(&found.overall, "r2"), Verdict::Worse);
    let sex = attribute(&found, "sex");
    let of = |group: &str| &sex.groups.iter().find(|one| one.name == group).unwrap().metrics;
    assert_eq!(metric(of("f"), "mae"), Verdict::Worse);
    assert_eq!(metric(of("f"), "mean_prediction"), Verdict::Changed);
    assert_eq!(metric(of("m"), "mae"), Verdict::Unchanged);
    let mae = sex.disparities.iter().find(|one| one.id == "mae_difference").unwrap();
    assert_eq!((mae.verdict, mae.regressed, mae.stops()), (Verdict::Worse, true, true));
    let back = compare_tasks(&uneven, &even).unwrap();
    assert_eq!(metric(&back.overall, "mae"), Verdict::Improved);
    assert_eq!(back.regressions().count(), 0);
    assert!(found.score.baseline.is_none() && !found.sentence.contains("compliance score"));
}

#[tokio::test]
async fn two_tasks_are_not_compared() {
    let [numbers, _, lists] = tasks().map(|(asked, ..)| asked);
    let (numbers, lists) = (of_task(numbers).await, of_task(lists).await);
    let refused = compare_tasks(&numbers, &lists).unwrap_err();
    assert_eq!((refused.baseline, refused.current), (Task::Regression, Task::Ranking));
    let told = refused.to_string();
    assert!(told.contains("task regression") && told.contains("task ranking"), "{told}");
}

/// Classes of so many rows of each sex, of every five of whom so many are `wrong`; one is predicted as `stray`.
pub async fn classes(groups: &[(&str, usize)], wrong: usize, stray: Option<&str>) -> TaskResult {
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let (mut truth, mut predicted, mut sex) = (Vec::new(), Vec::new(), Vec::new());
    for (name, rows) in groups {
        for row in 0..*rows {
            truth.push(NAMES[row % 3]);
            predicted.push(NAMES[(row + usize::from(row % 5 < wrong)) % 3]);
            sex.push(*name);
        }
    }
    if let Some(stray) = stray {
        predicted[0] = stray;
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("y", Arc::new(StringArray::from(truth))),
        ("p", Arc::new(StringArray::from(predicted))),
        ("sex", Arc::new(StringArray::from(sex))),
    ];
    let spec = TaskSpec::read(&serde_json::json!({
        "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"],
        "thresholds": { "tpr_difference": 0.2 },
    }))
    .unwrap();
    let frame = table(vec![batch(columns)]);
    task::analyze(frame, &spec, &(), &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn what_is_taken_over_classes_is_not_compared_over_other_ones() {
    let was = classes(&[("f", 600), ("m", 600)], 1, None).await;
    let is = classes(&[("f", 600), ("m", 600)], 2, Some("d")).await;
    let found = compare_tasks(&was, &is).unwrap();
    assert!(found.differences.iter().any(|one| one.field == "classes"), "{:?}", found.differences);
    let sex = found.attributes.iter().find(|one| one.class.is_none()).unwrap();
    let of_groups = sex.groups.iter().map(|group| &group.metrics);
    for metrics in std::iter::once(&found.overall).chain(of_groups) {
        for one in metrics {
            let is_hindered = one.id.starts_with("macro_");
            assert_eq!(one.verdict == Verdict::Undefined, is_hindered, "{one:?}");
            assert_eq!(one.sentence.contains("over other classes"), is_hindered, "{one:?}");
        }
    }
    for id in ["multiclass_demographic_parity_difference", "multiclass_equalized_odds_difference"] {
        let one = sex.disparities.iter().find(|one| one.id == id).unwrap();
        assert_eq!(one.verdict, Verdict::Undefined, "{one:?}");
        assert!(one.sentence.contains("but is taken over other classes now"), "{}", one.sentence);
    }
    // With the classes that were there, all of them are compared.
    let same = compare_tasks(&was, &classes(&[("f", 600), ("m", 600)], 2, None).await).unwrap();
    let macro_f1 = same.overall.iter().find(|one| one.id == "macro_f1").unwrap();
    assert_eq!(macro_f1.verdict, Verdict::Worse, "{macro_f1:?}");
}

#[tokio::test]
async fn groups_too_small_to_be_compared_are_not_and_classes_do_not_tell_them_again() {
    let was = classes(&[("f", 600), ("m", 600), ("x", 6), ("y", 600)], 0, None).await;
    let is = classes(&[("f", 600), ("m", 600), ("x", 600), ("y", 6), ("z", 600)], 4, None).await;
    let found = compare_tasks(&was, &is).unwrap();
    let sex = found.attributes.iter().find(|one| one.class.is_none()).unwrap();
    let names: Vec<&str> = sex.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!((names, sex.groups_left_out), (vec!["f", "m"], 0));
    assert_eq!(sex.groups_new, ["z"]);
    let of_classes: Vec<_> = found.attributes.iter().filter(|one| one.class.is_some()).collect();
    assert_eq!(of_classes.len(), 3);
    assert!(of_classes.iter().all(|one| one.groups_new.is_empty() && one.groups_gone.is_empty()));
}

#[tokio::test]
async fn what_regressed_of_one_class_names_the_class() {
    // Only men whose class is `a` are taken for another.
    let off = async |off: bool| {
        let rows = 0..1_200_usize;
        let truth = rows.clone().map(|row| ["a", "b", "c"][row / 2 % 3]);
        let predicted = rows.clone().map(|row| match (off, row % 2, row / 2 % 3) {
            (true, 1, 0) => "b",
            (.., class) => ["a", "b", "c"][class],
        });
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("y", Arc::new(StringArray::from_iter_values(truth))),
            ("p", Arc::new(StringArray::from_iter_values(predicted))),
            ("sex", Arc::new(StringArray::from_iter_values(rows.map(|row| ["f", "m"][row % 2])))),
        ];
        let spec = TaskSpec::read(&serde_json::json!({
            "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"],
            "thresholds": { "tpr_difference": 0.2 },
        }))
        .unwrap();
        let frame = table(vec![batch(columns)]);
        task::analyze(frame, &spec, &(), &CancellationToken::new()).await.unwrap()
    };
    let found = compare_tasks(&off(false).await, &off(true).await).unwrap();
    let of_class: Vec<_> = found
        .regressions()
        .filter(|(_, one)| one.id == "tpr_difference")
        .map(|(of, _)| (of.name.as_str(), of.class.as_deref()))
        .collect();
    assert_eq!(of_class, [("sex", Some("a"))]);
}

#[test]
fn a_comparison_from_before_metrics_had_titles_is_read() {
    let stored = serde_json::json!({
        "id": "tpr", "baseline": 0.5, "current": 0.6, "change": 0.1, "interval": null,
        "verdict": "unchanged", "sentence": "",
    });
    let read: MetricChange = serde_json::from_value(stored).unwrap();
    assert_eq!((read.id.as_str(), read.title.as_str()), ("tpr", ""));
}
