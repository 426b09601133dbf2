//! Tests of means, and of what is as good as a mean, by Student's distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::intervals::{quantile, two_sided};

/// With more degrees of freedom than this Student's distribution is carried over to the normal one, which is right to ten digits
/// there.
const MANY: f64 = 200.0;

/// A value that was estimated from the rows of one group: a mean, or a smooth function of means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The value.
    pub value: f64,
    /// Its variance: of a mean, that of the rows by their number.
    pub variance: f64,
    /// From so many rows; at least 2.
    pub rows: u64,
}

/// How far two values are apart, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Apart {
    /// One less the other.
    pub difference: f64,
    /// The variance of that; above 0.
    pub variance: f64,
    /// The degrees of freedom with which the variance is known; above 0.
    pub degrees: f64,
}

impl Apart {
    /// Of two independent values, each with a variance of its own. `None` if nothing varies in either, or one is of fewer than two
    /// rows.
    ///
    /// Source: Welch 1947, Satterthwaite 1946; `SciPy` `ttest_ind(equal_var=False)`, R `t.test`.
    pub fn of(one: Mean, other: Mean) -> Option<Self> {
        if one.rows < 2 || other.rows < 2 {
            return None;
        }
        let variance = one.variance + other.variance;
        // As shares of the whole, so that squares neither vanish nor overflow.
        let part = |mean: Mean| (mean.variance / variance).powi(2) / (mean.rows as f64 - 1.0);
        let degrees = 1.0 / (part(one) + part(other));
        Self { difference: one.value - other.value, variance, degrees }.known()
    }

    /// Itself, if it can be tested.
    pub fn known(self) -> Option<Self> {
        let is_known = self.difference.is_finite()
            && self.variance.is_finite()
            && self.variance > 0.0
            && self.degrees > 0.0;
        is_known.then_some(self)
    }

    /// How likely two equal values are to be so far apart. Two-sided.
    pub fn p(self) -> f64 {
        two_sided_student(self.difference / self.variance.sqrt(), self.degrees)
    }

    /// The smallest difference that so many rows, varying as they do, would show with this `power` in a two-sided test at `alpha`.
    ///
    /// Source: Cohen 1988, chapter 2; the noncentral distribution is taken as Student's, moved.
    pub fn detectable(self, alpha: f64, power: f64) -> f64 {
        let reach = |probability: f64| student_quantile(probability, self.degrees);
        (reach(1.0 - alpha / 2.0) + reach(power)) * self.variance.sqrt()
    }
}

/// The probability that Student's distribution is at least so far from 0.
fn two_sided_student(t: f64, degrees: f64) -> f64 {
    if degrees <= MANY
        && let Ok(student) = StudentsT::new(0.0, 1.0, degrees)
    {
        return (2.0 * student.sf(t.abs())).clamp(0.0, 1.0);
    }
    two_sided(normal(t, degrees))
}

/// The normal deviate that is as far out as Student's.
///
/// Source: Hill 1970, Communications of the ACM 13, algorithm 395.
fn normal(t: f64, degrees: f64) -> f64 {
    let a = degrees - 0.5;
    let b = 48.0 * a * a;
    let y = a * (t * t / degrees).ln_1p();
    if y.is_infinite() {
        return y;
    }
    let last = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + b);
    ((last + y + 3.0) / b + 1.0) * y.sqrt()
}

