//! The interval of a value at a greater confidence, from the one that is known.

use super::{Proportion, wilson::wilson, z};
use crate::result::{Interval, IntervalMethod};

/// The interval that the same method makes at a greater `confidence`, within the metric's `range`.
///
/// Of a rate it is exact: Wilson's bounds tell the (effective) rows that they were made of. An AUC's is stretched on the scale of
/// its logit, as it was made; any other, as a normal one. An interval that is as sure already stays what it is.
pub fn widened(value: f64, interval: &Interval, range: (f64, f64), confidence: f64) -> Interval {
    let between = |confidence: f64| (0.0..1.0).contains(&confidence);
    let is_wider = between(interval.confidence)
        && between(confidence)
        && confidence > interval.confidence
        && value.is_finite();
    if !is_wider {
        return interval.clone();
    }
    let (was, is) = (z(interval.confidence), z(confidence));
    if was <= 0.0 || !is.is_finite() {
        return interval.clone();
    }
    let (lower, upper) = match interval.method {
        IntervalMethod::Wilson => rate(value, interval, was, is),
        IntervalMethod::DeLong => logit(value, interval, is / was),
        IntervalMethod::Normal => even(value, interval, is / was),
        _ => stretched(value, interval, is / was),
    };
    Interval {
        lower: lower.max(range.0).min(interval.lower),
        upper: upper.min(range.1).max(interval.upper),
        confidence,
        method: interval.method,
    }
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

/// Each side by itself.
fn stretched(value: f64, interval: &Interval, factor: f64) -> (f64, f64) {
    let more = |side: f64| side.max(0.0) * (factor - 1.0);
    (interval.lower - more(value - interval.lower), interval.upper + more(interval.upper - value))
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
