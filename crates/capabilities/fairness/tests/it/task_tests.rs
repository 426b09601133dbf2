//! Tests and power of analyses of other than yes and no: what they are, that they keep their level, and that they find what is
//! apart.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    AnalysisSpec, CancellationToken, Disparity, Status,
    frame::{Comparison, Grouping},
    multiclass::{self, MulticlassSpec},
    ranking::{self, RankingSpec},
    regression::{self, RegressionSpec},
    significance::{
        Selection,
        all_pairs::{self, Test},
        student::{Apart, Mean},
    },
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::{
    kinds_support::{comparison, grouping},
    support::{Find, FindIn, batch, close, run_batch, table},
};

const LEVEL: f64 = 0.05;

/// What chance may take from a share of so many runs.
fn noise(share: f64, runs: u32) -> f64 {
    3.0 * (share * (1.0 - share) / f64::from(runs)).sqrt()
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

/// A row's group, its true number and the predicted one.
type Row = (usize, f64, f64);

/// Groups of so many rows, whose residuals have the mean that is given of each.
fn predicted(chance: &mut ChaCha8Rng, rows: usize, residuals: &[f64]) -> Vec<Row> {
    let mut made = Vec::new();
    for (group, mean) in residuals.iter().enumerate() {
        for _ in 0..rows {
            let guess: f64 = StandardNormal.sample(chance);
            let error: f64 = StandardNormal.sample(chance);
            made.push((group, 10.0 + 2.0 * guess + mean + error, 10.0 + 2.0 * guess));
        }
    }
    made
}

async fn regression(rows: &[Row], groups: Grouping) -> Comparison {
    let columns = vec![
        ("g", texts(rows.iter().map(|row| row.0.to_string()))),
        ("y", numbers(rows.iter().map(|row| row.1))),
        ("p", numbers(rows.iter().map(|row| row.2))),
        ("w", numbers(rows.iter().map(|_| 1.0))),
    ];
    let spec = RegressionSpec::new("y", "p", groups);
    let cancel = CancellationToken::new();
    let report = regression::analyze(table(vec![batch(columns)]), &spec, &cancel).await.unwrap();
    comparison(&report.findings, "g").clone()
}

fn found<'a>(comparison: &'a Comparison, id: &str) -> &'a Disparity {
    comparison.disparity(id).unwrap_or_else(|| panic!("no {id}"))
}

fn mean(rows: impl Iterator<Item = f64> + Clone) -> Mean {
    let n = rows.clone().count() as f64;
    let value = rows.clone().sum::<f64>() / n;
    let squares: f64 = rows.map(|row| (row - value).powi(2)).sum();
    Mean { value, variance: squares / (n - 1.0) / n, rows: n as u64 }
}

#[tokio::test]
async fn means_of_numbers_are_tested_by_welch() {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let rows = predicted(&mut chance, 50, &[0.0, 0.3, 0.9]);
    let by_group = regression(&rows, grouping(&["g"])).await;
    let of =
        |group: usize| mean(rows.iter().filter(move |row| row.0 == group).map(|row| row.1 - row.2));
    let apart = found(&by_group, "mean_residual_difference");
    let pair = apart.worst_pair.as_ref().unwrap();
    let (low, high): (usize, usize) = (pair.low.parse().unwrap(), pair.high.parse().unwrap());
    let expected = Apart::of(of(high), of(low)).unwrap();
    assert!(close(apart.p_value.unwrap(), expected.p()), "{apart:?}");
    let significance = apart.significance.as_ref().unwrap();
    assert_eq!((significance.test, significance.tests), (Test::Welch, 3));
    let (p, adjusted) = (apart.p_value.unwrap(), apart.p_adjusted.unwrap());
    assert!(adjusted >= p && adjusted <= 3.0 * p + 1e-15);
    assert!(significance.p_benjamini_hochberg.unwrap() <= adjusted);
    let detectable = expected.detectable(LEVEL / 3.0, 0.8);
    assert!(close(apart.detectable.unwrap(), detectable), "{apart:?}");
    // To the reference group there are two pairs.
    let reference = found(&by_group, "mae_difference_to_reference");
    assert_eq!(reference.significance.as_ref().unwrap().tests, 2);
    for one in &by_group.disparities {
        let is_tested = one.value.is_some() && one.id != "bounded_group_loss";
        assert_eq!(one.p_value.is_some(), is_tested, "{one:?}");
        let (Some(p), Some(adjusted)) = (one.p_value, one.p_adjusted) else { continue };
        assert!((0.0..=1.0).contains(&p) && p <= adjusted + 1e-15 && adjusted <= 1.0, "{one:?}");
    }
    let distance = found(&by_group, "prediction_distance").significance.clone().unwrap();
    assert_eq!((distance.test, distance.tests), (Test::KolmogorovSmirnov, 3));
    // Weights are no rows.
    let weighted = Grouping { weight: Some("w".to_owned()), ..grouping(&["g"]) };
    let by_group = regression(&rows, weighted).await;
    assert!(
        by_group.disparities.iter().all(|one| one.p_value.is_none() && one.detectable.is_none())
    );
}

