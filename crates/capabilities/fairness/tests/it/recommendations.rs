//! What analyses recommend: one computed answer to each cause, with an effect that deciding so has.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, AnalysisType, CancellationToken, DataFrame, Mitigation,
    MitigationArtifact, MitigationSpec, Recommendation, Status,
    mitigation::{Constraint, Method, fit},
};

use crate::support::{Find, FindIn, batch, run, table};

/// Somebody: sex, race, label, score.
type Row = (&'static str, &'static str, bool, f64);

fn data(rows: &[Row]) -> DataFrame {
    let text = |of: fn(&Row) -> &'static str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let whole = |of: fn(&Row) -> bool| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| i64::from(of(row)))))
    };
    table(vec![batch(vec![
        ("sex", text(|row| row.0)),
        ("race", text(|row| row.1)),
        ("y", whole(|row| row.2)),
        ("p", whole(|row| row.3 >= 0.5)),
        ("s", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.3)))),
    ])])
}

/// Scores between 0 and 1, evenly.
fn even(count: u32) -> impl Iterator<Item = (u32, f64)> {
    (0..count).map(move |at| (at, f64::from(at) / f64::from(count)))
}

/// Half of them, whatever the score.
fn label(at: u32) -> bool {
    at * 7_919 % 1_000 < 500
}

