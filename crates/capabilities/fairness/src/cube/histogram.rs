//! Rows by group, label and score: exact while there are few enough of them, then in equal-width bins.

use super::{
    limits::{MAX_BINS, MAX_SCORE_ENTRIES, SCORE_BINS},
    sum::Sum,
    table::{Entry, Table},
};
use crate::{metrics::reliability::BINS, tally::MISSING};

/// The most halvings: one bin is left.
pub(crate) const MOST_HALVINGS: u32 = 13;
/// Scores of one tenth of [0, 1] fill 2^9 of the finest bins.
const TENTH: u32 = SCORE_BINS.ilog2() - BINS.ilog2();

/// Rows by group, label and score: those of both labels, or those without one.
///
/// Whether scores are exact, and how wide bins are, follows from the sets of scores and of cells alone: every order of rows
/// and every partitioning ends with the same histogram.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    /// Slots of a cell: one for each label, or one.
    labels: u32,
    /// Slots in use.
    slots: usize,
    weighted: bool,
    /// All scores while they are exact; afterwards those outside [0, 1], in bins by their leading bits.
    pub table: Table,
    pub binned: Option<Binned>,
}

/// Equal-width bins of [0, 1] for every slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Binned {
    /// Bins are 2^halvings times as wide as the finest.
    pub halvings: u32,
    /// Rows by slot, then bin.
    pub n: Vec<u64>,
    /// Their weights; empty without weights.
    pub w: Vec<f64>,
    /// Sums of w s by slot, then tenth of [0, 1]; empty once bins are wider than a tenth.
    pub sums: Vec<[Sum; BINS]>,
}

/// Rows of one slot and score, or bin.
pub(crate) struct Rows {
    /// Three to a cell, by label, whatever the histogram holds.
    pub slot: u32,
    /// Ascending with the score, over all slots.
    pub rank: u64,
    /// The score; a bin's middle or mean.
    pub score: f64,
    pub n: u64,
    pub w: f64,
}

impl Histogram {
    /// Of rows that have a label.
    pub(crate) fn new(weighted: bool) -> Self {
        Self { labels: 2, weighted, ..Self::default() }
    }

    /// Of rows that have none.
    pub(crate) fn unlabelled(weighted: bool) -> Self {
        Self { labels: 1, weighted, ..Self::default() }
    }

    /// How many slots so many cells have.
    pub(crate) fn slots(&self, cells: usize) -> usize {
        cells * self.labels as usize
    }

    /// How many bins [0, 1] has; `None` while scores are exact.
    pub(crate) fn bins(&self) -> Option<u32> {
        self.binned.as_ref().map(|binned| stride(binned.halvings) as u32)
    }

    pub(crate) fn size(&self) -> usize {
        let binned = self.binned.as_ref();
        self.table.size()
            + binned.map_or(0, |binned| {
                (binned.n.capacity() + binned.w.capacity()) * 8
                    + binned.sums.capacity() * size_of::<[Sum; BINS]>()
            })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.binned.is_none() && self.table.len() == 0
    }

    /// Makes room for so many cells, before rows of them are added.
    pub(crate) fn reserve(&mut self, cells: usize) {
        self.slots = self.slots(cells);
        if let Some(binned) = &mut self.binned {
            binned.reserve(self.slots, self.weighted);
        }
    }

    /// Makes room for so many different scores of slots, while each is kept.
    pub(crate) fn expect(&mut self, entries: usize) {
        if self.binned.is_none() {
            self.table.reserve(entries.min(MAX_SCORE_ENTRIES));
        }
    }

