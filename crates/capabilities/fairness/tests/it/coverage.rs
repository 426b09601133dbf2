//! How often intervals cover and tests err, by simulation: the table of docs/uncertainty.md.
//!
//! Truth is known, samples are drawn from it, and what is counted is how often the interval holds the truth, and how often its
//! bound nearer to ideal is beyond the truth: a disparity that is exactly at its threshold fails so often.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use arrow::array::{ArrayRef, Int64Array};
use ephor_fairness::{
    AnalysisSpec, analyze_cube,
    cube::{Cube, Layout},
    intervals::{
        Proportion, delong,
        katz::katz,
        newcombe::newcombe,
        pairs::{Member, greatest_difference, least_ratio},
        wilson::wilson,
        z,
    },
    significance::{Selection, adjust::holm, all_pairs::every_pair},
    tally::{NEGATIVE, POSITIVE, Point},
};
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution, Normal};

use crate::{
    coverage_everybody::everybody,
    coverage_tasks::tasks,
    support::{Find, FindIn},
};

pub const CONFIDENCE: f64 = 0.95;

/// What was counted in one case.
pub struct Line {
    what: &'static str,
    case: String,
    runs: u32,
    covers: f64,
    /// The bound nearer to ideal is beyond the truth.
    beyond: Option<f64>,
}

/// One sample's interval and the truth; and which side is nearer to ideal.
pub struct Seen {
    pub interval: (f64, f64),
    pub truth: f64,
    pub ideal: Option<f64>,
}

