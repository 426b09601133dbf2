//! Which rows are kept, and whose neighbours are sought, so that any table takes bounded memory and time.

use rand::{RngExt, SeedableRng, seq::index};
use rand_chacha::ChaCha8Rng;

use super::table::Matrix;

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

/// A place for the next row, when so many came before: algorithm R, seeded.
#[derive(Debug, Clone)]
pub(super) struct Reservoir {
    room: usize,
    chance: ChaCha8Rng,
}

impl Reservoir {
    pub(super) fn new(room: usize, seed: u64) -> Self {
        Self { room, chance: ChaCha8Rng::seed_from_u64(seed) }
    }

    pub(super) fn place(&mut self, before: u64) -> Option<usize> {
        if before < self.room as u64 {
            return Some(before as usize);
        }
        let place = self.chance.random_range(0..=before);
        (place < self.room as u64).then_some(place as usize)
    }
}

/// The rows whose neighbours are sought: all of them, or some drawn at random.
pub(super) fn asked(matrix: &Matrix, seed: u64) -> Vec<usize> {
    let rows = matrix.cells.len();
    let affordable = WORK / rows.saturating_mul(matrix.width + PLACING).max(1);
    let count = affordable.max(MIN_ASKED);
    if count >= rows {
        return (0..rows).collect();
    }
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(1);
    let mut drawn = index::sample(&mut chance, rows, count).into_vec();
    drawn.sort_unstable();
    drawn
}