    /// Adds so many rows, `weight` in all, with a finite score. The label of rows that have none is 0.
    #[inline]
    pub(crate) fn add(&mut self, cell: u32, label: usize, score: f64, rows: u64, weight: f64) {
        let slot = cell * self.labels + label as u32;
        match &mut self.binned {
            Some(binned) if (0.0..=1.0).contains(&score) => {
                binned.add(slot, score, rows, weight, weight * score);
            }
            Some(_) => {
                self.table.add(slot, score, rows, weight);
                self.table.coarsen(MAX_SCORE_ENTRIES);
            }
            None => {
                self.table.add(slot, score, rows, weight);
                self.settle();
            }
        }
    }

    /// Bins the scores, if there are too many to keep each.
    fn settle(&mut self) {
        if self.binned.is_none() && self.table.len() > MAX_SCORE_ENTRIES {
            self.bin();
        }
    }

    #[cold]
    fn bin(&mut self) {
        let mut binned = Binned::default();
        binned.reserve(self.slots, self.weighted);
        let exact = std::mem::replace(&mut self.table, Table::binned());
        for entry in exact.entries() {
            binned.or_outside(&mut self.table, entry);
        }
        self.table.coarsen(MAX_SCORE_ENTRIES);
        self.binned = Some(binned);
    }

    /// Adds another's rows; `cells` has the number here of each of its cells. Room must be reserved.
    pub(crate) fn merge(&mut self, other: &Self, cells: &[u32]) {
        if other.binned.is_some() && self.binned.is_none() {
            self.bin();
        }
        let labels = self.labels;
        let slot = |slot: u32| cells[(slot / labels) as usize] * labels + slot % labels;
        if let (Some(mine), Some(theirs)) = (&mut self.binned, &other.binned) {
            mine.merge(theirs, slot);
        }
        self.table.rise_to(other.table.level());
        self.expect(other.table.len());
        for entry in other.table.entries() {
            let entry = Entry { slot: slot(entry.slot), ..*entry };
            match &mut self.binned {
                Some(binned) if other.binned.is_none() => {
                    binned.or_outside(&mut self.table, &entry);
                }
                _ => self.table.add_entry(entry, other.table.level()),
            }
        }
        self.settle();
        self.table.coarsen(MAX_SCORE_ENTRIES);
    }

    /// Makes both as coarse as the coarser one: then equal ranks are one score, or one bin, in both.
    pub(crate) fn align(&mut self, other: &mut Self) {
        if self.binned.is_none() && other.binned.is_none() {
            return;
        }
        for one in [&mut *self, &mut *other] {
            if one.binned.is_none() {
                one.bin();
            }
        }
        if let (Some(mine), Some(theirs)) = (&mut self.binned, &mut other.binned) {
            let halvings = mine.halvings.max(theirs.halvings);
            mine.coarsen(halvings);
            theirs.coarsen(halvings);
        }
        let level = self.table.level().max(other.table.level());
        self.table.rise_to(level);
        other.table.rise_to(level);
    }

    /// All rows, in no order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Rows> {
        let table = &self.table;
        let labels = self.labels;
        let told = move |slot: u32| match labels {
            1 => slot * 3 + MISSING as u32,
            _ => slot / labels * 3 + slot % labels,
        };
        let exact = self.binned.is_none();
        let entries = table.entries().map(move |entry| {
            let score = table.score(entry);
            let rank = table.rank(entry);
            // Outside bins are below or above all of [0, 1].
            let rank = if exact || score < 0.0 { rank } else { ABOVE | rank };
            Rows { slot: told(entry.slot), rank, score, n: entry.n, w: entry.w }
        });
        let binned = self.binned.iter().flat_map(move |binned| {
            let (stride, width) = (
                stride(binned.halvings),
                f64::from(1_u32 << binned.halvings) / f64::from(SCORE_BINS),
            );
            binned.n.iter().enumerate().filter(|(_, n)| **n > 0).map(move |(at, n)| Rows {
                slot: told((at / stride) as u32),
                rank: INSIDE | (at % stride) as u64,
                score: ((at % stride) as f64 + 0.5) * width,
                n: *n,
                w: binned.w.get(at).copied().unwrap_or(*n as f64),
            })
        });
        entries.chain(binned)
    }
}