pub fn count(
    what: &'static str,
    case: String,
    runs: u32,
    mut sample: impl FnMut(&mut ChaCha8Rng) -> Option<Seen>,
) -> Line {
    let mut chance = ChaCha8Rng::seed_from_u64(20_261_121);
    let (mut covers, mut beyond, mut defined, mut has_ideal) = (0_u32, 0_u32, 0_u32, false);
    for _ in 0..runs {
        let Some(Seen { interval: (lower, upper), truth, ideal }) = sample(&mut chance) else {
            continue;
        };
        defined += 1;
        covers += u32::from(lower <= truth + 1e-12 && truth - 1e-12 <= upper);
        if let Some(ideal) = ideal {
            has_ideal = true;
            beyond +=
                u32::from(if ideal == 0.0 { lower > truth + 1e-12 } else { upper < truth - 1e-12 });
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(defined.max(1));
    Line { what, case, runs, covers: share(covers), beyond: has_ideal.then(|| share(beyond)) }
}

pub fn drawn(chance: &mut ChaCha8Rng, n: u64, rate: f64) -> Proportion {
    let hits = Binomial::new(n, rate).unwrap().sample(chance);
    Proportion { p: hits as f64 / n as f64, n: n as f64 }
}

fn of_two_groups() -> Vec<Line> {
    let z = z(CONFIDENCE);
    let mut lines = Vec::new();
    for (n, rate) in [(30, 0.05), (30, 0.3), (500, 0.05), (500, 0.3)] {
        lines.push(count("Wilson, a rate", format!("{n} rows, {rate}"), 4_000, |chance| {
            Some(Seen { interval: wilson(drawn(chance, n, rate), z), truth: rate, ideal: None })
        }));
    }
    let pairs = [(30, 0.3, 0.3), (30, 0.1, 0.3), (500, 0.05, 0.05), (500, 0.3, 0.4)];
    for (n, one, other) in pairs {
        let case = format!("{n} rows each, {one} and {other}");
        lines.push(count("Newcombe, a difference", case, 4_000, |chance| {
            let (left, right) = (drawn(chance, n, one), drawn(chance, n, other));
            Some(Seen { interval: newcombe(left, right, z), truth: one - other, ideal: None })
        }));
    }
    for (n, one, other) in pairs {
        let case = format!("{n} rows each, {one} and {other}");
        lines.push(count("Katz, a ratio", case, 4_000, |chance| {
            let (left, right) = (drawn(chance, n, one), drawn(chance, n, other));
            Some(Seen { interval: katz(left, right, z), truth: one / other, ideal: None })
        }));
    }
    for (n, apart, truth) in [
        (20, 0.0, 0.5),
        (20, 0.953_873, 0.75),
        (20, 2.326_174, 0.95),
        (200, 0.953_873, 0.75),
        (200, 2.326_174, 0.95),
    ] {
        let case = format!("{n} of each label, AUC {truth}");
        lines.push(count("DeLong, an AUC", case, 2_000, |chance| {
            let (value, variance) = delong::auc(&points(chance, n, apart), n as f64, n as f64);
            let interval = delong::interval(value, variance?, z);
            Some(Seen { interval, truth, ideal: None })
        }));
    }
    lines
}

/// Normal scores, the positives' so far above.
fn points(chance: &mut ChaCha8Rng, n: usize, apart: f64) -> Vec<Point> {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let mut all: Vec<(f64, usize)> = (0..n)
        .flat_map(|_| [(NEGATIVE, 0.0), (POSITIVE, apart)])
        .map(|(label, mean)| (normal.sample(chance) + mean, label))
        .collect();
    all.sort_by(|left, right| left.0.total_cmp(&right.0));
    let point = |(rank, (score, label)): (usize, &(f64, usize))| {
        let mut point = Point { rank: rank as u32, score: *score, ..Point::default() };
        (point.n[*label], point.w[*label]) = (1, 1.0);
        point
    };
    all.iter().enumerate().map(point).collect()
}

/// Rates of so many groups: all equal, or spread evenly, or one apart from the rest.
pub fn rates(groups: usize, shape: &str) -> Vec<f64> {
    match shape {
        "all 0.3" => vec![0.3; groups],
        "all 0.05" => vec![0.05; groups],
        "0.2 to 0.4" => (0..groups).map(|at| 0.2 + 0.2 * at as f64 / (groups - 1) as f64).collect(),
        _ => (0..groups).map(|at| if at == 0 { 0.5 } else { 0.3 }).collect(),
    }
}

fn of_many_groups() -> Vec<Line> {
    let mut lines = Vec::new();
    for (groups, runs) in [(2, 2_000), (12, 600), (48, 150)] {
        for n in [50, 500] {
            for shape in ["all 0.3", "all 0.05", "0.2 to 0.4", "one 0.5, others 0.3"] {
                let rates = rates(groups, shape);
                let (least, greatest) =
                    rates.iter().fold((1.0_f64, 0.0_f64), |(low, high), rate| {
                        (low.min(*rate), high.max(*rate))
                    });
                let case = || format!("{groups} groups of {n}, {shape}");
                let members = |chance: &mut ChaCha8Rng| -> Vec<Member> {
                    rates.iter().map(|rate| Member::Rate(drawn(chance, n, *rate))).collect()
                };
                lines.push(count("greatest difference", case(), runs, |chance| {
                    let interval = greatest_difference(&[members(chance)], CONFIDENCE)?;
                    Some(Seen { interval, truth: greatest - least, ideal: Some(0.0) })
                }));
                lines.push(count("least ratio", case(), runs, |chance| {
                    let interval = least_ratio(&[members(chance)], CONFIDENCE)?;
                    Some(Seen { interval, truth: least / greatest, ideal: Some(1.0) })
                }));
            }
        }
    }
    lines
}

/// How often a test of all pairs finds something where nothing is: the interval holds 0 if it does not.
fn of_tests() -> Vec<Line> {
    let mut lines = Vec::new();
    for (groups, runs) in [(2, 2_000), (12, 600), (48, 150)] {
        for (n, rate) in [(50, 0.3), (50, 0.05), (500, 0.3)] {
            let case = format!("{groups} groups of {n}, all {rate}");
            lines.push(count("Holm over all pairs' tests", case, runs, |chance| {
                let selections: Vec<Selection> = (0..groups)
                    .map(|_| {
                        Selection::new((drawn(chance, n, rate).p * n as f64).round() as u64, n)
                    })
                    .collect();
                let least = holm(&every_pair(&selections)).into_iter().fold(1.0, f64::min);
                let found = if least <= 1.0 - CONFIDENCE { 1.0 } else { 0.0 };
                Some(Seen { interval: (found, 2.0), truth: 0.0, ideal: Some(0.0) })
            }));
        }
    }
    lines
}

/// Rows of one group in one stratum: how many, their true label's rate, their TPR and FPR.
pub struct Cell {
    pub group: i64,
    pub stratum: i64,
    pub n: u64,
    pub base: f64,
    pub tpr: f64,
    pub fpr: f64,
}

pub fn sampled(chance: &mut ChaCha8Rng, cells: &[Cell], with_strata: bool) -> Cube {
    let (mut groups, mut strata, mut labels, mut predictions) = (vec![], vec![], vec![], vec![]);
    for cell in cells {
        for _ in 0..cell.n {
            let label = chance.random_bool(cell.base);
            let rate = if label { cell.tpr } else { cell.fpr };
            groups.push(cell.group);
            strata.push(cell.stratum);
            labels.push(i64::from(label));
            predictions.push(i64::from(chance.random_bool(rate)));
        }
    }
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(groups))];
    if with_strata {
        columns.push(Arc::new(Int64Array::from(strata)));
    }
    columns
        .extend([labels, predictions].map(|values| Arc::new(Int64Array::from(values)) as ArrayRef));
    let layout = Layout {
        attributes: columns.len() - 2,
        label: true,
        prediction: true,
        score: false,
        weight: false,
        positive: None,
        threshold: 0.5,
    };
    let mut cube = Cube::new(layout);
    cube.update(&columns).unwrap();
    cube
}

