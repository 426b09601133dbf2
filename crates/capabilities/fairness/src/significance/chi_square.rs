//! Pearson's chi-square test of two or more groups.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Selection;
use crate::intervals::two_sided;

/// What a chi-square test found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub df: u64,
    /// The probability of so great a statistic, if all groups have one rate.
    pub p: f64,
}

impl ChiSquare {
    pub(crate) fn of(statistic: f64, df: u64) -> Option<Self> {
        let p = match df {
            0 => return None,
            1 => two_sided(statistic.sqrt()),
            _ => ChiSquared::new(df as f64).ok()?.sf(statistic),
        };
        Some(Self { statistic, df, p })
    }
}

/// Pearson's chi-square over groups, without continuity correction. Empty groups are left out.
///
/// `None` with fewer than two groups, or when all or none are selected. A guide for small groups: no expected count below 5,
/// otherwise [`fisher`](super::fisher).
///
/// Source: Pearson 1900; `SciPy` `chi2_contingency(correction=False)`.
pub fn independence(groups: &[Selection]) -> Option<ChiSquare> {
    statistic(groups, 0.0)
}

/// The same of two groups with Yates's continuity correction.
///
/// Source: Yates 1934; `SciPy` `chi2_contingency(correction=True)`.
pub fn with_continuity(group: Selection, other: Selection) -> Option<ChiSquare> {
    statistic(&[group, other], 0.5)
}

fn statistic(groups: &[Selection], correction: f64) -> Option<ChiSquare> {
    let groups: Vec<Selection> = groups.iter().copied().filter(|group| group.of > 0).collect();
    let all: Selection = groups.iter().copied().sum();
    if groups.len() < 2 || all.selected == 0 || all.rejected() == 0 {
        return None;
    }
    let rate = all.rate()?;
    let cells = groups.iter().flat_map(|group| {
        let of = group.of as f64;
        [(group.selected, of * rate), (group.rejected(), of * (1.0 - rate))]
    });
    let sum = cells
        .map(|(seen, expected)| {
            let apart = (seen as f64 - expected).abs();
            (apart - correction.min(apart)).powi(2) / expected
        })
        .sum();
    ChiSquare::of(sum, groups.len() as u64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_two_groups_and_both_outcomes() {
        let of = Selection::new;
        for groups in [vec![], vec![of(1, 3)], vec![of(1, 3), of(0, 0)], vec![of(0, 3), of(0, 4)]] {
            assert_eq!(independence(&groups), None, "{groups:?}");
        }
        let equal = independence(&[of(2, 4), of(3, 6), of(5, 10)]);
        assert!(
            equal.is_some_and(|found| found.statistic == 0.0 && found.df == 2 && found.p == 1.0)
        );
    }
}
