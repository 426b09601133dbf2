//! Rates as the sums of some of a table's places: so that bootstrap draws compute them without a tally of each.

use crate::{
    lanes::{self, LANES, Lanes, PLACES, Table},
    metrics::Measure,
    tally::{Count, MISSING, Tally},
};

/// A rate: the rows of some places, of the rows of some places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    hits: [bool; PLACES],
    all: [bool; PLACES],
}

impl Share {
    /// The metric's, if that is what it is.
    pub(super) fn of(measure: Measure) -> Option<Self> {
        let Measure::Rate(of, _) = measure else { return None };
        let (mut hits, mut all) = ([false; PLACES], [false; PLACES]);
        for place in 0..PLACES {
            let mut tally = Tally::default();
            tally.cells[place / (MISSING + 1)][place % (MISSING + 1)] =
                Count { n: 1, w: 1.0, w2: 1.0 };
            let (hit, any) = of(&tally);
            (hits[place], all[place]) = (counts(hit)?, counts(any)?);
        }
        Some(Self { hits, all })
    }

    /// Its values; NaN where it is undefined.
    pub(super) fn values(&self, table: &Table, out: &mut Lanes) {
        *out = sums(table, &self.hits);
        for (hits, all) in out.iter_mut().zip(sums(table, &self.all)) {
            *hits /= all;
        }
    }
}

/// Whether a place counts; `None` when it counts in part.
fn counts(count: Count) -> Option<bool> {
    [(0.0, false), (1.0, true)].into_iter().find(|(w, _)| *w == count.w).map(|(_, counts)| counts)
}

fn sums(table: &Table, places: &[bool; PLACES]) -> Lanes {
    let mut sums = [0.0; LANES];
    for (lanes, _) in table.iter().zip(places).filter(|(_, counts)| **counts) {
        lanes::add(&mut sums, lanes);
    }
    sums
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::metrics;

    #[test]
    fn every_rate_of_counts_is_the_same_by_its_places() {
        let table: Table = std::array::from_fn(|place| {
            std::array::from_fn(|lane| [3.0, 5.0, 7.0][place % 3] + (place * lane) as f64)
        });
        let mut found = 0;
        for metric in metrics::registry() {
            let (Measure::Rate(of, _), Some(share)) = (metric.measure, Share::of(metric.measure))
            else {
                continue;
            };
            let mut values = [0.0; LANES];
            share.values(&table, &mut values);
            for (lane, value) in values.into_iter().enumerate() {
                let mut tally = Tally::default();
                for (count, weights) in tally.cells.iter_mut().flatten().zip(&table) {
                    *count = Count { n: 1, w: weights[lane], w2: weights[lane] };
                }
                let (hits, all) = of(&tally);
                let expected = hits.w / all.w;
                assert!((value - expected).abs() < 1e-12, "{}: {value} {expected}", metric.id);
            }
            found += 1;
        }
        assert!(found >= 10, "{found}");
    }
}
