//! The interval of a worst-case disparity against everybody, from simultaneous intervals of each group against the whole.
//!
//! The greatest difference of a group to everybody is biased upwards: of enough groups one is always far off, and percentiles of
//! a bootstrap do not cover at equality. So every group has its interval, at Bonferroni's level for all of them, and
//! lower = the greatest of the groups' max(0, lower), upper = the greatest upper bound.
//!
//! A group is a part of the whole. A rate of everybody is share x group + (1 - share) x rest, and the rest is independent of the
//! group: their difference is (1 - share) (group - rest), and their ratio r / (share r + 1 - share) of r = group / rest. Of any
//! other value the covariance of the group's with everybody's is known.

use super::{Proportion, newcombe::newcombe_corrected, wilson::wilson_corrected, z};

/// A value, its variance, and how far above the truth it may be on average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The value.
    pub value: f64,
    /// Its variance.
    pub variance: f64,
    /// The most that it is too great on average; 0 if it is unbiased.
    pub bias: f64,
}

/// What is known of a metric in one group and in everybody.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// A proportion.
    Rate {
        /// The group's.
        group: Proportion,
        /// That of everybody else.
        rest: Proportion,
        /// The group's share of all rows that could have it; 1 if there is nobody else.
        share: f64,
        /// The (effective) number of these rows.
        rows: f64,
    },
    /// A value with a variance.
    Value {
        /// The group's.
        group: Known,
        /// Everybody's.
        whole: Known,
        /// Of the two.
        covariance: f64,
    },
}

/// The interval of each family's greatest difference to everybody: one family for a metric, two for equalized odds. Together
/// they hold with this confidence. `None` if a family has no group.
pub fn greatest_differences(families: &[Vec<Part>], confidence: f64) -> Option<Vec<(f64, f64)>> {
    let z = level(families, confidence)?;
    let greatest = |family: &Vec<Part>| {
        family.iter().fold((0.0_f64, 0.0_f64), |most, part| {
            let (lower, upper) = part.difference(z);
            (most.0.max(lower).max(-upper), most.1.max(upper).max(-lower))
        })
    };
    Some(families.iter().map(greatest).collect())
}

/// The interval of each family's least ratio to everybody, the lesser by the greater. Together they hold with this confidence.
/// `None` if a family has no group.
pub fn least_ratios(families: &[Vec<Part>], confidence: f64) -> Option<Vec<(f64, f64)>> {
    let z = level(families, confidence)?;
    let least = |family: &Vec<Part>| {
        family.iter().fold((1.0_f64, 1.0_f64), |least, part| {
            let (lower, upper) = part.ratio(z);
            let nearest = if lower > 1.0 { 1.0 / lower } else { upper };
            (least.0.min(lower).min(1.0 / upper), least.1.min(nearest))
        })
    };
    Some(families.iter().map(least).collect())
}

fn level(families: &[Vec<Part>], confidence: f64) -> Option<f64> {
    if families.is_empty() || families.iter().any(Vec::is_empty) {
        return None;
    }
    let groups: usize = families.iter().map(Vec::len).sum();
    Some(z(1.0 - (1.0 - confidence) / groups as f64))
}

impl Part {
    /// Bounds of group - whole.
    fn difference(&self, z: f64) -> (f64, f64) {
        match *self {
            Self::Rate { group, rest, share, rows } => {
                let others = 1.0 - share;
                let apart = group.p - rest.p;
                // With many groups a level is far out in the tail, where a rare outcome needs the correction.
                let (lower, upper) = newcombe_corrected(group, rest, z);
                // The share is of a sample too.
                let drift = z * apart * (share * others / rows).sqrt();
                let below = (others * (apart - lower)).hypot(drift);
                let above = (others * (upper - apart)).hypot(drift);
                (others * apart - below, others * apart + above)
            }
            Self::Value { group, whole, covariance } => {
                let apart = group.value - whole.value;
                let variance = group.variance + whole.variance - 2.0 * covariance;
                let spread = z * variance.max(0.0).sqrt();
                (apart - group.bias - spread, apart + whole.bias + spread)
            }
        }
    }

    /// Bounds of group / whole; the upper one may be infinite.
    fn ratio(&self, z: f64) -> (f64, f64) {
        match *self {
            Self::Rate { share, .. } if share >= 1.0 => (1.0, 1.0),
            Self::Rate { group, rest, share, rows } => {
                let others = 1.0 - share;
                let to_whole = |ratio: f64| {
                    if ratio.is_finite() { ratio / (share * ratio + others) } else { 1.0 / share }
                };
                let (lower, upper) = ratio(group, rest, z);
                let (lower, upper) = (to_whole(lower), to_whole(upper));
                let ratio = if rest.p > 0.0 { group.p / rest.p } else { f64::INFINITY };
                let value = to_whole(ratio);
                if value <= 0.0 || lower <= 0.0 {
                    return (lower, upper);
                }
                // How the logarithm moves with the share, which is of a sample too.
                let slope = if ratio.is_finite() {
                    (ratio - 1.0) / (share * ratio + others)
                } else {
                    1.0 / share
                };
                let drift = z * slope * (share * others / rows).sqrt();
                let (below, above) = ((value / lower).ln(), (upper / value).ln());
                (value * (-below.hypot(drift)).exp(), value * above.hypot(drift).exp())
            }
            Self::Value { group, whole, covariance } => {
                if group.value <= 0.0 || whole.value <= 0.0 {
                    return (0.0, f64::INFINITY);
                }
                let spread = |mine: f64, all: f64| {
                    let relative = group.variance / (mine * mine) + whole.variance / (all * all)
                        - 2.0 * covariance / (mine * all);
                    z * relative.max(0.0).sqrt()
                };
                let (least, least_whole) = (group.value - group.bias, whole.value - whole.bias);
                let lower = if least > 0.0 {
                    least / whole.value * (-spread(least, whole.value)).exp()
                } else {
                    0.0
                };
                let upper = if least_whole > 0.0 {
                    group.value / least_whole * spread(group.value, least_whole).exp()
                } else {
                    f64::INFINITY
                };
                (lower, upper)
            }
        }
    }
}

