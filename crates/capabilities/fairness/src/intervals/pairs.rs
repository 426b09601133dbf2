//! The interval of a worst-case disparity, from simultaneous intervals of all pairs of groups.
//!
//! The greatest difference between groups is biased upwards, and a percentile bootstrap of it does not cover at equality. So
//! every pair has its interval, at Holm's levels (the i-th most significant of m at 1 - alpha / (m - i + 1); from the first
//! pair that is not significant on, all at that pair's level), and
//! lower = the greatest of the pairs' max(0, lower), upper = the greatest upper bound.
//!
//! With very many groups only the pairs of those that are surely high with those that are surely low are looked at, at
//! Bonferroni's level for all pairs and groups: any pair's lower bound is one of the greatest difference, and no difference is
//! greater than from the least lower to the greatest upper bound of single groups.

use super::{Proportion, katz::katz, newcombe::newcombe, wilson::wilson, z};

/// With more groups than this not every pair is looked at: pairs grow with the square of the groups.
pub const MAX_GROUPS: usize = 400;

/// Of more groups, so many at either end are paired.
const CANDIDATES: usize = 20;

/// What is known of a metric in one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Member {
    /// A proportion.
    Rate(Proportion),
    /// A value and its variance.
    Value {
        /// The value.
        value: f64,
        /// Its variance.
        variance: f64,
    },
    /// A value that is too great on average, such as a sum of absolute values.
    Biased {
        /// The value.
        value: f64,
        /// Its variance.
        variance: f64,
        /// The most that it is too great on average.
        bias: f64,
    },
}

impl Member {
    fn value(self) -> f64 {
        match self {
            Self::Rate(rate) => rate.p,
            Self::Value { value, .. } | Self::Biased { value, .. } => value,
        }
    }

    fn bias(self) -> f64 {
        match self {
            Self::Rate(_) | Self::Value { .. } => 0.0,
            Self::Biased { bias, .. } => bias,
        }
    }

    /// Its own bounds.
    fn bounds(self, z: f64) -> (f64, f64) {
        if let Self::Rate(rate) = self {
            return wilson(rate, z);
        }
        let spread = z * variance(self).sqrt();
        (self.value() - self.bias() - spread, self.value() + spread)
    }
}

/// A pair of groups, oriented so that its difference is not negative.
#[derive(Debug, Clone, Copy)]
struct Pair {
    high: Member,
    low: Member,
    /// The difference in standard errors, if the groups are equal: the greater, the more significant.
    significance: f64,
}

/// The interval of the greatest difference over the pairs of each family: one family for a metric, two for equalized odds.
///
/// `None` with fewer than two groups in every family.
pub fn greatest_difference(families: &[Vec<Member>], confidence: f64) -> Option<(f64, f64)> {
    let bounds = bounds(families, confidence, Form::Difference)?;
    Some((
        bounds.iter().map(|bound| bound.0).fold(0.0, f64::max),
        bounds.iter().map(|bound| bound.1).fold(0.0, f64::max),
    ))
}

/// The interval of the mean over families of their greatest differences.
pub fn mean_greatest_difference(families: &[Vec<Member>], confidence: f64) -> Option<(f64, f64)> {
    let bounds = families_apart(families, confidence, Form::Difference)?;
    let count = bounds.len() as f64;
    Some((
        bounds
            .iter()
            .map(|family| family.iter().map(|bound| bound.0).fold(0.0, f64::max))
            .sum::<f64>()
            / count,
        bounds
            .iter()
            .map(|family| family.iter().map(|bound| bound.1).fold(0.0, f64::max))
            .sum::<f64>()
            / count,
    ))
}

/// The interval of the least ratio (lesser / greater) over the pairs of each family.
pub fn least_ratio(families: &[Vec<Member>], confidence: f64) -> Option<(f64, f64)> {
    let bounds = bounds(families, confidence, Form::Ratio)?;
    Some((
        bounds.iter().map(|bound| bound.0).fold(1.0, f64::min),
        bounds.iter().map(|bound| bound.1).fold(1.0, f64::min),
    ))
}

