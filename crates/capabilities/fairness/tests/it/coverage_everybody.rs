//! How often the intervals of groups against everybody, of what cannot be negative, and of what is biased cover.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use ephor_fairness::{
    AnalysisSpec, analyze_cube,
    cube::{Cube, Layout},
    intervals::{
        Proportion,
        whole::{Part, greatest_differences, least_ratios},
    },
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    coverage::{CONFIDENCE, Cell, Line, Seen, count, drawn, rates, sampled, spec},
    support::{Find, FindIn},
};

pub fn everybody() -> Vec<Line> {
    [of_rates(), of_decisions(), of_scores()].into_iter().flatten().collect()
}

/// Rates of groups of one size, against everybody's.
fn of_rates() -> Vec<Line> {
    let mut lines = Vec::new();
    for (groups, runs) in [(2, 2_000), (12, 1_000), (48, 400)] {
        for n in [50, 500] {
            for shape in ["all 0.3", "all 0.05", "0.2 to 0.4", "one 0.5, others 0.3"] {
                let rates = rates(groups, shape);
                let whole = rates.iter().sum::<f64>() / groups as f64;
                let apart = rates.iter().map(|rate| (rate - whole).abs()).fold(0.0, f64::max);
                let ratio =
                    rates.iter().map(|rate| (rate / whole).min(whole / rate)).fold(1.0, f64::min);
                let parts = |chance: &mut ChaCha8Rng| -> Vec<Part> {
                    let drawn: Vec<f64> =
                        rates.iter().map(|rate| drawn(chance, n, *rate).p).collect();
                    let (all, n) = (drawn.iter().sum::<f64>(), n as f64);
                    let (others, share) = ((groups - 1) as f64, 1.0 / groups as f64);
                    let part = |p: &f64| Part::Rate {
                        group: Proportion { p: *p, n },
                        rest: Proportion { p: ((all - p) / others).max(0.0), n: n * others },
                        share,
                        rows: n * groups as f64,
                    };
                    drawn.iter().map(part).collect()
                };
                let case = || format!("{groups} groups of {n}, {shape}");
                lines.push(count("greatest difference to everybody", case(), runs, |chance| {
                    let interval = greatest_differences(&[parts(chance)], CONFIDENCE)?[0];
                    Some(Seen { interval, truth: apart, ideal: Some(0.0) })
                }));
                lines.push(count("least ratio to everybody", case(), runs, |chance| {
                    let interval = least_ratios(&[parts(chance)], CONFIDENCE)?[0];
                    Some(Seen { interval, truth: ratio, ideal: Some(1.0) })
                }));
            }
        }
    }
    lines
}

/// A disparity with its true value and its ideal.
struct Truth {
    what: &'static str,
    id: &'static str,
    value: f64,
    ideal: f64,
}

/// One line for each of the disparities, all of them from the same samples.
fn of_samples(
    case: &str,
    runs: u32,
    spec: &AnalysisSpec,
    truths: &[Truth],
    mut sample: impl FnMut(&mut ChaCha8Rng) -> Cube,
) -> Vec<Line> {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
    let mut seen: Vec<Vec<Option<(f64, f64)>>> = truths.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        let result = analyze_cube(&sample(&mut chance), spec).unwrap();
        for (truth, seen) in truths.iter().zip(&mut seen) {
            let interval = &result.attribute("g").disparity(truth.id).interval;
            seen.push(interval.as_ref().map(|interval| (interval.lower, interval.upper)));
        }
    }
    let line = |(truth, seen): (&Truth, Vec<Option<(f64, f64)>>)| {
        let there = seen.iter().flatten().count();
        assert!(there * 10 >= seen.len() * 9, "{} has {there} intervals", truth.id);
        let mut seen = seen.into_iter();
        count(truth.what, case.to_owned(), runs, |_| {
            let interval = seen.next()??;
            Some(Seen { interval, truth: truth.value, ideal: Some(truth.ideal) })
        })
    };
    truths.iter().zip(seen).map(line).collect()
}

