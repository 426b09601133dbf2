//! The interval of a difference of two independent values, recovered from each one's own.

use crate::result::{Interval, IntervalMethod};

/// A value and its own interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sure<'a> {
    /// The value.
    pub value: f64,
    /// Its interval.
    pub interval: &'a Interval,
}

/// The interval of `left - right`, of independent samples: the method of variance estimates recovery.
///
/// Of Wilson's intervals it is Newcombe's, of normal ones the normal one. Both should have one confidence; the left one's is told.
///
/// Source: Zou and Donner 2008.
pub fn difference(left: Sure<'_>, right: Sure<'_>) -> Interval {
    let difference = left.value - right.value;
    // How far a value is from its bounds; an interval that does not hold its value reaches nowhere on that side.
    let below = |sure: Sure<'_>| (sure.value - sure.interval.lower).max(0.0);
    let above = |sure: Sure<'_>| (sure.interval.upper - sure.value).max(0.0);
    let method = match (left.interval.method, right.interval.method) {
        (IntervalMethod::Wilson, IntervalMethod::Wilson) => IntervalMethod::Newcombe,
        (
            IntervalMethod::Normal | IntervalMethod::DeLong,
            IntervalMethod::Normal | IntervalMethod::DeLong,
        ) => IntervalMethod::Normal,
        _ => IntervalMethod::Recovered,
    };
    Interval {
        lower: difference - below(left).hypot(above(right)),
        upper: difference + above(left).hypot(below(right)),
        confidence: left.interval.confidence,
        method,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::{Proportion, newcombe::newcombe, wilson::wilson, z};

    #[test]
    fn of_wilsons_intervals_it_is_newcombes() {
        let (left, right) = (Proportion { p: 0.8, n: 70.0 }, Proportion { p: 0.6, n: 80.0 });
        let of = |proportion| {
            let (lower, upper) = wilson(proportion, z(0.95));
            Interval { lower, upper, confidence: 0.95, method: IntervalMethod::Wilson }
        };
        let found = difference(
            Sure { value: left.p, interval: &of(left) },
            Sure { value: right.p, interval: &of(right) },
        );
        let (lower, upper) = newcombe(left, right, z(0.95));
        assert!((found.lower - lower).abs() < 1e-12 && (found.upper - upper).abs() < 1e-12);
        assert_eq!(found.method, IntervalMethod::Newcombe);
    }
}
