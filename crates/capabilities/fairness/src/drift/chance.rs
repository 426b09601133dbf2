//! How likely chance alone makes a metric look worse than is accepted: its interval, asked at every level.

use crate::{
    intervals::{self, Proportion, delong, two_sided, wilson::wilson},
    result::{Interval, IntervalMethod},
};

/// Beyond so many standard errors a p is 0 in all but name.
const FAR: f64 = 37.0;
/// So often a range of levels is halved: until it is as narrow as numbers are.
const HALVINGS: u32 = 50;

/// The interval of `value` as it would be at the two-sided normal quantile `z`.
///
/// Wilson's and `DeLong`'s are made anew; a ratio's is stretched on the logarithmic scale, any other as a normal one. What holds for
/// all pairs of groups at once is thereby wider than need be: it grows more slowly.
pub(super) fn stretched(value: f64, interval: &Interval, is_ratio: bool, z: f64) -> Interval {
    let by = z / intervals::z(interval.confidence);
    let plain = || (value - by * (value - interval.lower), value + by * (interval.upper - value));
    let inside = value > 0.0 && value < 1.0;
    let (lower, upper) = match interval.method {
        IntervalMethod::Wilson => {
            rows(value, interval).map_or_else(plain, |n| wilson(Proportion { p: value, n }, z))
        }
        IntervalMethod::DeLong if inside && interval.lower > 0.0 && interval.upper < 1.0 => {
            let logit = |share: f64| (share / (1.0 - share)).ln();
            // Symmetric on that scale; `interval` takes it back from there.
            let spread = f64::midpoint(
                logit(interval.upper) - logit(value),
                logit(value) - logit(interval.lower),
            ) / intervals::z(interval.confidence);
            delong::interval(value, (spread * value * (1.0 - value)).powi(2), z)
        }
        _ if is_ratio && value > 0.0 && interval.lower >= 0.0 => {
            (value * (interval.lower / value).powf(by), value * (interval.upper / value).powf(by))
        }
        _ => plain(),
    };
    Interval { lower, upper, confidence: 1.0 - two_sided(z), method: interval.method }
}

/// The rows of a proportion, from its interval: the bound further from it says it best.
fn rows(value: f64, interval: &Interval) -> Option<f64> {
    let z = intervals::z(interval.confidence);
    let (below, above) = (value - interval.lower, interval.upper - value);
    let (bound, apart) =
        if below > above { (interval.lower, below) } else { (interval.upper, above) };
    let n = z * z * bound * (1.0 - bound) / (apart * apart);
    (n.is_finite() && n > 0.0).then_some(n)
}

/// The greatest p at which what was found would still be beyond: `is_beyond` says so at a two-sided normal quantile, and holds at 0.
pub(super) fn p_value(is_beyond: impl Fn(f64) -> bool) -> f64 {
    if is_beyond(FAR) {
        return two_sided(FAR);
    }
    let (mut beyond, mut within) = (0.0, FAR);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(beyond, within);
        if is_beyond(middle) {
            beyond = middle;
        } else {
            within = middle;
        }
    }
    two_sided(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::z;

    fn of((lower, upper): (f64, f64), method: IntervalMethod) -> Interval {
        Interval { lower, upper, confidence: 0.95, method }
    }

    fn same(found: &Interval, truth: (f64, f64)) {
        let is_near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(
            is_near(found.lower, truth.0) && is_near(found.upper, truth.1),
            "{found:?} {truth:?}"
        );
    }

    #[test]
    fn an_interval_at_another_level_is_the_one_made_there() {
        for (p, n) in [(0.0, 20.0), (0.03, 100.0), (0.5, 31.5), (0.97, 1e6), (1.0, 3.0)] {
            let rate = Proportion { p, n };
            let usual = of(wilson(rate, z(0.95)), IntervalMethod::Wilson);
            same(&stretched(p, &usual, false, z(0.9999)), wilson(rate, z(0.9999)));
        }
        for (value, variance) in [(0.75, 0.002), (0.98, 1e-4)] {
            let usual = of(delong::interval(value, variance, z(0.95)), IntervalMethod::DeLong);
            let truth = delong::interval(value, variance, z(0.999));
            same(&stretched(value, &usual, false, z(0.999)), truth);
        }
        let mean = of((4.0 - 1.96, 4.0 + 1.96), IntervalMethod::Normal);
        let twice = stretched(4.0, &mean, false, 2.0 * z(0.95));
        same(&twice, (4.0 - 3.92, 4.0 + 3.92));
        assert!(twice.confidence > 0.9999);
        let ratio = of((0.4, 0.9), IntervalMethod::Katz);
        same(&stretched(0.6, &ratio, true, 2.0 * z(0.95)), (0.6 * (4.0 / 9.0), 0.6 * 2.25));
    }

    #[test]
    fn an_interval_without_width_stays_so() {
        let sure = of((0.3, 0.3), IntervalMethod::Wilson);
        same(&stretched(0.3, &sure, false, 5.0), (0.3, 0.3));
    }

    #[test]
    fn p_is_where_the_interval_meets_the_threshold() {
        // 0.1 with a standard error of 0.02, against 0.05.
        let p = p_value(|z| 0.1 - 0.02 * z > 0.05);
        assert!((p - two_sided(2.5)).abs() < 1e-12, "{p}");
        assert_eq!(p_value(|_| true), two_sided(FAR));
        assert!(p_value(|z| z <= 0.0) > 0.999_999);
    }
}
