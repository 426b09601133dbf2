//! Whether the same is predicted of each group, whatever the truth.

use std::collections::HashMap;

use super::{Moments, RegressionSpec, distribution::Distribution};
use crate::{
    IntervalMethod, Significance, WorstPair,
    analysis::Evidence,
    disparities::DIFFERENCE_THRESHOLD,
    drift::kolmogorov_smirnov,
    frame::{About, Draft, Measured, compared, not_comparable},
    metrics::Better,
    significance::{
        all_pairs::{Test, alone},
        power::USUAL_POWER,
    },
};

/// With more comparisons than this there is no distance: bins times groups.
const MAX_WORK: usize = 1 << 30;

pub(super) const ABOUT: About = About {
    id: "prediction_distance",
    title: "Statistical parity of predictions",
    formula: "max over pairs of groups and thresholds t of |share of the one predicted at most t - share of the other|",
    range: (0.0, 1.0),
    better: Better::Lower,
    source: "Agarwal, Dudík and Wu 2019; the two-sample Kolmogorov-Smirnov statistic (SciPy ks_2samp)",
    edge_cases: "Exact up to 262 144 different predictions (of all groups together), then binned, with its greatest error stated. Its interval is of the band of Dvoretzky, Kiefer, Wolfowitz and Massart around each distribution, for all groups at once; with weights, of the effective number of rows. Its test is Kolmogorov's and Smirnov's of the two groups furthest apart, times the number of pairs (Bonferroni); with ties, and once binned, its p is too great.",
    difference_threshold: Some(DIFFERENCE_THRESHOLD),
    ratio_threshold: None,
};

/// What was found of the distributions.
pub(super) struct Parity {
    pub draft: Draft,
    /// The greatest error that binning can cause in it.
    pub error: f64,
    pub evidence: Option<Evidence>,
}

/// The greatest distance of two groups' distributions.
pub(super) fn draft(
    distribution: &Distribution,
    cells: &[&[usize]],
    groups: &[Measured],
    sums: &[Moments],
    spec: &RegressionSpec,
) -> Parity {
    let mut places = compared(groups, &spec.groups);
    places.retain(|at| sums[*at].count.w > 0.0);
    let mut group_of = HashMap::new();
    for (place, at) in places.iter().enumerate() {
        group_of.extend(cells[*at].iter().map(|cell| (*cell, place)));
    }
    let entries = distribution.sorted(&group_of);
    let value = if places.len() < 2 {
        Err(not_comparable(groups.len(), places.len()).to_owned())
    } else if entries.len().saturating_mul(places.len()) > MAX_WORK {
        Err("there are too many groups to compare the distributions of their predictions"
            .to_owned())
    } else {
        Ok(())
    };
    let weights: Vec<f64> = places.iter().map(|at| sums[*at].count.w).collect();
    let alpha = (1.0 - spec.groups.confidence) / places.len().max(1) as f64;
    let band = |at: &usize| ((2.0 / alpha).ln() / (2.0 * sums[*at].count.effective())).sqrt();
    let bands: Vec<f64> = places.iter().map(band).collect();
    let sweep = value.as_ref().ok().map(|()| sweep(&entries, &weights, &bands));
    // Of groups that are nowhere apart no two are furthest apart.
    let pair = sweep.as_ref().filter(|found| found.distance > 0.0);
    let evidence = pair.filter(|_| spec.groups.weight.is_none()).map(|found| {
        let rows = |place: usize| sums[places[place]].count.n;
        let pairs = places.len() * (places.len() - 1) / 2;
        let sizes = (rows(found.low.0), rows(found.high.0));
        evidence(found.distance, sizes, pairs as u64, spec.groups.confidence)
    });
    let error = sweep.as_ref().filter(|_| !distribution.exact()).map_or(0.0, |found| found.widest);
    let draft = Draft {
        id: ABOUT.id.to_owned(),
        title: ABOUT.title.to_owned(),
        ideal: 0.0,
        value: value.map(|()| sweep.as_ref().map_or(0.0, |found| found.distance)),
        interval: sweep
            .as_ref()
            .map(|found| (found.lower.max(0.0), (found.upper + error).min(1.0))),
        method: IntervalMethod::DistributionBand,
        threshold: ABOUT.difference_threshold,
        worst_pair: sweep.as_ref().filter(|found| found.distance > 0.0).map(|found| {
            let name = |place: usize| groups[places[place]].name.clone();
            WorstPair {
                low: name(found.low.0),
                low_value: found.low.1,
                high: name(found.high.0),
                high_value: found.high.1,
                metric: "share_predicted_at_most".to_owned(),
            }
        }),
        n: places.iter().map(|at| groups[*at].n).sum(),
        left_out: Vec::new(),
    };
    Parity { draft, error, evidence }
}

/// Two groups of so many rows tested, the furthest apart of so many pairs.
fn evidence(distance: f64, (m, n): (u64, u64), pairs: u64, confidence: f64) -> Evidence {
    let p = kolmogorov_smirnov::p_of(distance, m, n);
    let level = (1.0 - confidence) / pairs.max(1) as f64;
    let found = alone(p, pairs);
    let shown = kolmogorov_smirnov::detectable(m, n, level, USUAL_POWER);
    Evidence {
        p,
        adjusted: found.holm,
        detectable: Some(shown).filter(|shown| *shown <= 1.0),
        significance: Significance {
            test: Test::KolmogorovSmirnov,
            tests: pairs,
            p_benjamini_hochberg: found.benjamini_hochberg,
            standard_deviations: None,
            flip_flop: None,
        },
    }
}

#[derive(Default)]
struct Sweep {
    distance: f64,
    lower: f64,
    upper: f64,
    low: (usize, f64),
    high: (usize, f64),
    /// The greatest share of a group in one bin.
    widest: f64,
}

/// Goes through all predictions once, with each group's share so far.
fn sweep(entries: &[(u64, usize, f64)], weights: &[f64], bands: &[f64]) -> Sweep {
    let mut found = Sweep::default();
    let mut sums = vec![0.0; weights.len()];
    for bin in entries.chunk_by(|left, right| left.0 == right.0) {
        for run in bin.chunk_by(|left, right| left.1 == right.1) {
            let mass: f64 = run.iter().map(|entry| entry.2).sum();
            sums[run[0].1] += mass;
            found.widest = found.widest.max(mass / weights[run[0].1]);
        }
        let (mut low, mut high) = ((0, f64::INFINITY), (0, f64::NEG_INFINITY));
        let (mut low_most, mut high_least) = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut low_least, mut high_most) = (f64::INFINITY, f64::NEG_INFINITY);
        for (group, sum) in sums.iter().enumerate() {
            let (share, band) = ((sum / weights[group]).min(1.0), bands[group]);
            if share < low.1 {
                low = (group, share);
            }
            if share > high.1 {
                high = (group, share);
            }
            low_most = low_most.min(share + band);
            high_least = high_least.max(share - band);
            low_least = low_least.min(share - band);
            high_most = high_most.max(share + band);
        }
        if high.1 - low.1 > found.distance {
            (found.distance, found.low, found.high) = (high.1 - low.1, low, high);
        }
        found.lower = found.lower.max(high_least - low_most);
        found.upper = found.upper.max(high_most - low_least);
    }
    found
}
