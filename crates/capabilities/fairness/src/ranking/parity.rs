//! Whether groups are seen as much as one another.

use super::{RankingSpec, metrics::Seen};
use crate::{
    Disparity, IntervalMethod, WorstPair,
    disparities::RATIO_THRESHOLD,
    frame::{Contrast, Draft, Measured, Picked, Sides, compared, not_comparable},
    significance::{
        all_pairs::{self, Test},
        student::Apart,
    },
};

/// With more groups than this there are no intervals: pairs grow with the square of the groups.
const MAX_GROUPS: usize = 100;

/// Difference and ratio of exposures between groups, whose intervals know that groups share their lists, and hold for all pairs at
/// once (Bonferroni); tested by list.
pub(super) fn judged(groups: &[Measured], seen: &[&Seen], spec: &RankingSpec) -> Vec<Disparity> {
    let places = compared(groups, &spec.groups);
    let mut order: Vec<(usize, f64)> =
        places.iter().map(|at| (*at, seen[*at].exposure())).collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1));
    let extremes = order.first().zip(order.last()).filter(|_| order.len() >= 2);
    let bounds = (order.len() <= MAX_GROUPS).then(|| bounds(&order, seen, spec)).flatten();
    let picked = picked(&order, seen);
    let evidence = |is_ratio: bool| {
        let sides = Sides { high: extremes?.1.1, least: 0.0, is_ratio };
        Some(picked?.evidence(sides, spec.groups.confidence))
    };
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
    [
        ("exposure_difference", "Exposure difference", false),
        ("exposure_ratio", "Exposure ratio", true),
    ]
    .into_iter()
    .map(|(id, title, is_ratio)| {
        make(id, title, is_ratio).judged_with(&spec.groups, evidence(is_ratio))
    })
    .collect()
}

/// The groups seen least and most, of all pairs of groups; `None` of fewer than two lists.
fn picked(order: &[(usize, f64)], seen: &[&Seen]) -> Option<Picked> {
    let contrast = |low: &(usize, f64), high: &(usize, f64)| {
        let (one, other) = (seen[low.0], seen[high.0]);
        let both = one.influence().zip(other.influence());
        let variance = one.variance(both.map(|(one, other)| other - one))?;
        let apart = Apart { difference: high.1 - low.1, variance, degrees: one.degrees() };
        Some(Contrast::Values(apart.known()?, Test::PairedByList))
    };
    let [lowest, between @ .., highest] = order else { return None };
    let furthest = contrast(lowest, highest)?;
    let pairs = (order.len() * (order.len() - 1) / 2) as u64;
    if order.len() > all_pairs::MAX_GROUPS {
        return Some(Picked::alone(furthest, pairs));
    }
    let mut all = vec![furthest];
    all.extend(between.iter().filter_map(|high| contrast(lowest, high)));
    for (at, low) in between.iter().enumerate() {
        let above = between[at + 1..].iter().chain([highest]);
        all.extend(above.filter_map(|high| contrast(low, high)));
    }
    Picked::among(&all, 0)
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
    use rand::{RngExt as _, SeedableRng, seq::SliceRandom};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{frame::Grouping, ranking::lists::Lists};

    /// So many lists of 20 rows of two groups, ordered by chance; the first group's places are worse by this.
    fn drawn(count: usize, worse: f64, chance: &mut ChaCha8Rng) -> [Seen; 2] {
        let mut lists = Lists::new(10, 1);
        for list in 0..count {
            for row in 0..20_u32 {
                let away = if row % 2 == 0 { worse } else { 0.0 };
                let place = chance.random_range(0.0..1.0) + away;
                let codes = std::iter::once(row % 2);
                lists.add(&format!("{list}"), place, row % 2, codes).unwrap();
            }
        }
        lists.finish();
        [0, 1].map(|cell| Seen::of(&lists, &[cell]))
    }

    /// In what share of runs the two groups' test is significant at 0.05.
    fn significant(count: usize, worse: f64, runs: u32) -> f64 {
        let mut chance = ChaCha8Rng::seed_from_u64(11);
        let found = (0..runs).filter(|_| {
            let seen = drawn(count, worse, &mut chance);
            let mut order = vec![(0, seen[0].exposure()), (1, seen[1].exposure())];
            order.sort_by(|left, right| left.1.total_cmp(&right.1));
            let picked = picked(&order, &[&seen[0], &seen[1]]).unwrap();
            let sides = Sides { high: order[1].1, least: 0.0, is_ratio: false };
            picked.evidence(sides, 0.95).adjusted <= 0.05
        });
        found.count() as f64 / f64::from(runs)
    }

    #[test]
    fn lists_ordered_by_chance_are_seldom_significant_and_others_are() {
        // Who comes first makes most of a list's exposure, so that of few lists the level is kept roughly.
        for (count, most) in [(4, 0.09), (30, 0.075)] {
            let found = significant(count, 0.0, 800);
            assert!((0.02..most).contains(&found), "{count} lists: {found}");
        }
        let few = significant(5, 0.2, 200);
        let many = significant(60, 0.2, 60);
        assert!(few < many && many > 0.9, "{few} {many}");
    }

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
