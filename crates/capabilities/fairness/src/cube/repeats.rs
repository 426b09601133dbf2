//! Scores that come again and again, as scorecards and rounded probabilities do.
//!
//! Such rows are only counted, by score and slot, in a space that stays in the processor's cache; sums and histogram get
//! each score once, with the number of its rows. Sums are exact and the histogram counts, so the cube is the same either way.

/// The most distinct scores that are counted so.
const MOST_SCORES: usize = 4_096;
/// The most counts: 2 MiB of them.
const MOST_COUNTS: usize = 1 << 19;
/// The code of a place that holds nothing.
const VACANT: u32 = u32::MAX;

/// Rows by score and slot (a cell and a label), until they are drained.
#[derive(Debug, Clone)]
pub(crate) struct Repeats {
    open: bool,
    /// A hash table from a score's bits to its code.
    places: Vec<(u64, u32)>,
    scores: Vec<f64>,
    slots: usize,
    /// By code, then slot.
    counts: Vec<u32>,
    /// Rows counted; a count of 32 bits cannot overflow while this one does not.
    rows: u32,
}

impl Repeats {
    pub(crate) fn new() -> Self {
        Self {
            open: true,
            places: vec![(0, VACANT); 1 << 6],
            scores: Vec::new(),
            slots: 0,
            counts: Vec::new(),
            rows: 0,
        }
    }

    /// What is counted so far: how many slots there are, the scores, and the rows by score, then slot.
    pub(crate) fn parts(&self) -> (usize, &[f64], &[u32]) {
        (self.slots, &self.scores, &self.counts)
    }

    /// From the same parts, of whose slots the first `used` may have rows; `None` if they do not fit together.
    pub(crate) fn restore(
        slots: usize,
        scores: Vec<f64>,
        counts: Vec<u32>,
        used: usize,
    ) -> Option<Self> {
        let mut restored = Self { slots, ..Self::new() };
        if slots == 0 && !scores.is_empty() {
            return None;
        }
        for score in scores {
            // A score that came twice would be found at its first place alone.
            if !score.is_finite() || restored.count(score, 0, 0) || !restored.learn(score) {
                return None;
            }
        }
        if counts.len() != restored.counts.len() {
            return None;
        }
        for (at, rows) in counts.iter().enumerate().filter(|(_, rows)| **rows > 0) {
            if at % slots >= used {
                return None;
            }
            restored.rows = restored.rows.checked_add(*rows)?;
        }
        restored.counts = counts;
        Some(restored)
    }

    /// Whether scores come again often enough, so far.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn size(&self) -> usize {
        self.places.capacity() * size_of::<(u64, u32)>()
            + self.scores.capacity() * 8
            + self.counts.capacity() * 4
    }

    /// Whether so many rows of so many slots can be counted before it is drained.
    pub(crate) fn has_room(&self, slots: usize, rows: usize) -> bool {
        slots <= self.slots
            && u32::try_from(rows).is_ok_and(|rows| self.rows.checked_add(rows).is_some())
    }

    /// Makes room for slots, with some to spare; to be drained before.
    pub(crate) fn make_room(&mut self, slots: usize) {
        debug_assert!(self.is_empty(), "rows would be lost");
        if slots > self.slots {
            self.slots = slots + slots / 4;
        }
        if self.scores.len() * self.slots > MOST_COUNTS {
            self.close();
        } else {
            self.counts.clear();
            self.counts.resize(self.scores.len() * self.slots, 0);
        }
    }

    /// Gives up; to be drained before.
    pub(crate) fn close(&mut self) {
        *self = Self { open: false, places: Vec::new(), ..Self::new() };
    }

    /// Rows counted.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// Counts one row after another, each in its cell and label (a third of its bucket), up to the first whose score is a
    /// new one. Returns how many it counted.
    pub(crate) fn count_run(&mut self, scores: &[f64], cells: &[u32], buckets: &[u32]) -> usize {
        // Slices of their own, so that nothing is looked up again for each row.
        let (places, counts) = (self.places.as_slice(), self.counts.as_mut_slice());
        let (slots, mask) = (self.slots, places.len() - 1);
        let mut counted = 0;
        'rows: for ((score, cell), bucket) in scores.iter().zip(cells).zip(buckets) {
            // A negative zero is zero.
            let key = (score + 0.0).to_bits();
            let mut at = place(key) & mask;
            loop {
                let (found, code) = places[at];
                if code == VACANT {
                    break 'rows;
                }
                if found == key {
                    counts[code as usize * slots + (cell * 3 + bucket / 3) as usize] += 1;
                    break;
                }
                at = (at + 1) & mask;
            }
            counted += 1;
        }
        self.rows += counted as u32;
        counted
    }

    /// Counts rows. `false`: the score is a new one, see [`Repeats::learn`].
    #[inline]
    pub(crate) fn count(&mut self, score: f64, slot: usize, rows: u32) -> bool {
        let key = score.to_bits();
        let mask = self.places.len() - 1;
        let mut at = place(key) & mask;
        loop {
            let (found, code) = self.places[at];
            if code == VACANT {
                return false;
            }
            if found == key {
                self.counts[code as usize * self.slots + slot] += rows;
                self.rows += rows;
                return true;
            }
            at = (at + 1) & mask;
        }
    }

    /// Takes up a new score, which must be finite. `false`: there are too many; it is to be drained and closed.
    #[cold]
    pub(crate) fn learn(&mut self, score: f64) -> bool {
        if self.scores.len() == MOST_SCORES
            || (self.scores.len() + 1).saturating_mul(self.slots) > MOST_COUNTS
        {
            return false;
        }
        self.scores.push(score);
        self.counts.resize(self.scores.len() * self.slots, 0);
        if self.scores.len() * 2 > self.places.len() {
            self.places = vec![(0, VACANT); self.places.len() * 2];
            for code in 0..self.scores.len() {
                self.enter(code);
            }
        } else {
            self.enter(self.scores.len() - 1);
        }
        true
    }

    fn enter(&mut self, code: usize) {
        let key = self.scores[code].to_bits();
        let mask = self.places.len() - 1;
        let mut at = place(key) & mask;
        while self.places[at].1 != VACANT {
            at = (at + 1) & mask;
        }
        self.places[at] = (key, code as u32);
    }

    /// Each score, with its rows by slot.
    pub(crate) fn by_score(&self) -> impl Iterator<Item = (f64, &[u32])> {
        // Without slots there are no counts, and chunks need a length.
        self.scores.iter().copied().zip(self.counts.chunks(self.slots.max(1)))
    }

    /// Slot, score and rows of all that is counted.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, f64, u32)> {
        self.by_score().flat_map(|(score, counts)| {
            counts
                .iter()
                .enumerate()
                .filter(|(_, rows)| **rows > 0)
                .map(move |(slot, rows)| (slot, score, *rows))
        })
    }

    /// The same, and counts from nothing again.
    pub(crate) fn drain(&mut self) -> Vec<(usize, f64, u32)> {
        let entries = self.entries().collect();
        self.counts.fill(0);
        self.rows = 0;
        entries
    }
}

