//! The Kolmogorov-Smirnov test of two tables' numbers.

use std::f64::consts::PI;

use super::{ColumnKind, Point, registry::Definition};
use crate::{intervals::quantile, metrics::UNIT};

pub(super) const DEFINITION: Definition = Definition {
    id: "kolmogorov_smirnov",
    title: "Kolmogorov-Smirnov test",
    formula: "max over x of |F(x) - G(x)|",
    range: UNIT,
    kinds: &[ColumnKind::Number],
    default_threshold: None,
    source: "Smirnov 1939; Hodges 1958; SciPy ks_2samp(method='exact'), and kstwobign for large tables",
    edge_cases: "Its p-value is exact up to 5 million pairs of rows, by Kolmogorov's limit beyond; with ties it is too great. In large tables it finds differences that do not matter: there a distance decides.",
};

/// The most pairs of rows whose p-value is computed exactly.
const EXACT: u64 = 5_000_000;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KolmogorovSmirnov {
    /// The greatest distance of the two distributions.
    pub statistic: f64,
    /// The probability of so great a distance, if both have one distribution.
    pub p: f64,
}

/// The test of sorted points; `None` if a table has no values.
pub fn kolmogorov_smirnov(points: &[Point]) -> Option<KolmogorovSmirnov> {
    let count = |table: usize| points.iter().map(|point| point.counts[table]).sum::<u64>();
    let (m, n) = (count(0), count(1));
    if m == 0 || n == 0 {
        return None;
    }
    let (mut below, mut apart) = ([0_u64; 2], 0_u128);
    for point in points {
        below[0] += point.counts[0];
        below[1] += point.counts[1];
        let (left, right) =
            (u128::from(below[0]) * u128::from(n), u128::from(below[1]) * u128::from(m));
        apart = apart.max(left.abs_diff(right));
    }
    let statistic = apart as f64 / (m as f64 * n as f64);
    let p = match (m.checked_mul(n), u64::try_from(apart)) {
        (Some(pairs), Ok(apart)) if pairs <= EXACT => exact(apart, m, n),
        _ => limit(effective(m, n).sqrt() * statistic),
    };
    Some(KolmogorovSmirnov { statistic, p })
}

/// The p of a distance that is known already, of so many rows each.
pub(crate) fn p_of(statistic: f64, m: u64, n: u64) -> f64 {
    match m.checked_mul(n) {
        Some(pairs) if pairs <= EXACT => exact((statistic * pairs as f64).round() as u64, m, n),
        _ => limit(effective(m, n).sqrt() * statistic),
    }
}

/// The least distance that is found with this power at alpha, or less: the critical one, and what chance may take from the greatest
/// difference of two shares.
pub(crate) fn detectable(m: u64, n: u64, alpha: f64, power: f64) -> f64 {
    let critical = ((2.0 / alpha).ln() / 2.0).sqrt();
    (critical + quantile(power) / 2.0) / effective(m, n).sqrt()
}

/// m n / (m + n).
fn effective(m: u64, n: u64) -> f64 {
    m as f64 / (m as f64 + n as f64) * n as f64
}

/// Of all orders in which m and n rows can come, the share in which the distance is somewhere at least `apart` / (m n).
fn exact(apart: u64, m: u64, n: u64) -> f64 {
    // The share of the ways to (i, j) that were so far apart somewhere, row by row; the shorter side is the row.
    let (m, n) = (m.max(n), m.min(n));
    let mut row = vec![0.0; n as usize + 1];
    for i in 0..=m {
        let mut before = 0.0;
        for (j, cell) in (0..=n).zip(&mut row) {
            before = if (i * n).abs_diff(j * m) >= apart {
                1.0
            } else if i + j == 0 {
                0.0
            } else {
                (i as f64 * *cell + j as f64 * before) / (i + j) as f64
            };
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(1.0).clamp(0.0, 1.0)
}

/// Kolmogorov's limit distribution: the probability above x.
fn limit(x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // Two forms of one series: each is fast where the other is slow.
    if x < 1.18 {
        let term = |k: i32| (-f64::from(2 * k - 1).powi(2) * PI * PI / (8.0 * x * x)).exp();
        let below = (2.0 * PI).sqrt() / x * (1..=8).map(term).sum::<f64>();
        (1.0 - below).clamp(0.0, 1.0)
    } else {
        let term = |k: i32| {
            let size = (-2.0 * f64::from(k * k) * x * x).exp();
            if k % 2 == 1 { size } else { -size }
        };
        (2.0 * (1..=8).map(term).sum::<f64>()).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_against_two_is_counted_by_hand() {
        // Of the six orders of two and two rows, two are wholly apart.
        assert!((exact(4, 2, 2) - 2.0 / 6.0).abs() < 1e-15);
        assert_eq!(exact(0, 2, 3), 1.0);
    }

    #[test]
    fn both_forms_of_the_series_meet() {
        assert!((limit(1.179_999_999_9) - limit(1.18)).abs() < 1e-9);
        assert_eq!((limit(0.0), limit(0.01), limit(40.0)), (1.0, 1.0, 0.0));
    }

    #[test]
    fn a_known_distance_has_the_p_of_its_rows() {
        let (m, n) = (40, 60);
        let points: Vec<Point> = (0..100)
            .map(|at| Point {
                value: f64::from(at),
                counts: if at % 5 < 2 { [1, 0] } else { [0, 1] },
            })
            .collect();
        let found = kolmogorov_smirnov(&points);
        assert!(found.is_some_and(|found| p_of(found.statistic, m, n) == found.p));
        // What is critical is as likely as the level says, and more rows show smaller distances.
        let critical = detectable(4_000, 6_000, 0.05, 0.5);
        assert!((p_of(critical, 4_000, 6_000) - 0.05).abs() < 1e-3);
        assert!(detectable(4_000, 6_000, 0.05, 0.8) > critical);
        assert!(detectable(400, 600, 0.05, 0.8) > detectable(4_000, 6_000, 0.05, 0.8));
    }

    #[test]
    fn the_limit_is_near_what_is_exact() {
        let (m, n) = (1_500, 1_600);
        let apart = 110_000;
        let x = (m as f64 * n as f64 / (m + n) as f64).sqrt() * apart as f64 / (m * n) as f64;
        assert!((exact(apart, m, n) / limit(x) - 1.0).abs() < 0.05);
    }
}