#[tokio::test]
async fn equal_groups_of_numbers_are_seldom_significant_and_one_apart_is_found() {
    const IDS: [&str; 5] = [
        "mean_residual_difference",
        "mae_difference",
        "rmse_difference",
        "r2_difference",
        "prediction_distance",
    ];
    let runs = 200;
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
    let (mut equal, mut apart) = ([0_u32; 5], 0_u32);
    for _ in 0..runs {
        let by_group = regression(&predicted(&mut chance, 60, &[0.0; 4]), grouping(&["g"])).await;
        for (count, id) in equal.iter_mut().zip(IDS) {
            *count += u32::from(found(&by_group, id).p_adjusted.unwrap() <= LEVEL);
        }
        let rows = predicted(&mut chance, 60, &[0.0, 0.0, 1.0, 0.0]);
        let by_group = regression(&rows, grouping(&["g"])).await;
        apart += u32::from(found(&by_group, IDS[0]).p_adjusted.unwrap() <= LEVEL);
    }
    let share = |count: u32| f64::from(count) / f64::from(runs);
    for (count, id) in equal.into_iter().zip(IDS) {
        // What has its variance by the delta method is a little too sure in 60 rows.
        let more = if id == "r2_difference" { 0.03 } else { 0.0 };
        assert!(share(count) <= LEVEL + more + noise(LEVEL, runs), "{id}: {}", share(count));
    }
    assert!(share(apart) > 0.95, "{}", share(apart));
}

#[tokio::test]
async fn what_a_sample_could_have_shown_is_found_as_often_as_said() {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let by_group = regression(&predicted(&mut chance, 400, &[0.0; 2]), grouping(&["g"])).await;
    let away = found(&by_group, "mean_residual_difference").detectable.unwrap();
    let runs = 200;
    let mut significant = 0;
    for _ in 0..runs {
        let rows = predicted(&mut chance, 400, &[0.0, away]);
        let by_group = regression(&rows, grouping(&["g"])).await;
        let one = found(&by_group, "mean_residual_difference");
        significant += u32::from(one.p_adjusted.unwrap() <= LEVEL);
    }
    let power = f64::from(significant) / f64::from(runs);
    assert!((power - 0.8).abs() < noise(0.8, runs) + 0.02, "{power}");
}

/// Rows of a group, a true class and a predicted one, which is right so often in each group.
fn classified(chance: &mut ChaCha8Rng, rows: usize, right: &[f64]) -> Vec<(usize, u8, u8)> {
    let mut made = Vec::new();
    for (group, right) in right.iter().enumerate() {
        for _ in 0..rows {
            let class = chance.random_range(0..3_u8);
            let other = (class + chance.random_range(1..3_u8)) % 3;
            made.push((group, class, if chance.random_bool(*right) { class } else { other }));
        }
    }
    made
}

async fn classes(rows: &[(usize, u8, u8)], groups: Grouping) -> multiclass::MulticlassReport {
    let name = |class: u8| format!("class {class}");
    let columns = vec![
        ("g", texts(rows.iter().map(|row| row.0.to_string()))),
        ("y", texts(rows.iter().map(|row| name(row.1)))),
        ("p", texts(rows.iter().map(|row| name(row.2)))),
        ("w", numbers(rows.iter().map(|_| 1.0))),
    ];
    let spec = MulticlassSpec::new("y", "p", groups);
    let cancel = CancellationToken::new();
    multiclass::analyze(table(vec![batch(columns)]), &spec, &cancel).await.unwrap()
}

