//! Numbers in ranges.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::statistics::{deviation, distinct, mean, quantile};

/// Into which ranges numbers are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discretizer {
    /// Four of about as many rows each.
    Quartiles,
    /// Ten.
    Deciles,
    /// None: numbers are taken as they are, in standard deviations.
    None,
}

/// Ranges of a feature's values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bins {
    /// Between the ranges; what is equal to one belongs to the range below it.
    cuts: Vec<f64>,
    /// The rows of each.
    pub counts: Vec<f64>,
    /// What each range's values are drawn like.
    shapes: Vec<Shape>,
}

#[derive(Debug, Clone, PartialEq)]
struct Shape {
    least: f64,
    greatest: f64,
    mean: f64,
    deviation: f64,
}

impl Bins {
    /// Of values in ascending order, at least one.
    pub fn new(ascending: &[f64], discretizer: Discretizer) -> Self {
        let shares: Vec<f64> = match discretizer {
            Discretizer::Quartiles => vec![0.25, 0.5, 0.75],
            Discretizer::Deciles => (1..10).map(|tenth| f64::from(tenth) * 0.1).collect(),
            Discretizer::None => Vec::new(),
        };
        let cuts = distinct(shares.iter().map(|share| quantile(ascending, *share)).collect());
        let edges: Vec<f64> = std::iter::once(ascending[0])
            .chain(cuts.iter().copied())
            .chain(ascending.last().copied())
            .collect();
        let mut start = 0;
        let (mut counts, mut shapes) = (Vec::new(), Vec::new());
        for (bin, edge) in edges.windows(2).enumerate() {
            let end = match cuts.get(bin) {
                Some(cut) => ascending.partition_point(|value| value <= cut),
                None => ascending.len(),
            };
            let own = &ascending[start..end.max(start)];
            counts.push(own.len() as f64);
            shapes.push(Shape {
                least: edge[0],
                greatest: edge[1],
                mean: mean(own),
                deviation: deviation(own, 0) + 1e-11,
            });
            start = end.max(start);
        }
        Self { cuts, counts, shapes }
    }

    /// The range of a value.
    pub fn of(&self, value: f64) -> usize {
        self.cuts.partition_point(|cut| *cut < value)
    }

    /// Where the range of a value begins and ends.
    pub fn edges(&self, value: f64) -> (Option<f64>, Option<f64>) {
        let bin = self.of(value);
        let above = bin.checked_sub(1).map(|before| self.cuts[before]);
        (above, self.cuts.get(bin).copied())
    }

    /// A value of a range: normal with its mean and deviation, cut off at its ends.
    pub fn draw(&self, bin: usize, chance: &mut ChaCha8Rng) -> f64 {
        let Shape { least, greatest, mean, deviation } = self.shapes[bin];
        if greatest <= least {
            return least;
        }
        // The mean is within, so that most are hit soon; where they are not, the range is so narrow that any will do.
        for _ in 0..64 {
            let normal: f64 = StandardNormal.sample(chance);
            let value = mean + deviation * normal;
            if (least..=greatest).contains(&value) {
                return value;
            }
        }
        least + (greatest - least) * chance.random::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_numpys_and_ends_belong_below() {
        let bins = Bins::new(&[1.0, 2.0, 3.0, 4.0, 10.0], Discretizer::Quartiles);
        assert_eq!(bins.cuts, [2.0, 3.0, 4.0]);
        assert_eq!(bins.counts, [2.0, 1.0, 1.0, 1.0]);
        assert_eq!((bins.of(2.0), bins.of(2.5), bins.of(99.0), bins.of(-5.0)), (0, 1, 3, 0));
        assert_eq!(bins.edges(2.5), (Some(2.0), Some(3.0)));
        let mut chance = crate::chance::chance(0, 0);
        for bin in 0..4 {
            for _ in 0..100 {
                let value = bins.draw(bin, &mut chance);
                assert!((1.0..=10.0).contains(&value) && bins.of(value).abs_diff(bin) <= 1);
            }
        }
    }

    #[test]
    fn a_constant_is_one_value() {
        let bins = Bins::new(&[7.0; 5], Discretizer::Deciles);
        assert_eq!((bins.cuts.as_slice(), bins.counts.as_slice()), (&[7.0][..], &[5.0, 0.0][..]));
        assert_eq!(bins.draw(0, &mut crate::chance::chance(0, 0)), 7.0);
    }
}
