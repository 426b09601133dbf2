//! A hash table of rows by slot and score: exact scores, or bins of them by their leading bits.

/// The slot of a place that holds nothing.
const VACANT: u32 = u32::MAX;
/// Binned at the finest, a score keeps its sign, its exponent and twelve bits more.
const FINEST: u32 = 40;
/// At this level one bin is left.
pub(crate) const LAST_LEVEL: u32 = 25;

/// Rows of one slot (a cell and a label) and score, or bin of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry {
    pub slot: u32,
    /// Bits of the score; its bin's number, ascending with the score, at a level above 0.
    pub key: u64,
    pub n: u64,
    pub w: f64,
    /// Sum of w s.
    pub score_sum: f64,
}

const EMPTY: Entry = Entry { slot: VACANT, key: 0, n: 0, w: 0.0, score_sum: 0.0 };

/// Rows by slot and score.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// 0: exact scores. From 1: bins, twice as wide with each level.
    level: u32,
    len: usize,
    entries: Vec<Entry>,
}

impl Default for Table {
    fn default() -> Self {
        Self { level: 0, len: 0, entries: vec![EMPTY; 1 << 6] }
    }
}

impl Table {
    /// An empty table of bins.
    pub(crate) fn binned() -> Self {
        Self { level: 1, ..Self::default() }
    }

    pub(crate) fn level(&self) -> u32 {
        self.level
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn size(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.slot != VACANT)
    }

    /// Makes room for so many entries in all, so that the table need not grow step by step.
    pub(crate) fn reserve(&mut self, entries: usize) {
        let size = (entries * 2).next_power_of_two();
        if size > self.entries.len() {
            self.rebuild(self.level, size);
        }
    }

    /// Adds rows with this score.
    #[inline]
    pub(crate) fn add(&mut self, slot: u32, score: f64, n: u64, w: f64) {
        let key = if self.level == 0 {
            exact_key(score)
        } else {
            (ordered(score) >> FINEST) >> (self.level - 1)
        };
        self.insert(Entry { slot, key, n, w, score_sum: w * score });
    }

    /// Adds an entry of a table at `level`, which must not be above this one's.
    pub(crate) fn add_entry(&mut self, entry: Entry, level: u32) {
        let key = match (level, self.level) {
            (from, to) if from >= to => entry.key,
            (0, to) => (ordered(f64::from_bits(entry.key)) >> FINEST) >> (to - 1),
            (from, to) => entry.key >> (to - from),
        };
        self.insert(Entry { key, ..entry });
    }

    #[inline]
    fn insert(&mut self, entry: Entry) {
        let mask = self.entries.len() - 1;
        let mut at = place(entry.slot, entry.key) & mask;
        loop {
            let found = &mut self.entries[at];
            if found.slot == entry.slot && found.key == entry.key {
                found.n += entry.n;
                found.w += entry.w;
                found.score_sum += entry.score_sum;
                return;
            }
            if found.slot == VACANT {
                *found = entry;
                self.len += 1;
                break;
            }
            at = (at + 1) & mask;
        }
        if self.len * 2 > self.entries.len() {
            self.rebuild(self.level, self.entries.len() * 2);
        }
    }

    /// Coarsens until at most so many entries are left, or one bin for each slot.
    pub(crate) fn coarsen(&mut self, most: usize) {
        while self.level > 0 && self.len > most && self.level < LAST_LEVEL {
            self.rebuild(self.level + 1, self.entries.len());
        }
    }

    /// Coarsens to at least this level.
    pub(crate) fn rise_to(&mut self, level: u32) {
        if level > self.level {
            self.rebuild(level, self.entries.len());
        }
    }

    #[cold]
    fn rebuild(&mut self, level: u32, size: usize) {
        let old = std::mem::replace(&mut self.entries, vec![EMPTY; size]);
        let before = std::mem::replace(&mut self.level, level);
        self.len = 0;
        for entry in old.into_iter().filter(|entry| entry.slot != VACANT) {
            self.add_entry(entry, before);
        }
    }

    /// Where the entry's score stands among all of this table: ascending with the score.
    pub(crate) fn rank(&self, entry: &Entry) -> u64 {
        if self.level == 0 { ordered(f64::from_bits(entry.key)) } else { entry.key }
    }

    /// The entry's score; its mean score, if it is a bin.
    pub(crate) fn score(&self, entry: &Entry) -> f64 {
        if self.level == 0 {
            f64::from_bits(entry.key)
        } else if entry.w > 0.0 {
            entry.score_sum / entry.w
        } else {
            0.0
        }
    }
}

/// The score's bits; both zeros have the same.
fn exact_key(score: f64) -> u64 {
    (score + 0.0).to_bits()
}

/// Bits that ascend with the number.
pub(crate) fn ordered(score: f64) -> u64 {
    let bits = score.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
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

    #[test]
    fn bins_ascend_with_the_score_and_coarsen_to_one_for_each_slot() {
        let scores = [-1e300, -2.0, -1e-9, -0.5, 1.000_1, 1.5, 7.0, 1e300];
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut table = Table::binned();
        for score in scores {
            table.add(0, score, 1, 1.0);
        }
        let mut entries: Vec<Entry> = table.entries().copied().collect();
        entries.sort_by_key(|entry| table.rank(entry));
        assert_eq!(entries.iter().map(|entry| entry.score_sum).collect::<Vec<_>>(), sorted);
        table.coarsen(1);
        assert_eq!(table.len(), 1);
        assert_eq!(table.entries().map(|entry| entry.n).sum::<u64>(), 8);
    }

    #[test]
    fn both_zeros_are_one_score() {
        let mut table = Table::default();
        table.add(3, 0.0, 1, 1.0);
        table.add(3, -0.0, 1, 1.0);
        assert_eq!((table.len(), table.entries().next().unwrap().n), (1, 2));
    }
}