/// Bounds of a ratio of proportions, recovered from the logarithms of each one's own; the upper one may be infinite. A normal
/// logarithm (Katz) is too sure of a rare outcome far out in its tails.
///
/// Source: Zou and Donner 2008, of Wilson's intervals with continuity correction.
fn ratio(left: Proportion, right: Proportion, z: f64) -> (f64, f64) {
    let (own, others) = (wilson_corrected(left, z), wilson_corrected(right, z));
    let apart = |one: f64, other: f64| (one / other).ln();
    let lower = if own.0 <= 0.0 {
        0.0
    } else if right.p <= 0.0 {
        own.0 / others.1
    } else {
        left.p / right.p * (-apart(left.p, own.0).hypot(apart(others.1, right.p))).exp()
    };
    let upper = if others.0 <= 0.0 {
        f64::INFINITY
    } else if left.p <= 0.0 {
        own.1 / others.0
    } else {
        left.p / right.p * apart(own.1, left.p).hypot(apart(right.p, others.0)).exp()
    };
    (lower, upper)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Binomial, Distribution};

    use super::*;

    /// Groups of these rates and sizes as parts of their whole.
    fn parts(rates: &[f64], sizes: &[u64], chance: &mut ChaCha8Rng) -> Vec<Part> {
        let hits: Vec<f64> = rates
            .iter()
            .zip(sizes)
            .map(|(rate, n)| Binomial::new(*n, *rate).unwrap().sample(chance) as f64)
            .collect();
        let (all, rows) = (hits.iter().sum::<f64>(), sizes.iter().sum::<u64>() as f64);
        hits.iter()
            .zip(sizes)
            .map(|(hits, n)| {
                let n = *n as f64;
                Part::Rate {
                    group: Proportion { p: hits / n, n },
                    rest: Proportion { p: (all - hits) / (rows - n), n: rows - n },
                    share: n / rows,
                    rows,
                }
            })
            .collect()
    }

    #[test]
    fn covers_at_equality_and_apart() {
        for (rates, sizes) in [
            ([0.3; 4], [200_u64, 200, 200, 200]),
            ([0.3; 4], [900, 200, 100, 60]),
            ([0.2, 0.3, 0.3, 0.4], [200, 200, 200, 200]),
            ([0.1, 0.5, 0.3, 0.3], [600, 100, 200, 300]),
        ] {
            let rows = sizes.iter().sum::<u64>() as f64;
            let whole =
                rates.iter().zip(sizes).map(|(rate, n)| rate * n as f64).sum::<f64>() / rows;
            let apart = rates.iter().map(|rate| (rate - whole).abs()).fold(0.0, f64::max);
            let ratio =
                rates.iter().map(|rate| (rate / whole).min(whole / rate)).fold(1.0, f64::min);
            let mut chance = ChaCha8Rng::seed_from_u64(11);
            let (mut covered, mut ratios_covered, mut failed) = (0, 0, 0);
            for _ in 0..1_000 {
                let families = [parts(&rates, &sizes, &mut chance)];
                let (lower, upper) = greatest_differences(&families, 0.95).unwrap()[0];
                covered += u32::from(lower <= apart + 1e-12 && apart - 1e-12 <= upper);
                failed += u32::from(lower > apart + 1e-12);
                let (lower, upper) = least_ratios(&families, 0.95).unwrap()[0];
                ratios_covered += u32::from(lower <= ratio + 1e-12 && ratio - 1e-12 <= upper);
            }
            assert!(covered > 930 && failed < 70, "{rates:?}: {covered} {failed}");
            assert!(ratios_covered > 930, "{rates:?}: {ratios_covered}");
        }
    }

    #[test]
    fn a_group_that_is_everybody_is_not_apart_from_them() {
        let rate = Proportion { p: 0.4, n: 30.0 };
        let only = Part::Rate { group: rate, rest: rate, share: 1.0, rows: 30.0 };
        assert_eq!(greatest_differences(&[vec![only]], 0.95), Some(vec![(0.0, 0.0)]));
        assert_eq!(least_ratios(&[vec![only]], 0.95), Some(vec![(1.0, 1.0)]));
        assert_eq!(greatest_differences(&[Vec::new()], 0.95), None);
    }
}
