//! Groups within strata, tests of disparities, and calibration within groups: in a whole analysis.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, Status, analyze_cube,
    cube::{Cube, Layout},
    significance::{Selection, all_pairs::Test, fisher, stratified::stratified},
};

use crate::support::{Find, FindIn, close, faults, run_batch};

/// How many of so many were chosen.
type Chosen = (u64, u64);

/// Group, stratum, prediction, label, and how often.
type Repeated = (i64, i64, i64, i64, u8);

/// Bickel, Hammel, O'Connell 1975, as R's `UCBAdmissions`: men and women admitted, by department.
const BERKELEY: [(&str, Chosen, Chosen); 6] = [
    ("A", (512, 825), (89, 108)),
    ("B", (353, 560), (17, 25)),
    ("C", (120, 325), (202, 593)),
    ("D", (138, 417), (131, 375)),
    ("E", (53, 191), (94, 393)),
    ("F", (22, 373), (24, 341)),
];

/// One row for each person: group, stratum, prediction (and label, which alternates).
fn people(cells: &[(&str, Option<&str>, (u64, u64))]) -> Vec<(&'static str, ArrayRef)> {
    let (mut groups, mut strata, mut selected) = (vec![], vec![], vec![]);
    for (group, stratum, (hits, of)) in cells {
        for row in 0..*of {
            groups.push(Some(*group));
            strata.push(*stratum);
            selected.push(i64::from(row < *hits));
        }
    }
    let labels: Vec<i64> = (0..selected.len() as i64).map(|row| row % 2).collect();
    vec![
        ("g", Arc::new(StringArray::from(groups)) as ArrayRef),
        ("s", Arc::new(StringArray::from(strata)) as ArrayRef),
        ("y", Arc::new(Int64Array::from(labels)) as ArrayRef),
        ("p", Arc::new(Int64Array::from(selected)) as ArrayRef),
    ]
}

fn berkeley() -> Vec<(&'static str, ArrayRef)> {
    let cells: Vec<_> = BERKELEY
        .iter()
        .flat_map(|(name, men, women)| [("men", Some(*name), *men), ("women", Some(*name), *women)])
        .collect();
    people(&cells)
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        strata: Some("s".to_owned()),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    }
}

#[tokio::test]
async fn berkeley_admits_men_more_often_and_departments_do_not() {
    let result = run_batch(berkeley(), &spec()).await.unwrap();
    let attribute = result.attribute("g");
    let tables: Vec<_> = BERKELEY
        .iter()
        .map(|(_, men, women)| (Selection::new(women.0, women.1), Selection::new(men.0, men.1)))
        .collect();
    let expected = stratified(&tables, 1.96).unwrap();
    let parity = attribute.disparity("demographic_parity_difference");
    assert_eq!((parity.status, parity.n), (Some(Status::Fail), 4_526));
    assert!(parity.value.unwrap() > 0.14 && parity.p_value.unwrap() < 1e-20);

    let within = attribute.disparity("conditional_demographic_parity_difference");
    assert!(close(within.value.unwrap(), expected.difference.abs()), "{within:?}");
    assert_eq!(within.status, Some(Status::Pass));
    assert!(close(within.p_value.unwrap(), expected.test.p));
    assert_eq!(within.significance.as_ref().unwrap().test, Test::CochranMantelHaenszel);
    let interval = within.interval.as_ref().unwrap();
    assert!(interval.lower == 0.0 && interval.upper < 0.06, "{interval:?}");

    let strata = attribute.strata.as_ref().unwrap();
    assert_eq!((strata.count, strata.compared, strata.too_small_count), (6, 6, 0));
    let rate = strata.strata.iter().find(|stratum| stratum.stratum == "A").unwrap();
    let women =
        rate.rates.iter().find(|rate| rate.metric == "selection_rate" && rate.group == "women");
    assert!(close(women.unwrap().value.unwrap(), 89.0 / 108.0));
    let pair = strata.pairs.iter().find(|pair| pair.metric == "selection_rate").unwrap();
    assert_eq!((pair.group.as_str(), pair.other.as_str(), pair.strata), ("women", "men", 6));
    assert!(pair.reverses && pair.pooled.unwrap() < 0.0 && pair.conditional.unwrap() > 0.0);
    assert!(close(pair.odds_ratio.unwrap(), expected.odds_ratio.unwrap()));
    assert!(strata.notes[0].starts_with("Simpson's paradox"), "{:?}", strata.notes);
    assert!(result.warnings.iter().any(|warning| warning.contains("Simpson's paradox")));
}

