//! The rates of groups in each stratum, from the cells of the cube.

use std::collections::HashMap;

use super::Comparison;
use crate::{
    analysis::groups::Cells,
    cube::Cube,
    intervals::Proportion,
    metrics::{Measure, Metric},
    tally::Count,
};

/// The strata, and which are large enough.
pub(super) struct Kept {
    /// Name and rows of those that are, by name.
    pub large: Vec<(String, u64)>,
    /// Of those that are not.
    pub small: Vec<(String, u64)>,
    /// The place of a code among the large ones.
    place: HashMap<u32, usize>,
}

impl Kept {
    pub(super) fn of(
        cube: &Cube,
        cells: &Cells,
        comparison: &Comparison,
        attribute: usize,
        least: u64,
    ) -> Self {
        let mut rows: HashMap<u32, u64> = HashMap::new();
        for (cell, tally) in cells.tallies.iter().enumerate() {
            if comparison.groups.of_cell[cell] < comparison.groups.all.len() && tally.all.n > 0 {
                *rows.entry(cube.index.codes(cell)[attribute]).or_default() += tally.all.n;
            }
        }
        let dictionary = cube.dictionary(attribute);
        let named = rows.into_iter().map(|(code, n)| (dictionary.name(code).to_owned(), n, code));
        let (mut large, mut small): (Vec<_>, Vec<_>) =
            named.partition(|(_, n, _)| *n >= least.max(1));
        large.sort();
        small.sort();
        let place = large.iter().enumerate().map(|(at, (_, _, code))| (*code, at)).collect();
        let plain = |strata: Vec<(String, u64, u32)>| {
            strata.into_iter().map(|(name, n, _)| (name, n)).collect()
        };
        Self { large: plain(large), small: plain(small), place }
    }
}

/// Of one metric, those that have it and those that could, in each stratum and group.
pub(super) struct Counts {
    groups: usize,
    cells: Vec<(Count, Count)>,
}

impl Counts {
    /// `None` if the metric is no rate, or if the table would be too large to be of any use.
    pub(super) fn of(
        cube: &Cube,
        cells: &Cells,
        comparison: &Comparison,
        attribute: usize,
        kept: &Kept,
        metric: &Metric,
    ) -> Option<Self> {
        let Measure::Rate(rate, _) = metric.measure else { return None };
        let groups = comparison.compared.len();
        let mut slots = vec![None; comparison.groups.all.len()];
        for (slot, index) in comparison.compared.iter().enumerate() {
            slots[*index] = Some(slot);
        }
        let mut counts =
            vec![(Count::default(), Count::default()); table(groups, kept.large.len())];
        // In the order of names, so that sums of weights do not depend on the order of the rows.
        for cell in cells.order.iter().copied() {
            let slot = slots.get(comparison.groups.of_cell[cell]).copied().flatten();
            let place = kept.place.get(&cube.index.codes(cell)[attribute]);
            if let (Some(slot), Some(place)) = (slot, place)
                && let Some((hits, all)) = counts.get_mut(place * groups + slot)
            {
                let (more, of) = rate(&cells.tallies[cell]);
                *hits += more;
                *all += of;
            }
        }
        Some(Self { groups, cells: counts })
    }

    pub(super) fn strata(&self) -> usize {
        self.cells.len() / self.groups.max(1)
    }

    /// The rate of the group at `slot`, with the (effective) rows that it is of.
    pub(super) fn rate(&self, stratum: usize, slot: usize) -> Option<Proportion> {
        let (hits, all) = self.cells.get(stratum * self.groups + slot)?;
        let n = all.effective();
        (all.w > 0.0 && n > 0.0).then(|| Proportion { p: (hits.w / all.w).clamp(0.0, 1.0), n })
    }

    /// Rows that the rate is of.
    pub(super) fn rows(&self, stratum: usize, slot: usize) -> u64 {
        self.cells.get(stratum * self.groups + slot).map_or(0, |(_, all)| all.n)
    }
}

/// Cells of the table; none, where nothing of it would be compared or shown.
fn table(groups: usize, strata: usize) -> usize {
    let cells = groups.saturating_mul(strata);
    if cells > super::MAX_WORK { 0 } else { cells }
}
