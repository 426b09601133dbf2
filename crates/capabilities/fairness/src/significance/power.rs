//! What a sample could have shown: the smallest disparity that so few people would, most likely, have made significant.

use serde::{Deserialize, Serialize};

use super::Selection;
use crate::intervals::quantile;

/// The chance of finding a disparity that is usually asked for.
pub const USUAL_POWER: f64 = 0.8;

/// The smallest disparity that a sample could have shown.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Detectable {
    /// The greatest rate below the other group's that would have been found out.
    pub rate: f64,
    /// The other group's rate, less that.
    pub difference: f64,
    /// That, by the other group's rate.
    pub ratio: f64,
    /// With this probability.
    pub power: f64,
}

/// The smallest shortfall against `other`, whose rate is taken as it is, that a group of `of` people would show with this
/// `power` in a two-sided test at `alpha`.
///
/// `None` if no rate would, not even 0: the sample is too small to show anything.
///
/// Source: Fleiss, Levin, Paik 2003, chapter 4, without continuity correction.
pub fn detectable(of: u64, other: Selection, alpha: f64, power: f64) -> Option<Detectable> {
    let base = other.rate().filter(|rate| *rate > 0.0)?;
    if of == 0 {
        return None;
    }
    let (mine, theirs) = (of as f64, other.of as f64);
    let (z_alpha, z_power) = (quantile(1.0 - alpha / 2.0), quantile(power));
    let variance = |rate: f64| rate * (1.0 - rate);
    // Positive where a rate is far enough below to be found out.
    let margin = |rate: f64| {
        let pooled = (mine * rate + theirs * base) / (mine + theirs);
        let equal = (variance(pooled) * (1.0 / mine + 1.0 / theirs)).sqrt();
        let apart = (variance(rate) / mine + variance(base) / theirs).sqrt();
        base - rate - z_alpha * equal - z_power * apart
    };
    if margin(0.0) < 0.0 {
        return None;
    }
    let (mut found, mut hidden) = (0.0, base);
    for _ in 0..64 {
        let middle = f64::midpoint(found, hidden);
        if margin(middle) >= 0.0 { found = middle } else { hidden = middle }
    }
    Some(Detectable { rate: found, difference: base - found, ratio: found / base, power })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Binomial, Distribution};

    use super::*;
    use crate::significance::deviations::standard_deviations;

    #[test]
    fn is_found_as_often_as_it_says() {
        let (mine, theirs) = (300, 500);
        let found = detectable(mine, Selection::new(200, theirs), 0.05, 0.8).unwrap();
        let (low, high) =
            (Binomial::new(mine, found.rate).unwrap(), Binomial::new(theirs, 0.4).unwrap());
        let mut chance = ChaCha8Rng::seed_from_u64(11);
        let runs = 4_000;
        let significant = (0..runs)
            .filter(|_| {
                let group = Selection::new(low.sample(&mut chance), mine);
                let other = Selection::new(high.sample(&mut chance), theirs);
                standard_deviations(group, other).is_some_and(|z| z.abs() > 1.959_964)
            })
            .count();
        let power = significant as f64 / f64::from(runs);
        assert!((0.78..0.82).contains(&power), "{power}");
    }

    #[test]
    fn more_people_show_smaller_disparities_and_few_show_none() {
        let other = Selection::new(40, 100);
        let small = detectable(100, other, 0.05, 0.8).unwrap();
        let large = detectable(1_000, other, 0.05, 0.8).unwrap();
        assert!(large.difference < small.difference && large.ratio > small.ratio);
        assert_eq!(detectable(3, other, 0.05, 0.8), None);
        assert_eq!(detectable(0, other, 0.05, 0.8), None);
        assert_eq!(detectable(10, Selection::new(0, 10), 0.05, 0.8), None);
    }
}
