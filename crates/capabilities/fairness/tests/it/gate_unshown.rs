//! What was asked for by name and cannot be shown does not hold; and bounds of many groups allow for chance.

use ephor_fairness::{
    AnalysisResult, AnalysisSpec, Status,
    gate::{
        Compared, FailOn, Gate, gate,
        junit::junit,
        markdown::markdown,
        sarif::{Place, sarif},
    },
    task::TaskResult,
};
use serde_json::json;

use crate::{
    gate::{check, judged, policy, selected, selected_with, today},
    sarif_schema::Schema,
};

const FAIR: [(&str, usize, usize); 2] = [("f", 500, 1_000), ("m", 500, 1_000)];
const ODDS: &str = "[thresholds]\nequalized_odds_difference = 0.05\n";

/// Labels alone: nobody named a column of predictions.
async fn labels_alone() -> AnalysisResult {
    selected_with(&FAIR, AnalysisSpec::new("y", ["sex"])).await
}

/// Fails, and says why.
fn fails(gate: &Gate, key: &str, reason: &str) {
    let found = check(gate, key);
    assert_eq!((found.status, found.stops), (Some(Status::Fail), true), "{found:?}");
    let unshown = found.unshown.as_deref().unwrap_or_default();
    assert!(unshown.contains(reason) && found.sentence.contains(reason), "{found:?}");
}

#[tokio::test]
async fn a_named_threshold_without_its_columns_fails_and_a_default_does_not() {
    let result = labels_alone().await;
    assert!(!judged(&result, "", FailOn::Fail).stopped, "nobody asked for odds");
    let key = "sex/equalized_odds_difference";
    let found = judged(&result, ODDS, FailOn::Fail);
    fails(&found, key, "no column of predictions or of scores is named");
    // The same of what the command line names, under any of its names.
    let spec = AnalysisSpec {
        thresholds: [("equal_opportunity_difference".to_owned(), 0.1)].into(),
        ..AnalysisSpec::new("y", ["sex"])
    };
    let named = selected_with(&FAIR, spec).await;
    let found = judged(&named, "", FailOn::Fail);
    fails(&found, "sex/equal_opportunity_difference", "no column of predictions");
    let strata = "[attributes.sex.thresholds]\nconditional_base_rate_difference = 0.1\n";
    let found = judged(&result, strata, FailOn::Fail);
    fails(&found, "sex/conditional_base_rate_difference", "no column of strata");
    let found = judged(&result, "[thresholds]\nroc_auc_difference = 0.1\n", FailOn::Fail);
    fails(&found, "sex/roc_auc_difference", "no column of scores");
}

#[tokio::test]
async fn all_formats_show_what_cannot_be_shown() {
    let result = labels_alone().await;
    let found = judged(&result, ODDS, FailOn::Fail);
    let xml = junit(&found);
    assert!(xml.contains("<failure type=\"fail\"") && xml.contains("cannot be shown"), "{xml}");
    let text = markdown(&result, &found, None, "a.csv");
    assert!(text.contains("## Stopped") && text.contains("| **fail** | sex |"), "{text}");
    let log = sarif(&found, &Place { path: "a.csv".to_owned() });
    assert_eq!(Schema::sarif().faults(&log), Vec::<String>::new());
    let results = log["runs"][0]["results"].as_array().unwrap();
    let odds = results.iter().find(|one| one["ruleId"] == "equalized_odds_difference").unwrap();
    assert_eq!((&odds["level"], &odds["properties"]["stops"]), (&json!("error"), &json!(true)));
    assert!(odds["properties"]["unshown"].as_str().unwrap().contains("predictions"));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["stopped"], true);
    // Whoever knows of it accepts it, as any other finding.
    let allowed = format!(
        "{ODDS}[[allow]]\nid = 'equalized_odds_difference'\nattribute = 'sex'\nreason = 'known'\nexpires = 2027-01-01\n"
    );
    assert!(!judged(&result, &allowed, FailOn::Fail).stopped);
    assert!(!judged(&result, ODDS, FailOn::Never).stopped);
}

#[tokio::test]
async fn too_small_groups_show_nothing() {
    let result = selected(&[("f", 5, 10), ("m", 500, 1_000)]).await;
    assert!(!judged(&result, "", FailOn::Fail).stopped, "defaults ask nothing of a small sample");
    let found = judged(
        &result,
        "required_attributes = ['sex']\n[thresholds]\ndemographic_parity_difference = 0.1\n",
        FailOn::Fail,
    );
    fails(&found, "sex/demographic_parity_difference", "least group size");
    let required = check(&found, "sex/required_attribute");
    assert_eq!((required.status, required.stops), (Some(Status::Fail), true));
    assert!(required.sentence.contains("only one group reaches"), "{}", required.sentence);
    // Nor do bounds of groups that are all too small, or that have nothing to measure.
    let small = selected(&[("f", 5, 10), ("m", 5, 10)]).await;
    let found = judged(&small, "metrics = ['groups.selection_rate >= 0.1']", FailOn::Fail);
    fails(&found, "sex/selection_rate_at_least", "all groups are below the least group size");
    let found = judged(&result, "metrics = ['sex.roc_auc >= 0.1']", FailOn::Fail);
    fails(&found, "sex/roc_auc_at_least", "the data do not have what it needs");
}