/// Ranks of bins in [0, 1], above those below it.
const INSIDE: u64 = 1 << 40;
/// Ranks of bins above 1.
const ABOVE: u64 = 1 << 41;

/// Bins of [0, 1] after so many halvings.
pub(crate) fn stride(halvings: u32) -> usize {
    ((SCORE_BINS - 1) >> halvings) as usize + 1
}

/// The finest bin of a score in [0, 1].
#[inline]
fn finest(score: f64) -> u32 {
    ((score * f64::from(SCORE_BINS)) as u32).min(SCORE_BINS - 1)
}

/// The tenth of [0, 1] that a score lies in.
#[inline]
pub(crate) fn tenth(score: f64) -> usize {
    (finest(score) >> TENTH) as usize
}

impl Binned {
    /// Whether bins are narrow enough for a reliability curve.
    pub(crate) fn calibrated(halvings: u32) -> bool {
        halvings <= TENTH
    }

    fn reserve(&mut self, slots: usize, weighted: bool) {
        let mut halvings = self.halvings;
        while halvings < MOST_HALVINGS && slots * stride(halvings) > MAX_BINS {
            halvings += 1;
        }
        self.coarsen(halvings);
        self.n.resize(slots * stride(halvings), 0);
        if weighted {
            self.w.resize(self.n.len(), 0.0);
        }
        if Self::calibrated(halvings) {
            self.sums.resize(slots, [Sum::default(); BINS]);
        }
    }

    fn coarsen(&mut self, halvings: u32) {
        if halvings == self.halvings {
            return;
        }
        let (before, after, shift) =
            (stride(self.halvings), stride(halvings), halvings - self.halvings);
        let place = |at: usize| at / before * after + ((at % before) >> shift);
        let mut n = vec![0; self.n.len() / before * after];
        self.n.iter().enumerate().for_each(|(at, rows)| n[place(at)] += rows);
        let mut w = vec![0.0; if self.w.is_empty() { 0 } else { n.len() }];
        self.w.iter().enumerate().for_each(|(at, weight)| w[place(at)] += weight);
        (self.n, self.w, self.halvings) = (n, w, halvings);
        if !Self::calibrated(halvings) {
            self.sums = Vec::new();
        }
    }

    /// Adds rows with a score in [0, 1].
    #[inline]
    fn add(&mut self, slot: u32, score: f64, n: u64, w: f64, score_sum: f64) {
        let finest = finest(score);
        let at = slot as usize * stride(self.halvings) + (finest >> self.halvings) as usize;
        self.n[at] += n;
        if let Some(weight) = self.w.get_mut(at) {
            *weight += w;
        }
        if let Some(sums) = self.sums.get_mut(slot as usize) {
            let sum = &mut sums[(finest >> TENTH) as usize];
            // Without weights exact, whatever the order: it is a score so many times.
            if self.w.is_empty() { sum.add(score, n) } else { sum.add(score_sum, 1) }
        }
    }

    /// Adds an exact entry, to `outside` if its score is not in [0, 1].
    fn or_outside(&mut self, outside: &mut Table, entry: &Entry) {
        let score = f64::from_bits(entry.key);
        if (0.0..=1.0).contains(&score) {
            self.add(entry.slot, score, entry.n, entry.w, entry.score_sum);
        } else {
            outside.add(entry.slot, score, entry.n, entry.w);
        }
    }

