//! Newcombe's interval of a difference of proportions.

use super::{Proportion, wilson::wilson};

/// Newcombe's hybrid score interval of `left.p - right.p`, without continuity correction.
///
/// Source: Newcombe 1998b, method 10.
pub fn newcombe(left: Proportion, right: Proportion, z: f64) -> (f64, f64) {
    let difference = left.p - right.p;
    let (left_lower, left_upper) = wilson(left, z);
    let (right_lower, right_upper) = wilson(right, z);
    let below = ((left.p - left_lower).powi(2) + (right_upper - right.p).powi(2)).sqrt();
    let above = ((left_upper - left.p).powi(2) + (right.p - right_lower).powi(2)).sqrt();
    ((difference - below).max(-1.0), (difference + above).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::z;

    #[test]
    fn equals_the_published_example() {
        // Newcombe 1998b, table II (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339.
        let of = |x: f64, n: f64| Proportion { p: x / n, n };
        let (lower, upper) = newcombe(of(56.0, 70.0), of(48.0, 80.0), z(0.95));
        assert!((lower - 0.0524).abs() < 5e-5 && (upper - 0.3339).abs() < 5e-5, "{lower} {upper}");
    }
}
