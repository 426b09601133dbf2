//! How far the groups of a list's beginnings are from those of the whole list.

use std::collections::{BTreeMap, HashMap};

use super::{
    DISPARITIES,
    lists::{Lists, discount},
};
use crate::{
    IntervalMethod,
    frame::{Draft, Measured},
    intervals::student,
};

/// The most terms of the sum that one tie takes: of longer ones, the divergence is taken in the middle of runs of ranks.
const MAX_TERMS: usize = 1 << 24;

/// The divergence of one list, ordered; rows that tie enter evenly.
pub(super) fn of_list(order: &[(f64, u32)], group: impl Fn(u32) -> u32) -> f64 {
    let all = counts(order, &group);
    // Of counts c: sum c ln(c / share), from which the divergence of the first i is that / i - ln i.
    let term = |count: f64, whole: u32| {
        let share = f64::from(whole) / order.len() as f64;
        if count > 0.0 { count * (count / share).ln() } else { 0.0 }
    };
    let mut before: HashMap<u32, u32> = HashMap::new();
    let (mut sum, mut found, mut weights, mut rank) = (0.0, 0.0, 0.0, 0_usize);
    for tied in order.chunk_by(|left, right| left.0 == right.0) {
        let size = tied.len();
        // Groups of which as many came before, come now and come at all, add the same.
        let mut kinds: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
        for (group, now) in counts(tied, &group) {
            let (came, whole) = (before.entry(group).or_default(), all.get(&group).copied());
            *kinds.entry((*came, now, whole.unwrap_or(now))).or_default() += 1.0;
            *came += now;
        }
        // What they add once so many rows of the tie are in.
        let added = |entered: f64| {
            let of_kind = |((came, now, whole), groups): (&(u32, u32, u32), &f64)| {
                let came = f64::from(*came);
                let count = came + f64::from(*now) * (entered / size as f64);
                groups * (term(count, *whole) - term(came, *whole))
            };
            kinds.iter().map(of_kind).sum::<f64>()
        };
        let run = size.saturating_mul(kinds.len()).div_ceil(MAX_TERMS).max(1);
        for from in (0..size).step_by(run) {
            let until = (from + run).min(size);
            let entered = (from + 1 + until) as f64 / 2.0;
            let first = rank as f64 + entered;
            let weight: f64 = (rank + from..rank + until).map(discount).sum();
            found += weight * ((sum + added(entered)) / first - first.ln()).max(0.0);
            weights += weight;
        }
        sum += added(size as f64);
        rank += size;
    }
    found / weights
}

/// Rows of each group.
fn counts(rows: &[(f64, u32)], group: impl Fn(u32) -> u32) -> HashMap<u32, u32> {
    let mut counts = HashMap::new();
    for (_, cell) in rows {
        *counts.entry(group(*cell)).or_default() += 1;
    }
    counts
}

/// The mean over lists.
pub(super) fn draft(
    lists: &Lists,
    attribute: usize,
    groups: &[Measured],
    confidence: f64,
) -> Draft {
    let count = lists.count as f64;
    let [sum, squares] = &lists.divergence[attribute];
    let mean = sum.value() / count;
    let variance = (squares.value() / count - mean * mean).max(0.0) / (count - 1.0);
    let spread = student(confidence, count - 1.0) * variance.sqrt();
    Draft {
        id: DISPARITIES[0].id.to_owned(),
        title: DISPARITIES[0].title.to_owned(),
        ideal: 0.0,
        value: if groups.len() < 2 {
            Err("there is only one group: nothing to compare it with".to_owned())
        } else {
            Ok(mean)
        },
        interval: (count >= 2.0).then(|| ((mean - spread).max(0.0), mean + spread)),
        method: IntervalMethod::Normal,
        threshold: None,
        worst_pair: None,
        n: lists.rows,
        left_out: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_definition_and_ties_enter_evenly() {
        // b, a, a, b by hand: KL of each beginning to (1/2, 1/2).
        let order = [(1.0, 1), (2.0, 0), (3.0, 0), (4.0, 1)];
        let kl = |a: f64| {
            [a, 1.0 - a].into_iter().filter(|p| *p > 0.0).map(|p| p * (2.0 * p).ln()).sum::<f64>()
        };
        let parts = [kl(0.0), kl(0.5), kl(2.0 / 3.0), kl(0.5)];
        let weight = |at: usize| 1.0 / (at as f64 + 2.0).log2();
        let whole: f64 = (0..4).map(weight).sum();
        let truth: f64 = parts.iter().enumerate().map(|(at, part)| part * weight(at)).sum();
        assert!((of_list(&order, |cell| cell) - truth / whole).abs() < 1e-12);
        let tied: Vec<(f64, u32)> = order.iter().map(|(_, cell)| (0.0, *cell)).collect();
        assert!(of_list(&tied, |cell| cell).abs() < 1e-12);
    }

    #[test]
    fn a_tie_of_very_many_rows_and_groups_takes_no_longer_than_it_may() {
        // Each group has rows of its own number; half of each is tied at the end.
        let rows = (0..1_000_u32).flat_map(|group| (0..group).map(move |row| (row % 2, group)));
        let mut order: Vec<(f64, u32)> =
            rows.map(|(last, group)| (f64::from(last), group)).collect();
        order.sort_by(|left, right| left.0.total_cmp(&right.0));
        let value = of_list(&order, |cell| cell);
        assert!((0.0..1e-4).contains(&value), "{value}");
    }
}
