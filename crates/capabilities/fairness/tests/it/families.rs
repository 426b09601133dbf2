//! How often something is found where nothing is, by simulation: whole reports of many tests, whose family has one level.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use ephor_fairness::{
    AnalysisResult, AnalysisSpec, Status, analyze_cube,
    cube::{Cube, Layout},
    drift::{Adjustment, DriftSpec, MetricDrift, MetricKind, metric_drift},
    law::{ReportOptions, eeoc},
    significance::adjust::holm,
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LEVEL: f64 = 0.05;

/// What chance may take from a share of so many runs.
fn noise(share: f64, runs: u32) -> f64 {
    3.0 * (share * (1.0 - share) / f64::from(runs)).sqrt()
}

/// A group's rows: how many, how often their label is positive, and how often the prediction is right.
#[derive(Clone, Copy)]
struct Rows {
    n: u64,
    base: f64,
    right: f64,
}

fn sampled(chance: &mut ChaCha8Rng, groups: &[Rows]) -> Cube {
    let (mut names, mut labels, mut predictions) = (vec![], vec![], vec![]);
    for (group, rows) in groups.iter().enumerate() {
        for _ in 0..rows.n {
            let label = chance.random_bool(rows.base);
            names.push(group as i64);
            labels.push(i64::from(label));
            predictions.push(i64::from(label == chance.random_bool(rows.right)));
        }
    }
    let columns: Vec<ArrayRef> = [names, labels, predictions]
        .map(|values| Arc::new(Int64Array::from(values)) as ArrayRef)
        .into();
    let mut cube = Cube::new(Layout {
        label: true,
        attributes: 1,
        prediction: true,
        score: false,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    cube.update(&columns).unwrap();
    cube
}

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    }
}

/// Whether a report on groups of one rate finds anything: as it is, and if it were adjusted for the other groups alone.
fn found_by_law(
    chance: &mut ChaCha8Rng,
    groups: usize,
    n: u64,
    spec: &AnalysisSpec,
) -> (bool, bool) {
    let cube = sampled(chance, &vec![Rows { n, base: 0.3, right: 1.0 }; groups]);
    let report = eeoc::report(&cube, spec, &ReportOptions::default()).unwrap();
    let compared = report.sections[0].groups.iter().filter_map(|line| line.comparison.as_ref());
    let (alone, adjusted): (Vec<f64>, Vec<f64>) =
        compared.map(|found| (found.fisher, found.fisher_holm)).unzip();
    let any = |p: &[f64]| p.iter().any(|p| *p <= LEVEL);
    (any(&adjusted), any(&holm(&alone)))
}

#[test]
fn equal_groups_are_seldom_significant_whoever_happens_to_be_selected_most() {
    for (groups, n, runs) in [
        (2, 200, 1_000),
        (5, 200, 1_000),
        (7, 200, 800),
        (12, 100, 400),
        (40, 50, 60),
        (70, 40, 40),
    ] {
        for named in [false, true] {
            let reference = named.then(|| ("g".to_owned(), "0".to_owned()));
            let spec = AnalysisSpec { reference_groups: reference.into_iter().collect(), ..spec() };
            let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
            let (mut found, mut before) = (0_u32, 0_u32);
            for _ in 0..runs {
                let (adjusted, for_others) = found_by_law(&mut chance, groups, n, &spec);
                found += u32::from(adjusted);
                before += u32::from(for_others);
            }
            let share = f64::from(found) / f64::from(runs);
            assert!(share <= LEVEL + noise(LEVEL, runs), "{groups} of {n}, {named}: {share}");
            // What it is good for.
            if groups == 12 {
                let share = f64::from(before) / f64::from(runs);
                assert!(share > LEVEL, "adjusted for the other groups alone: {share}");
            }
        }
    }
}

#[test]
fn a_group_that_is_selected_less_is_found_among_many() {
    let mut groups = [Rows { n: 300, base: 0.4, right: 1.0 }; 20];
    groups[7].base = 0.15;
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let cube = sampled(&mut chance, &groups);
    let report = eeoc::report(&cube, &spec(), &ReportOptions::default()).unwrap();
    let line = report.sections[0].groups.iter().find(|line| line.name == "7").unwrap();
    let found = line.comparison.as_ref().unwrap();
    assert!(found.fisher_holm < 0.001, "{found:?}");
    assert_eq!(found.indication, eeoc::Indication::Both);
}

fn analysed(chance: &mut ChaCha8Rng, groups: &[Rows]) -> AnalysisResult {
    analyze_cube(&sampled(chance, groups), &spec()).unwrap()
}

fn fails(found: &[MetricDrift], kind: MetricKind) -> usize {
    found.iter().filter(|one| one.kind == kind && one.status == Some(Status::Fail)).count()
}

#[test]
fn where_nothing_changes_in_forty_groups_a_run_seldom_alerts() {
    let groups = [Rows { n: 50, base: 0.4, right: 0.8 }; 40];
    let runs = 60;
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
    let alone = DriftSpec { adjustment: Adjustment::None, ..DriftSpec::default() };
    let (mut performance, mut fairness, mut before) = (0_u32, 0_u32, 0_u32);
    for _ in 0..runs {
        let (was, is) = (analysed(&mut chance, &groups), analysed(&mut chance, &groups));
        let found = metric_drift(&was, &is, &DriftSpec::default());
        performance += u32::from(fails(&found, MetricKind::Performance) > 0);
        fairness += u32::from(fails(&found, MetricKind::Fairness) > 0);
        let found = metric_drift(&was, &is, &alone);
        before += u32::from(fails(&found, MetricKind::Performance) > 0);
    }
    let share = |count: u32| f64::from(count) / f64::from(runs);
    let most = LEVEL + noise(LEVEL, runs);
    assert!(share(performance) <= most && share(fairness) <= most, "{performance} {fairness}");
    // What it is good for.
    assert!(share(before) > 0.5, "each by itself: {before}");
}

#[test]
fn one_group_of_forty_that_becomes_worse_is_found() {
    let was = [Rows { n: 300, base: 0.4, right: 0.9 }; 40];
    let mut is = was;
    is[17].right = 0.55;
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    let (was, is) = (analysed(&mut chance, &was), analysed(&mut chance, &is));
    let found = metric_drift(&was, &is, &DriftSpec::default());
    let accuracy = |group: &str| {
        found
            .iter()
            .find(|one| one.metric == "accuracy" && one.group.as_deref() == Some(group))
            .unwrap()
    };
    let worse = accuracy("17");
    assert_eq!(worse.status, Some(Status::Fail), "{worse:?}");
    assert!(worse.p_adjusted.unwrap() < 0.01 && worse.p_value < worse.p_adjusted, "{worse:?}");
    assert!(worse.sentence.contains("95 %"), "{}", worse.sentence);
    for group in (0..40).filter(|group| *group != 17) {
        assert_ne!(accuracy(&group.to_string()).status, Some(Status::Fail));
    }
    // All eight judged metrics of everybody and of each group, as far as they have an interval.
    let judged = |one: &&MetricDrift| one.kind == MetricKind::Performance && one.p_value.is_some();
    assert!(found.iter().filter(judged).count() > 200);
}