/// The interval of the mean over families of their least ratios.
pub fn mean_least_ratio(families: &[Vec<Member>], confidence: f64) -> Option<(f64, f64)> {
    let bounds = families_apart(families, confidence, Form::Ratio)?;
    let count = bounds.len() as f64;
    Some((
        bounds
            .iter()
            .map(|family| family.iter().map(|bound| bound.0).fold(1.0, f64::min))
            .sum::<f64>()
            / count,
        bounds
            .iter()
            .map(|family| family.iter().map(|bound| bound.1).fold(1.0, f64::min))
            .sum::<f64>()
            / count,
    ))
}

/// The interval of the greatest difference over pairs that are no pairs of one list of groups: each has members of its own,
/// such as rates within the strata that both have. `None` without pairs.
pub fn greatest_difference_of(pairs: &[(Member, Member)], confidence: f64) -> Option<(f64, f64)> {
    let bounds = of_pairs(pairs, confidence, Form::Difference)?;
    Some((
        bounds.iter().map(|bound| bound.0).fold(0.0, f64::max),
        bounds.iter().map(|bound| bound.1).fold(0.0, f64::max),
    ))
}

/// The interval of the least ratio over such pairs.
pub fn least_ratio_of(pairs: &[(Member, Member)], confidence: f64) -> Option<(f64, f64)> {
    let bounds = of_pairs(pairs, confidence, Form::Ratio)?;
    Some((
        bounds.iter().map(|bound| bound.0).fold(1.0, f64::min),
        bounds.iter().map(|bound| bound.1).fold(1.0, f64::min),
    ))
}

fn of_pairs(pairs: &[(Member, Member)], confidence: f64, form: Form) -> Option<Vec<(f64, f64)>> {
    let pairs = pairs.iter().map(|(left, right)| (0, pair(*left, *right))).collect();
    simultaneous(pairs, 1, confidence, form)?.pop()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Difference,
    Ratio,
}

fn bounds(families: &[Vec<Member>], confidence: f64, form: Form) -> Option<Vec<(f64, f64)>> {
    Some(families_apart(families, confidence, form)?.into_iter().flatten().collect())
}

/// Each family's bounds; Holm's levels go over all families together.
fn families_apart(
    families: &[Vec<Member>],
    confidence: f64,
    form: Form,
) -> Option<Vec<Vec<(f64, f64)>>> {
    if families.iter().any(|family| family.len() > MAX_GROUPS) {
        return Some(of_extremes(families, confidence, form));
    }
    let mut pairs: Vec<(usize, Pair)> = Vec::new();
    for (family, members) in families.iter().enumerate() {
        for (at, left) in members.iter().enumerate() {
            pairs.extend(members[at + 1..].iter().map(|right| (family, pair(*left, *right))));
        }
    }
    simultaneous(pairs, families.len(), confidence, form)
}

/// Each family's bounds from the groups at its ends.
fn of_extremes(families: &[Vec<Member>], confidence: f64, form: Form) -> Vec<Vec<(f64, f64)>> {
    // Every pair, and every group by itself.
    let bounds = |family: &Vec<Member>| family.len() as f64 * (family.len() as f64 + 1.0) / 2.0;
    let z = z(1.0 - (1.0 - confidence) / families.iter().map(bounds).sum::<f64>());
    families.iter().map(|family| of_candidates(family, z, form)).collect()
}

fn of_candidates(members: &[Member], z: f64, form: Form) -> Vec<(f64, f64)> {
    if members.len() < 2 {
        return Vec::new();
    }
    let own: Vec<(f64, f64)> = members.iter().map(|member| member.bounds(z)).collect();
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|left, right| own[*right].0.total_cmp(&own[*left].0));
    let highest: Vec<usize> = order.iter().copied().take(CANDIDATES).collect();
    order.sort_by(|left, right| own[*left].1.total_cmp(&own[*right].1));
    let least = own.iter().map(|own| own.0).fold(f64::INFINITY, f64::min);
    let greatest = own.iter().map(|own| own.1).fold(f64::NEG_INFINITY, f64::max);
    let mut bounds = vec![match form {
        Form::Difference => (0.0, greatest - least),
        Form::Ratio if least > 0.0 => (least / greatest, 1.0),
        Form::Ratio => (0.0, 1.0),
    }];
    for low in order.iter().copied().take(CANDIDATES) {
        for high in highest.iter().copied().filter(|high| *high != low) {
            let pair = pair(members[high], members[low]);
            bounds.push(match form {
                Form::Difference => difference(&pair, z),
                Form::Ratio => ratio(&pair, z),
            });
        }
    }
    bounds
}

