//! The interval of a value at another confidence, from the one that is known.

use super::{Proportion, two_sided, wilson::wilson, z};
use crate::result::{Interval, IntervalMethod};

/// The interval that the same method makes at a greater `confidence`, within the metric's `range`.
///
/// See `at_quantile`. An interval that is as sure already stays what it is.
pub fn widened(value: f64, interval: &Interval, range: (f64, f64), confidence: f64) -> Interval {
    let between = |confidence: f64| (0.0..1.0).contains(&confidence);
    let is_wider = between(interval.confidence)
        && between(confidence)
        && confidence > interval.confidence
        && value.is_finite();
    if !is_wider {
        return interval.clone();
    }
    let is = z(confidence);
    if !is.is_finite() || z(interval.confidence) <= 0.0 {
        return interval.clone();
    }
    let Interval { lower, upper, .. } = at_quantile(value, interval, false, is);
    Interval {
        lower: lower.max(range.0).min(interval.lower),
        upper: upper.min(range.1).max(interval.upper),
        confidence,
        method: interval.method,
    }
}

/// The interval of `value` as the same method makes it at the two-sided normal quantile `is`, greater or less than its own; not
/// held to any range.
///
/// Of a rate it is exact: Wilson's bounds tell the (effective) rows that they were made of. An AUC's is stretched on the scale of
/// its logit, as it was made; a ratio's on the logarithmic scale; any other as a normal one. What is symmetric by its method stays
/// so: a side that ended at the range's end was as far as the other, and is so at other quantiles. What holds for all pairs of
/// groups at once is wider than need be: it grows more slowly.
pub(crate) fn at_quantile(value: f64, interval: &Interval, is_ratio: bool, is: f64) -> Interval {
    let was = z(interval.confidence);
    if !(was > 0.0 && was.is_finite()) {
        return interval.clone();
    }
    let by = is / was;
    let (lower, upper) = match interval.method {
        IntervalMethod::Wilson => rate(value, interval, was, is),
        IntervalMethod::DeLong => logit(value, interval, by),
        _ if is_ratio && value > 0.0 && interval.lower >= 0.0 => {
            (value * (interval.lower / value).powf(by), value * (interval.upper / value).powf(by))
        }
        IntervalMethod::Normal => even(value, interval, by),
        _ => stretched(value, interval, by),
    };
    Interval { lower, upper, confidence: 1.0 - two_sided(is), method: interval.method }
}

/// Wilson's interval of the rows that the known one tells: its bounds solve n (p - bound)² = z² bound (1 - bound).
fn rate(value: f64, interval: &Interval, was: f64, is: f64) -> (f64, f64) {
    // The bound that is further from the value, and never on it.
    let bound = if value >= 0.5 { interval.lower } else { interval.upper };
    let rows = was * was * bound * (1.0 - bound) / ((value - bound) * (value - bound));
    if (0.0..=1.0).contains(&value) && rows.is_finite() && rows > 0.0 {
        wilson(Proportion { p: value, n: rows }, is)
    } else {
        stretched(value, interval, is / was)
    }
}

/// Symmetric in its logit, unless that is infinite.
fn logit(value: f64, interval: &Interval, factor: f64) -> (f64, f64) {
    let logit = |share: f64| (share / (1.0 - share)).ln();
    let spread = [interval.lower, interval.upper]
        .map(|bound| (logit(bound) - logit(value)).abs())
        .into_iter()
        .filter(|spread| spread.is_finite())
        .fold(0.0, f64::max);
    if value <= 0.0 || value >= 1.0 || spread <= 0.0 {
        return even(value, interval, factor);
    }
    let back = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    (back(logit(value) - spread * factor), back(logit(value) + spread * factor))
}

/// Symmetric: a side that ended at the range is as far as the other.
fn even(value: f64, interval: &Interval, factor: f64) -> (f64, f64) {
    let spread = (value - interval.lower).max(interval.upper - value).max(0.0) * factor;
    (value - spread, value + spread)
}