fn spec(analysis_type: AnalysisType, protected: &[&str]) -> AnalysisSpec {
    AnalysisSpec {
        analysis_type,
        score: Some("s".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", protected.iter().copied())
    }
}

async fn analysed(rows: &[Row], spec: &AnalysisSpec) -> AnalysisResult {
    run(data(rows), spec).await.unwrap()
}

/// Of women 2 % are selected, of men 5 %; labels say nothing.
fn few() -> Vec<Row> {
    [("f", 0.5 / 0.98), ("m", 0.5 / 0.95)]
        .into_iter()
        .flat_map(|(sex, factor)| {
            even(2_000).map(move |(at, score)| (sex, "x", label(at), score * factor))
        })
        .collect()
}

#[tokio::test]
async fn a_ratio_alone_is_treated_by_thresholds_with_its_own_effect() {
    let rows = few();
    let result = analysed(&rows, &spec(AnalysisType::DemographicParity, &["sex"])).await;
    let sex = result.attribute("sex");
    assert_eq!(sex.disparity("demographic_parity_difference").status, Some(Status::Pass));
    assert_eq!(sex.disparity("demographic_parity_ratio").status, Some(Status::Fail));
    let [made] = result.recommendations.as_slice() else { panic!("{:?}", result.recommendations) };
    assert_eq!(made.disparity, "demographic_parity_ratio");
    let Mitigation::GroupThresholds { thresholds, equalises } = &made.mitigation else {
        panic!("{made:?}")
    };
    assert_eq!((thresholds.len(), equalises.as_str()), (2, "selection_rate"));
    let effect = made.effect.as_ref().unwrap();
    assert_eq!(effect.measure, "demographic_parity_ratio");
    assert!((effect.before - 0.4).abs() < 0.02 && effect.after > 0.95, "{effect:?}");
    assert!(effect.sentence.contains("of the highest"), "{}", effect.sentence);
    // Deciding so has that effect.
    let rate = |sex: &str| {
        let threshold = thresholds.iter().find(|one| one.group == sex).unwrap().threshold;
        let mine = rows.iter().filter(|row| row.0 == sex);
        mine.clone().filter(|row| row.3 >= threshold).count() as f64 / mine.count() as f64
    };
    let (least, most) = (rate("f").min(rate("m")), rate("f").max(rate("m")));
    assert!((least / most - effect.after).abs() < 1e-12);
}

#[tokio::test]
async fn where_nothing_can_be_computed_it_is_said_why() {
    let decided = AnalysisSpec {
        score: None,
        prediction: Some("p".to_owned()),
        ..spec(AnalysisType::DemographicParity, &["sex"])
    };
    let result = analysed(&few(), &decided).await;
    let [made] = result.recommendations.as_slice() else { panic!("{:?}", result.recommendations) };
    let Mitigation::Investigate { advice } = &made.mitigation else { panic!("{made:?}") };
    for reason in ["no column of scores", "equally frequent"] {
        assert!(advice.contains(reason), "{advice}");
    }
    let decided = AnalysisSpec { analysis_type: AnalysisType::EqualizedOdds, ..decided };
    let result = analysed(&errors("tpr"), &decided).await;
    let of_errors = result.recommendations.iter().find(|made| is_of_errors(made)).unwrap();
    let Mitigation::Investigate { advice } = &of_errors.mitigation else { panic!("{of_errors:?}") };
    assert!(advice.contains("no column of scores"), "{advice}");
}

/// Women and men of whom one rate is 0.5 apart, the other the same.
fn errors(apart: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for sex in ["f", "m"] {
        let lower = if sex == "f" { 0.3 } else { 0.0 };
        for (_, score) in even(1_000) {
            let (positive, negative) = if apart == "tpr" {
                (0.4 + 0.6 * score - lower, 0.7 * score)
            } else {
                (0.3 + 0.7 * score, 0.6 * score + 0.3 - lower)
            };
            rows.push((sex, "x", true, positive));
            rows.push((sex, "x", false, negative));
        }
    }
    rows
}

fn is_of_errors(made: &Recommendation) -> bool {
    ["equal_opportunity", "predictive_equality", "equalized_odds"]
        .iter()
        .any(|name| made.disparity.starts_with(name))
}

async fn fitted(rows: &[Row], constraint: Constraint, randomized: bool) -> MitigationArtifact {
    let asked = MitigationSpec {
        constraint,
        randomized,
        score: Some("s".to_owned()),
        min_group_size: 1,
        ..MitigationSpec::new(Method::Threshold, "y", ["sex"])
    };
    fit(data(rows), &asked, &(), &CancellationToken::new()).await.unwrap()
}

/// The only recommendation about errors.
async fn of_errors(rows: &[Row], spec: &AnalysisSpec) -> Recommendation {
    let result = analysed(rows, spec).await;
    let mut made = result.recommendations.into_iter().filter(is_of_errors);
    let first = made.next().unwrap();
    assert!(made.next().is_none(), "one cause has one answer");
    first
}

#[tokio::test]
async fn one_rate_is_made_equal_as_a_fit_does() {
    for (apart, other, name, constraint) in [
        ("tpr", "predictive_equality", "equal_opportunity", Constraint::EqualOpportunity),
        ("fpr", "equal_opportunity", "predictive_equality", Constraint::FalsePositiveRateParity),
    ] {
        // Only this rate is judged.
        let lenient = ["equalized_odds", other]
            .into_iter()
            .flat_map(|name| [format!("{name}_difference"), format!("{name}_ratio")])
            .map(|id| (id, 1.0))
            .collect();
        let spec =
            AnalysisSpec { thresholds: lenient, ..spec(AnalysisType::EqualizedOdds, &["sex"]) };
        let rows = errors(apart);
        let made = of_errors(&rows, &spec).await;
        let Mitigation::GroupThresholds { thresholds, equalises } = &made.mitigation else {
            panic!("{made:?}")
        };
        assert_eq!((equalises.as_str(), thresholds.len()), (apart, 2));
        let effect = made.effect.as_ref().unwrap();
        assert_eq!(effect.measure, format!("{name}_difference"));
        assert!((effect.before - 0.5).abs() < 0.01 && effect.after <= 0.0101, "{effect:?}");
        let artifact = fitted(&rows, constraint, false).await;
        let expected = artifact.expected.after.disparity(constraint).unwrap();
        assert!((expected - effect.after).abs() < 1e-12, "{expected} {effect:?}");
        assert_eq!(artifact.expected.after.accuracy, effect.accuracy_after);
    }
}

#[tokio::test]
async fn equalized_odds_are_made_equal_by_draw_as_a_fit_does() {
    for apart in ["tpr", "fpr"] {
        let rows = errors(apart);
        let made = of_errors(&rows, &spec(AnalysisType::EqualizedOdds, &["sex"])).await;
        let Mitigation::DrawnThresholds { rules, equalises } = &made.mitigation else {
            panic!("{made:?}")
        };
        assert_eq!((equalises.as_str(), rules.len()), ("equalized_odds", 2));
        let effect = made.effect.as_ref().unwrap();
        assert!(effect.before > 0.4 && effect.after < 1e-9, "{effect:?}");
        assert!(effect.sentence.contains("by draw"), "{}", effect.sentence);
        let close = |one: Option<f64>, other: Option<f64>| {
            one.zip(other).is_some_and(|(one, other)| (one - other).abs() < 1e-9)
        };
        assert!(close(rules[0].true_positive_rate, rules[1].true_positive_rate));
        assert!(close(rules[0].false_positive_rate, rules[1].false_positive_rate));
        let artifact = fitted(&rows, Constraint::EqualizedOdds, true).await;
        assert_eq!(artifact.expected.after.accuracy, effect.accuracy_after);
        assert!(artifact.expected.after.equalized_odds_difference.unwrap() < 1e-9);
    }
}

/// Selected are 62.5 % of those who are favoured, and 37.5 % of the others.
fn crossed(is_favoured: impl Fn(&str, &str) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for sex in ["f", "m"] {
        for race in ["x", "y"] {
            let more = if is_favoured(sex, race) { 0.2 } else { 0.0 };
            rows.extend(even(500).map(|(at, score)| (sex, race, label(at), 0.8 * score + more)));
        }
    }
    rows
}

#[tokio::test]
async fn a_combination_is_treated_where_its_parts_are_in_no_trouble() {
    let spec = spec(AnalysisType::DemographicParity, &["sex", "race"]);
    let hidden = crossed(|sex, race| (sex == "f") == (race == "x"));
    let result = analysed(&hidden, &spec).await;
    assert!(result.attributes.iter().all(|one| one.status == Some(Status::Pass)));
    let [made] = result.recommendations.as_slice() else { panic!("{:?}", result.recommendations) };
    assert_eq!(made.attribute, "sex|race");
    let Mitigation::GroupThresholds { thresholds, .. } = &made.mitigation else {
        panic!("{made:?}")
    };
    assert_eq!(thresholds.len(), 4);
    assert!(made.effect.as_ref().unwrap().after < 0.01);

    // Where women and men differ, that is the cause.
    let plain = crossed(|sex, _| sex == "m");
    let result = analysed(&plain, &spec).await;
    let about: Vec<&str> =
        result.recommendations.iter().map(|made| made.attribute.as_str()).collect();
    assert_eq!(about, ["sex"]);
}