    fn merge(&mut self, other: &Self, slot: impl Fn(u32) -> u32) {
        self.coarsen(self.halvings.max(other.halvings));
        let (mine, theirs, shift) =
            (stride(self.halvings), stride(other.halvings), self.halvings - other.halvings);
        let place =
            |at: usize| slot((at / theirs) as u32) as usize * mine + ((at % theirs) >> shift);
        other.n.iter().enumerate().for_each(|(at, rows)| self.n[place(at)] += rows);
        other.w.iter().enumerate().for_each(|(at, weight)| self.w[place(at)] += weight);
        if !self.sums.is_empty() {
            for (at, sums) in other.sums.iter().enumerate() {
                self.sums[slot(at as u32) as usize]
                    .iter_mut()
                    .zip(sums)
                    .for_each(|(mine, theirs)| mine.merge(theirs));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn sorted(histogram: &Histogram) -> Vec<(u32, u64, u64)> {
        let mut rows: Vec<_> =
            histogram.rows().map(|rows| (rows.slot, rows.rank, rows.n)).collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn stays_exact_up_to_the_limit_and_bins_one_beyond() {
        let mut histogram = Histogram::new(false);
        histogram.reserve(1);
        for step in 0..MAX_SCORE_ENTRIES {
            histogram.add(0, step % 2, step as f64 / MAX_SCORE_ENTRIES as f64, 1, 1.0);
        }
        assert_eq!((histogram.bins(), histogram.rows().count()), (None, MAX_SCORE_ENTRIES));
        histogram.add(0, 0, 0.999_999_99, 1, 1.0);
        assert_eq!(histogram.bins(), Some(SCORE_BINS));
        assert_eq!(histogram.rows().map(|rows| rows.n).sum::<u64>(), MAX_SCORE_ENTRIES as u64 + 1);
    }

    #[test]
    fn partitions_end_with_the_same_bins_inside_and_outside_of_0_to_1() {
        for stretch in [1.0, 3.0] {
            let score = |row: u64| {
                ((row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64
                    - 0.1)
                    * stretch
                    + 0.1
            };
            let cells = 100_u64;
            let mut whole = Histogram::new(false);
            let mut parts = [Histogram::new(false), Histogram::new(false)];
            whole.reserve(cells as usize);
            for part in &mut parts {
                part.reserve(cells as usize);
            }
            for row in 0..300_000_u64 {
                let (cell, label) = ((row % cells) as u32, (row / cells % 2) as usize);
                whole.add(cell, label, score(row), 1, 1.0);
                parts[usize::from(row % 7 == 0)].add(cell, label, score(row), 1, 1.0);
            }
            let [left, right] = &parts;
            let same: Vec<u32> = (0..cells as u32).collect();
            for (one, other) in [(left, right), (right, left)] {
                let mut merged = one.clone();
                merged.merge(other, &same);
                assert_eq!(merged.bins(), whole.bins());
                assert_eq!(sorted(&merged), sorted(&whole));
                let sums = |histogram: &Histogram| histogram.binned.clone().unwrap().sums;
                assert_eq!(sums(&merged), sums(&whole));
            }
            assert!(whole.bins() < Some(SCORE_BINS));
        }
    }

    #[test]
    fn more_cells_make_wider_bins() {
        let mut histogram = Histogram::new(true);
        histogram.reserve(1);
        for step in 0..=MAX_SCORE_ENTRIES {
            histogram.add(0, 1, step as f64 / MAX_SCORE_ENTRIES as f64, 1, 0.5);
        }
        let finest = histogram.bins();
        histogram.reserve(10_000);
        histogram.add(9_999, 0, 1.0, 1, 2.0);
        assert!(histogram.bins() < finest);
        assert_eq!(
            histogram.rows().map(|rows| rows.w).sum::<f64>(),
            (MAX_SCORE_ENTRIES + 1) as f64 / 2.0 + 2.0
        );
        histogram.reserve(super::super::limits::MAX_CELLS);
        assert_eq!(histogram.bins(), Some(1));
        assert!(histogram.size() < 32 << 20);
    }

    #[test]
    fn tenths_hold_their_lower_edge() {
        assert_eq!([0.0, 0.05, 0.1, 0.3, 0.95, 1.0].map(tenth), [0, 0, 1, 3, 9, 9]);
    }
}
