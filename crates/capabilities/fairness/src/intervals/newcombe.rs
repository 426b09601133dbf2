//! Newcombe's interval of a difference of proportions.

use super::{
    Proportion,
    wilson::{wilson, wilson_corrected},
};

/// Newcombe's hybrid score interval of `left.p - right.p`, without continuity correction.
///
/// Source: Newcombe 1998b, method 10.
pub fn newcombe(left: Proportion, right: Proportion, z: f64) -> (f64, f64) {
    hybrid(left, right, |rate| wilson(rate, z))
}

/// The same with continuity correction, for levels far out in the tails.
///
/// Source: Newcombe 1998b, method 11.
pub fn newcombe_corrected(left: Proportion, right: Proportion, z: f64) -> (f64, f64) {
    hybrid(left, right, |rate| wilson_corrected(rate, z))
}

fn hybrid(
    left: Proportion,
    right: Proportion,
    of_one: impl Fn(Proportion) -> (f64, f64),
) -> (f64, f64) {
    let difference = left.p - right.p;
    let (left_lower, left_upper) = of_one(left);
    let (right_lower, right_upper) = of_one(right);
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
        // Method 11: 0.0428 to 0.3422.
        let (lower, upper) = newcombe_corrected(of(56.0, 70.0), of(48.0, 80.0), z(0.95));
        assert!((lower - 0.0428).abs() < 5e-5 && (upper - 0.3422).abs() < 5e-5, "{lower} {upper}");
    }

    #[test]
    fn covers_exactly_enough() {
        // Exact coverage: the sum of both binomials' probabilities over all outcomes that cover.
        let probability = |n: u64, p: f64| -> Vec<f64> {
            let mut all = vec![(1.0 - p).powi(n as i32)];
            for x in 1..=n {
                let last = all[x as usize - 1];
                all.push(last * (n - x + 1) as f64 / x as f64 * p / (1.0 - p));
            }
            all
        };
        for (n1, p1, n2, p2) in [(30, 0.3, 40, 0.3), (30, 0.1, 60, 0.3), (50, 0.5, 50, 0.8)] {
            let (first, second, truth) = (probability(n1, p1), probability(n2, p2), p1 - p2);
            let mut coverage = 0.0;
            for (x1, chance1) in first.iter().enumerate() {
                for (x2, chance2) in second.iter().enumerate() {
                    let of = |x: usize, n: u64| Proportion { p: x as f64 / n as f64, n: n as f64 };
                    let (lower, upper) = newcombe(of(x1, n1), of(x2, n2), z(0.95));
                    if lower <= truth && truth <= upper {
                        coverage += chance1 * chance2;
                    }
                }
            }
            assert!((0.935..=0.98).contains(&coverage), "{n1} {p1} {n2} {p2}: {coverage}");
        }
    }
}