/// Each side by itself. A bound beyond the value, as of what is too great on average, comes no nearer for being surer.
fn stretched(value: f64, interval: &Interval, factor: f64) -> (f64, f64) {
    let side = |side: f64| side * if side < 0.0 { factor.min(1.0) } else { factor };
    (value - side(value - interval.lower), value + side(interval.upper - value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intervals::delong;

    const UNIT: (f64, f64) = (0.0, 1.0);

    fn of((lower, upper): (f64, f64), method: IntervalMethod) -> Interval {
        Interval { lower, upper, confidence: 0.95, method }
    }

    #[test]
    fn of_a_rate_it_is_wilsons_own() {
        for (p, n) in [(0.0, 40.0), (1.0, 40.0), (0.3, 12.5), (0.5, 200.0), (0.97, 1e6)] {
            let rate = Proportion { p, n };
            let known = of(wilson(rate, z(0.95)), IntervalMethod::Wilson);
            let found = widened(p, &known, UNIT, 0.995);
            let (lower, upper) = wilson(rate, z(0.995));
            assert!((found.lower - lower).abs() < 1e-9, "{p} {n}: {found:?}");
            assert!((found.upper - upper).abs() < 1e-9, "{p} {n}: {found:?}");
        }
    }

    #[test]
    fn others_are_what_their_method_makes() {
        let known = of(delong::interval(0.8, 0.004, z(0.95)), IntervalMethod::DeLong);
        let (lower, upper) = delong::interval(0.8, 0.004, z(0.99));
        let found = widened(0.8, &known, UNIT, 0.99);
        assert!((found.lower - lower).abs() < 1e-9 && (found.upper - upper).abs() < 1e-9);
        // Of a normal one that ended at 0, the other side tells how far it was.
        let spread = z(0.95) * 0.1;
        let known = of((0.0, 0.1 + spread), IntervalMethod::Normal);
        let found = widened(0.1, &known, (0.0, f64::MAX), 0.99);
        assert!((found.upper - 0.1 - z(0.99) * 0.1).abs() < 1e-9 && found.lower <= 0.0);
        assert_eq!(widened(0.1, &known, UNIT, 0.9), known, "as sure already");
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
            for confidence in [0.5, 0.9999] {
                same(&at_quantile(p, &usual, false, z(confidence)), wilson(rate, z(confidence)));
            }
        }
        for (value, variance) in [(0.75, 0.002), (0.98, 1e-4)] {
            let usual = of(delong::interval(value, variance, z(0.95)), IntervalMethod::DeLong);
            let truth = delong::interval(value, variance, z(0.999));
            same(&at_quantile(value, &usual, false, z(0.999)), truth);
        }
        let mean = of((4.0 - 1.96, 4.0 + 1.96), IntervalMethod::Normal);
        let twice = at_quantile(4.0, &mean, false, 2.0 * z(0.95));
        same(&twice, (4.0 - 3.92, 4.0 + 3.92));
        assert!(twice.confidence > 0.9999);
        let ratio = of((0.4, 0.9), IntervalMethod::Katz);
        same(&at_quantile(0.6, &ratio, true, 2.0 * z(0.95)), (0.6 * (4.0 / 9.0), 0.6 * 2.25));
    }

    #[test]
    fn a_side_that_was_clipped_is_as_far_as_the_other() {
        let mean = of((0.0, 0.3), IntervalMethod::Normal);
        same(&at_quantile(0.1, &mean, false, 2.0 * z(0.95)), (-0.3, 0.5));
        let (lower, _) = delong::interval(0.98, 1e-4, z(0.95));
        let clipped = of((lower, 1.0), IntervalMethod::DeLong);
        let truth = delong::interval(0.98, 1e-4, z(0.999));
        same(&at_quantile(0.98, &clipped, false, z(0.999)), truth);
        // Percentiles are not symmetric: nothing is known of what lies beyond the end.
        let drawn = of((0.0, 0.3), IntervalMethod::Bootstrap);
        same(&at_quantile(0.1, &drawn, false, 2.0 * z(0.95)), (-0.1, 0.5));
    }

    #[test]
    fn a_bound_beyond_the_value_comes_no_nearer() {
        let below = of((0.2, 0.3), IntervalMethod::Bootstrap);
        same(&at_quantile(0.35, &below, false, 2.0 * z(0.95)), (0.05, 0.3));
        same(&at_quantile(0.35, &below, false, 0.0), (0.35, 0.35));
    }

    #[test]
    fn an_interval_without_width_stays_so() {
        let sure = of((0.3, 0.3), IntervalMethod::Wilson);
        same(&at_quantile(0.3, &sure, false, 5.0), (0.3, 0.3));
    }

    proptest! {
        #[test]
        fn it_holds_the_known_one(value in -2.0_f64..2.0, below in 0.0_f64..2.0, above in 0.0_f64..2.0, more in 0.9_f64..0.999_999) {
            for method in [IntervalMethod::Wilson, IntervalMethod::DeLong, IntervalMethod::Normal, IntervalMethod::Bootstrap] {
                let known = of((value - below, value + above), method);
                let found = widened(value, &known, (f64::MIN, f64::MAX), more);
                prop_assert!(found.lower <= known.lower && known.upper <= found.upper);
            }
        }
    }
}
