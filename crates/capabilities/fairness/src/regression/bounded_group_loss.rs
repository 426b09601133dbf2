//! Whether the model is good enough about every group, whatever it is about others.

use super::{Loss, Moments, RegressionSpec};
use crate::{
    IntervalMethod, LeftOut, WorstPair,
    frame::{About, Draft, Measured, compared, not_comparable},
    intervals::z,
    metrics::Better,
};

pub(super) const ABOUT: About = About {
    id: "bounded_group_loss",
    title: "Bounded group loss",
    formula: "max over groups of mean(loss), the loss being (y - prediction)² or |y - prediction|",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    source: "Agarwal, Dudík and Wu 2019; Fairlearn BoundedGroupLoss",
    edge_cases: "Judged only against a bound, which the spec sets (loss_bound): pass if no group's loss is above it, fail if one is beyond noise. Its interval holds for all groups at once (Bonferroni).",
    difference_threshold: None,
    ratio_threshold: None,
};

pub(super) fn draft(groups: &[Measured], sums: &[Moments], spec: &RegressionSpec) -> Draft {
    let places = compared(groups, &spec.groups);
    let loss = |sums: &Moments| {
        let (first, second) = match spec.loss {
            Loss::Squared => (&sums.squared[0], &sums.squared[1]),
            Loss::Absolute => (&sums.absolute, &sums.squared[0]),
        };
        let mean = sums.mean(first);
        (mean, sums.variance_of_mean(mean, sums.mean(second)))
    };
    let losses: Vec<(usize, f64, Option<f64>)> = places
        .iter()
        .filter(|at| sums[**at].count.w > 0.0)
        .map(|at| {
            let (mean, variance) = loss(&sums[*at]);
            (*at, mean, variance)
        })
        .filter(|(_, mean, _)| mean.is_finite())
        .collect();
    let worst = losses.iter().max_by(|left, right| left.1.total_cmp(&right.1));
    let best = losses.iter().min_by(|left, right| left.1.total_cmp(&right.1));
    let level = z(1.0 - (1.0 - spec.groups.confidence) / losses.len().max(1) as f64);
    // A group of whose loss nobody knows how sure it is counts with nothing else than its value.
    let bounds: Vec<(f64, f64)> = losses
        .iter()
        .filter_map(|(_, mean, variance)| {
            let spread = level * (*variance)?.sqrt();
            Some(((mean - spread).max(0.0), mean + spread))
        })
        .collect();
    let greatest = |bounds: Vec<(f64, f64)>| {
        let fold = |side: fn(&(f64, f64)) -> f64| bounds.iter().map(side).fold(0.0, f64::max);
        (fold(|bound| bound.0), fold(|bound| bound.1))
    };
    Draft {
        id: ABOUT.id.to_owned(),
        title: ABOUT.title.to_owned(),
        ideal: 0.0,
        value: worst
            .map(|worst| worst.1)
            .ok_or_else(|| not_comparable(groups.len(), losses.len()).to_owned()),
        interval: (!bounds.is_empty())
            .then(|| greatest(bounds))
            .map(|(lower, upper)| (lower, worst.map_or(upper, |worst| upper.max(worst.1)))),
        method: IntervalMethod::SimultaneousPairs,
        threshold: spec.loss_bound,
        worst_pair: worst.zip(best).filter(|(worst, best)| worst.0 != best.0).map(
            |(worst, best)| WorstPair {
                low: groups[best.0].name.clone(),
                low_value: best.1,
                high: groups[worst.0].name.clone(),
                high_value: worst.1,
                metric: match spec.loss {
                    Loss::Squared => "mse",
                    Loss::Absolute => "mae",
                }
                .to_owned(),
            },
        ),
        n: places.iter().map(|at| groups[*at].n).sum(),
        left_out: places
            .iter()
            .filter_map(|at| {
                let reason = match losses.iter().find(|loss| loss.0 == *at) {
                    None => "its rows have no weight, or their loss is too great",
                    Some((_, _, None)) => {
                        "too few rows to tell how sure its loss is: only the value counts it"
                    }
                    Some(_) => return None,
                };
                Some(LeftOut { name: groups[*at].name.clone(), reason: reason.to_owned() })
            })
            .collect(),
    }
}
