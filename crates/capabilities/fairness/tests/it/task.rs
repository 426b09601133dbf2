//! Analyses asked for by task, and reports of the law as a part of one.

use std::{collections::BTreeMap, sync::Arc};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use datafusion::prelude::DataFrame;
use ephor_fairness::{
    AnalysisError, CancellationToken, Status, catalogue,
    data::{describe, representation::Population},
    flips::{self, FlipSpec},
    frame::Grouping,
    law::{LawSpec, ReportOptions, Rule, report},
    read_cube,
    task::{Task, TaskResult, TaskSpec, analyze},
};
use serde_json::{Value, json};

use crate::{
    kinds_support::input,
    support::{batch, table},
};

/// 2 000 people, all of whose ids differ.
fn people() -> DataFrame {
    let rows = 0..2_000_i64;
    let words = |of: &dyn Fn(i64) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.clone().map(of)))
    };
    table(vec![batch(vec![
        ("label", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row % 3 % 2)))),
        ("decision", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row % 7 % 2)))),
        // Of every fifth the decision changes with the attribute.
        (
            "other",
            Arc::new(Int64Array::from_iter_values(
                rows.clone().map(|row| if row % 5 == 0 { 1 - row % 7 % 2 } else { row % 7 % 2 }),
            )),
        ),
        (
            "risk",
            Arc::new(Float64Array::from_iter_values(
                rows.clone().map(|row| (row % 101) as f64 / 100.0),
            )),
        ),
        ("sex", words(&|row| if row % 50 == 49 { "?" } else { ["f", "m"][(row % 2) as usize] })),
        ("race", words(&|row| ["a", "b", "c"][(row % 11 % 3) as usize])),
        ("job", words(&|row| ["clerk", "cook"][(row % 13 % 2) as usize])),
        ("id", Arc::new(Int64Array::from_iter_values(rows.clone()))),
    ])])
}

async fn found(json: &Value) -> TaskResult {
    let spec = TaskSpec::read(json).unwrap();
    analyze(input().await, &spec, &(), &CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn every_disparity_of_a_result_is_known_by_its_task() {
    for json in [
        json!({ "task": "regression", "target": "price", "prediction": "guess", "protected": ["group"] }),
        json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["group"],
                "thresholds": { "tpr_difference": 0.5 } }),
        json!({ "task": "ranking", "list": "query", "score": "rating", "protected": ["group"] }),
    ] {
        let found = found(&json).await;
        let task = Task::named(json["task"].as_str().unwrap()).unwrap();
        assert_eq!(found.task(), task);
        let disparities = found.disparities();
        assert!(disparities.iter().any(|one| one.class.is_none()));
        for one in disparities.iter().filter(|one| one.class.is_none()) {
            let (title, ideal) = catalogue::disparity(task, &one.disparity.id)
                .unwrap_or_else(|| panic!("{} is not known", one.disparity.id));
            assert_eq!((&title, ideal), (&one.disparity.title, one.disparity.ideal));
            let id = one.disparity.id.as_str();
            assert_eq!(catalogue::disparity_named(id), Some(id));
        }
        // What is judged by itself is what the catalogue says.
        let mut judged: Vec<(&str, f64)> = disparities
            .iter()
            .filter(|one| one.class.is_none())
            .filter_map(|one| Some((one.disparity.id.as_str(), one.disparity.threshold?)))
            .collect();
        judged.sort_by(|left, right| left.0.cmp(right.0));
        let mut known = catalogue::judged(task);
        known.sort_by(|left, right| left.0.cmp(&right.0));
        let known: Vec<(&str, f64)> = known.iter().map(|(id, at, _)| (id.as_str(), *at)).collect();
        assert_eq!(judged, known);
        // Single classes are there where somebody judges them.
        let classes = disparities.iter().filter(|one| one.class.is_some());
        let classes: Vec<&str> = classes.map(|one| one.disparity.id.as_str()).collect();
        assert!(classes.iter().all(|id| *id == "tpr_difference"));
        assert_eq!(classes.is_empty(), task != Task::Multiclass);

        let written = serde_json::to_string(&found).unwrap();
        let read = TaskResult::read(task, serde_json::from_str(&written).unwrap()).unwrap();
        assert_eq!(read, found);
    }
    let ids: Vec<&str> = catalogue::disparity_ids().map(|(id, _)| id).collect();
    let once: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), once.len());
}

#[tokio::test]
async fn reports_of_the_law_are_those_of_the_cube() {
    let json = json!({
        "target": "label", "prediction": "decision", "score": "risk", "protected": ["sex", "race"], "strata": "job",
        "law": { "rules": ["eeoc", "ll144"], "unknown": ["?"] },
    });
    let TaskSpec::Binary(spec) = TaskSpec::read(&json).unwrap() else { panic!("another task") };
    let table = people();
    let cancel = CancellationToken::new();
    let asked = TaskSpec::Binary(spec.clone());
    let found = analyze(table.clone(), &asked, &(), &cancel).await.unwrap();
    let TaskResult::Binary(found) = found else { panic!("another task") };
    let mut options = ReportOptions { unknown: ["?".to_owned()].into(), ..Default::default() };
    let mut plain = *spec;
    (plain.law, plain.strata) = (None, None);
    let cube = read_cube(table.clone(), &plain, &(), &cancel).await.unwrap();
    assert_eq!(found.law[1], report(Rule::Ll144, &cube, &plain, &options).unwrap());
    options.strata = Some("job".into());
    plain.protected.push("job".into());
    let cube = read_cube(table, &plain, &(), &cancel).await.unwrap();
    assert_eq!(found.law[0], report(Rule::Eeoc, &cube, &plain, &options).unwrap());
}

