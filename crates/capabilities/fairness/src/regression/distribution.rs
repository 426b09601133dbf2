//! The distribution of predictions in each cell, in bounded memory.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::cube::ordered;

/// The most (cell, prediction) that are kept.
const MAX_ENTRIES: usize = 1 << 18;
/// By so many bits bins grow at a time.
const STEP: u32 = 2;
/// The most bits that are dropped.
const MOST_DROPPED: u32 = 62;

/// The weight of each prediction in each cell. When there are too many, numbers whose bits begin alike share a bin: the width of
/// bins follows from the data alone, and not from the order of the rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Distribution {
    entries: HashMap<(u32, u64), f64>,
    /// So many low bits are dropped.
    dropped: u32,
}

impl Distribution {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Whether every distinct prediction was kept.
    pub(super) const fn exact(&self) -> bool {
        self.dropped == 0
    }

    pub(super) fn add(&mut self, cell: u32, prediction: f64, weight: f64) {
        // -0 is 0.
        let key = ordered(prediction + 0.0) >> self.dropped;
        *self.entries.entry((cell, key)).or_default() += weight;
        self.bound();
    }

    /// Adds another, whose cells have these numbers here; `None` if one has none.
    pub(super) fn merge(&mut self, mut other: Self, cells: &[u32]) -> Option<()> {
        while self.dropped < other.dropped.min(MOST_DROPPED) {
            self.widen();
        }
        while other.dropped < self.dropped {
            other.widen();
        }
        for ((cell, key), weight) in other.entries {
            let cell = *cells.get(cell as usize)?;
            *self.entries.entry((cell, key)).or_default() += weight;
        }
        self.bound();
        Some(())
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.entries.capacity() * size_of::<((u32, u64), f64)>()
    }

    /// Widens bins until there are few enough.
    fn bound(&mut self) {
        while self.entries.len() > MAX_ENTRIES && self.dropped < MOST_DROPPED {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.dropped += STEP;
        let old = std::mem::take(&mut self.entries);
        for ((cell, key), weight) in old {
            *self.entries.entry((cell, key >> STEP)).or_default() += weight;
        }
    }

    /// The entries by number, ascending, each with the group that its cell belongs to.
    pub(super) fn sorted(&self, group_of: &HashMap<usize, usize>) -> Vec<(u64, usize, f64)> {
        let mut sorted: Vec<(u64, usize, u32, f64)> = self
            .entries
            .iter()
            .filter_map(|((cell, key), weight)| {
                let group = group_of.get(&(*cell as usize))?;
                Some((*key, *group, *cell, *weight))
            })
            .collect();
        sorted.sort_unstable_by_key(|entry| (entry.0, entry.1, entry.2));
        sorted.into_iter().map(|(key, group, _, weight)| (key, group, weight)).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_share_bins_in_order_whatever_theirs() {
        let numbers: Vec<f64> = (0..600_000).map(|at| f64::from(at) * 0.37 - 1e5).collect();
        let (mut up, mut down) = (Distribution::new(), Distribution::new());
        for number in &numbers {
            up.add(0, *number, 1.0);
        }
        for number in numbers.iter().rev() {
            down.add(0, *number, 1.0);
        }
        let group_of = HashMap::from([(0, 0)]);
        assert!(!up.exact() && up.entries.len() <= MAX_ENTRIES);
        assert_eq!(up.sorted(&group_of), down.sorted(&group_of));
        let total: f64 = up.sorted(&group_of).iter().map(|entry| entry.2).sum();
        assert_eq!(total, 600_000.0);
    }

    #[test]
    fn parts_have_the_bins_of_the_whole() {
        let number = |at: u32| f64::from(at) * 0.37 - 1e5;
        let of = |range: std::ops::Range<u32>| {
            let mut part = Distribution::new();
            range.for_each(|at| part.add(at % 2, number(at), 1.0));
            part
        };
        let group_of = HashMap::from([(0, 0), (1, 1)]);
        let whole = of(0..600_000);
        // Few enough to keep all of one part, but not of both; the other part's cells have other numbers.
        for cut in [1_000, 590_000] {
            let mut first = of(0..cut);
            let mut second = Distribution::new();
            (cut..600_000).for_each(|at| second.add(1 - at % 2, number(at), 1.0));
            first.merge(second, &[1, 0]).unwrap();
            assert_eq!(first.dropped, whole.dropped);
            assert_eq!(first.sorted(&group_of), whole.sorted(&group_of));
        }
        assert!(of(0..4).merge(of(0..4), &[0]).is_none());
    }
}
