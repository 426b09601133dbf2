//! `DeLong`'s test of the AUCs of two groups.
//!
//! Of few rows of a label the normal distribution finds too much, and so does either scale by itself: that of AUCs where a small
//! group stands beside a large one, that of logits near 1 where one label is rare. What is found on both is there.

use super::student::Apart;

/// As good as infinitely many degrees of freedom.
const SURE: f64 = 1e12;

/// An AUC and `DeLong`'s variance of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// Between 0 and 1.
    pub value: f64,
    /// The variance.
    pub variance: f64,
    /// The degrees of freedom with which the variance is known, see [`degrees`](crate::intervals::delong::degrees); above 0, and
    /// infinite where it is taken as it is.
    pub degrees: f64,
}

/// Two AUCs of different people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aucs {
    /// How far they are apart.
    plain: Apart,
    /// The same on the scale of logits, on which an AUC near 1 is symmetric; `None` if one of the two is 0 or 1.
    logit: Option<Apart>,
}

impl Aucs {
    /// `None` if nothing varies in either.
    pub fn of(one: Auc, other: Auc) -> Option<Self> {
        let is_inside = |auc: Auc| 0.0 < auc.value && auc.value < 1.0;
        let on_logits = |auc: Auc| {
            let slope = 1.0 / (auc.value * (1.0 - auc.value));
            (logit(auc.value), auc.variance * slope * slope)
        };
        let plain = apart((one.value, one.variance), (other.value, other.variance), one, other)?;
        let logit = if is_inside(one) && is_inside(other) {
            Some(apart(on_logits(one), on_logits(other), one, other)?)
        } else {
            None
        };
        Some(Self { plain, logit })
    }

    /// How likely two equal AUCs are to be so far apart: on the scale on which that is likelier. Two-sided.
    ///
    /// Source: `DeLong`, `DeLong`, Clarke-Pearson 1988; Pepe 2003, section 5.2, for the scale; Satterthwaite 1946, Brunner and
    /// Munzel 2000, for the degrees of freedom.
    pub fn p(self) -> f64 {
        self.logit.map_or(0.0, Apart::p).max(self.plain.p())
    }

    /// The greatest AUC below `high` that would be found with this `power` in a two-sided test at `alpha`, the errors being those
    /// that they are here.
    pub fn detectable(self, high: f64, alpha: f64, power: f64) -> f64 {
        let plain = high - self.plain.detectable(alpha, power);
        let on_logits =
            |apart: Apart| 1.0 / (1.0 + (apart.detectable(alpha, power) - logit(high)).exp());
        self.logit.map_or(plain, |apart| on_logits(apart).min(plain))
    }
}

/// How far two places with their variances are apart, from two AUCs.
fn apart(left: (f64, f64), right: (f64, f64), one: Auc, other: Auc) -> Option<Apart> {
    let variance = left.1 + right.1;
    // As shares of the whole, so that squares neither vanish nor overflow.
    let part = |of: f64, auc: Auc| (of / variance).powi(2) / auc.degrees;
    let degrees = (1.0 / (part(left.1, one) + part(right.1, other))).min(SURE);
    Apart { difference: left.0 - right.0, variance, degrees }.known()
}

fn logit(value: f64) -> f64 {
    (value / (1.0 - value)).ln()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::{intervals::delong, tally::Point};

    fn auc(value: f64, variance: f64) -> Auc {
        Auc { value, variance, degrees: f64::INFINITY }
    }

    #[test]
    fn in_the_middle_the_scale_hardly_matters() {
        let found = Aucs::of(auc(0.55, 0.000_4), auc(0.5, 0.000_4)).unwrap();
        // 0.05 / sqrt(0.0008) = 1.768 standard errors.
        assert!((found.p() - 0.077).abs() < 0.002, "{}", found.p());
        let shown = found.detectable(0.55, 0.05, 0.8);
        assert!((0.55 - shown - 2.802 * 0.000_8_f64.sqrt()).abs() < 0.003, "{shown}");
    }

    #[test]
    fn wholly_parted_labels_are_tested_too_and_what_does_not_vary_is_not() {
        let found = Aucs::of(auc(1.0, 0.001), auc(0.7, 0.002)).unwrap();
        assert!(found.p() < 1e-6 && found.detectable(1.0, 0.05, 0.8) < 0.9);
        assert_eq!(Aucs::of(auc(0.8, 0.0), auc(0.7, 0.0)), None);
        let equal = Aucs::of(auc(0.8, 0.001), auc(0.8, 0.002)).unwrap();
        assert_eq!(equal.p(), 1.0);
    }

    #[test]
    fn what_is_known_of_few_rows_is_less_sure() {
        let few = Auc { degrees: 12.0, ..auc(0.8, 0.008) };
        let found = Aucs::of(few, auc(0.6, 0.000_1)).unwrap();
        let sure = Aucs::of(auc(0.8, 0.008), auc(0.6, 0.000_1)).unwrap();
        assert!(found.p() > 1.2 * sure.p(), "{} {}", found.p(), sure.p());
        assert!(found.detectable(0.8, 0.05, 0.8) < sure.detectable(0.8, 0.05, 0.8));
        // Nearly all of the variance is of the one with 12.
        assert!((12.0..12.5).contains(&found.plain.degrees), "{found:?}");
        // Never less than on either scale.
        assert!(found.p() >= found.plain.p() && found.p() >= found.logit.unwrap().p());
    }

    /// An AUC of so many normal scores of each label, the positives' `apart` higher and `wide` times as wide.
    fn drawn(
        chance: &mut ChaCha8Rng,
        (negatives, positives): (usize, usize),
        apart: f64,
        wide: f64,
    ) -> Auc {
        let mut rows: Vec<(f64, usize)> = (0..negatives + positives)
            .map(|row| {
                let score: f64 = StandardNormal.sample(chance);
                let is_positive = row >= negatives;
                let score = if is_positive { apart + wide * score } else { score };
                (score, usize::from(is_positive))
            })
            .collect();
        rows.sort_by(|left, right| left.0.total_cmp(&right.0));
        let points: Vec<Point> = rows
            .into_iter()
            .map(|(score, label)| {
                let mut point = Point { score, ..Point::default() };
                point.n[label] = 1;
                point.w[label] = 1.0;
                point
            })
            .collect();
        let (negatives, positives) = (negatives as f64, positives as f64);
        let (value, variance) = delong::auc(&points, negatives, positives);
        let degrees = delong::degrees(&points, negatives, positives).unwrap();
        Auc { value, variance: variance.unwrap(), degrees }
    }

    #[test]
    fn few_rows_of_a_label_keep_the_level() {
        let runs = 2_000;
        let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
        // Where the normal distribution on one scale alone found 5.7 to 10 of 100.
        for (one, other, apart, wide) in [
            ((10, 50), (10, 50), 1.812_4, 1.0),
            ((50, 10), (10, 50), 1.812_4, 1.0),
            ((20, 100), (20, 100), 2.326_2, 1.0),
            ((10, 10), (100, 100), 1.190_2, 1.0),
            ((20, 20), (20, 20), 0.0, 1.0),
            ((12, 40), (40, 12), 2.865_6, 2.0),
        ] {
            let found = (0..runs)
                .filter(|_| {
                    let left = drawn(&mut chance, one, apart, wide);
                    let right = drawn(&mut chance, other, apart, wide);
                    Aucs::of(left, right).is_some_and(|aucs| aucs.p() <= 0.05)
                })
                .count();
            let share = found as f64 / f64::from(runs);
            // Three standard errors of so many runs.
            assert!(share <= 0.065, "{one:?} {other:?} {apart}: {share}");
        }
    }
}
