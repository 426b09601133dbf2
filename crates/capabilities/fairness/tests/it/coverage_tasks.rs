//! How often intervals and tests of other tasks than yes or no are right, by simulation: lines of the table of
//! docs/uncertainty.md.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use ephor_fairness::{
    CancellationToken,
    frame::{Findings, Grouping},
    multiclass::{self, MulticlassSpec},
    ranking::{self, RankingSpec},
    regression::{self, RegressionSpec},
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tokio::runtime::Runtime;

use crate::{
    coverage::{CONFIDENCE, Line, Seen, count},
    kinds_support::comparison,
    support::{batch, table},
};

/// A disparity with its true value and its ideal.
type Truth = (&'static str, &'static str, f64, f64);

pub fn tasks() -> Vec<Line> {
    let runtime = Runtime::new().unwrap();
    let all = [of_numbers(&runtime), of_classes(&runtime), of_lists(&runtime)];
    all.into_iter().flatten().collect()
}

/// One line for each of the disparities, and one for whether a test finds what is not there; all of the same samples.
fn of_samples(
    case: &str,
    runs: u32,
    truths: &[Truth],
    mut sample: impl FnMut(&mut ChaCha8Rng) -> Findings,
) -> Vec<Line> {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
    let mut intervals: Vec<Vec<(f64, f64)>> = vec![Vec::new(); truths.len()];
    let mut found: Vec<Vec<bool>> = vec![Vec::new(); truths.len()];
    for _ in 0..runs {
        let findings = sample(&mut chance);
        let by_group = comparison(&findings, "g");
        for ((_, id, ..), (intervals, found)) in
            truths.iter().zip(intervals.iter_mut().zip(&mut found))
        {
            let one = by_group.disparity(id).unwrap();
            let interval = one.interval.as_ref().unwrap();
            intervals.push((interval.lower, interval.upper));
            found.extend(one.p_adjusted.map(|p| p <= 1.0 - CONFIDENCE));
        }
    }
    let mut lines = Vec::new();
    for ((what, _, truth, ideal), (intervals, found)) in
        truths.iter().zip(intervals.into_iter().zip(found))
    {
        let mut intervals = intervals.into_iter();
        lines.push(count(what, case.to_owned(), runs, |_| {
            Some(Seen { interval: intervals.next()?, truth: *truth, ideal: Some(*ideal) })
        }));
        // At equality a test that finds something is wrong: as an interval that does not hold the truth.
        if truth == ideal && found.len() == runs as usize {
            let mut found = found.into_iter();
            lines.push(count("its test", format!("{case}: {what}"), runs, |_| {
                let interval = if found.next()? { (1.0, 1.0) } else { (0.0, 0.0) };
                Some(Seen { interval, truth: 0.0, ideal: Some(0.0) })
            }));
        }
    }
    lines
}

fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn numbers(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn normal(chance: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(chance)
}

/// Groups, how many rows each has, and how many samples are drawn.
const SIZES: [(usize, usize, u32); 3] = [(2, 100, 200), (2, 1_000, 100), (12, 200, 100)];

/// Predictions whose residuals are normal; one group may be predicted too little.
fn of_numbers(runtime: &Runtime) -> Vec<Line> {
    let mut lines = Vec::new();
    for (groups, n, runs) in SIZES {
        for (shape, away) in [("equal", 0.0), ("one apart", 1.0)] {
            let truths: [Truth; 5] = [
                ("mean residual", "mean_residual_difference", away, 0.0),
                ("mean squared error", "mse_difference", away * away, 0.0),
                (
                    "root mean squared error",
                    "rmse_difference",
                    (1.0 + away * away).sqrt() - 1.0,
                    0.0,
                ),
                // Of guesses with variance 4 and residuals with variance 1.
                ("R²", "r2_difference", away * away / 5.0, 0.0),
                ("distance of predictions", "prediction_distance", 0.0, 0.0),
            ];
            let case = format!("{groups} groups of {n} numbers, {shape}");
            lines.extend(of_samples(&case, runs, &truths, |chance| {
                let mut rows: Vec<(usize, f64, f64)> = Vec::new();
                for row in 0..groups * n {
                    let mean = if row % groups == 1 { away } else { 0.0 };
                    let guess = 2.0 * normal(chance);
                    rows.push((row % groups, guess + mean + normal(chance), guess));
                }
                let made = batch(vec![
                    ("g", texts(rows.iter().map(|row| row.0.to_string()))),
                    ("y", numbers(rows.iter().map(|row| row.1))),
                    ("p", numbers(rows.iter().map(|row| row.2))),
                ]);
                let spec = RegressionSpec::new("y", "p", Grouping::new(["g"]));
                let cancel = CancellationToken::new();
                let report = regression::analyze(table(vec![made]), &spec, &cancel);
                runtime.block_on(report).unwrap().findings
            }));
        }
    }
    lines
}

/// Three classes, each given as often; one group may be given the wrong one more often.
fn of_classes(runtime: &Runtime) -> Vec<Line> {
    let mut lines = Vec::new();
    for (groups, n, runs) in SIZES {
        for (shape, right) in [("equal", 0.7), ("one apart", 0.5)] {
            let away = 0.7 - right;
            let truths: [Truth; 4] = [
                ("accuracy of classes", "accuracy_difference", away, 0.0),
                ("macro F1", "macro_f1_difference", away, 0.0),
                ("worst class' parity", "multiclass_demographic_parity_difference", 0.0, 0.0),
                ("worst class' odds", "multiclass_equalized_odds_difference", away, 0.0),
            ];
            let case = format!("{groups} groups of {n} classed, {shape}");
            lines.extend(of_samples(&case, runs, &truths, |chance| {
                let mut rows: Vec<(usize, u8, u8)> = Vec::new();
                for row in 0..groups * n {
                    let share = if row % groups == 1 { right } else { 0.7 };
                    let class = chance.random_range(0..3_u8);
                    let other = (class + chance.random_range(1..3_u8)) % 3;
                    rows.push((
                        row % groups,
                        class,
                        if chance.random_bool(share) { class } else { other },
                    ));
                }
                let made = batch(vec![
                    ("g", texts(rows.iter().map(|row| row.0.to_string()))),
                    ("y", texts(rows.iter().map(|row| format!("class {}", row.1)))),
                    ("p", texts(rows.iter().map(|row| format!("class {}", row.2)))),
                ]);
                let spec = MulticlassSpec::new("y", "p", Grouping::new(["g"]));
                let cancel = CancellationToken::new();
                let report = multiclass::analyze(table(vec![made]), &spec, &cancel);
                runtime.block_on(report).unwrap().findings
            }));
        }
    }
    lines
}

/// Lists of one row of each of two groups, the first of which comes first this often.
fn of_lists(runtime: &Runtime) -> Vec<Line> {
    let mut lines = Vec::new();
    for (many, runs) in [(40_usize, 200_u32), (200, 100)] {
        for (shape, first) in [("equal", 0.5), ("one apart", 0.7)] {
            let second = 1.0 / 3.0_f64.log2();
            let seen = |first: f64| first + (1.0 - first) * second;
            let (high, low) = (seen(first), seen(1.0 - first));
            let truths: [Truth; 2] = [
                ("exposure, difference", "exposure_difference", high - low, 0.0),
                ("exposure, ratio", "exposure_ratio", low / high, 1.0),
            ];
            let case = format!("{many} lists of two, {shape}");
            lines.extend(of_samples(&case, runs, &truths, |chance| {
                let mut rows: Vec<(usize, &str, f64)> = Vec::new();
                for list in 0..many {
                    let is_first = chance.random_bool(first);
                    rows.push((list, "a", if is_first { 1.0 } else { 2.0 }));
                    rows.push((list, "b", if is_first { 2.0 } else { 1.0 }));
                }
                let made: RecordBatch = batch(vec![
                    ("q", texts(rows.iter().map(|row| format!("{:04}", row.0)))),
                    ("g", texts(rows.iter().map(|row| row.1.to_owned()))),
                    ("at", numbers(rows.iter().map(|row| row.2))),
                ]);
                let groups = Grouping { min_group_size: 1, ..Grouping::new(["g"]) };
                let by_score = RankingSpec::by_score(Some("q".to_owned()), "", groups);
                let spec = RankingSpec { position: Some("at".to_owned()), score: None, ..by_score };
                let cancel = CancellationToken::new();
                let report = ranking::analyze(table(vec![made]), &spec, &cancel);
                runtime.block_on(report).unwrap().findings
            }));
        }
    }
    lines
}
