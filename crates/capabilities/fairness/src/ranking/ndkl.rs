//! How far the groups of a list's beginnings are from those of the whole list.

use std::collections::HashMap;

use super::{
    DISPARITIES,
    lists::{Lists, discount},
};
use crate::{
    IntervalMethod,
    frame::{Draft, Measured},
    intervals::z,
};

/// The divergence of one list, ordered; rows that tie enter evenly.
pub(super) fn of_list(order: &[(f64, u32)], group: impl Fn(u32) -> u32) -> f64 {
    let mut shares: HashMap<u32, f64> = HashMap::new();
    for (_, cell) in order {
        *shares.entry(group(*cell)).or_default() += 1.0 / order.len() as f64;
    }
    // Of counts c: sum c ln(c / share), from which the divergence of the first i is that / i - ln i.
    let term = |group: u32, count: f64| {
        let share = shares.get(&group).copied().unwrap_or(1.0);
        if count > 0.0 { count * (count / share).ln() } else { 0.0 }
    };
    let mut counts: HashMap<u32, f64> = HashMap::new();
    let (mut sum, mut found, mut weights, mut rank) = (0.0, 0.0, 0.0, 0_usize);
    for tied in order.chunk_by(|left, right| left.0 == right.0) {
        let mut entering: HashMap<u32, f64> = HashMap::new();
        for (_, cell) in tied {
            *entering.entry(group(*cell)).or_default() += 1.0 / tied.len() as f64;
        }
        let mut entering: Vec<(u32, f64)> = entering.into_iter().collect();
        entering.sort_unstable_by_key(|(group, _)| *group);
        for _ in tied {
            for (group, part) in &entering {
                let count = counts.entry(*group).or_default();
                let before = term(*group, *count);
                *count += part;
                sum += term(*group, *count) - before;
            }
            let first = (rank + 1) as f64;
            let weight = discount(rank);
            found += weight * (sum / first - first.ln()).max(0.0);
            weights += weight;
            rank += 1;
        }
    }
    found / weights
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
    let spread = z(confidence) * variance.sqrt();
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
}
