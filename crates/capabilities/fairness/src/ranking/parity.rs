//! Whether groups are seen as much as one another.

use super::{RankingSpec, metrics::Seen};
use crate::{
    IntervalMethod, WorstPair,
    disparities::RATIO_THRESHOLD,
    frame::{Draft, Measured, compared, not_comparable},
};

/// With more groups than this there are no intervals: pairs grow with the square of the groups.
const MAX_GROUPS: usize = 100;

/// Difference and ratio of exposures between groups, whose intervals know that groups share their lists, and hold for all pairs at
/// once (Bonferroni).
pub(super) fn drafts(groups: &[Measured], seen: &[&Seen], spec: &RankingSpec) -> Vec<Draft> {
    let places = compared(groups, &spec.groups);
    let mut order: Vec<(usize, f64)> =
        places.iter().map(|at| (*at, seen[*at].exposure())).collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    let extremes = order.first().zip(order.last()).filter(|_| order.len() >= 2);
    let bounds = (order.len() <= MAX_GROUPS).then(|| bounds(&order, seen, spec)).flatten();
    let make = |id: &str, title: &str, is_ratio: bool| Draft {
        id: id.to_owned(),
        title: title.to_owned(),
        ideal: if is_ratio { 1.0 } else { 0.0 },
        value: extremes
            .map(|(low, high)| if is_ratio { low.1 / high.1 } else { high.1 - low.1 })
            .ok_or_else(|| not_comparable(groups.len(), places.len()).to_owned()),
        interval: bounds.map(|(difference, ratio)| if is_ratio { ratio } else { difference }),
        method: IntervalMethod::SimultaneousPairs,
        threshold: is_ratio.then_some(RATIO_THRESHOLD),
        worst_pair: extremes.map(|(low, high)| WorstPair {
            low: groups[low.0].name.clone(),
            low_value: low.1,
            high: groups[high.0].name.clone(),
            high_value: high.1,
            metric: "exposure".to_owned(),
        }),
        n: places.iter().map(|at| groups[*at].n).sum(),
        left_out: Vec::new(),
    };
    vec![
        make("exposure_difference", "Exposure difference", false),
        make("exposure_ratio", "Exposure ratio", true),
    ]
}

type Bounds = (f64, f64);

/// Of the greatest difference and of the least ratio.
fn bounds(order: &[(usize, f64)], seen: &[&Seen], spec: &RankingSpec) -> Option<(Bounds, Bounds)> {
    let pairs = (order.len() * order.len().saturating_sub(1) / 2).max(1) as f64;
    let level = seen[order.first()?.0].reach(1.0 - (1.0 - spec.groups.confidence) / pairs);
    let (mut difference, mut ratio) = ((0.0_f64, 0.0_f64), (1.0_f64, 1.0_f64));
    for (at, low) in order.iter().enumerate() {
        for high in &order[at + 1..] {
            let (one, other) = (seen[low.0], seen[high.0]);
            let both = || one.influence().zip(other.influence());
            let spread = level * one.variance(both().map(|(one, other)| other - one))?.sqrt();
            let gap = high.1 - low.1;
            difference = (difference.0.max(gap - spread), difference.1.max(gap + spread));
            let logarithm = both().map(|(one, other)| other / high.1 - one / low.1);
            let factor = (level * one.variance(logarithm)?.sqrt()).exp();
            let value = low.1 / high.1;
            let upper = value * factor;
            ratio = (ratio.0.min(value / factor).min(1.0 / upper), ratio.1.min(upper));
        }
    }
    Some((difference, ratio))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rand::{SeedableRng, seq::SliceRandom};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{frame::Grouping, ranking::lists::Lists};

    #[test]
    fn few_lists_in_which_chance_alone_decides_seldom_part_groups() {
        let spec = RankingSpec::by_score(None, "score", Grouping::new(["g"]));
        let mut chance = ChaCha8Rng::seed_from_u64(5);
        for count in [2, 4] {
            let (runs, mut apart) = (1_000, 0);
            for _ in 0..runs {
                let mut lists = Lists::new(10, 1);
                for list in 0..count {
                    let mut cells: Vec<u32> = (0..20).map(|row| row % 2).collect();
                    cells.shuffle(&mut chance);
                    for (place, cell) in cells.into_iter().enumerate() {
                        let codes = std::iter::once(cell);
                        lists.add(&format!("{list}"), place as f64, cell, codes).unwrap();
                    }
                }
                lists.finish();
                let seen = [0, 1].map(|cell| Seen::of(&lists, &[cell]));
                let order = [(0, seen[0].exposure()), (1, seen[1].exposure())];
                let order = if order[0].1 <= order[1].1 { order } else { [order[1], order[0]] };
                let found = bounds(&order, &[&seen[0], &seen[1]], &spec).unwrap();
                apart += u32::from(found.0.0 > 0.0);
            }
            // 5 % of them, and what chance makes of so many runs.
            assert!(apart < 75, "{apart} of {runs} with {count} lists");
        }
    }
}