/// The bounds of all pairs, by family.
fn simultaneous(
    pairs: Vec<(usize, Pair)>,
    families: usize,
    confidence: f64,
    form: Form,
) -> Option<Vec<Vec<(f64, f64)>>> {
    if pairs.is_empty() {
        return None;
    }
    // Pairs are large, and there may be very many: their places are put in order, not they.
    let mut order: Vec<(f64, usize)> =
        pairs.iter().enumerate().map(|(at, (_, pair))| (pair.significance, at)).collect();
    order.sort_unstable_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let count = pairs.len();
    let mut bounds = vec![Vec::new(); families];
    let mut stopped: Option<f64> = None;
    for (rank, (family, pair)) in order.iter().map(|(_, at)| &pairs[*at]).enumerate() {
        let level = stopped.unwrap_or_else(|| z(1.0 - (1.0 - confidence) / (count - rank) as f64));
        let wanted = form == Form::Difference || stopped.is_none();
        let found = wanted.then(|| difference(pair, level));
        if stopped.is_none() && found.is_some_and(|found| found.0 <= 0.0) {
            stopped = Some(level);
        }
        bounds[*family].push(match (form, found) {
            (Form::Difference, Some(found)) => found,
            _ => ratio(pair, level),
        });
    }
    Some(bounds)
}

fn pair(left: Member, right: Member) -> Pair {
    let (high, low) = if left.value() >= right.value() { (left, right) } else { (right, left) };
    let variance = match (high, low) {
        (Member::Rate(high), Member::Rate(low)) => {
            let pooled = (high.p * high.n + low.p * low.n) / (high.n + low.n);
            pooled * (1.0 - pooled) * (1.0 / high.n + 1.0 / low.n)
        }
        _ => variance(high) + variance(low),
    };
    let significance = match high.value() - low.value() {
        difference if variance > 0.0 => difference / variance.sqrt(),
        difference if difference > 0.0 => f64::INFINITY,
        _ => 0.0,
    };
    Pair { high, low, significance }
}

fn variance(member: Member) -> f64 {
    match member {
        Member::Rate(Proportion { p, n }) => p * (1.0 - p) / n,
        Member::Value { variance, .. } | Member::Biased { variance, .. } => variance,
    }
}

/// Bounds of |high - low|.
fn difference(pair: &Pair, z: f64) -> (f64, f64) {
    let (lower, upper) = match (pair.high, pair.low) {
        (Member::Rate(high), Member::Rate(low)) => newcombe(high, low, z),
        (high, low) => {
            let difference = high.value() - low.value();
            let spread = z * (variance(high) + variance(low)).sqrt();
            (difference - high.bias() - spread, difference + low.bias() + spread)
        }
    };
    (lower.max(0.0), upper.max(-lower))
}

