//! What is known of one group: the sums that every metric of predicted numbers is a function of.

use serde::{Deserialize, Serialize};

use crate::{frame::Total, tally::Count};

/// Weighted sums over the rows with a true and a predicted number. A residual is true - predicted; z is the true number less a
/// centre, the first true number: around one of another group's, powers would cancel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    pub(crate) count: Count,
    pub(crate) weight: Total,
    pub(crate) weight2: Total,
    /// The prediction less the centre, and its square.
    pub(crate) predicted: [Total; 2],
    pub(crate) residual: Total,
    pub(crate) absolute: Total,
    /// Of the residual: its square, and its fourth power.
    pub(crate) squared: [Total; 2],
    /// z to the powers 1 to 4.
    pub(crate) truth: [Total; 4],
    /// residual² z, residual² z².
    pub(crate) mixed: [Total; 2],
    pub(crate) centre: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, truth: f64, predicted: f64, weight: f64) {
        if self.count.n == 0 {
            self.centre = truth;
        }
        let centre = self.centre;
        let (residual, z, p) = (truth - predicted, truth - centre, predicted - centre);
        let (square, z2) = (residual * residual, z * z);
        self.count.n += 1;
        self.weight.add(weight);
        self.weight2.add(weight * weight);
        (self.count.w, self.count.w2) = (self.weight.value(), self.weight2.value());
        self.predicted[0].add(weight * p);
        self.predicted[1].add(weight * p * p);
        self.residual.add(weight * residual);
        self.absolute.add(weight * residual.abs());
        self.squared[0].add(weight * square);
        self.squared[1].add(weight * square * square);
        self.truth[0].add(weight * z);
        self.truth[1].add(weight * z2);
        self.truth[2].add(weight * z2 * z);
        self.truth[3].add(weight * z2 * z2);
        self.mixed[0].add(weight * square * z);
        self.mixed[1].add(weight * square * z2);
    }

    pub(crate) fn merged(mut self, other: &Self) -> Self {
        if self.count.n == 0 || other.count.n == 0 {
            return if self.count.n == 0 { *other } else { self };
        }
        let other = other.around(self.centre);
        self.count.n += other.count.n;
        let mine = [&mut self.weight, &mut self.weight2, &mut self.residual, &mut self.absolute]
            .into_iter()
            .chain(&mut self.predicted)
            .chain(&mut self.squared)
            .chain(&mut self.truth)
            .chain(&mut self.mixed);
        let theirs = [&other.weight, &other.weight2, &other.residual, &other.absolute]
            .into_iter()
            .chain(&other.predicted)
            .chain(&other.squared)
            .chain(&other.truth)
            .chain(&other.mixed);
        mine.zip(theirs).for_each(|(mine, theirs)| mine.merge(theirs));
        (self.count.w, self.count.w2) = (self.weight.value(), self.weight2.value());
        self
    }

    /// The same sums around another centre.
    fn around(&self, centre: f64) -> Self {
        let (d, w) = (self.centre - centre, self.weight.value());
        if d == 0.0 {
            return *self;
        }
        let mut moved = *self;
        let [p, _] = self.predicted.map(|sum| sum.value());
        let [t1, t2, t3, _] = self.truth.map(|sum| sum.value());
        let (square, [m, _]) = (self.squared[0].value(), self.mixed.map(|sum| sum.value()));
        moved.predicted[0].add(d * w);
        moved.predicted[1].add(d * (2.0 * p + d * w));
        moved.truth[0].add(d * w);
        moved.truth[1].add(d * (2.0 * t1 + d * w));
        moved.truth[2].add(d * (3.0 * t2 + d * (3.0 * t1 + d * w)));
        moved.truth[3].add(d * (4.0 * t3 + d * (6.0 * t2 + d * (4.0 * t1 + d * w))));
        moved.mixed[0].add(d * square);
        moved.mixed[1].add(d * (2.0 * m + d * square));
        moved.centre = centre;
        moved
    }

    /// The mean of what has this sum.
    pub(crate) fn mean(&self, sum: &Total) -> f64 {
        sum.value() / self.count.w
    }

    /// The variance of a mean, whose rows have this mean and this mean of squares. `None` of fewer than two effective rows.
    pub(crate) fn variance_of_mean(&self, mean: f64, squares: f64) -> Option<f64> {
        let effective = self.count.effective();
        (effective > 1.0).then(|| (squares - mean * mean).max(0.0) / (effective - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn merging_does_not_depend_on_which_parts_are_merged_first(
            rows in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64, 0.0..3.0_f64), 0..30),
            first in 0_usize..30, second in 0_usize..30,
        ) {
            let (first, second) = (first.min(second).min(rows.len()), first.max(second).min(rows.len()));
            let of = |rows: &[(f64, f64, f64)]| {
                let mut sums = Moments::default();
                for (truth, predicted, weight) in rows {
                    sums.add(*truth, *predicted, *weight);
                }
                sums
            };
            let [a, b, c] = [&rows[..first], &rows[first..second], &rows[second..]].map(of);
            let (left, right) = (a.merged(&b).merged(&c), a.merged(&b.merged(&c)));
            prop_assert_eq!((left.count.n, left.centre), (right.count.n, right.centre));
            // What is of residuals does not depend on the centre.
            let plain = |sums: &Moments| {
                let totals = [sums.weight, sums.weight2, sums.residual, sums.absolute];
                totals.into_iter().chain(sums.squared).map(|sum| sum.value()).collect::<Vec<f64>>()
            };
            for (one, other) in plain(&left).into_iter().zip(plain(&right)) {
                prop_assert!((one - other).abs() <= 1e-9 * one.abs().max(1.0), "{one} {other}");
            }
            let centred = |sums: &Moments| {
                let totals = sums.predicted.into_iter().chain(sums.truth).chain(sums.mixed);
                totals.map(|sum| sum.value()).collect::<Vec<f64>>()
            };
            // Powers of so great numbers cancel: to twelve digits of what they may be.
            let most = 90.0 * 4e3_f64.powi(4) * 1e-12;
            for (one, other) in centred(&left).into_iter().zip(centred(&right)) {
                prop_assert!((one - other).abs() <= most, "{one} {other}");
            }
        }
    }

    #[test]
    fn merged_sums_are_those_of_all_rows_around_the_first() {
        let rows = [(3.0, 2.5, 1.0), (5.0, 6.0, 2.0), (-4.0, -1.0, 1.0), (9.0, 7.0, 0.5)];
        let of = |rows: &[(f64, f64, f64)]| {
            let mut sums = Moments::default();
            for (truth, predicted, weight) in rows {
                sums.add(*truth, *predicted, *weight);
            }
            sums
        };
        let (whole, merged) = (of(&rows), of(&rows[..2]).merged(&of(&rows[2..])));
        let all = |sums: &Moments| {
            let totals = [sums.residual, sums.absolute].into_iter().chain(sums.predicted);
            let totals = totals.chain(sums.squared).chain(sums.truth).chain(sums.mixed);
            totals.map(|sum| sum.value()).collect::<Vec<f64>>()
        };
        assert_eq!((whole.centre, whole.count), (merged.centre, merged.count));
        for (one, other) in all(&whole).into_iter().zip(all(&merged)) {
            assert!((one - other).abs() <= 1e-12 * one.abs().max(1.0), "{one} {other}");
        }
    }
}
