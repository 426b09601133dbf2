//! Labelled rows by group, label and score.

use super::limits::{MAX_SCORE_ENTRIES, SCORE_BINS};

/// Bins below [0, 1] have smaller numbers, those above greater ones.
const FIRST_BIN: u64 = 1 << 16;
const ABOVE: u64 = 1 << 17;
const EMPTY: u32 = u32::MAX;
/// From here on bins are wider than a tenth, and no calibration can be had from them.
const LAST_CALIBRATED: u32 = 10;
/// One bin is left for all of [0, 1].
pub(crate) const LAST_LEVEL: u32 = 18;

/// Rows of one (cell, label, score or bin).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    /// Twice the cell's number, plus the label; `EMPTY` in an empty slot.
    pub slot: u32,
    /// Bits of the score; or the number of its bin.
    pub key: u64,
    pub n: u64,
    pub w: f64,
    /// Sum of w s.
    pub score_sum: f64,
}

const VACANT: Entry = Entry { slot: EMPTY, key: 0, n: 0, w: 0.0, score_sum: 0.0 };

/// Labelled rows by group, label and score: exact while there are few enough distinct entries, then in ever coarser bins.
///
/// The level depends on the set of distinct entries alone: it only rises when the entries at the present level are too many,
/// so every order of rows and every partitioning ends at the same level.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Histogram {
    /// 0: exact scores; from 1: bins, twice as wide with each level.
    level: u32,
    len: usize,
    table: Vec<Entry>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { level: 0, len: 0, table: vec![VACANT; 1 << 8] }
    }
}

impl Histogram {
    pub(crate) fn level(&self) -> u32 {
        self.level
    }

    /// How many bins [0, 1] has; `None` while scores are exact.
    pub(crate) fn bins(&self) -> Option<u32> {
        self.level.checked_sub(1).map(|halvings| (SCORE_BINS >> halvings).max(1))
    }