fn of_decisions() -> Vec<Line> {
    const BASE: f64 = 0.5;
    let spec =
        AnalysisSpec { reference_groups: [("g".to_owned(), "0".to_owned())].into(), ..spec() };
    let mut lines = Vec::new();
    for (groups, n, runs) in [(2, 100, 600), (12, 100, 300), (48, 100, 100), (12, 500, 200)] {
        for (shape, tpr, fpr) in [("equal", 0.7, 0.2), ("one apart", 0.45, 0.4)] {
            let cells: Vec<Cell> = (0..groups)
                .map(|group| {
                    let (tpr, fpr) = if group == 1 { (tpr, fpr) } else { (0.7, 0.2) };
                    Cell { group, stratum: 0, n, base: BASE, tpr, fpr }
                })
                .collect();
            let case = format!("{groups} groups of {n}, {shape}");
            let truths = truths_of_decisions(&cells, BASE);
            lines.extend(of_samples(&case, runs, &spec, &truths, |chance| {
                sampled(chance, &cells, false)
            }));
        }
    }
    lines
}

/// Of groups of one size and base rate; the first is the reference.
fn truths_of_decisions(cells: &[Cell], base: f64) -> Vec<Truth> {
    let mean = |values: &dyn Fn(&Cell) -> f64, cells: &[Cell]| {
        cells.iter().map(values).sum::<f64>() / cells.len() as f64
    };
    let (tpr, fpr) = (|cell: &Cell| cell.tpr, |cell: &Cell| cell.fpr);
    let (all_tpr, all_fpr) = (mean(&tpr, cells), mean(&fpr, cells));
    let greatest = |values: &dyn Fn(&Cell) -> f64| cells.iter().map(values).fold(0.0, f64::max);
    let apart = |rate: f64, all: f64| (rate / all).min(all / rate);
    let least = |values: &dyn Fn(&Cell) -> f64| cells.iter().map(values).fold(1.0, f64::min);
    let f1 = |tpr: f64, fpr: f64| 2.0 * base * tpr / (base * tpr + (1.0 - base) * fpr + base);
    let all_f1 = f1(all_tpr, all_fpr);
    let benefit = |cell: &Cell| 1.0 + (1.0 - base) * cell.fpr - base * (1.0 - cell.tpr);
    let all_benefit = mean(&benefit, cells);
    let entropy = |of: &dyn Fn(f64) -> f64| mean(&|cell| of(benefit(cell) / all_benefit), cells);
    let (others, first) = (mean(&benefit, &cells[1..]), benefit(&cells[0]));
    let share = 1.0 / cells.len() as f64;
    vec![
        Truth {
            what: "mean absolute odds difference",
            id: "average_abs_odds_difference",
            value: f64::midpoint(
                (mean(&tpr, &cells[1..]) - cells[0].tpr).abs(),
                (mean(&fpr, &cells[1..]) - cells[0].fpr).abs(),
            ),
            ideal: 0.0,
        },
        Truth {
            what: "between all groups, mean log deviation",
            id: "between_all_groups_mean_log_deviation",
            value: entropy(&|x| -x.ln()),
            ideal: 0.0,
        },
        Truth {
            what: "between all groups, Theil index",
            id: "between_all_groups_theil_index",
            value: entropy(&|x| x * x.ln()),
            ideal: 0.0,
        },
        Truth {
            what: "between all groups, entropy index",
            id: "between_all_groups_generalized_entropy_index",
            value: entropy(&|x| f64::midpoint(x * x, -1.0)),
            ideal: 0.0,
        },
        Truth {
            what: "others and reference, variation",
            id: "between_group_coefficient_of_variation",
            value: (share * (1.0 - share)).sqrt() * (others - first).abs() / all_benefit,
            ideal: 0.0,
        },
        Truth {
            what: "F1 to everybody",
            id: "f1_difference_to_overall",
            value: greatest(&|cell| (f1(cell.tpr, cell.fpr) - all_f1).abs()),
            ideal: 0.0,
        },
        Truth {
            what: "equalized odds to everybody",
            id: "equalized_odds_difference_to_overall",
            value: greatest(&|cell| (cell.tpr - all_tpr).abs().max((cell.fpr - all_fpr).abs())),
            ideal: 0.0,
        },
        Truth {
            what: "mean equalized odds ratio to everybody",
            id: "equalized_odds_ratio_mean_to_overall",
            value: f64::midpoint(
                least(&|cell| apart(cell.tpr, all_tpr)),
                least(&|cell| apart(cell.fpr, all_fpr)),
            ),
            ideal: 1.0,
        },
    ]
}

