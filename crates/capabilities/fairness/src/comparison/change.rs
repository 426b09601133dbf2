//! How far two numbers are apart, and how sure that is.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::{analysis::gap, result::Interval};

/// The interval of a change, by square-and-add (MOVER) from the two sides' intervals.
///
/// Source: Zou and Donner 2008; Newcombe 1998b is its case of two proportions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChangeInterval {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Such as 0.95.
    pub confidence: f64,
}

/// A number with its interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured {
    value: f64,
    interval: Option<ChangeInterval>,
}

/// A change with its interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub value: Option<f64>,
    pub interval: Option<ChangeInterval>,
}

/// The number, unless it is none that JSON could hold.
pub(super) fn finite(number: f64) -> Option<f64> {
    Some(number).filter(|number| number.is_finite())
}

impl Measured {
    pub(super) fn of(value: Option<f64>, interval: Option<&Interval>) -> Option<Self> {
        let value = value.and_then(finite)?;
        let interval =
            interval.filter(|one| one.lower.is_finite() && one.upper.is_finite()).map(|one| {
                ChangeInterval {
                    lower: one.lower.min(value),
                    upper: one.upper.max(value),
                    confidence: one.confidence,
                }
            });
        Some(Self { value, interval })
    }

    /// The same as a distance from ideal.
    pub(super) fn gap(&self, ideal: f64) -> Self {
        let value = gap(ideal, self.value);
        let interval = self.interval.map(|interval| {
            let (one, other) = (gap(ideal, interval.lower), gap(ideal, interval.upper));
            let around = interval.lower <= ideal && ideal <= interval.upper;
            ChangeInterval {
                lower: if around { 0.0 } else { one.min(other) }.min(value),
                upper: one.max(other).max(value),
                confidence: interval.confidence,
            }
        });
        Self { value, interval }
    }
}

/// `new` - `old`. Intervals of different confidence make none.
pub(super) fn change_of(old: &Measured, new: &Measured) -> Change {
    let change = new.value - old.value;
    let interval = old.interval.zip(new.interval).and_then(|(was, is)| {
        if was.confidence != is.confidence {
            return None;
        }
        let below = (new.value - is.lower).hypot(was.upper - old.value);
        let above = (is.upper - new.value).hypot(old.value - was.lower);
        Some(ChangeInterval {
            lower: finite(change - below)?,
            upper: finite(change + above)?,
            confidence: is.confidence,
        })
    });
    Change { value: finite(change), interval }
}

/// Whether it rose or fell beyond noise; equal without an interval that says so.
pub(super) fn moved(change: &Change) -> Ordering {
    match change.interval {
        Some(interval) if interval.lower > 0.0 => Ordering::Greater,
        Some(interval) if interval.upper < 0.0 => Ordering::Less,
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::intervals::{Proportion, newcombe::newcombe, wilson::wilson, z};

    fn measured(value: f64, lower: f64, upper: f64) -> Measured {
        Measured { value, interval: Some(ChangeInterval { lower, upper, confidence: 0.95 }) }
    }

    #[test]
    fn of_two_proportions_it_is_newcombes() {
        let of = |x: f64, n: f64| Proportion { p: x / n, n };
        let (new, old) = (of(56.0, 70.0), of(48.0, 80.0));
        let side = |rate: Proportion| {
            let (lower, upper) = wilson(rate, z(0.95));
            measured(rate.p, lower, upper)
        };
        let interval = change_of(&side(old), &side(new)).interval.unwrap();
        let (lower, upper) = newcombe(new, old, z(0.95));
        assert!((interval.lower - lower).abs() < 1e-12 && (interval.upper - upper).abs() < 1e-12);
    }

    #[test]
    fn a_sign_is_no_distance_and_a_ratio_counts_either_way() {
        let gap = |value, lower, upper, ideal| measured(value, lower, upper).gap(ideal);
        let found = gap(-0.2, -0.3, 0.1, 0.0);
        let interval = found.interval.unwrap();
        assert_eq!((found.value, interval.lower, interval.upper), (0.2, 0.0, 0.3));
        let found = gap(2.0, 1.6, 2.5, 1.0);
        let interval = found.interval.unwrap();
        assert!((found.value - 0.5).abs() < 1e-12);
        assert!((interval.lower - 0.375).abs() < 1e-12 && (interval.upper - 0.6).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_beyond_noise_without_an_interval_or_with_two_kinds_of_them() {
        let bare = Measured { value: 0.1, interval: None };
        let change = change_of(&bare, &measured(0.9, 0.8, 1.0));
        assert_eq!((moved(&change), change.interval), (Ordering::Equal, None));
        let mut other = measured(0.1, 0.05, 0.15);
        if let Some(interval) = &mut other.interval {
            interval.confidence = 0.9;
        }
        assert_eq!(change_of(&other, &measured(0.9, 0.8, 1.0)).interval, None);
    }

    proptest! {
        #[test]
        fn the_other_way_round_it_is_mirrored(values in prop::array::uniform6(-1e300_f64..1e300)) {
            let side = |part: &[f64]| {
                let mut part = part.to_vec();
                part.sort_by(f64::total_cmp);
                measured(part[1], part[0], part[2])
            };
            let (old, new) = (side(&values[..3]), side(&values[3..]));
            let (there, back) = (change_of(&old, &new), change_of(&new, &old));
            prop_assert_eq!(there.value, back.value.map(|value| -value));
            prop_assert_eq!(moved(&there), moved(&back).reverse());
            if let Some(interval) = there.interval {
                prop_assert!(interval.lower <= interval.upper);
            }
        }
    }
}
