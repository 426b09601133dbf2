//! Cochran, Mantel and Haenszel: two groups compared within strata, so that strata of other rates mislead nobody.

use serde::{Deserialize, Serialize};

use super::{Selection, chi_square::ChiSquare};

/// One stratum: the group and the other.
pub type Stratum = (Selection, Selection);

/// What a stratified comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stratified {
    /// Strata that tell something: both groups are there, and both outcomes.
    pub strata: u64,
    /// Cochran's and Mantel's test that the odds are equal in every stratum, without continuity correction.
    pub test: ChiSquare,
    /// The same with it; 0 where it takes away more than there is.
    pub corrected: ChiSquare,
    /// The common odds ratio, group to other; `None` if it is infinite.
    pub odds_ratio: Option<f64>,
    /// Its interval; `None` where the odds ratio is 0 or infinite.
    pub odds_ratio_interval: Option<(f64, f64)>,
    /// The difference of rates, group less other, weighted over strata: conditional demographic disparity.
    pub difference: f64,
}

/// Compares the group with the other within strata; `z` is the two-sided normal quantile of the interval.
///
/// `None` if no stratum has both groups and both outcomes.
///
/// Source: Cochran 1954; Mantel and Haenszel 1959; interval: Robins, Breslow, Greenland 1986. R `mantelhaen.test`, statsmodels
/// `StratifiedTable`.
pub fn stratified(strata: &[Stratum], z: f64) -> Option<Stratified> {
    let mut sums = Sums::default();
    for stratum in strata {
        sums.add(*stratum);
    }
    if sums.variance <= 0.0 {
        return None;
    }
    let apart = sums.apart.abs();
    let chi_square = |apart: f64| ChiSquare::of(apart * apart / sums.variance, 1);
    Some(Stratified {
        strata: sums.strata,
        test: chi_square(apart)?,
        corrected: chi_square((apart - 0.5).max(0.0))?,
        odds_ratio: (sums.against > 0.0).then(|| sums.speaks_for / sums.against),
        odds_ratio_interval: sums.interval(z),
        difference: sums.differences / sums.weights,
    })
}

#[derive(Default)]
struct Sums {
    strata: u64,
    /// Of selected in the group, less those expected.
    apart: f64,
    variance: f64,
    /// Both parts of the odds ratio, R and S in Robins et al.
    speaks_for: f64,
    against: f64,
    /// PR, PS + QR and QS there.
    products: [f64; 3],
    differences: f64,
    weights: f64,
}

impl Sums {
    fn add(&mut self, (group, other): Stratum) {
        let all = group + other;
        let (Some(mine), Some(theirs)) = (group.rate(), other.rate()) else { return };
        let count = |number: u64| number as f64;
        let n = count(all.of);
        let weight = count(group.of) * count(other.of) / n;
        self.differences += weight * (mine - theirs);
        self.weights += weight;
        if all.selected == 0 || all.rejected() == 0 {
            return;
        }
        self.strata += 1;
        self.apart += count(group.selected) - count(group.of) * count(all.selected) / n;
        self.variance += count(group.of) * count(other.of) / n * count(all.selected) / n
            * count(all.rejected())
            / (n - 1.0);
        let (a, b) = (count(group.selected), count(group.rejected()));
        let (c, d) = (count(other.selected), count(other.rejected()));
        let (p, q, r, s) = ((a + d) / n, (b + c) / n, a * d / n, b * c / n);
        self.speaks_for += r;
        self.against += s;
        for (sum, product) in self.products.iter_mut().zip([p * r, p * s + q * r, q * s]) {
            *sum += product;
        }
    }

    fn interval(&self, z: f64) -> Option<(f64, f64)> {
        let (r, s) = (self.speaks_for, self.against);
        if r <= 0.0 || s <= 0.0 {
            return None;
        }
        let [first, middle, last] = self.products;
        let variance = first / (2.0 * r * r) + middle / (2.0 * r * s) + last / (2.0 * s * s);
        let spread = z * variance.sqrt();
        Some((r / s * (-spread).exp(), r / s * spread.exp()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::intervals::z;

    #[test]
    fn berkeley_admissions_are_fair_within_departments() {
        // Bickel, Hammel, O'Connell 1975, as R's UCBAdmissions: men and women admitted, by department.
        let strata = [
            ((512, 825), (89, 108)),
            ((353, 560), (17, 25)),
            ((120, 325), (202, 593)),
            ((138, 417), (131, 375)),
            ((53, 191), (94, 393)),
            ((22, 373), (24, 341)),
        ]
        .map(|(men, women)| (Selection::new(men.0, men.1), Selection::new(women.0, women.1)));
        let found = stratified(&strata, z(0.95)).unwrap();
        // R 4: mantelhaen.test(UCBAdmissions): X-squared = 1.4269, p = 0.2323, odds ratio 0.9046968, 0.7719074 to 1.0603298.
        assert!((found.corrected.statistic - 1.4269).abs() < 5e-5, "{found:?}");
        assert!((found.corrected.p - 0.2323).abs() < 5e-5);
        assert!((found.odds_ratio.unwrap() - 0.904_696_8).abs() < 5e-8);
        let (lower, upper) = found.odds_ratio_interval.unwrap();
        assert!((lower - 0.771_907_4).abs() < 5e-8 && (upper - 1.060_329_8).abs() < 5e-8);
        assert_eq!(found.strata, 6);
        // All departments together, men are admitted far more often.
        let (men, women): (Vec<_>, Vec<_>) = strata.into_iter().unzip();
        let whole = (men.into_iter().sum::<Selection>(), women.into_iter().sum::<Selection>());
        let together = stratified(&[whole], z(0.95)).unwrap();
        assert!(together.test.p < 1e-20 && together.difference > 0.14 && found.difference < 0.0);
    }

    #[test]
    fn strata_of_one_group_or_one_outcome_tell_nothing() {
        let of = Selection::new;
        let silent = [(of(3, 4), of(0, 0)), (of(0, 4), of(0, 6)), (of(4, 4), of(6, 6))];
        assert_eq!(stratified(&silent, 1.96), None);
        let told = (of(3, 9), of(5, 8));
        let (alone, among) =
            (stratified(&[told], 1.96).unwrap(), stratified(&[told, silent[0]], 1.96).unwrap());
        assert_eq!(alone, among);
    }
}