#[tokio::test]
async fn shares_of_classes_are_tested_as_rates_are() {
    let mut chance = ChaCha8Rng::seed_from_u64(2);
    let rows = classified(&mut chance, 80, &[0.8, 0.7, 0.5]);
    let judged =
        Grouping { thresholds: [("tpr_difference".to_owned(), 0.1)].into(), ..grouping(&["g"]) };
    let report = classes(&rows, judged.clone()).await;
    let by_group = comparison(&report.findings, "g");
    let right = |group: usize| {
        let of = rows.iter().filter(|row| row.0 == group);
        Selection::new(of.clone().filter(|row| row.1 == row.2).count() as u64, of.count() as u64)
    };
    let accuracy = found(by_group, "accuracy_difference");
    let pair = accuracy.worst_pair.as_ref().unwrap();
    let (p, test) =
        all_pairs::test(right(pair.low.parse().unwrap()), right(pair.high.parse().unwrap()));
    assert!(close(accuracy.p_value.unwrap(), p), "{accuracy:?}");
    assert_eq!(accuracy.significance.as_ref().unwrap().test, test);
    assert_eq!(
        found(by_group, "macro_f1_difference").significance.as_ref().unwrap().test,
        Test::Welch
    );
    // Three pairs in three classes; of two rates, twice as many.
    for (id, tests) in [
        ("multiclass_demographic_parity_difference", 9),
        ("multiclass_equalized_odds_difference", 18),
    ] {
        let one = found(by_group, id);
        let (p, adjusted) = (one.p_value.unwrap(), one.p_adjusted.unwrap());
        assert_eq!(one.significance.as_ref().unwrap().tests, tests, "{id}");
        assert!(p <= adjusted && adjusted <= (tests as f64 * p).min(1.0) + 1e-15, "{one:?}");
    }
    // Of single classes, what is judged.
    for class in &report.against_rest {
        for one in &class.comparisons[0].disparities {
            assert_eq!(one.p_value.is_some(), one.id == "tpr_difference", "{one:?}");
        }
    }
    let weighted = Grouping { weight: Some("w".to_owned()), ..judged };
    let report = classes(&rows, weighted).await;
    let by_group = comparison(&report.findings, "g");
    assert!(by_group.disparities.iter().all(|one| one.p_value.is_none()));
}

#[tokio::test]
async fn equal_groups_of_classes_are_seldom_significant_and_one_apart_is_found() {
    const IDS: [&str; 4] = [
        "accuracy_difference",
        "macro_f1_difference",
        "multiclass_demographic_parity_difference",
        "multiclass_equalized_odds_difference",
    ];
    let runs = 150;
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
    let (mut equal, mut apart) = ([0_u32; 4], 0_u32);
    for _ in 0..runs {
        let rows = classified(&mut chance, 150, &[0.7; 4]);
        let report = classes(&rows, grouping(&["g"])).await;
        for (count, id) in equal.iter_mut().zip(IDS) {
            let one = found(comparison(&report.findings, "g"), id);
            *count += u32::from(one.p_adjusted.unwrap() <= LEVEL);
        }
        let rows = classified(&mut chance, 150, &[0.7, 0.7, 0.7, 0.3]);
        let report = classes(&rows, grouping(&["g"])).await;
        let one = found(comparison(&report.findings, "g"), IDS[3]);
        apart += u32::from(one.p_adjusted.unwrap() <= LEVEL);
    }
    let share = |count: u32| f64::from(count) / f64::from(runs);
    for (count, id) in equal.into_iter().zip(IDS) {
        assert!(share(count) <= LEVEL + 0.01 + noise(LEVEL, runs), "{id}: {}", share(count));
    }
    assert!(share(apart) > 0.8, "{}", share(apart));
}

#[tokio::test]
async fn exposures_are_tested_over_lists() {
    let mut chance = ChaCha8Rng::seed_from_u64(3);
    let lists = |count: usize, chance: &mut ChaCha8Rng| {
        let rows: Vec<(usize, usize, f64)> = (0..count)
            .flat_map(|list| (0..24).map(move |row| (list, row % 3)))
            .map(|(list, group)| {
                let worse = if group == 2 { 0.4 } else { 0.0 };
                (list, group, chance.random_range(0.0..1.0) + worse)
            })
            .collect();
        table(vec![batch(vec![
            ("q", texts(rows.iter().map(|row| format!("{:03}", row.0)))),
            ("g", texts(rows.iter().map(|row| row.1.to_string()))),
            ("at", numbers(rows.iter().map(|row| row.2))),
        ])])
    };
    let mut spec = RankingSpec::by_score(Some("q".to_owned()), "at", grouping(&["g"]));
    (spec.score, spec.position) = (None, Some("at".to_owned()));
    let cancel = CancellationToken::new();
    let report = ranking::analyze(lists(80, &mut chance), &spec, &cancel).await.unwrap();
    let by_group = comparison(&report.findings, "g");
    for id in ["exposure_difference", "exposure_ratio"] {
        let one = found(by_group, id);
        let significance = one.significance.as_ref().unwrap();
        assert_eq!((significance.test, significance.tests), (Test::PairedByList, 3));
        assert!(one.p_adjusted.unwrap() < 1e-6, "{one:?}");
        let (value, shown) = (one.value.unwrap(), one.detectable.unwrap());
        // So far apart is more than what so many lists would have shown.
        assert!(if one.ideal == 1.0 { shown > value } else { shown < value }, "{one:?}");
    }
    // One list says nothing of how another would be.
    let report = ranking::analyze(lists(1, &mut chance), &spec, &cancel).await.unwrap();
    let by_group = comparison(&report.findings, "g");
    assert!(by_group.disparities.iter().all(|one| one.p_value.is_none()));
}

