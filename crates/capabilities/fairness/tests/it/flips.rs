//! Decisions under a changed attribute: rates, tests, and what is at the edges.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};
use ephor_fairness::{
    AnalysisError, AnalysisSpec, CancellationToken, Fault, IntervalMethod, Status,
    flips::{FlipReport, FlipSpec, FlipTest, analyze},
    frame::Grouping,
};
use proptest::prelude::*;

use crate::{
    kinds_support::{comparison, grouping},
    support::{batch, close, table},
};

type Columns = Vec<(&'static str, ArrayRef)>;

async fn run(columns: Columns, spec: &FlipSpec) -> Result<FlipReport, AnalysisError> {
    analyze(table(vec![batch(columns)]), spec, &CancellationToken::new()).await
}

fn spec() -> FlipSpec {
    FlipSpec::new("p", "q", grouping(&["sex"]))
}

/// Groups with how many are negative and positive both times, flip to positive, and flip to negative.
fn decided(groups: &[(&str, [usize; 4])]) -> Columns {
    let (mut sex, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for (name, counts) in groups {
        for (kind, count) in counts.iter().enumerate() {
            for _ in 0..*count {
                sex.push(*name);
                before.push(kind == 1 || kind == 3);
                after.push(kind == 1 || kind == 2);
            }
        }
    }
    vec![
        ("sex", Arc::new(StringArray::from(sex))),
        ("p", Arc::new(BooleanArray::from(before))),
        ("q", Arc::new(BooleanArray::from(after))),
    ]
}

fn faults(result: Result<FlipReport, AnalysisError>) -> Vec<Fault> {
    let Err(AnalysisError::Invalid(faults)) = result else { panic!("it was accepted: {result:?}") };
    faults
}

#[tokio::test]
async fn rates_intervals_and_tests_are_those_of_the_peers() {
    let columns = decided(&[("f", [400, 300, 90, 10]), ("m", [500, 480, 5, 15])]);
    let report = run(columns, &spec()).await.unwrap();
    // SciPy 1.17.1: binomtest(count, rows).proportion_ci(method="wilson"), and binomtest(one, one + other).pvalue.
    let overall = &report.findings.overall;
    for (id, value, lower, upper) in [
        ("flip_rate", 120.0 / 1_800.0, 0.056_041_333_471_617_06, 0.079_137_652_258_155_17),
        ("flips_to_positive", 95.0 / 1_800.0, 0.043_368_203_782_652_6, 0.064_092_159_694_868_71),
        ("flips_to_negative", 25.0 / 1_800.0, 0.009_425_143_003_944_536, 0.020_423_078_167_274_306),
    ] {
        let found = overall.metric(id).unwrap();
        let interval = found.interval.as_ref().unwrap();
        assert_eq!(interval.method, IntervalMethod::Wilson);
        for (ours, peer) in
            [(found.value.unwrap(), value), (interval.lower, lower), (interval.upper, upper)]
        {
            assert!(close(ours, peer), "{id}: {ours} is not {peer}");
        }
    }
    let tests: Vec<(&str, &str, u64, u64, u64)> = report
        .tests
        .iter()
        .map(|one| {
            let FlipTest { attribute, group, rows, to_positive, to_negative, .. } = one;
            (attribute.as_str(), group.as_str(), *rows, *to_positive, *to_negative)
        })
        .collect();
    assert_eq!(
        tests,
        [("", "all", 1_800, 95, 25), ("sex", "f", 800, 90, 10), ("sex", "m", 1_000, 5, 15)]
    );
    for (test, peer) in report.tests.iter().zip([
        8.443_958_194_827_311e-11,
        3.063_290_175_437_984_5e-17,
        0.041_389_465_332_031_25,
    ]) {
        let p = test.p_value.unwrap();
        assert!((p - peer).abs() <= 1e-9 * peer, "{test:?} is not {peer}");
    }
    assert!(close(report.tests[2].p_adjusted.unwrap(), report.tests[2].p_value.unwrap()));
    assert!(close(report.tests[1].p_adjusted.unwrap(), 2.0 * report.tests[1].p_value.unwrap()));

    let by_sex = comparison(&report.findings, "sex");
    let difference = by_sex.disparity("flip_rate_difference").unwrap();
    assert!(close(difference.value.unwrap(), 0.125 - 0.02), "{difference:?}");
    assert_eq!(difference.status, Some(Status::Warning), "{difference:?}");
    let greatest = by_sex.disparity("greatest_flip_rate").unwrap();
    assert!(close(greatest.value.unwrap(), 0.125), "{greatest:?}");
    assert_eq!(greatest.worst_pair.as_ref().unwrap().high, "f");
    assert_eq!(greatest.status, Some(Status::Fail), "{greatest:?}");
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<FlipReport>(&text).unwrap(), report);
}

#[tokio::test]
async fn the_greatest_rate_is_judged_beyond_noise_even_of_one_group() {
    let judged = async |flips: usize, threshold: Option<f64>| {
        let mut spec = spec();
        spec.groups.thresholds =
            threshold.map(|least| ("greatest_flip_rate".to_owned(), least)).into_iter().collect();
        let columns = decided(&[("f", [500 - flips, 500, flips, 0])]);
        let report = run(columns, &spec).await.unwrap();
        let by_sex = comparison(&report.findings, "sex");
        assert!(
            !by_sex.comparable && by_sex.disparity("flip_rate_difference").unwrap().value.is_none()
        );
        by_sex.disparity("greatest_flip_rate").unwrap().status.unwrap()
    };
    assert_eq!(judged(0, None).await, Status::Pass);
    assert_eq!(judged(0, Some(0.0)).await, Status::Pass);
    assert_eq!(judged(10, Some(0.0)).await, Status::Fail, "the law forbids any");
    assert_eq!(judged(105, None).await, Status::Warning);
    assert_eq!(judged(200, None).await, Status::Fail);
}

#[tokio::test]
async fn a_model_that_does_not_use_the_attribute_flips_nothing() {
    let report = run(decided(&[("f", [50, 50, 0, 0]), ("m", [50, 50, 0, 0])]), &spec()).await;
    let report = report.unwrap();
    assert_eq!(report.findings.overall.metric("flip_rate").unwrap().value, Some(0.0));
    assert_eq!(report.findings.status, Some(Status::Pass));
    assert!(report.tests.iter().all(|test| test.p_value.is_none() && test.p_adjusted.is_none()));
}

#[tokio::test]
async fn scores_are_decisions_by_their_threshold_and_what_is_missing_is_listed() {
    let numbers = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
    let nan = f64::NAN;
    let columns: Columns = vec![
        ("sex", Arc::new(StringArray::from(vec!["f", "f", "f", "m", "m", "m"]))),
        ("p", numbers(&[0.2, 0.4, nan, 0.9, f64::INFINITY, 0.3])),
        ("q", numbers(&[0.3, 0.2, 0.5, nan, 0.1, 0.29])),
        ("w", numbers(&[1.0, 2.0, 1.0, 1.0, 1.0, 0.0])),
    ];
    let base = AnalysisSpec {
        score: Some("p".to_owned()),
        score_threshold: 0.3,
        weight: Some("w".to_owned()),
        min_group_size: 1,
        ..AnalysisSpec::new("", ["sex"])
    };
    let report = run(columns, &FlipSpec::of(&base, "q")).await.unwrap();
    let reasons: Vec<(&str, u64)> =
        report.findings.excluded.iter().map(|one| (one.reason.as_str(), one.rows)).collect();
    assert_eq!(reasons, [("missing_prediction", 2), ("missing_flipped", 1)]);
    let by_sex = comparison(&report.findings, "sex");
    let rate = |group: &str, id: &str| by_sex.group(group).unwrap().metric(id).unwrap().clone();
    assert!(close(rate("f", "flips_to_positive").value.unwrap(), 1.0 / 3.0));
    assert!(close(rate("f", "flips_to_negative").value.unwrap(), 2.0 / 3.0));
    // The only row left has no weight; its flip is a row all the same.
    assert_eq!(
        rate("m", "flip_rate").undefined.as_deref(),
        Some("the group's rows have no weight")
    );
    assert_eq!(report.tests[2].to_negative, 1);
    assert!(!serde_json::to_string(&report).unwrap().contains("NaN"));
}

#[tokio::test]
async fn all_faults_come_together() {
    let columns = || decided(&[("f", [2, 2, 2, 2])]);
    let codes = |faults: &[Fault]| -> Vec<(String, String)> {
        faults.iter().map(|fault| (fault.where_.clone(), fault.code.clone())).collect()
    };
    let is = |where_: &str, code: &str| (where_.to_owned(), code.to_owned());
    let mut wrong = FlipSpec::new("", "qq", Grouping::new(["sexx"]));
    wrong.groups.thresholds.insert("flip_rat_difference".to_owned(), 0.1);
    let found = codes(&faults(run(columns(), &wrong).await));
    for one in [
        is("/prediction", "required"),
        is("/flipped", "unknown_column"),
        is("/protected/0", "unknown_column"),
        is("/thresholds/flip_rat_difference", "unknown_disparity"),
    ] {
        assert!(found.contains(&one), "{one:?} is not in {found:?}");
    }
    let same = FlipSpec::new("p", "p", grouping(&["sex"]));
    assert_eq!(codes(&faults(run(columns(), &same).await)), [is("/flipped", "two_roles")]);
    let texts =
        |values: [&'static str; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let labels: Columns = vec![
        ("sex", texts(["f", "f", "m"])),
        ("p", texts(["yes", "no", "yes"])),
        ("q", texts(["yes", "yes", "maybe"])),
    ];
    let found = codes(&faults(run(labels.clone(), &spec()).await));
    assert_eq!(found, [is("/positive_label", "required")]);
    let named = FlipSpec { positive_label: Some("yes".to_owned()), ..spec() };
    let report = run(labels, &named).await.unwrap();
    assert_eq!(report.tests[0].to_positive + report.tests[0].to_negative, 2);
    let empty = decided(&[]);
    assert_eq!(codes(&faults(run(empty, &spec()).await)), [is("/", "no_rows")]);
    let scores =
        FlipSpec { score_threshold: Some(0.5), ..FlipSpec::new("sex", "q", Grouping::new(["p"])) };
    let found = codes(&faults(run(columns(), &scores).await));
    assert!(found.contains(&is("/prediction", "prediction_not_numeric")), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Changing the attribute back flips the same rows the other way.
    #[test]
    fn back_again_is_the_same_the_other_way(
        counts in prop::collection::vec((0_usize..30, 0_usize..30, 0_usize..30, 1_usize..30), 1..5),
    ) {
        const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
        let groups: Vec<(&str, [usize; 4])> = NAMES
            .into_iter()
            .zip(counts)
            .map(|(name, (one, two, three, four))| (name, [one, two, three, four]))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let back = FlipSpec::new("q", "p", grouping(&["sex"]));
        let (there, back) = runtime.block_on(async {
            (run(decided(&groups), &spec()).await.unwrap(), run(decided(&groups), &back).await.unwrap())
        });
        for (one, other) in there.tests.iter().zip(&back.tests) {
            prop_assert_eq!((one.to_positive, one.to_negative), (other.to_negative, other.to_positive));
            prop_assert_eq!(one.p_value, other.p_value);
            if let (Some(p), Some(adjusted)) = (one.p_value, one.p_adjusted) {
                prop_assert!((0.0..=1.0).contains(&p) && p <= adjusted && adjusted <= 1.0);
            }
        }
        let (mine, theirs) = (&there.findings.overall, &back.findings.overall);
        prop_assert_eq!(mine.metric("flip_rate"), theirs.metric("flip_rate"));
        let sum = mine.metric("flips_to_positive").unwrap().value.unwrap()
            + mine.metric("flips_to_negative").unwrap().value.unwrap();
        prop_assert!((sum - mine.metric("flip_rate").unwrap().value.unwrap()).abs() < 1e-12);
    }
}