/// Scores are even between 0.25 and 0.75; a label is positive with the probability of its score, and so much more.
fn scored(chance: &mut ChaCha8Rng, groups: &[(u64, f64)]) -> Cube {
    let (mut names, mut labels, mut scores) = (vec![], vec![], vec![]);
    for (name, (n, more)) in groups.iter().enumerate() {
        for _ in 0..*n {
            let score: f64 = 0.25 + 0.5 * chance.random::<f64>();
            names.push(name as i64);
            labels.push(i64::from(chance.random_bool(score + more)));
            scores.push(score);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(names)),
        Arc::new(Int64Array::from(labels)),
        Arc::new(Float64Array::from(scores)),
    ];
    let mut cube = Cube::new(Layout {
        label: true,
        attributes: 1,
        prediction: false,
        score: true,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    cube.update(&columns).unwrap();
    cube
}

/// The true AUC and Kolmogorov-Smirnov separation of such labels.
fn separation(more: f64) -> (f64, f64) {
    const STEPS: usize = 20_000;
    let positive = |step: usize| 0.25 + 0.5 * (step as f64 + 0.5) / STEPS as f64 + more;
    let all: f64 = (0..STEPS).map(positive).sum();
    let others = STEPS as f64 - all;
    let (mut auc, mut ks, mut below) = (0.0, 0.0_f64, (0.0, 0.0));
    for step in 0..STEPS {
        let here = positive(step);
        auc += here * (below.1 + (1.0 - here) / 2.0);
        below = (below.0 + here, below.1 + 1.0 - here);
        ks = ks.max((below.0 / all - below.1 / others).abs());
    }
    (auc / (all * others), ks)
}

fn of_scores() -> Vec<Line> {
    let spec = AnalysisSpec { prediction: None, score: Some("s".to_owned()), ..spec() };
    let mut lines = Vec::new();
    for (name, groups, n, first, runs) in [
        ("2 groups of 200", 2, 200, 200, 600),
        ("2 groups, of 2000 and 60", 2, 2_000, 60, 300),
        ("12 groups of 100", 12, 100, 100, 200),
        ("48 groups of 100", 48, 100, 100, 60),
    ] {
        for (shape, more) in [("equal", 0.0), ("one apart", 0.2)] {
            let groups: Vec<(u64, f64)> = (0..groups)
                .map(|group| if group == 0 { (first, more) } else { (n, 0.0) })
                .collect();
            let rows: u64 = groups.iter().map(|(n, _)| n).sum();
            // Everybody's labels are those of the mean.
            let whole = more * first as f64 / rows as f64;
            let [one, other, all] = [more, 0.0, whole].map(separation);
            let far = |one: f64, other: f64, all: f64| (one - all).abs().max((other - all).abs());
            let zero = |what, id, value| Truth { what, id, value, ideal: 0.0 };
            let truths = [
                zero("calibration error", "ece_difference", more),
                zero(
                    "calibration error to everybody",
                    "ece_difference_to_overall",
                    far(more, 0.0, whole),
                ),
                zero(
                    "calibration in the large to everybody",
                    "calibration_in_the_large_difference_to_overall",
                    far(more, 0.0, whole),
                ),
                zero("AUC", "roc_auc_difference", (one.0 - other.0).abs()),
                zero(
                    "AUC to everybody",
                    "roc_auc_difference_to_overall",
                    far(one.0, other.0, all.0),
                ),
                zero("Kolmogorov-Smirnov", "ks_difference", (one.1 - other.1).abs()),
                zero(
                    "Kolmogorov-Smirnov to everybody",
                    "ks_difference_to_overall",
                    far(one.1, other.1, all.1),
                ),
                // A label that is more often positive than its score says is as far from it on average where scores are even.
                zero("Brier score to everybody", "brier_difference_to_overall", 0.0),
                zero("mean absolute error to everybody", "mae_difference_to_overall", 0.0),
            ];
            let case = format!("{name}, {shape}");
            lines.extend(of_samples(&case, runs, &spec, &truths, |chance| scored(chance, &groups)));
        }
    }
    lines
}
