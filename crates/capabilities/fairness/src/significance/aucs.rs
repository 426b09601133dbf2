//! `DeLong`'s test of the AUCs of two groups.

use crate::intervals::{quantile, two_sided};

/// An AUC and `DeLong`'s variance of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auc {
    /// Between 0 and 1.
    pub value: f64,
    /// The variance.
    pub variance: f64,
}

/// Two AUCs of different people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aucs {
    /// How far they are apart, on the scale of the test.
    apart: f64,
    /// The standard error of that.
    error: f64,
    /// The scale is that of logits, on which an AUC near 1 is symmetric; not if one of the two is 0 or 1.
    is_logit: bool,
}

impl Aucs {
    /// `None` if nothing varies in either.
    pub fn of(one: Auc, other: Auc) -> Option<Self> {
        let is_logit = [one, other].iter().all(|auc| 0.0 < auc.value && auc.value < 1.0);
        let place = |auc: Auc| if is_logit { logit(auc.value) } else { auc.value };
        let slope = |auc: Auc| if is_logit { 1.0 / (auc.value * (1.0 - auc.value)) } else { 1.0 };
        let variance = |auc: Auc| auc.variance * slope(auc).powi(2);
        let apart = place(one) - place(other);
        let error = (variance(one) + variance(other)).sqrt();
        let is_known = apart.is_finite() && error.is_finite() && error > 0.0;
        is_known.then_some(Self { apart, error, is_logit })
    }

    /// How likely two equal AUCs are to be so far apart. Two-sided.
    ///
    /// Source: `DeLong`, `DeLong`, Clarke-Pearson 1988; Pepe 2003, section 5.2, for the scale.
    pub fn p(self) -> f64 {
        two_sided(self.apart / self.error)
    }

    /// The greatest AUC below `high` that would be found with this `power` in a two-sided test at `alpha`, the errors being those
    /// that they are here.
    pub fn detectable(self, high: f64, alpha: f64, power: f64) -> f64 {
        let reach = (quantile(1.0 - alpha / 2.0) + quantile(power)) * self.error;
        if !self.is_logit {
            return high - reach;
        }
        1.0 / (1.0 + (reach - logit(high)).exp())
    }
}

fn logit(value: f64) -> f64 {
    (value / (1.0 - value)).ln()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn auc(value: f64, variance: f64) -> Auc {
        Auc { value, variance }
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
}
