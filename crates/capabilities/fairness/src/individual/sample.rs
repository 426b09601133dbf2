//! Which rows are kept, and whose neighbours are sought, so that any table takes bounded memory and time.

use std::collections::BinaryHeap;

use rand::{RngExt, SeedableRng, seq::index};
use rand_chacha::ChaCha8Rng;

use super::matrix::Matrix;

/// The most numbers (rows times features) that are kept; beyond, rows are drawn at random.
pub const MAX_NUMBERS: usize = 1 << 23;
/// The most rows that are kept.
pub const MAX_ROWS: usize = 1 << 20;
/// Rows times rows times (features + 8) that are compared; beyond, the rows whose neighbours are sought are drawn at random.
pub const WORK: usize = 2_000_000_000;
/// What putting a row in its place costs, in features.
const PLACING: usize = 8;
/// Of at least so many rows neighbours are sought.
pub const MIN_ASKED: usize = 500;

/// How many rows of so many features are kept.
pub(super) fn room(features: usize) -> usize {
    (MAX_NUMBERS / features.max(1)).min(MAX_ROWS)
}

/// Which rows keep their places: those with the least numbers, which are drawn at random. What is kept of parts of the rows can
/// be put together.
#[derive(Debug, Clone)]
pub(super) struct Reservoir {
    room: usize,
    seed: u64,
    /// Begins with the first rows.
    chance: Option<ChaCha8Rng>,
    /// The numbers of the rows that have a place, the greatest first.
    kept: BinaryHeap<(u64, usize)>,
}

impl Reservoir {
    pub(super) fn new(room: usize, seed: u64) -> Self {
        Self { room, seed, chance: None, kept: BinaryHeap::new() }
    }

    /// A number for the next row. Parts that begin with other rows have other numbers, so that `first` must tell them apart.
    pub(super) fn number(&mut self, first: impl FnOnce() -> u64) -> u64 {
        let seed = self.seed;
        let chance = self.chance.get_or_insert_with(|| {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            chance.set_stream(first());
            chance
        });
        chance.random()
    }

    /// The place of a row with this number; it may have been another's.
    pub(super) fn place(&mut self, number: u64) -> Option<usize> {
        let place = if self.kept.len() < self.room {
            self.kept.len()
        } else {
            let mut last = self.kept.peek_mut()?;
            if number >= last.0 {
                return None;
            }
            let place = last.1;
            *last = (number, place);
            return Some(place);
        };
        self.kept.push((number, place));
        Some(place)
    }

    /// The numbers of all rows that have a place, by place.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let mut numbers = vec![0; self.kept.len()];
        self.kept.iter().for_each(|(number, place)| numbers[*place] = *number);
        numbers
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.kept.capacity() * size_of::<(u64, usize)>()
    }
}

/// The rows whose neighbours are sought: all of them, or some drawn at random, in whatever order they came. `ranks` says where a
/// cell is among all, by name.
pub(super) fn asked(matrix: &Matrix, ranks: &[usize], seed: u64) -> Vec<usize> {
    let rows = matrix.cells.len();
    let affordable = WORK / rows.saturating_mul(matrix.width + PLACING).max(1);
    let count = affordable.max(MIN_ASKED);
    if count >= rows {
        return (0..rows).collect();
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(1);
    let ordered = matrix.ordered(ranks);
    let drawn = index::sample(&mut chance, rows, count);
    let mut drawn: Vec<usize> = drawn.into_iter().map(|at| ordered[at]).collect();
    drawn.sort_unstable();
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows that keep their places.
    fn kept(drawn: &mut Reservoir, rows: impl Iterator<Item = (u64, usize)>) -> Vec<usize> {
        let mut places = Vec::new();
        for (number, row) in rows {
            match drawn.place(number) {
                Some(place) if place == places.len() => places.push(row),
                Some(place) => places[place] = row,
                None => {}
            }
        }
        places.sort_unstable();
        places
    }

    #[test]
    fn parts_keep_what_the_whole_keeps() {
        let mut chance = Reservoir::new(0, 7);
        let rows: Vec<(u64, usize)> = (0..1_000).map(|row| (chance.number(|| 3), row)).collect();
        let whole = kept(&mut Reservoir::new(50, 0), rows.iter().copied());
        assert_eq!(whole.len(), 50);
        let mut merged = Reservoir::new(50, 0);
        let mut held: Vec<(u64, usize)> = Vec::new();
        for part in [&rows[600..], &rows[..10], &rows[10..600]] {
            let mut drawn = Reservoir::new(50, 0);
            let places = kept(&mut drawn, part.iter().copied());
            held.extend(part.iter().filter(|(_, row)| places.contains(row)));
        }
        assert_eq!(kept(&mut merged, held.into_iter()), whole);
        assert_eq!(merged.numbers().len(), 50);
    }

    #[test]
    fn each_row_is_as_likely_to_be_kept() {
        let mut counts = [0_u32; 20];
        for seed in 0..2_000 {
            let mut drawn = Reservoir::new(5, seed);
            let rows: Vec<(u64, usize)> = (0..20).map(|row| (drawn.number(|| 1), row)).collect();
            for row in kept(&mut drawn, rows.into_iter()) {
                counts[row] += 1;
            }
        }
        // 500 each, with a standard deviation of 19.
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }
}