#[tokio::test]
async fn one_stratum_is_the_whole() {
    let cells = [
        ("a", Some("only"), (20, 60)),
        ("b", Some("only"), (33, 70)),
        ("c", Some("only"), (9, 50)),
    ];
    let result = run_batch(people(&cells), &spec()).await.unwrap();
    let attribute = result.attribute("g");
    for ending in ["difference", "ratio"] {
        let whole = attribute.disparity(&format!("demographic_parity_{ending}"));
        let within = attribute.disparity(&format!("conditional_demographic_parity_{ending}"));
        assert!(close(whole.value.unwrap(), within.value.unwrap()));
        assert_eq!((whole.status, &whole.worst_pair), (within.status, &within.worst_pair));
        let (one, other) = (whole.interval.as_ref().unwrap(), within.interval.as_ref().unwrap());
        assert!(close(one.lower, other.lower) && close(one.upper, other.upper));
    }
    let tpr = attribute.disparity("conditional_equal_opportunity_difference");
    let whole = attribute.disparity("equal_opportunity_difference");
    assert!(close(tpr.value.unwrap(), whole.value.unwrap()));
}

#[tokio::test]
async fn strata_that_are_too_small_or_missing_are_listed() {
    let cells = [
        ("a", Some("large"), (20, 60)),
        ("b", Some("large"), (33, 70)),
        ("a", Some("small"), (3, 9)),
        ("b", Some("small"), (4, 20)),
        ("a", None, (10, 40)),
    ];
    let result = run_batch(people(&cells), &spec()).await.unwrap();
    let strata = result.attribute("g").strata.as_ref().unwrap();
    assert_eq!((strata.count, strata.compared), (3, 2));
    assert_eq!((strata.too_small_count, strata.too_small_rows), (1, 29));
    assert_eq!((strata.too_small[0].stratum.as_str(), strata.too_small[0].n), ("small", 29));
    assert!(strata.strata.iter().any(|stratum| stratum.stratum == "(missing)"));
    let missing = result.excluded.iter().find(|one| one.reason == "missing_stratum").unwrap();
    assert_eq!((missing.rows, missing.column.as_str()), (40, "s"));
    assert!(result.warnings.iter().any(|warning| warning.contains("strata of s")));
    // Of the missing, only one group is there: the one large stratum decides.
    let within = result.attribute("g").disparity("conditional_demographic_parity_difference");
    assert!(close(within.value.unwrap(), 33.0 / 70.0 - 20.0 / 60.0));

    let apart = [("a", Some("x"), (20, 60)), ("b", Some("y"), (33, 70))];
    let result = run_batch(people(&apart), &spec()).await.unwrap();
    let within = result.attribute("g").disparity("conditional_demographic_parity_ratio");
    assert_eq!(
        within.undefined.as_deref(),
        Some("no stratum of the least size has two groups in which it is defined")
    );
}

#[tokio::test]
async fn nobody_selected_many_groups_and_hostile_names_do_no_harm() {
    let none = [("a", Some("x"), (0, 60)), ("b", Some("x"), (0, 70))];
    let result = run_batch(people(&none), &spec()).await.unwrap();
    let attribute = result.attribute("g");
    assert_eq!(attribute.disparity("conditional_demographic_parity_difference").value, Some(0.0));
    assert_eq!(attribute.disparity("conditional_demographic_parity_ratio").value, None);
    assert_eq!(attribute.disparity("demographic_parity_difference").p_value, Some(1.0));
    let text = serde_json::to_string(&result).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");

    // A stratum for each row: none is large enough.
    let names: Vec<String> = (0..400).map(|row| format!("s{row}")).collect();
    let cells: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(row, name)| (["a", "b"][row % 2], Some(name.as_str()), (u64::from(row % 3 == 0), 1)))
        .collect();
    let result = run_batch(people(&cells), &spec()).await.unwrap();
    let strata = result.attribute("g").strata.as_ref().unwrap();
    assert_eq!((strata.compared, strata.too_small_count, strata.too_small.len()), (0, 400, 100));
    let within = result.attribute("g").disparity("conditional_demographic_parity_difference");
    assert_eq!(within.undefined.as_deref(), Some("all strata have fewer than 30 rows"));
}

