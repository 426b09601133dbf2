//! The distribution of predictions in each cell, in bounded memory.

use std::collections::HashMap;

use crate::cube::ordered;

/// The most (cell, prediction) that are kept.
const MAX_ENTRIES: usize = 1 << 18;
/// By so many bits bins grow at a time.
const STEP: u32 = 2;

/// The weight of each prediction in each cell. When there are too many, numbers whose bits begin alike share a bin: the width of
/// bins follows from the data alone, and not from the order of the rows.
#[derive(Debug, Clone, Default)]
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
        while self.entries.len() > MAX_ENTRIES && self.dropped < 62 {
            self.dropped += STEP;
            let old = std::mem::take(&mut self.entries);
            for ((cell, key), weight) in old {
                *self.entries.entry((cell, key >> STEP)).or_default() += weight;
            }
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
}