pub fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        min_group_size: 1,
        bootstrap_draws: 0,
        confidence: CONFIDENCE,
        ..AnalysisSpec::new("y", ["g"])
    }
}

/// The interval of a disparity of the only attribute.
fn interval(cube: &Cube, spec: &AnalysisSpec, id: &str) -> Option<(f64, f64)> {
    let result = analyze_cube(cube, spec).ok()?;
    let interval = result.attribute("g").disparity(id).interval.clone()?;
    Some((interval.lower, interval.upper))
}

fn of_strata() -> Vec<Line> {
    let spec = AnalysisSpec { strata: Some("s".to_owned()), ..spec() };
    let mut lines = Vec::new();
    let shapes: [(&str, i64, (u64, u64), f64); 4] = [
        ("6 strata of 40 and 60, equal", 6, (40, 60), 0.0),
        ("6 strata of 40 and 60, 0.15 apart", 6, (40, 60), 0.15),
        ("24 strata of 2 and 12, equal", 24, (2, 12), 0.0),
        ("24 strata of 2 and 12, 0.15 apart", 24, (2, 12), 0.15),
    ];
    for (name, strata, (mine, theirs), apart) in shapes {
        let cells: Vec<Cell> = (0..strata)
            .flat_map(|stratum| {
                // From rarely to mostly selected.
                let rate = 0.1 + 0.6 * stratum as f64 / (strata - 1) as f64;
                [(0, mine, rate), (1, theirs, rate + apart)].map(|(group, n, rate)| Cell {
                    group,
                    stratum,
                    n,
                    base: 0.5,
                    tpr: rate,
                    fpr: rate,
                })
            })
            .collect();
        lines.push(count("conditional difference", name.to_owned(), 300, |chance| {
            let cube = sampled(chance, &cells, true);
            let interval = interval(&cube, &spec, "conditional_demographic_parity_difference")?;
            Some(Seen { interval, truth: apart, ideal: Some(0.0) })
        }));
    }
    lines
}