    pub(crate) fn size(&self) -> usize {
        self.table.capacity() * size_of::<Entry>()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter().filter(|entry| entry.slot != EMPTY)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds a row with a finite score.
    #[inline]
    pub(crate) fn add(&mut self, cell: u32, label: usize, score: f64, weight: f64) {
        let key = if self.level == 0 { exact_key(score) } else { bin(score) >> (self.level - 1) };
        self.insert(Entry {
            slot: cell * 2 + label as u32,
            key,
            n: 1,
            w: weight,
            score_sum: weight * score,
        });
    }

    /// Adds an entry made at `level` (at most this one's: see [`Self::rise_to`]).
    pub(crate) fn add_entry(&mut self, entry: Entry, level: u32) {
        let key = rekey(entry.key, level, self.level);
        self.insert(Entry { key, ..entry });
    }

    /// Coarsens to at least `level`.
    pub(crate) fn rise_to(&mut self, level: u32) {
        if level > self.level {
            self.rebuild(level, self.table.len());
        }
    }

    #[inline]
    fn insert(&mut self, entry: Entry) {
        let mask = self.table.len() - 1;
        let mut at = place(entry.slot, entry.key) & mask;
        loop {
            let found = &mut self.table[at];
            if found.slot == entry.slot && found.key == entry.key {
                found.n += entry.n;
                found.w += entry.w;
                found.score_sum += entry.score_sum;
                return;
            }
            if found.slot == EMPTY {
                *found = entry;
                self.len += 1;
                break;
            }
            at = (at + 1) & mask;
        }
        if self.len * 2 > self.table.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        while self.len * 2 > self.table.len() {
            // At the last level only cell and label are left, which have a limit of their own: the table may grow.
            if self.len > MAX_SCORE_ENTRIES && self.level < LAST_LEVEL {
                self.rebuild(self.level + 1, self.table.len());
            } else {
                self.rebuild(self.level, self.table.len() * 2);
            }
        }
    }

    fn rebuild(&mut self, level: u32, size: usize) {
        let old = std::mem::replace(&mut self.table, vec![VACANT; size]);
        let before = self.level;
        self.level = level;
        self.len = 0;
        let mask = size - 1;
        for mut entry in old.into_iter().filter(|entry| entry.slot != EMPTY) {
            entry.key = rekey(entry.key, before, level);
            let mut at = place(entry.slot, entry.key) & mask;
            loop {
                let found = &mut self.table[at];
                if found.slot == EMPTY {
                    *found = entry;
                    self.len += 1;
                    break;
                }
                if found.slot == entry.slot && found.key == entry.key {
                    found.n += entry.n;
                    found.w += entry.w;
                    found.score_sum += entry.score_sum;
                    break;
                }
                at = (at + 1) & mask;
            }
        }
    }

    /// Where the entry's score stands among all: ascending with the score.
    pub(crate) fn rank(&self, entry: &Entry) -> u64 {
        if self.level == 0 { ordered(f64::from_bits(entry.key)) } else { entry.key }
    }

    /// On which of ten equal bins of [0, 1] the entry lies.
    pub(crate) fn decile(&self, entry: &Entry) -> Option<u8> {
        if self.level > LAST_CALIBRATED {
            return None;
        }
        let bin = if self.level == 0 {
            bin(f64::from_bits(entry.key))
        } else {
            entry.key << (self.level - 1)
        };
        (FIRST_BIN..FIRST_BIN + u64::from(SCORE_BINS))
            .contains(&bin)
            .then(|| ((bin - FIRST_BIN) * 10 / u64::from(SCORE_BINS)) as u8)
    }
}

/// The score's bits; both zeros have the same.
fn exact_key(score: f64) -> u64 {
    (score + 0.0).to_bits()
}

/// The finest bin: ascending with the score, equal widths in [0, 1].
fn bin(score: f64) -> u64 {
    if (0.0..=1.0).contains(&score) {
        FIRST_BIN + ((score * f64::from(SCORE_BINS)) as u64).min(u64::from(SCORE_BINS) - 1)
    } else if score < 0.0 {
        ordered(score) >> 48
    } else {
        ABOVE + (score.to_bits() >> 48)
    }
}

/// Bits that ascend with the number.
fn ordered(score: f64) -> u64 {
    let bits = score.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// An entry's key at another, not finer, level.
fn rekey(key: u64, from: u32, to: u32) -> u64 {
    match (from, to) {
        (from, to) if from == to => key,
        (0, to) => bin(f64::from_bits(key)) >> (to - 1),
        (from, to) => key >> (to - from),
    }
}

#[inline]
fn place(slot: u32, key: u64) -> usize {
    // Multiply and fold (as in foldhash): the low bits of a score's bits are often zero.
    let product =
        u128::from(key ^ (u64::from(slot) << 32 | u64::from(slot))) * 0x9E37_79B9_7F4A_7C15_u128;
    ((product >> 64) as u64 ^ product as u64) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn sorted(histogram: &Histogram) -> Vec<(u32, u64, u64)> {
        let mut entries: Vec<_> =
            histogram.entries().map(|entry| (entry.slot, entry.key, entry.n)).collect();
        entries.sort_unstable();
        entries
    }

    #[test]
    fn stays_exact_up_to_the_limit_and_bins_one_beyond() {
        let mut histogram = Histogram::default();
        for step in 0..MAX_SCORE_ENTRIES {
            histogram.add(0, step % 2, step as f64 / MAX_SCORE_ENTRIES as f64, 1.0);
        }
        assert_eq!((histogram.bins(), histogram.len()), (None, MAX_SCORE_ENTRIES));
        histogram.add(0, 0, 0.999_999_99, 1.0);
        assert_eq!(histogram.bins(), Some(SCORE_BINS));
        assert_eq!(
            histogram.entries().map(|entry| entry.n).sum::<u64>(),
            MAX_SCORE_ENTRIES as u64 + 1
        );
    }

    #[test]
    fn partitions_end_at_the_same_level_and_bins() {
        let score = |row: u64| {
            (row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64
        };
        let cells = 40;
        let mut whole = Histogram::default();
        let mut parts = [Histogram::default(), Histogram::default()];
        for row in 0..300_000_u64 {
            let (cell, label) = ((row % cells) as u32, (row / cells % 2) as usize);
            whole.add(cell, label, score(row), 1.0);
            parts[usize::from(row % 7 == 0)].add(cell, label, score(row), 1.0);
        }
        let [mut left, mut right] = parts;
        left.rise_to(right.level());
        right.rise_to(left.level());
        let level = right.level();
        for entry in right.entries().copied().collect::<Vec<_>>() {
            left.rise_to(level);
            left.add_entry(entry, level);
        }
        assert_eq!(left.level(), whole.level());
        assert!(whole.level() > 1);
        assert_eq!(sorted(&left), sorted(&whole));
    }

    #[test]
    fn bins_ascend_with_the_score() {
        let scores =
            [-1e300, -2.0, -1e-9, -0.0, 0.0, 0.05, 0.1, 0.3, 0.95, 1.0, 1.000_1, 7.0, 1e300];
        let bins: Vec<u64> = scores.iter().map(|score| bin(*score)).collect();
        assert!(bins.is_sorted(), "{bins:?}");
        let mut histogram = Histogram::default();
        for score in [0.0, 0.3, 0.999, 1.0, 1.5] {
            histogram.add(0, 0, score, 1.0);
        }
        let mut deciles: Vec<Option<u8>> =
            histogram.entries().map(|entry| histogram.decile(entry)).collect();
        deciles.sort_unstable();
        assert_eq!(deciles, [None, Some(0), Some(3), Some(9), Some(9)]);
    }
}