#[tokio::test]
async fn mean_scores_without_labels_are_tested() {
    let mut chance = ChaCha8Rng::seed_from_u64(4);
    let scores: Vec<f64> = (0..300)
        .map(|row| chance.random_range(0.0..0.6) + if row % 3 == 0 { 0.3 } else { 0.0 })
        .collect();
    let columns = vec![
        ("g", Arc::new(Int64Array::from_iter_values((0..300).map(|row| row % 3))) as ArrayRef),
        ("s", numbers(scores.iter().copied())),
    ];
    let spec = AnalysisSpec {
        score: Some("s".to_owned()),
        thresholds: [("mean_score_difference".to_owned(), 0.1)].into(),
        bootstrap_draws: 0,
        ..AnalysisSpec::unlabelled(["g"])
    };
    let result = run_batch(columns, &spec).await.unwrap();
    let one = result.attribute("g").disparity("mean_score_difference");
    let of = |group: usize| mean(scores.iter().copied().skip(group).step_by(3));
    let pair = one.worst_pair.as_ref().unwrap();
    let expected =
        Apart::of(of(pair.high.parse().unwrap()), of(pair.low.parse().unwrap())).unwrap();
    assert!((one.p_value.unwrap() / expected.p() - 1.0).abs() < 1e-6, "{one:?}");
    assert_eq!((one.status, one.significance.as_ref().unwrap().tests), (Some(Status::Fail), 3));
    assert!(one.p_adjusted.unwrap() < 1e-9 && one.detectable.unwrap() < one.value.unwrap());
}

/// The judged difference of the groups' AUCs, of rows of group, label and score.
async fn difference_of_aucs(rows: &[(i64, i64, f64)]) -> Disparity {
    let spec = AnalysisSpec {
        score: Some("s".to_owned()),
        thresholds: [("roc_auc_difference".to_owned(), 0.05)].into(),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["g"])
    };
    let whole = |value: fn(&(i64, i64, f64)) -> i64| {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(value))) as ArrayRef
    };
    let columns = vec![
        ("g", whole(|row| row.0)),
        ("y", whole(|row| row.1)),
        ("s", numbers(rows.iter().map(|row| row.2))),
    ];
    let result = run_batch(columns, &spec).await.unwrap();
    result.attribute("g").disparity("roc_auc_difference").clone()
}

#[tokio::test]
async fn aucs_are_tested_by_delong_and_keep_their_level() {
    // Groups of 60, whose positives score so much higher.
    let run = async |skills: [f64; 3], chance: &mut ChaCha8Rng| {
        let rows: Vec<(i64, i64, f64)> = (0..180_u8)
            .map(|row| {
                let (group, label) = (row % 3, row / 3 % 2);
                let score: f64 = StandardNormal.sample(chance);
                let more = skills[usize::from(group)] * f64::from(label);
                (i64::from(group), i64::from(label), score + more)
            })
            .collect();
        difference_of_aucs(&rows).await
    };
    let runs = 200;
    let mut chance = ChaCha8Rng::seed_from_u64(6);
    for skill in [0.0, 2.0] {
        let mut significant = 0;
        for _ in 0..runs {
            let one = run([skill; 3], &mut chance).await;
            let found = one.significance.as_ref().unwrap();
            assert_eq!((found.test, found.tests), (Test::DeLong, 3));
            significant += u32::from(one.p_adjusted.unwrap() <= LEVEL);
        }
        let share = f64::from(significant) / f64::from(runs);
        assert!(share <= LEVEL + 0.01 + noise(LEVEL, runs), "{skill}: {share}");
    }
    let one = run([0.0, 0.0, 2.5], &mut chance).await;
    assert!(one.p_adjusted.unwrap() < 0.01, "{one:?}");
    let (value, shown) = (one.value.unwrap(), one.detectable.unwrap());
    assert!(0.05 < shown && shown < value, "{one:?}");
}

#[tokio::test]
async fn an_auc_of_few_rows_of_a_label_is_not_tested() {
    for (positives, is_tested) in [(9, false), (10, true)] {
        // Scores follow the labels in the first group, and not in the other.
        let rows: Vec<(i64, i64, f64)> = (0..120_i64)
            .map(|row| {
                let (group, place) = (row % 2, row / 2);
                let label = i64::from(place < positives);
                let score =
                    (place * 7 % 11) as f64 + if group == 0 { 4.0 * label as f64 } else { 0.0 };
                (group, label, score)
            })
            .collect();
        let one = difference_of_aucs(&rows).await;
        assert!(one.value.is_some());
        assert_eq!(one.p_value.is_some(), is_tested, "{positives}: {one:?}");
    }
}
