//! Rows drawn by chance from a stream (Vitter 1985, algorithm R).

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Sample, rounded};
use crate::chance::chance;

/// So many numbers are kept at most, whatever the number of features.
const MOST_VALUES: usize = 1 << 22;

/// A row that was drawn.
#[derive(Debug, Clone)]
struct Drawn {
    row: u64,
    x: Vec<f64>,
    values: Vec<f64>,
}

/// The rows drawn so far.
#[derive(Debug, Clone)]
pub(super) struct Reservoir {
    room: usize,
    chance: ChaCha8Rng,
    drawn: Vec<Drawn>,
}

impl Reservoir {
    pub fn new(rows: usize, features: usize, seed: u64) -> Self {
        let room = rows.min(MOST_VALUES / features.max(1)).max(1);
        Self { room, chance: chance(seed, 0), drawn: Vec::new() }
    }

    /// The `row`-th row of the stream, counted from 0.
    pub fn add(&mut self, row: u64, x: &[f64], values: &[f64]) {
        let drawn = || Drawn { row, x: x.to_vec(), values: values.to_vec() };
        if self.drawn.len() < self.room {
            self.drawn.push(drawn());
            return;
        }
        let place = self.chance.random_range(0..=row);
        if let Some(room) = usize::try_from(place).ok().and_then(|place| self.drawn.get_mut(place))
        {
            *room = drawn();
        }
    }

    /// What was drawn, of these features.
    pub fn sample(mut self, features: &[usize]) -> Sample {
        self.drawn.sort_by_key(|drawn| drawn.row);
        let own = |feature: &usize| -> Vec<Option<f64>> {
            let x = self.drawn.iter().map(|drawn| drawn.x[*feature]);
            x.map(|x| x.is_finite().then(|| rounded(x))).collect()
        };
        let values = |feature: &usize| -> Vec<f64> {
            self.drawn.iter().map(|drawn| rounded(drawn.values[*feature])).collect()
        };
        Sample {
            features: features.to_vec(),
            rows: self.drawn.iter().map(|drawn| drawn.row).collect(),
            x: features.iter().map(own).collect(),
            values: features.iter().map(values).collect(),
        }
    }
}