#[inline]
fn place(key: u64) -> usize {
    // Multiply and fold, as the table of scores does: the low bits of a score's bits are often zero.
    let product = u128::from(key) * 0x9E37_79B9_7F4A_7C15_u128;
    ((product >> 64) as u64 ^ product as u64) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_drained_once() {
        let mut repeats = Repeats::new();
        repeats.make_room(2);
        for row in 0..1_000 {
            let score = f64::from(row % 100) / 100.0;
            if !repeats.count(score, row as usize % 2, 1) {
                assert!(repeats.learn(score) && repeats.count(score, row as usize % 2, 1));
            }
        }
        let drained = repeats.drain();
        assert_eq!(drained.len(), 100);
        assert!(drained.iter().all(|(slot, score, rows)| {
            *rows == 10 && (score * 100.0).round() as usize % 2 == *slot
        }));
        assert!(repeats.is_empty() && repeats.drain().is_empty());
    }

    #[test]
    fn is_restored_from_its_parts_and_from_no_others() {
        let mut repeats = Repeats::new();
        repeats.make_room(2);
        for score in [0.5, 0.25] {
            assert!(repeats.learn(score) && repeats.count(score, 1, 3));
        }
        let (slots, scores, counts) = repeats.parts();
        let (scores, counts) = (scores.to_vec(), counts.to_vec());
        let mut again = Repeats::restore(slots, scores.clone(), counts.clone(), 2).unwrap();
        assert_eq!(again.rows(), 6);
        assert_eq!(again.drain(), repeats.drain());
        let refused = |scores: &[f64], counts: &[u32], used| {
            Repeats::restore(slots, scores.to_vec(), counts.to_vec(), used).is_none()
        };
        assert!(refused(&scores, &counts, 1), "rows in a slot that is not used");
        assert!(refused(&scores, &counts[1..], 2), "counts are missing");
        assert!(refused(&[0.5, 0.5], &counts, 2), "a score twice");
        assert!(refused(&[0.5, f64::NAN], &counts, 2), "no score");
        assert!(refused(&scores, &vec![u32::MAX; counts.len()], 2), "too many rows");
    }

    #[test]
    fn too_many_scores_are_refused_and_too_many_slots_close_it() {
        let mut repeats = Repeats::new();
        repeats.make_room(3);
        assert!((0..MOST_SCORES).all(|score| repeats.learn(score as f64)));
        assert!(!repeats.learn(-1.0));
        repeats.make_room(3 * MOST_COUNTS / MOST_SCORES);
        assert!(!repeats.is_open() && repeats.size() == 0);
    }
}