/// Student's quantile of a probability of at least 1/2: searched for, as far as the distribution itself is computed.
///
/// Source of many degrees: the expansion of Cornish and Fisher; Abramowitz and Stegun 1964, 26.7.5.
fn student_quantile(probability: f64, degrees: f64) -> f64 {
    if degrees <= MANY {
        let tails = 2.0 * (1.0 - probability);
        let (mut below, mut above) = (0.0, 1.0);
        while two_sided_student(above, degrees) > tails && above < f64::MAX / 2.0 {
            above *= 2.0;
        }
        for _ in 0..80 {
            let middle = f64::midpoint(below, above);
            if two_sided_student(middle, degrees) > tails { below = middle } else { above = middle }
        }
        return above;
    }
    let z = quantile(probability);
    let cubed = z.powi(3);
    let second = (5.0 * z.powi(5) + 16.0 * cubed + 3.0 * z) / 96.0;
    z + (cubed + z) / (4.0 * degrees) + second / (degrees * degrees)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, Exp1, Normal};

    use super::*;

    fn mean(rows: &[f64]) -> Mean {
        let n = rows.len() as f64;
        let value = rows.iter().sum::<f64>() / n;
        let squares: f64 = rows.iter().map(|row| (row - value).powi(2)).sum();
        Mean { value, variance: squares / (n - 1.0) / n, rows: rows.len() as u64 }
    }

    #[test]
    fn is_welchs_test() {
        let one = mean(&[3.1, 4.5, 2.2, 5.0, 3.9, 4.4]);
        let other = mean(&[5.2, 6.1, 4.9, 7.3]);
        // Student's density, integrated: t = 2.958622414061773 with 6.364793337423223 degrees.
        let found = Apart::of(one, other).unwrap();
        assert!((found.degrees - 6.364_793_337_423_223).abs() < 1e-9, "{found:?}");
        assert!((found.p() - 0.023_620_399_291_227_39).abs() < 1e-9, "{}", found.p());
        let turned = Apart::of(other, one).unwrap();
        assert!(turned.difference == -found.difference && turned.p() == found.p());
    }

    #[test]
    fn the_tail_is_that_of_students_density() {
        for (t, degrees, integrated) in [
            (2.0, 5.0, 0.101_939_478_829_858_7),
            (6.0, 50.0, 2.188_939_485_079_985_8e-7),
            (2.0, 200.0, 0.046_853_186_187_071_55),
            (2.0, 1_000.0, 0.045_770_346_493_254_8),
            (6.0, 1_000.0, 2.755_369_173_377_677_5e-9),
        ] {
            let found = two_sided_student(t, degrees);
            assert!((found / integrated - 1.0).abs() < 1e-8, "{t} {degrees}: {found}");
            let back = student_quantile(1.0 - integrated / 2.0, degrees);
            assert!((back / t - 1.0).abs() < 1e-5, "{t} {degrees}: {back}");
        }
        // Where one way of computing takes over from the other.
        for t in [0.0, 0.3, 2.0, 8.0] {
            let (below, above) = (two_sided_student(t, MANY), two_sided_student(t, MANY + 1e-9));
            assert!((below - above).abs() <= 1e-8 * below, "{t}: {below} {above}");
        }
        assert_eq!(two_sided_student(0.0, 1e12), 1.0);
        // As far as numbers go: no chance, and not no number.
        for degrees in [3.0, 50.0, 1_000.0, 1e12] {
            assert_eq!(two_sided_student(1e300, degrees), 0.0, "{degrees}");
            assert_eq!(two_sided_student(f64::INFINITY, degrees), 0.0, "{degrees}");
        }
    }

    #[test]
    fn what_does_not_vary_is_not_tested() {
        let sure = |value: f64| Mean { value, variance: 0.0, rows: 9 };
        assert_eq!(Apart::of(sure(1.0), sure(2.0)), None);
        let alone = Mean { value: 1.0, variance: 1.0, rows: 1 };
        assert_eq!(Apart::of(alone, sure(2.0)), None);
        let half = Apart::of(Mean { variance: 0.1, ..sure(1.0) }, sure(1.0)).unwrap();
        assert_eq!((half.p(), half.degrees), (1.0, 8.0));
    }

    /// In what share of samples the means of two groups are significantly apart at 0.05.
    fn significant(
        sizes: (usize, usize),
        mut draw: impl FnMut(usize, &mut ChaCha8Rng) -> f64,
    ) -> f64 {
        let mut chance = ChaCha8Rng::seed_from_u64(20_261_122);
        let runs = 3_000;
        let found = (0..runs).filter(|_| {
            let one: Vec<f64> = (0..sizes.0).map(|_| draw(0, &mut chance)).collect();
            let other: Vec<f64> = (0..sizes.1).map(|_| draw(1, &mut chance)).collect();
            Apart::of(mean(&one), mean(&other)).is_some_and(|apart| apart.p() <= 0.05)
        });
        found.count() as f64 / f64::from(runs)
    }

    #[test]
    fn equal_means_are_as_seldom_apart_as_the_level_says() {
        let wide = Normal::new(3.0, 5.0).unwrap();
        let narrow = Normal::new(3.0, 1.0).unwrap();
        // The few rows vary most: there a test that takes one variance for both is wrong.
        let found = significant((30, 200), |group, chance| {
            if group == 0 { wide.sample(chance) } else { narrow.sample(chance) }
        });
        assert!((0.037..0.063).contains(&found), "{found}");
        // As skewed as squares of errors are.
        let found = significant((60, 60), |_, chance| Exp1.sample(chance));
        assert!((0.03..0.063).contains(&found), "{found}");
    }

    #[test]
    fn what_is_detectable_is_found_as_often_as_it_says() {
        let (one, other) = (Normal::new(0.0, 2.0).unwrap(), Normal::new(0.0, 1.0).unwrap());
        let known = |variance: f64, rows: u64| Mean { value: 0.0, variance, rows };
        let apart = Apart::of(known(4.0 / 40.0, 40), known(1.0 / 90.0, 90)).unwrap();
        let away = apart.detectable(0.05, 0.8);
        let found = significant((40, 90), |group, chance| {
            if group == 0 { one.sample(chance) + away } else { other.sample(chance) }
        });
        assert!((0.77..0.83).contains(&found), "{found}");
    }
}
