//! Rates as the sums of some of a table's nine places: so that a draw computes many of them from a few sums.

use crate::{
    metrics::Measure,
    tally::{Count, Tally},
};

/// The places of rows that have both label and prediction.
const JUDGED: [usize; 4] = [0, 1, 3, 4];

/// A rate: the rows of some places, of the rows of some places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    hits: Places,
    all: Places,
}

#[derive(Debug, Clone, Copy)]
enum Places {
    /// Some of the four judged ones, a bit for each.
    Judged(usize),
    /// Any: 1 for each that counts.
    Any([f64; 9]),
}

/// A table with the sums of each choice of its judged places.
pub(super) struct Sums<'a> {
    table: &'a [f64; 9],
    judged: [f64; 16],
}

impl<'a> Sums<'a> {
    pub(super) fn of(table: &'a [f64; 9]) -> Self {
        let mut judged = [0.0; 16];
        for choice in 1..16_usize {
            let first = choice.trailing_zeros() as usize;
            judged[choice] = judged[choice & (choice - 1)] + table[JUDGED[first]];
        }
        Self { table, judged }
    }

    fn sum(&self, places: Places) -> f64 {
        match places {
            Places::Judged(choice) => self.judged[choice],
            Places::Any(counts) => {
                self.table.iter().zip(counts).map(|(weight, counts)| weight * counts).sum()
            }
        }
    }
}

impl Share {
    /// The metric's, if that is what it is.
    pub(super) fn of(measure: Measure) -> Option<Self> {
        let Measure::Rate(of, _) = measure else { return None };
        let (mut hits, mut all) = ([0.0; 9], [0.0; 9]);
        for place in 0..9 {
            let mut tally = Tally::default();
            tally.cells[place / 3][place % 3] = Count { n: 1, w: 1.0, w2: 1.0 };
            let (hit, any) = of(&tally);
            (hits[place], all[place]) = (hit.w, any.w);
        }
        Some(Self { hits: Places::of(hits)?, all: Places::of(all)? })
    }

    /// Its value; NaN where it is undefined.
    pub(super) fn value(&self, sums: &Sums<'_>) -> f64 {
        sums.sum(self.hits) / sums.sum(self.all)
    }
}

impl Places {
    fn of(counts: [f64; 9]) -> Option<Self> {
        if counts.iter().any(|counts| *counts != 0.0 && *counts != 1.0) {
            return None;
        }
        let other = |place: &usize| !JUDGED.contains(place) && counts[*place] > 0.0;
        if (0..9).any(|place| other(&place)) {
            return Some(Self::Any(counts));
        }
        let bits = JUDGED.iter().enumerate().filter(|(_, place)| counts[**place] > 0.0);
        Some(Self::Judged(bits.map(|(bit, _)| 1 << bit).sum()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::metrics;

    #[test]
    fn every_rate_of_counts_is_the_same_by_its_places() {
        let table: [f64; 9] =
            std::array::from_fn(|place| [3.0, 5.0, 7.0][place % 3] + place as f64);
        let mut tally = Tally::default();
        for (count, weight) in tally.cells.iter_mut().flatten().zip(table) {
            *count = Count { n: 1, w: weight, w2: weight };
        }
        let mut found = 0;
        for metric in metrics::registry() {
            let (Measure::Rate(of, _), Some(share)) = (metric.measure, Share::of(metric.measure))
            else {
                continue;
            };
            let (hits, all) = of(&tally);
            let (value, expected) = (share.value(&Sums::of(&table)), hits.w / all.w);
            assert!((value - expected).abs() < 1e-12, "{}: {value} {expected}", metric.id);
            found += 1;
        }
        assert!(found >= 10, "{found}");
    }
}
