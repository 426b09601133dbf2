//! Wilson's score interval of a proportion.

use super::Proportion;

/// Wilson's score interval, without continuity correction, at the two-sided normal quantile `z`.
///
/// Source: Wilson 1927; Newcombe 1998a, method 3.
pub fn wilson(rate: Proportion, z: f64) -> (f64, f64) {
    let Proportion { p, n } = rate;
    let z2 = z * z;
    let centre = p + z2 / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).max(0.0).sqrt();
    let scale = 1.0 + z2 / n;
    // At p = 0 and p = 1 one bound is p itself; rounding must not move it.
    let lower = if p <= 0.0 { 0.0 } else { ((centre - spread) / scale).clamp(0.0, p) };
    let upper = if p >= 1.0 { 1.0 } else { ((centre + spread) / scale).clamp(p, 1.0) };
    (lower, upper)
}

/// Wilson's score interval with continuity correction: of a rare outcome, far out in its tail, the interval without one
/// fails more often than it says.
///
/// Source: Newcombe 1998a, method 4.
pub fn wilson_corrected(rate: Proportion, z: f64) -> (f64, f64) {
    let Proportion { p, n } = rate;
    let z2 = z * z;
    let (middle, scale) = (2.0 * n * p + z2, 2.0 * (n + z2));
    let below = z * (z2 - 2.0 - 1.0 / n + 4.0 * p * (n * (1.0 - p) + 1.0)).max(0.0).sqrt();
    let above = z * (z2 + 2.0 - 1.0 / n + 4.0 * p * (n * (1.0 - p) - 1.0)).max(0.0).sqrt();
    let lower = if p <= 0.0 { 0.0 } else { ((middle - 1.0 - below) / scale).clamp(0.0, p) };
    let upper = if p >= 1.0 { 1.0 } else { ((middle + 1.0 + above) / scale).clamp(p, 1.0) };
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::z;

    #[test]
    fn equals_the_published_example() {
        // Newcombe 1998a, table I: 81 of 263, method 3: 0.2553 to 0.3662.
        let (lower, upper) = wilson(Proportion { p: 81.0 / 263.0, n: 263.0 }, z(0.95));
        assert!((lower - 0.2553).abs() < 5e-5 && (upper - 0.3662).abs() < 5e-5, "{lower} {upper}");
    }

    #[test]
    fn with_correction_it_equals_the_published_example_and_is_wider() {
        // Newcombe 1998a, table I: 81 of 263, method 4: 0.2535 to 0.3682.
        let (lower, upper) = wilson_corrected(Proportion { p: 81.0 / 263.0, n: 263.0 }, z(0.95));
        assert!((lower - 0.2535).abs() < 5e-5 && (upper - 0.3682).abs() < 5e-5, "{lower} {upper}");
        for (p, n) in [(0.0, 1.0), (1.0, 1.0), (0.0, 20.0), (0.02, 50.0), (1.0, 29.0), (0.5, 1e9)] {
            let rate = Proportion { p, n };
            let (plain, wide) = (wilson(rate, z(0.95)), wilson_corrected(rate, z(0.95)));
            assert!(wide.0 <= plain.0 && plain.1 <= wide.1, "{p} {n}: {plain:?} {wide:?}");
            assert!(0.0 <= wide.0 && wide.0 <= p && p <= wide.1 && wide.1 <= 1.0);
        }
    }

    #[test]
    fn stays_between_0_and_1() {
        for (p, n) in [(0.0, 1.0), (1.0, 1.0), (0.0, 20.0), (1.0, 29.0), (0.5, 1e9)] {
            let (lower, upper) = wilson(Proportion { p, n }, z(0.95));
            assert!(0.0 <= lower && lower <= p && p <= upper && upper <= 1.0);
        }
    }
}