#[tokio::test]
async fn flips_and_the_data_alone_are_those_of_their_own() {
    let json = json!({
        "target": "label", "prediction": "decision", "protected": ["sex", "race"], "flipped": "other",
        "thresholds": { "greatest_flip_rate": 0.0, "demographic_parity_difference": 0.5 },
        "data": { "features": ["job"], "population": { "sex": { "f": 0.5, "m": 0.5 } } },
    });
    let spec = TaskSpec::read(&json).unwrap();
    let cancel = CancellationToken::new();
    let found = analyze(people(), &spec, &(), &cancel).await.unwrap();
    let TaskResult::Binary(result) = &found else { panic!("another task") };

    let mut groups = Grouping::new(["sex", "race"]);
    groups.thresholds.insert("greatest_flip_rate".to_owned(), 0.0);
    let own = FlipSpec::new("decision", "other", groups);
    let own = flips::analyze(people(), &own, &cancel).await.unwrap();
    assert_eq!(result.flips.as_ref(), Some(&own));
    let shares = BTreeMap::from([("f".to_owned(), 0.5), ("m".to_owned(), 0.5)]);
    let population = Population::from([("sex".to_owned(), shares)]);
    let bare = ephor_fairness::AnalysisSpec::new("label", ["sex", "race"]);
    let own_data =
        describe(people(), &bare, &["job".to_owned()], &population, &cancel).await.unwrap();
    assert_eq!(found.data(), Some(&own_data));

    // Flips are judged as all else is, and change nothing of it.
    let mut plain = json.clone();
    let fields = plain.as_object_mut().unwrap();
    fields.remove("flipped");
    fields.remove("data");
    fields.insert("thresholds".to_owned(), json!({ "demographic_parity_difference": 0.5 }));
    let plain = TaskSpec::read(&plain).unwrap();
    let plain = analyze(people(), &plain, &(), &cancel).await.unwrap();
    assert!(own.findings.counts.fail > 0, "{:?}", own.findings.counts);
    assert_eq!(found.counts().fail, plain.counts().fail + own.findings.counts.fail);
    assert_eq!(found.status(), Some(Status::Fail));
    let made: usize = own.findings.comparisons.iter().map(|one| one.disparities.len()).sum();
    assert_eq!(found.disparities().len(), plain.disparities().len() + made);
    assert!(plain.data().is_none());
    for one in own.findings.comparisons.iter().flat_map(|one| &one.disparities) {
        let known = catalogue::disparity(Task::Binary, &one.id);
        assert_eq!(known, Some((one.title.clone(), one.ideal)), "{}", one.id);
        assert_eq!(catalogue::disparity_named(&one.id), Some(one.id.as_str()));
    }
    // Nothing is lost on the way to where it is kept.
    let written = serde_json::to_value(&found).unwrap();
    assert_eq!(TaskResult::read(Task::Binary, written).unwrap(), found);
}

#[tokio::test]
async fn faults_of_flips_and_of_the_data_are_told_with_all_others() {
    let json = json!({
        "target": "label", "score": "risk", "protected": ["sex"], "flipped": "job", "confidence": 2,
        "thresholds": { "flip_rat": 0.1 }, "data": { "features": ["jobb", "sex"] },
    });
    let spec = TaskSpec::read(&json).unwrap();
    let schema = people().schema().as_arrow().clone();
    let found: Vec<(String, String)> =
        spec.column_faults(&schema).into_iter().map(|one| (one.where_, one.code)).collect();
    for wanted in [
        ("/flipped", "prediction_not_numeric"),
        ("/confidence", "out_of_range"),
        ("/thresholds/flip_rat", "unknown_disparity"),
        ("/data/features/0", "unknown_column"),
        ("/data/features/1", "two_roles"),
    ] {
        let wanted = (wanted.0.to_owned(), wanted.1.to_owned());
        assert!(found.contains(&wanted), "{wanted:?} is not in {found:?}");
    }
}

#[tokio::test]
async fn a_report_of_the_law_has_no_thousands_of_categories() {
    let mut spec = ephor_fairness::AnalysisSpec::new("label", ["id"]);
    spec.law = Some(LawSpec::new([Rule::Eeoc]));
    let error = ephor_fairness::analyze(people(), &spec, &(), &CancellationToken::new()).await;
    let Err(AnalysisError::Invalid(faults)) = error else { panic!("{error:?}") };
    assert_eq!(
        (faults[0].where_.as_str(), faults[0].code.as_str()),
        ("/protected/0", "too_many_groups")
    );
}
