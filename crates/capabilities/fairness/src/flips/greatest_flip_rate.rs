//! Whether the attribute decides about anybody, whichever group they are of.

use super::{FlipSpec, metrics::rate, pairs::Pairs};
use crate::{
    IntervalMethod, LeftOut, WorstPair,
    disparities::DIFFERENCE_THRESHOLD,
    frame::{About, Draft, Measured, compared},
    intervals::{wilson::wilson, z},
    metrics::{Better, UNIT},
};

pub(super) const ABOUT: About = About {
    id: "greatest_flip_rate",
    title: "Greatest flip rate",
    formula: "max over groups of the flip rate",
    range: UNIT,
    better: Better::Lower,
    source: "Ephor: the flip rate of the group that the attribute decides about most, after Black, Yeom and Fredrikson 2020",
    edge_cases: "Defined for a single group too. Wilson's intervals of all groups at once (Bonferroni): the greatest lower and the greatest upper bound. Where the law forbids any use of the attribute, set the threshold to 0.",
    difference_threshold: Some(DIFFERENCE_THRESHOLD),
    ratio_threshold: None,
};

pub(super) fn draft(groups: &[Measured], sums: &[Pairs], spec: &FlipSpec) -> Draft {
    let places = compared(groups, &spec.groups);
    let (mut rates, mut left_out) = (Vec::new(), Vec::new());
    for at in &places {
        match rate(sums[*at].flipped(), sums[*at].all) {
            Some(rate) => rates.push((*at, rate)),
            None => left_out.push(LeftOut {
                name: groups[*at].name.clone(),
                reason: "its rows have no weight".to_owned(),
            }),
        }
    }
    let by_rate = || rates.iter().copied();
    // Of equal groups the first by name, whatever order rows came in.
    let worst = by_rate().rev().max_by(|left, right| left.1.p.total_cmp(&right.1.p));
    let best = by_rate().min_by(|left, right| left.1.p.total_cmp(&right.1.p));
    let level = z(1.0 - (1.0 - spec.groups.confidence) / rates.len().max(1) as f64);
    let bounds: Vec<(f64, f64)> = by_rate().map(|(_, rate)| wilson(rate, level)).collect();
    let greatest = |side: fn(&(f64, f64)) -> f64| bounds.iter().map(side).fold(0.0, f64::max);
    Draft {
        id: ABOUT.id.to_owned(),
        title: ABOUT.title.to_owned(),
        ideal: 0.0,
        value: worst
            .map(|(_, rate)| rate.p)
            .ok_or_else(|| "no group reaches the least group size".to_owned()),
        interval: worst.map(|_| (greatest(|bound| bound.0), greatest(|bound| bound.1))),
        method: IntervalMethod::SimultaneousPairs,
        threshold: ABOUT.difference_threshold,
        worst_pair: worst.zip(best).filter(|(worst, best)| worst.0 != best.0).map(
            |(worst, best)| WorstPair {
                low: groups[best.0].name.clone(),
                low_value: best.1.p,
                high: groups[worst.0].name.clone(),
                high_value: worst.1.p,
                metric: "flip_rate".to_owned(),
            },
        ),
        n: places.iter().map(|at| groups[*at].n).sum(),
        left_out,
    }
}