fn of_bootstrap() -> Vec<Line> {
    let spec = AnalysisSpec {
        bootstrap_draws: 400,
        reference_groups: [("g".to_owned(), "0".to_owned())].into(),
        ..spec()
    };
    let mut lines = Vec::new();
    for (name, n, tpr, fpr) in [
        ("2 groups of 100, equal", 100, 0.7, 0.2),
        ("2 groups of 500, equal", 500, 0.7, 0.2),
        ("2 groups of 500, apart", 500, 0.5, 0.3),
    ] {
        let cells = [
            Cell { group: 0, stratum: 0, n, base: 0.4, tpr: 0.7, fpr: 0.2 },
            Cell { group: 1, stratum: 0, n, base: 0.4, tpr, fpr },
        ];
        let truth = f64::midpoint(tpr - 0.7, fpr - 0.2);
        lines.push(count("bootstrap, average odds", name.to_owned(), 800, |chance| {
            let cube = sampled(chance, &cells, false);
            let interval = interval(&cube, &spec, "average_odds_difference")?;
            Some(Seen { interval, truth, ideal: None })
        }));
        // F1 = 2 TP / (2 TP + FP + FN), at the true rates.
        let f1 = |tpr: f64, fpr: f64| 2.0 * 0.4 * tpr / (0.4 * tpr + 0.6 * fpr + 0.4);
        let truth = (f1(0.7, 0.2) - f1(tpr, fpr)).abs();
        lines.push(count("pairs of bootstrapped F1", name.to_owned(), 800, |chance| {
            let cube = sampled(chance, &cells, false);
            let interval = interval(&cube, &spec, "f1_difference")?;
            Some(Seen { interval, truth, ideal: Some(0.0) })
        }));
    }
    lines
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn table(lines: &[Line]) -> String {
    let mut text = String::from(
        "| interval | of | samples | covers | beyond the truth |\n|---|---|---|---|---|\n",
    );
    for Line { what, case, runs, covers, beyond } in lines {
        let beyond = beyond.map_or_else(String::new, percent);
        writeln!(text, "| {what} | {case} | {runs} | {} | {beyond} |", percent(*covers)).unwrap();
    }
    text
}

/// What chance may take from a share of so many samples.
fn noise(share: f64, runs: u32) -> f64 {
    3.0 * (share * (1.0 - share) / f64::from(runs)).sqrt()
}

#[test]
fn intervals_cover_as_often_as_the_page_says() {
    let lines: Vec<Line> = [
        of_two_groups(),
        of_many_groups(),
        of_tests(),
        of_strata(),
        of_bootstrap(),
        everybody(),
        tasks(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut faults = Vec::new();
    for line in &lines {
        let (what, case) = (line.what, &line.case);
        let least = CONFIDENCE - 0.015;
        if line.covers <= least - noise(least, line.runs) {
            faults.push(format!("{what}, {case} covers {}", line.covers));
        }
        if let Some(beyond) = line.beyond {
            let most = 1.0 - CONFIDENCE;
            if beyond > most + noise(most, line.runs) {
                faults.push(format!("{what}, {case} fails {beyond}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/uncertainty.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let new = crate::catalogue::put(&page, "coverage", &table(&lines));
    if new != page {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, new).unwrap();
        } else {
            panic!(
                "docs/uncertainty.md is old; renew it with `UPDATE_DOCS=1 cargo test -p ephor-fairness --test it page_says`"
            );
        }
    }
}

#[test]
fn groups_that_are_rare_in_each_others_strata_are_covered() {
    let spec = AnalysisSpec { strata: Some("s".to_owned()), ..spec() };
    // One group is rare where half of it is selected, the other where nobody is selected often.
    let shape = [(0, 0, 30, 0.5), (1, 0, 3_000, 0.01), (0, 1, 3_000, 0.01), (1, 1, 300, 0.01)];
    let cells = shape.map(|(group, stratum, n, rate)| Cell {
        group,
        stratum,
        n,
        base: 0.5,
        tpr: rate,
        fpr: rate,
    });
    let weight = |one: f64, other: f64| one * other / (one + other);
    let (first, second) = (weight(30.0, 3_000.0), weight(3_000.0, 300.0));
    let truth = 0.49 * first / (first + second);
    let line = count("conditional difference", String::new(), 400, |chance| {
        let cube = sampled(chance, &cells, true);
        let interval = interval(&cube, &spec, "conditional_demographic_parity_difference")?;
        Some(Seen { interval, truth, ideal: Some(0.0) })
    });
    let (least, beyond) = (CONFIDENCE - 0.015, line.beyond.unwrap());
    assert!(line.covers > least - noise(least, line.runs), "{}", line.covers);
    assert!(beyond <= 0.05 + noise(0.05, line.runs), "{beyond}");
}
