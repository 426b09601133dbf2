//! How sure the inequality between groups is: everybody is given their group's mean benefit.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Comparison;
use crate::{metrics::entropy::Alpha, tally::Count};

/// Below this share of the mean a benefit counts as this much: slopes of logarithms have no end.
const LEAST: f64 = 0.1;

/// A group's mean benefit, its variance, and the group's weight.
struct Benefit {
    mean: f64,
    variance: f64,
    weight: f64,
}

impl Comparison {
    /// The interval of a between-group entropy. Its root is a distance: how far groups' mean benefits lie from the mean of
    /// all, in shares of it. Chance moves it by no more than its own length, whose square is a sum of squares, taken as a
    /// multiple of a chi-square with the same mean and variance (Satterthwaite 1946). So at equality it is beyond 0 no more
    /// often than its level says, however many groups there are.
    pub(super) fn entropy_interval(
        &self,
        alpha: Alpha,
        all_groups: bool,
        variation: bool,
        value: f64,
        confidence: f64,
    ) -> Option<(f64, f64)> {
        let cells = |index: usize| self.group(index).tally.confusion();
        let benefits: Vec<Benefit> = if all_groups {
            self.compared.iter().filter_map(|index| benefit(cells(*index))).collect()
        } else {
            let reference = self.reference?;
            let mut others = [Count::default(); 4];
            for index in self.compared.iter().filter(|index| **index != reference) {
                others.iter_mut().zip(cells(*index)).for_each(|(sum, count)| *sum += count);
            }
            [benefit(others), benefit(cells(reference))].into_iter().flatten().collect()
        };
        let radius = radius(&benefits, alpha, confidence)?;
        let root = if variation { value } else { (2.0 * value.max(0.0)).sqrt() };
        let back = |root: f64| if variation { root } else { root * root / 2.0 };
        Some((back((root - radius).max(0.0)), back(root + radius)))
    }
}

/// Of true positives, false positives, true negatives and false negatives; `None` without any.
fn benefit(cells: [Count; 4]) -> Option<Benefit> {
    const BENEFITS: [f64; 4] = [1.0, 2.0, 1.0, 0.0];
    let all: Count = cells.iter().copied().sum();
    if all.n == 0 || all.w <= 0.0 {
        return None;
    }
    let sum: f64 = cells.iter().zip(BENEFITS).map(|(count, benefit)| count.w * benefit).sum();
    let mean = sum / all.w;
    // One row more that is wrong: a group in which all went well by chance is no certainty.
    let row = all.w2 / all.n as f64;
    let squares: f64 = cells
        .iter()
        .zip(BENEFITS)
        .map(|(count, benefit)| count.w2 * (benefit - mean) * (benefit - mean))
        .sum();
    Some(Benefit { mean, variance: (squares + row) / (all.w * all.w), weight: all.w })
}

/// How far chance moves the root, with this confidence.
fn radius(benefits: &[Benefit], alpha: Alpha, confidence: f64) -> Option<f64> {
    if benefits.len() < 2 {
        return None;
    }
    let weight: f64 = benefits.iter().map(|benefit| benefit.weight).sum();
    let mean = benefits.iter().map(|benefit| benefit.mean * benefit.weight).sum::<f64>() / weight;
    if mean <= 0.0 {
        return None;
    }
    let relative = || benefits.iter().map(|benefit| benefit.mean / mean);
    // The curvature is the relative benefit to the power of alpha - 2: greatest where a benefit is least, beyond 2 where it is
    // greatest.
    let least = relative().fold(1.0, f64::min).max(LEAST);
    let steeper = match alpha {
        Alpha::Zero => 1.0 / (least * least),
        Alpha::Half => least.powf(-1.5),
        Alpha::One => 1.0 / least,
        Alpha::Two => 1.0,
        Alpha::Three => relative().fold(1.0, f64::max),
    };
    // The trace of A V and of (A V)², with V the variances of the groups' benefits and A = diag(s) - s s' of their shares.
    let (mut first, mut squares, mut cubes, mut crossed) = (0.0, 0.0, 0.0, 0.0);
    for benefit in benefits {
        let share = benefit.weight / weight;
        let variance = steeper * benefit.variance / (mean * mean);
        first += share * (1.0 - share) * variance;
        squares += (share * variance).powi(2);
        cubes += share * (share * variance).powi(2);
        crossed += share * share * variance;
    }
    let second = squares - 2.0 * cubes + crossed * crossed;
    if first <= 0.0 || second <= 0.0 {
        return None;
    }
    let quantile = ChiSquared::new(first * first / second).ok()?.inverse_cdf(confidence);
    Some((second / first * quantile).sqrt())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::intervals::z;

    fn alike(groups: usize) -> Vec<Benefit> {
        (0..groups).map(|_| Benefit { mean: 1.0, variance: 0.01, weight: 50.0 }).collect()
    }

    #[test]
    fn of_two_groups_it_is_the_normal_interval_of_their_difference() {
        // The root is half their difference, whose variance is 0.02.
        let found = radius(&alike(2), Alpha::Two, 0.95).unwrap();
        assert!((found - z(0.95) * 0.02_f64.sqrt() / 2.0).abs() < 1e-6, "{found}");
        assert!(radius(&alike(1), Alpha::Two, 0.95).is_none());
    }

    #[test]
    fn of_many_groups_it_is_a_chi_square_with_one_degree_fewer() {
        // SciPy chi2.ppf(0.95, 11) = 19.675138.
        let found = radius(&alike(12), Alpha::One, 0.95).unwrap();
        assert!((found - (19.675_138 * 0.01_f64 / 12.0).sqrt()).abs() < 1e-6, "{found}");
    }
}