#[tokio::test]
async fn strata_have_faults_of_their_own() {
    let cells = [("a", Some("x"), (20, 60)), ("b", Some("x"), (33, 70))];
    for (strata, code, place) in [
        ("g", "two_roles", "/protected/0"),
        ("y", "two_roles", "/strata"),
        ("", "required", "/strata"),
        ("z", "unknown_column", "/strata"),
    ] {
        let spec = AnalysisSpec { strata: Some(strata.to_owned()), ..spec() };
        let found = faults(run_batch(people(&cells), &spec).await);
        assert_eq!(
            (found[0].code.as_str(), found[0].where_.as_str()),
            (code, place),
            "{strata}: {found:?}"
        );
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

#[tokio::test]
async fn labels_alone_are_compared_within_strata_too() {
    let cells = [
        ("a", Some("x"), (20, 60)),
        ("b", Some("x"), (33, 70)),
        ("a", Some("y"), (5, 60)),
        ("b", Some("y"), (9, 70)),
    ];
    let spec = AnalysisSpec { target: Some("p".to_owned()), prediction: None, ..spec() };
    let result = run_batch(people(&cells), &spec).await.unwrap();
    let attribute = result.attribute("g");
    assert!(attribute.disparity("conditional_base_rate_difference").status.is_some());
    assert!(attribute.disparities.iter().all(|one| !one.id.starts_with("conditional_demographic")));
}

fn weighted(rows: &[Repeated], with_weight: bool) -> AnalysisResult {
    let column = |of: &dyn Fn(&Repeated) -> i64| {
        let values = rows.iter().flat_map(|row| {
            let times = if with_weight { 1 } else { usize::from(row.4) };
            std::iter::repeat_n(of(row), times)
        });
        Arc::new(Int64Array::from_iter_values(values)) as ArrayRef
    };
    let mut columns = vec![
        column(&|row| row.0),
        column(&|row| row.1),
        column(&|row| row.2),
        column(&|row| row.3),
    ];
    if with_weight {
        columns.push(Arc::new(Float64Array::from_iter_values(
            rows.iter().map(|row| f64::from(row.4)),
        )));
    }
    let layout = Layout {
        attributes: 2,
        label: true,
        prediction: true,
        score: false,
        weight: with_weight,
        positive: None,
        threshold: 0.5,
    };
    let mut cube = Cube::new(layout);
    cube.update(&columns).unwrap();
    let weight = with_weight.then(|| "w".to_owned());
    analyze_cube(&cube, &AnalysisSpec { weight, min_group_size: 1, ..spec() }).unwrap()
}

#[test]
fn a_weight_is_a_repetition_within_strata_where_all_weigh_the_same() {
    let rows: Vec<(i64, i64, i64, i64, u8)> = (0..240)
        .map(|row| (row % 3, row / 7 % 4, row % 2, i64::from(row * 13 % 11 < 4 + row % 3), 2))
        .collect();
    let (heavy, repeated) = (weighted(&rows, true), weighted(&rows, false));
    for id in ["conditional_demographic_parity_difference", "conditional_equal_opportunity_ratio"] {
        let (one, other) =
            (heavy.attribute("g").disparity(id), repeated.attribute("g").disparity(id));
        assert!(close(one.value.unwrap(), other.value.unwrap()), "{id}");
        // A test counts rows, which weights are not.
        assert_eq!((one.p_value, one.p_adjusted, one.detectable), (None, None, None));
        assert!(other.p_value.is_some());
    }
}

#[tokio::test]
async fn judged_disparities_are_tested_and_say_what_could_have_been_seen() {
    let cells = [
        ("a", None, (30, 100)),
        ("b", None, (45, 100)),
        ("c", None, (38, 100)),
        ("d", None, (1, 12)),
    ];
    let spec = AnalysisSpec { strata: None, min_group_size: 10, ..spec() };
    let result = run_batch(people(&cells), &spec).await.unwrap();
    let attribute = result.attribute("g");
    let parity = attribute.disparity("demographic_parity_difference");
    // The furthest apart are b and d, of which d is small: Fisher's test, one of six.
    // SciPy 1.17.1: fisher_exact([[1, 11], [45, 55]]).pvalue
    assert!(close(parity.p_value.unwrap(), 0.014_488_395_519_424_458));
    let p = fisher::exact(Selection::new(1, 12), Selection::new(45, 100));
    let found = parity.significance.as_ref().unwrap();
    assert_eq!((parity.p_value, found.test, found.tests), (Some(p), Test::Fisher, 6));
    assert!(close(parity.p_adjusted.unwrap(), 6.0 * p), "{parity:?}");
    assert!(found.p_benjamini_hochberg.unwrap() <= parity.p_adjusted.unwrap());
    assert!(found.standard_deviations.unwrap() < -2.0);
    assert!(found.flip_flop.is_some_and(|moved| !moved.reverses));
    assert!(parity.detectable.is_none_or(|apart| apart > 0.3), "{:?}", parity.detectable);
    let ratio = attribute.disparity("demographic_parity_ratio");
    assert_eq!(ratio.p_value, parity.p_value);
    let odds = attribute.disparity("equalized_odds_difference");
    assert_eq!(odds.significance.as_ref().unwrap().tests, 12);
    // What is not judged, or is no rate, is not tested.
    assert_eq!(attribute.disparity("f1_difference").p_value, None);
    assert_eq!(attribute.disparity("tnr_difference").p_value, None);
    for one in &attribute.disparities {
        for p in [one.p_value, one.p_adjusted].into_iter().flatten() {
            assert!((0.0..=1.0).contains(&p), "{one:?}");
        }
        assert!(one.p_value.is_none_or(|p| p <= one.p_adjusted.unwrap() + 1e-15));
    }

    // What was stored before there were tests still reads.
    let mut stored = serde_json::to_value(&result).unwrap();
    for disparity in stored["attributes"][0]["disparities"].as_array_mut().unwrap() {
        let disparity = disparity.as_object_mut().unwrap();
        for field in ["p_value", "p_adjusted", "detectable", "significance"] {
            disparity.remove(field);
        }
    }
    let read: AnalysisResult = serde_json::from_value(stored).unwrap();
    assert_eq!(read.attribute("g").disparity("demographic_parity_difference").p_value, None);
}

#[tokio::test]
async fn a_score_means_the_same_for_each_group_or_it_does_not() {
    // Scores 0.25 and 0.75; of group b, 0.75 is worth less.
    let (mut groups, mut scores, mut labels) = (vec![], vec![], vec![]);
    for (group, score, (hits, of)) in [
        ("a", 0.25, (25, 100)),
        ("b", 0.25, (27, 100)),
        ("a", 0.75, (75, 100)),
        ("b", 0.75, (40, 100)),
        ("c", 0.75, (1, 5)),
    ] {
        for row in 0..of {
            groups.push(group);
            scores.push(score);
            labels.push(i64::from(row < hits));
        }
    }
    let columns = vec![
        ("g", Arc::new(StringArray::from(groups)) as ArrayRef),
        ("y", Arc::new(Int64Array::from(labels)) as ArrayRef),
        ("q", Arc::new(Float64Array::from(scores)) as ArrayRef),
    ];
    let id = "calibration_within_groups_difference";
    let spec = AnalysisSpec {
        prediction: None,
        score: Some("q".to_owned()),
        strata: None,
        thresholds: [(id.to_owned(), 0.1)].into(),
        ..spec()
    };
    let result = run_batch(columns, &spec).await.unwrap();
    let attribute = result.attribute("g");
    let worst = attribute.disparity(id);
    assert!(close(worst.value.unwrap(), 0.35) && worst.status == Some(Status::Fail), "{worst:?}");
    let pair = worst.worst_pair.as_ref().unwrap();
    assert_eq!((pair.low.as_str(), pair.high.as_str()), ("b", "a"));
    assert_eq!(pair.metric, "Share of positive labels among scores 0.7 to 0.8");
    let mean = attribute.disparity("calibration_within_groups_difference_mean");
    assert!(close(mean.value.unwrap(), f64::midpoint(0.35, 0.02)) && mean.status.is_none());
}
