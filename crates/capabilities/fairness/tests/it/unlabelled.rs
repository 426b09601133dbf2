//! Predictions and scores without labels: nothing that needs labels is said, and all who are scored count.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, AnalysisType, analyze_cube,
    cube::{Cube, Layout},
    law::{LawReport, LawSpec, ReportOptions, Rule, ll144},
    task::TaskSpec,
};
use proptest::prelude::*;
use serde_json::{Value, json, to_value};

use crate::support::{Find, FindIn, batch, close, faults, run, run_batch, table, value};

/// Somebody: a group, a label and a score, the latter two where they are known.
type Somebody = (&'static str, Option<bool>, Option<f64>);

fn layout(label: bool) -> Layout {
    Layout {
        attributes: 1,
        label,
        prediction: false,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    }
}

fn columns(people: &[Somebody], label: bool) -> Vec<ArrayRef> {
    let groups = StringArray::from_iter_values(people.iter().map(|one| one.0));
    let labels = Int64Array::from_iter(people.iter().map(|one| one.1.map(i64::from)));
    let scores = Float64Array::from_iter(people.iter().map(|one| one.2));
    let mut columns: Vec<ArrayRef> = vec![Arc::new(groups)];
    if label {
        columns.push(Arc::new(labels));
    }
    columns.push(Arc::new(scores));
    columns
}

fn cube(people: &[Somebody], label: bool) -> Cube {
    let mut cube = Cube::new(layout(label));
    cube.update(&columns(people, label)).unwrap();
    cube
}

fn spec(label: bool) -> AnalysisSpec {
    AnalysisSpec {
        target: label.then(|| "y".to_owned()),
        score: Some("s".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        ..AnalysisSpec::unlabelled(["g"])
    }
}

fn audited(cube: &Cube, label: bool) -> ll144::Ll144Report {
    ll144::report(cube, &spec(label), &ReportOptions::default()).unwrap()
}

/// So many of each group, of whom the first so many are above the median.
fn scored(
    groups: &[(&'static str, usize, usize)],
    label: impl Fn(usize) -> Option<bool>,
) -> Vec<Somebody> {
    let one = |(name, of, above): &(&'static str, usize, usize)| {
        let (name, above) = (*name, *above);
        (0..*of).map(move |at| (name, at < above)).collect::<Vec<_>>()
    };
    let all = groups.iter().flat_map(one).enumerate();
    all.map(|(at, (name, is_above))| (name, label(at), Some(if is_above { 0.7 } else { 0.3 })))
        .collect()
}

/// The example of a tool that scores in 6 RCNY § 5-301, whose applicants have no labels: number, scoring rate and impact ratio
/// as they are printed there. Of the categories by race and ethnicity, two are taken together here as the rest of the sample.
#[test]
fn the_published_example_of_scores() {
    let by_sex = [("Male", 92, 50), ("Female", 76, 34)];
    let by_race = [
        ("Hispanic or Latino", 28, 18),
        ("White", 40, 15),
        ("Black or African American", 32, 16),
        ("Native Hawaiian or Pacific Islander", 8, 5),
        ("Asian", 24, 10),
        ("the rest", 36, 20),
    ];
    let printed = [
        ("Male", 54.3, 1.0),
        ("Female", 44.7, 0.82),
        ("Hispanic or Latino", 64.2, 1.0),
        ("White", 37.5, 0.58),
        ("Black or African American", 50.0, 0.78),
        ("Native Hawaiian or Pacific Islander", 62.5, 0.97),
        ("Asian", 41.7, 0.65),
    ];
    let mut equal = 0;
    for groups in [&by_sex[..], &by_race[..]] {
        let report = audited(&cube(&scored(groups, |_| None), false), false);
        assert!(report.selection.is_none(), "the tool only scores");
        let scoring = report.scoring.unwrap();
        assert_eq!((report.rows, scoring.median, scoring.part.without), (168, 0.5, 0));
        let table = &scoring.part.tables[0];
        assert_eq!(table.highest.as_deref(), Some(groups[0].0));
        for (name, of, above) in groups {
            let found = table.categories.iter().find(|one| one.name == *name).unwrap();
            assert_eq!((found.applicants, found.selected), (*of as u64, *above as u64), "{name}");
            let Some((_, rate, ratio)) = printed.iter().find(|one| one.0 == *name) else {
                continue;
            };
            // The rule rounds some of its figures down.
            assert!((found.rate.unwrap() * 100.0 - rate).abs() < 0.1, "{name}: {:?}", found.rate);
            assert!((found.impact_ratio.unwrap() - ratio).abs() < 0.005, "{name}: {found:?}");
            equal += 1;
        }
    }
    assert_eq!(equal, printed.len());
}

#[test]
fn whether_labels_are_known_changes_no_scoring_rate() {
    let groups = [("Male", 92, 50), ("Female", 76, 34)];
    let none = audited(&cube(&scored(&groups, |_| None), false), false).scoring.unwrap();
    // Those with a label are seldom above the median: among them alone, the figures would be others.
    let some = |at: usize| (at > 40 && at.is_multiple_of(3)).then_some(at.is_multiple_of(2));
    let all = |at: usize| Some(at.is_multiple_of(2));
    for people in [scored(&groups, some), scored(&groups, all)] {
        assert_eq!(audited(&cube(&people, true), true).scoring.unwrap(), none);
    }
    // Who has no score is in no rate, with a label or without.
    let mut people = scored(&groups, some);
    people.extend([("Male", Some(true), None), ("Female", None, None)]);
    let found = audited(&cube(&people, true), true);
    let scoring = found.scoring.unwrap();
    assert_eq!((scoring.part.without, scoring.median), (2, none.median));
    assert!(
        found.notes.iter().any(|note| note.starts_with("2 people have no score")),
        "{:?}",
        found.notes
    );
}

/// Rows enough that scores of one kind are binned, and few of the other.
fn many(is_labelled: impl Fn(u32) -> bool) -> Vec<Somebody> {
    // An odd number: the median is somebody's.
    const MANY: u32 = 141_001;
    let somebody = |row: u32| {
        let group = if row.is_multiple_of(2) { "a" } else { "b" };
        let label = is_labelled(row).then_some(row.is_multiple_of(5));
        (group, label, Some(f64::from(row) / f64::from(MANY)))
    };
    (0..MANY).map(somebody).collect()
}

#[test]
fn scores_that_are_binned_are_binned_alike() {
    let kinds: [fn(u32) -> bool; 2] =
        [|row| !row.is_multiple_of(101), |row| row.is_multiple_of(101)];
    for is_labelled in kinds {
        let people = many(is_labelled);
        let report = audited(&cube(&people, true), true);
        let scoring = report.scoring.clone().unwrap();
        assert_eq!(scoring.part.without, 0);
        // A bin is 1 / 5120 wide.
        assert!((scoring.median - 0.5).abs() < 0.001, "{}", scoring.median);
        assert!(scoring.in_median_bin.is_some_and(|rows| (20..=40).contains(&rows)));
        for category in &scoring.part.tables[0].categories {
            assert!((category.rate.unwrap() - 0.5).abs() < 0.001, "{category:?}");
        }
        // What travels and is merged, in whatever order, is the same.
        let parts: Vec<Cube> = people
            .chunks(50_000)
            .map(|part| Cube::from_bytes(&cube(part, true).to_bytes()).unwrap())
            .collect();
        let [first, second, third] = &parts[..] else { panic!("{} parts", parts.len()) };
        let mut left = first.clone();
        left.merge(second).unwrap();
        left.merge(third).unwrap();
        let mut inner = third.clone();
        inner.merge(second).unwrap();
        let mut right = Cube::new(layout(true));
        right.merge(&inner).unwrap();
        right.merge(first).unwrap();
        for merged in [left, right] {
            assert_eq!(audited(&merged, true), report);
        }
    }
}

#[test]
fn rows_without_a_label_leave_what_labels_say_as_exact_as_it_is() {
    let people = many(|row| row.is_multiple_of(101));
    let labelled: Vec<Somebody> = people.iter().copied().filter(|one| one.1.is_some()).collect();
    let with = analyze_cube(&cube(&people, true), &spec(true)).unwrap();
    let without = analyze_cube(&cube(&labelled, true), &spec(true)).unwrap();
    assert!(with.scores.as_ref().unwrap().exact);
    for group in ["a", "b"] {
        for metric in ["roc_auc", "ks", "brier", "log_loss", "ece", "base_rate"] {
            let of = |result: &AnalysisResult| {
                value(result.attribute("g").group(group), metric).unwrap()
            };
            assert!(close(of(&with), of(&without)), "{metric} of {group}");
        }
    }
}

fn table_columns() -> Vec<(&'static str, ArrayRef)> {
    let rows = 400_usize;
    let mixed = |row: usize, salt: usize| (row + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    let bit = |salt: usize, share: usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            (0..rows).map(|row| i64::from(mixed(row, salt) % 100 < share + row % 2 * 15)),
        ))
    };
    let score = (0..rows).map(|row| (mixed(row, 5) % 100) as f64 / 100.0);
    vec![
        ("g", Arc::new(StringArray::from_iter_values((0..rows).map(|row| ["a", "b"][row % 2])))),
        ("y", bit(1, 40)),
        ("p", bit(2, 45)),
        ("s", Arc::new(Float64Array::from_iter_values(score))),
    ]
}

fn predicted() -> AnalysisSpec {
    AnalysisSpec { prediction: Some("p".to_owned()), ..spec(false) }
}

#[tokio::test]
async fn what_needs_no_labels_is_the_same_and_the_rest_is_left_out_with_a_reason() {
    let with = AnalysisSpec { target: Some("y".to_owned()), ..predicted() };
    let with = run_batch(table_columns(), &with).await.unwrap();
    let without = run_batch(table_columns(), &predicted()).await.unwrap();
    let (full, bare) = (with.attribute("g"), without.attribute("g"));
    for group in ["a", "b"] {
        let (full, bare) = (full.group(group), bare.group(group));
        let ids: Vec<&str> = bare.metrics.iter().map(|metric| metric.id.as_str()).collect();
        assert_eq!(ids, ["count", "share", "selection_rate", "ppr", "mean_score"]);
        for id in ids {
            assert!(close(value(bare, id).unwrap(), value(full, id).unwrap()), "{id}");
        }
        assert!(bare.confusion.is_none() && bare.reliability.is_empty());
        assert_eq!(bare.missing_target, 0);
    }
    for id in ["demographic_parity_difference", "demographic_parity_ratio", "disparate_impact"] {
        let (full, bare) = (full.disparity(id), bare.disparity(id));
        assert_eq!((full.value, full.status), (bare.value, bare.status), "{id}");
    }
    let told: Vec<&str> = bare.disparities.iter().map(|one| one.id.as_str()).collect();
    for id in ["equalized_odds_difference", "base_rate_difference", "roc_auc_difference"] {
        assert!(!told.contains(&id), "{id}");
    }
    assert_eq!((without.scored.len(), without.left_out.len()), (1, 2));
    assert!(
        without.left_out.iter().all(|one| one.reason == "there are no labels"),
        "{:?}",
        without.left_out
    );
    assert!(without.compliance_score.is_some());
    assert!(without.excluded.is_empty(), "{:?}", without.excluded);
    assert!(without.warnings[0].contains("no column of labels"), "{:?}", without.warnings);
}

#[tokio::test]
async fn results_without_labels_are_written_and_read_and_old_ones_are_read() {
    let spec = AnalysisSpec { law: Some(LawSpec::new([Rule::Ll144, Rule::Eeoc])), ..predicted() };
    let result = run_batch(table_columns(), &spec).await.unwrap();
    let written = to_value(&result).unwrap();
    assert!(written["spec"].get("target").is_none());
    let read: AnalysisResult = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(to_value(&read).unwrap(), written);
    let [LawReport::Ll144(ll144), LawReport::Eeoc(eeoc)] = &result.law[..] else {
        panic!("{:?}", result.law)
    };
    assert_eq!(ll144.selection.as_ref().map(|part| part.column.as_str()), Some("p"));
    assert_eq!(ll144.scoring.as_ref().map(|scoring| scoring.part.without), Some(0));
    assert_eq!((eeoc.column.as_str(), eeoc.without), ("p", 0));
    let old: AnalysisSpec =
        serde_json::from_value(json!({ "target": "y", "protected": ["g"] })).unwrap();
    assert_eq!(old.target.as_deref(), Some("y"));
}

#[tokio::test]
async fn partitions_find_the_same_as_the_whole() {
    let whole = batch(table_columns());
    for spec in [predicted(), spec(false)] {
        let spec = AnalysisSpec { law: Some(LawSpec::new([Rule::Ll144])), ..spec };
        let parts = vec![whole.slice(0, 150), whole.slice(150, 250)];
        let one = run(table(vec![whole.clone()]), &spec).await.unwrap();
        let two = run(table(parts), &spec).await.unwrap();
        assert_eq!(to_value(one).unwrap(), to_value(two).unwrap());
    }
}

#[tokio::test]
async fn without_anything_to_analyse_labels_are_missing() {
    let places = |spec: &AnalysisSpec| -> Vec<String> {
        spec.faults().into_iter().map(|fault| format!("{} {}", fault.where_, fault.code)).collect()
    };
    assert_eq!(places(&AnalysisSpec::unlabelled(["g"])), ["/target required"]);
    assert!(places(&predicted()).is_empty() && places(&spec(false)).is_empty());
    let odds = AnalysisSpec { analysis_type: AnalysisType::EqualizedOdds, ..predicted() };
    assert_eq!(places(&odds), ["/target required"]);
    let parity = AnalysisSpec { analysis_type: AnalysisType::DemographicParity, ..predicted() };
    assert!(places(&parity).is_empty());
    // A column that is named must be there, and be filled.
    let named = AnalysisSpec { target: Some(String::new()), ..predicted() };
    assert_eq!(places(&named), ["/target required"]);
    let mut columns = table_columns();
    columns[1].1 = Arc::new(Int64Array::from(vec![None::<i64>; 400]));
    let empty = AnalysisSpec { target: Some("y".to_owned()), ..predicted() };
    assert_eq!(faults(run_batch(columns, &empty).await)[0].code, "label_empty");

    let read = |json: Value| TaskSpec::read(&json);
    assert!(read(json!({ "score": "s", "protected": ["g"] })).is_ok());
    assert!(read(json!({ "target": null, "prediction": "p", "protected": ["g"] })).is_ok());
    for (other, wanted) in [
        (json!({ "protected": ["g"] }), "/target"),
        (json!({ "task": "regression", "prediction": "p", "protected": ["g"] }), "/target"),
        (json!({ "task": "multiclass", "prediction": "p", "protected": ["g"] }), "/target"),
    ] {
        let found = read(other).unwrap().faults();
        assert_eq!(found.iter().map(|one| one.where_.as_str()).collect::<Vec<_>>(), [wanted]);
    }
}

fn people() -> impl Strategy<Value = Vec<Somebody>> {
    let one = (0_usize..3, prop::option::of(any::<bool>()), prop::option::weighted(0.9, 0_u8..12))
        .prop_map(|(group, label, score)| {
            (["a", "b", "c"][group], label, score.map(|score| f64::from(score) / 8.0))
        });
    prop::collection::vec(one, 1..80)
}

proptest! {
    #[test]
    fn the_median_and_the_rates_are_of_all_who_are_scored(mut people in people(), at in 0_usize..80) {
        // Somebody has a label: a column of none is refused.
        people.push(("a", Some(true), None));
        let mut scores: Vec<f64> = people.iter().filter_map(|one| one.2).collect();
        scores.sort_by(f64::total_cmp);
        let bare = cube(&people, false);
        let (first, second) = people.split_at(at.min(people.len()));
        let mut merged = cube(second, true);
        merged.merge(&Cube::from_bytes(&cube(first, true).to_bytes()).unwrap()).unwrap();
        for (cube, label) in [(&bare, false), (&merged, true)] {
            let report = audited(cube, label);
            let Some(last) = scores.len().checked_sub(1) else {
                prop_assert!(report.scoring.is_none());
                continue;
            };
            let median = f64::midpoint(scores[last / 2], scores[last.div_ceil(2)]);
            let scoring = report.scoring.unwrap();
            prop_assert_eq!(scoring.median, median);
            prop_assert_eq!(scoring.part.without, (people.len() - scores.len()) as u64);
            for category in &scoring.part.tables[0].categories {
                let mine = people.iter().filter(|one| one.0 == category.name);
                let of: Vec<f64> = mine.filter_map(|one| one.2).collect();
                let above = of.iter().filter(|score| **score > median).count();
                prop_assert_eq!(category.selected, above as u64);
                let rate = (!of.is_empty()).then(|| above as f64 / of.len() as f64);
                prop_assert_eq!(category.rate, rate);
            }
        }
    }
}