/// Bounds of low / high, at most 1.
fn ratio(pair: &Pair, z: f64) -> (f64, f64) {
    if pair.high.value() <= 0.0 {
        return (1.0, 1.0);
    }
    let (lower, upper) = match (pair.high, pair.low) {
        (Member::Rate(high), Member::Rate(low)) => katz(low, high, z),
        (_, low) if low.value() <= 0.0 => (0.0, 1.0),
        (high, low) => {
            let spread = |below: f64, above: f64| {
                z * (variance(low) / (below * below) + variance(high) / (above * above)).sqrt()
            };
            let (least_low, least_high) = (low.value() - low.bias(), high.value() - high.bias());
            let lower = if least_low > 0.0 {
                least_low / high.value() * (-spread(least_low, high.value())).exp()
            } else {
                0.0
            };
            let upper = if least_high > 0.0 {
                low.value() / least_high * spread(low.value(), least_high).exp()
            } else {
                f64::INFINITY
            };
            (lower, upper)
        }
    };
    // Beyond 1 the pair's order is the other one: its ratio is then 1 / upper, which may be the lesser.
    (lower.min(1.0 / upper), upper.min(1.0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Binomial, Distribution};

    use super::*;

    fn simulate(rates: &[f64], n: u64, runs: u32, inside: impl Fn(&[Vec<Member>]) -> bool) -> f64 {
        let mut chance = ChaCha8Rng::seed_from_u64(7);
        let mut good = 0;
        for _ in 0..runs {
            let members = rates
                .iter()
                .map(|rate| {
                    let drawn = Binomial::new(n, *rate).unwrap().sample(&mut chance);
                    Member::Rate(Proportion { p: drawn as f64 / n as f64, n: n as f64 })
                })
                .collect();
            good += u32::from(inside(&[members]));
        }
        f64::from(good) / f64::from(runs)
    }

    #[test]
    fn covers_the_greatest_difference_at_equality_and_apart() {
        for (rates, truth) in
            [([0.3; 5], 0.0), ([0.2, 0.25, 0.3, 0.35, 0.4], 0.2), ([0.1, 0.1, 0.1, 0.1, 0.3], 0.2)]
        {
            let coverage = simulate(&rates, 300, 1_000, |families| {
                let (lower, upper) = greatest_difference(families, 0.95).unwrap();
                lower <= truth && truth <= upper
            });
            assert!(coverage > 0.935, "{rates:?}: {coverage}");
        }
    }

    #[test]
    fn covers_the_least_ratio() {
        for (rates, truth) in [([0.3; 4], 1.0), ([0.2, 0.3, 0.35, 0.4], 0.5)] {
            let coverage = simulate(&rates, 400, 1_000, |families| {
                let (lower, upper) = least_ratio(families, 0.95).unwrap();
                lower <= truth && truth <= upper
            });
            assert!(coverage > 0.935, "{rates:?}: {coverage}");
        }
    }

    #[test]
    fn needs_two_groups() {
        let one = vec![Member::Rate(Proportion { p: 0.5, n: 9.0 })];
        assert_eq!(greatest_difference(std::slice::from_ref(&one), 0.95), None);
    }

    #[test]
    fn of_very_many_groups_one_that_is_apart_shows_and_chance_does_not() {
        let rates = vec![0.3; 1_000];
        let equal = simulate(&rates, 300, 60, |families| {
            let (lower, upper) = greatest_difference(families, 0.95).unwrap();
            let (least, most) = least_ratio(families, 0.95).unwrap();
            lower == 0.0 && upper > 0.0 && most == 1.0 && least < 1.0
        });
        assert!(equal > 0.86, "{equal}");
        let mut apart = rates;
        apart[700] = 0.6;
        let found = simulate(&apart, 300, 60, |families| {
            let (lower, upper) = greatest_difference(families, 0.95).unwrap();
            let (least, most) = least_ratio(families, 0.95).unwrap();
            (0.1..=0.3).contains(&lower) && upper >= 0.3 && least <= 0.5 && most < 0.8
        });
        assert!(found > 0.86, "{found}");
    }

    #[test]
    fn what_is_too_great_on_average_is_not_apart_for_that() {
        let of = |value: f64, bias: f64| Member::Biased { value, variance: 1e-4, bias };
        let families = [vec![of(0.08, 0.07), of(0.01, 0.001)]];
        let (lower, upper) = greatest_difference(&families, 0.95).unwrap();
        assert!(lower == 0.0 && upper >= 0.07, "{lower} {upper}");
        assert_eq!(least_ratio(&families, 0.95).unwrap().1, 1.0);
        let families = [vec![of(0.3, 0.07), of(0.01, 0.001)]];
        assert!(greatest_difference(&families, 0.95).unwrap().0 > 0.15);
        assert!(least_ratio(&families, 0.95).unwrap().0 <= 0.01 / 0.3);
    }
}