#[tokio::test]
async fn what_was_to_be_analysed_and_was_not_fails() {
    let mut result = selected(&FAIR).await;
    result.spec.protected.push("race".to_owned());
    let found =
        judged(&result, "[thresholds]\ndemographic_parity_difference = 0.2\n", FailOn::Fail);
    fails(&found, "sex|race/demographic_parity_difference", "too many groups");
    assert_eq!(check(&found, "sex/demographic_parity_difference").status, Some(Status::Pass));
    let text = "[attributes.'race|sex'.thresholds]\ndemographic_parity_difference = 0.2\n";
    let found = judged(&result, text, FailOn::Fail);
    fails(&found, "race|sex/demographic_parity_difference", "did you mean sex|race?");
}

#[tokio::test]
async fn beyond_a_named_threshold_an_interval_must_excuse_it() {
    let spec = |thresholds: &[(&str, f64)]| AnalysisSpec {
        prediction: Some("p".to_owned()),
        thresholds: thresholds.iter().map(|(id, number)| ((*id).to_owned(), *number)).collect(),
        ..AnalysisSpec::new("y", ["sex"])
    };
    let uneven = [("f", 300, 1_000), ("m", 600, 1_000)];
    let result = selected_with(&uneven, spec(&[("f1_difference", 0.05)])).await;
    let found = judged(&result, "", FailOn::Fail);
    fails(&found, "sex/f1_difference", "no interval");
    let wide = selected_with(&uneven, spec(&[("f1_difference", 0.5)])).await;
    let found = judged(&wide, "", FailOn::Fail);
    assert_eq!(check(&found, "sex/f1_difference").status, Some(Status::Pass));
    // As bad as it was is no regression; worse than what held is.
    let on_regression = |was: &AnalysisResult, is: &AnalysisResult| {
        let compared = Compared::new(was, is);
        let found = gate(is, &policy(""), FailOn::Regression, Some(&compared), today());
        check(&found, "sex/f1_difference").stops
    };
    assert!(!on_regression(&result, &result));
    let fair = selected_with(&FAIR, spec(&[("f1_difference", 0.05)])).await;
    assert!(on_regression(&fair, &result));
    // A number that is known exactly is no chance.
    let found = judged(&result, "metrics = ['groups.count >= 2000']", FailOn::Fail);
    assert_eq!(check(&found, "sex/count_at_least/f").status, Some(Status::Fail));
}

#[tokio::test]
async fn what_cannot_be_shown_any_more_is_a_regression() {
    let (fair, small) = (selected(&FAIR).await, selected(&[("f", 5, 10), ("m", 5, 10)]).await);
    let text = "[thresholds]\ndemographic_parity_difference = 0.1\n";
    let stops = |was: &AnalysisResult, is: &AnalysisResult, text: &str| {
        let compared = Compared::new(was, is);
        gate(is, &policy(text), FailOn::Regression, Some(&compared), today()).stopped
    };
    assert!(stops(&fair, &small, text));
    assert!(stops(&small, &small, text), "nothing to compare with");
    assert!(!stops(&fair, &fair, text) && !stops(&fair, &small, ""));
}

#[tokio::test]
async fn a_bound_of_many_groups_allows_for_chance_in_all_of_them() {
    let text = "metrics = ['sex.selection_rate >= 0.5']";
    let names: Vec<String> = (0..20).map(|at| format!("g{at:02}")).collect();
    let of = async |count: usize, others: usize| {
        let chosen = |at: usize| if at == 0 { 38 } else { others };
        let groups: Vec<(&str, usize, usize)> = names[..count]
            .iter()
            .enumerate()
            .map(|(at, name)| (name.as_str(), chosen(at), 100))
            .collect();
        let found = judged(&selected(&groups).await, text, FailOn::Fail);
        let first = check(&found, "sex/selection_rate_at_least/g00");
        (first.status, first.sentence.clone())
    };
    // 38 of 100 is below 0.5 beyond noise, by itself and beside one other group.
    assert_eq!(of(2, 60).await.0, Some(Status::Fail));
    // Of twenty groups one may be as low by chance.
    let (status, sentence) = of(20, 60).await;
    assert_eq!(status, Some(Status::Warning), "{sentence}");
    assert!(sentence.contains("for all groups at once"), "{sentence}");
    // Not so where the nineteen others are below it beyond all doubt: they need no allowance any more.
    assert_eq!(of(20, 5).await.0, Some(Status::Fail));
}

#[tokio::test]
async fn a_result_says_why_nothing_was_judged() {
    let small = selected(&[("f", 5, 10), ("m", 5, 10)]).await;
    let why = TaskResult::from(small).unjudged().unwrap();
    assert!(why.contains("sex: all groups are below the least group size"), "{why}");
    assert_eq!(TaskResult::from(selected(&FAIR).await).unjudged(), None);
}
