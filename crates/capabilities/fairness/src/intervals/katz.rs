//! Katz's interval of a ratio of proportions.

use super::Proportion;

/// Katz's logarithmic interval of `left.p / right.p`.
///
/// Where a count of 0, or two rates of 1, leave the logarithm or its variance without meaning, half a row is added to each
/// (Walter 1975). The upper bound may be infinite only if `right` is 0.
///
/// Source: Katz, Baptista, Azen, Pike 1978.
pub fn katz(left: Proportion, right: Proportion, z: f64) -> (f64, f64) {
    let degenerate = left.p <= 0.0 || right.p <= 0.0 || (left.p >= 1.0 && right.p >= 1.0);
    let half = if degenerate { 0.5 } else { 0.0 };
    let counts = |rate: Proportion| (rate.p * rate.n + half, rate.n + half);
    let ((x1, n1), (x2, n2)) = (counts(left), counts(right));
    let ratio = (x1 / n1) / (x2 / n2);
    let spread = z * (1.0 / x1 - 1.0 / n1 + 1.0 / x2 - 1.0 / n2).max(0.0).sqrt();
    let lower = if left.p <= 0.0 { 0.0 } else { ratio * (-spread).exp() };
    let upper = if right.p <= 0.0 { f64::INFINITY } else { ratio * spread.exp() };
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::z;

    #[test]
    fn mirrors_itself_and_keeps_zero() {
        let (a, b) = (Proportion { p: 0.3, n: 50.0 }, Proportion { p: 0.2, n: 80.0 });
        let ((lower, upper), (mirrored_lower, mirrored_upper)) =
            (katz(a, b, z(0.95)), katz(b, a, z(0.95)));
        assert!(
            (lower * mirrored_upper - 1.0).abs() < 1e-12
                && (upper * mirrored_lower - 1.0).abs() < 1e-12
        );
        let (lower, upper) = katz(Proportion { p: 0.0, n: 50.0 }, b, z(0.95));
        assert!(lower == 0.0 && upper > 0.0 && upper < 1.0);
    }
}
