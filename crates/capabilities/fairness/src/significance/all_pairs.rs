//! Every pair of groups tested, and the test of the two furthest apart adjusted for having been picked from them all.

use serde::{Deserialize, Serialize};

use super::{Selection, adjust, deviations::standard_deviations, fisher};
use crate::intervals::two_sided;

/// Below this many expected in any cell of the table, Fisher's exact test stands in for chi-square.
pub const LEAST_EXPECTED: f64 = 5.0;
/// With more groups than this not every pair is tested: the test of the furthest two is multiplied by the number of pairs
/// (Bonferroni), which is never less than Holm's p.
pub const MAX_GROUPS: usize = 60;

/// Which test it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Fisher's exact test.
    Fisher,
    /// Pearson's chi-square, without continuity correction.
    ChiSquare,
    /// Cochran's and Mantel's test over strata.
    CochranMantelHaenszel,
    /// Welch's t-test of two means; of what is smooth in means, with its variance by the delta method.
    Welch,
    /// A t-test of how far two groups are apart in each list.
    PairedByList,
    /// The two-sample Kolmogorov-Smirnov test.
    KolmogorovSmirnov,
    /// `DeLong`'s test of two AUCs of different people, as they are and on the logit scale, by Student's distribution.
    #[serde(rename = "delong")]
    DeLong,
}

impl Test {
    /// Its name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Fisher => "Fisher's exact test",
            Self::ChiSquare => "chi-square test",
            Self::CochranMantelHaenszel => "Cochran-Mantel-Haenszel test",
            Self::Welch => "Welch's t-test",
            Self::PairedByList => "t-test over lists",
            Self::KolmogorovSmirnov => "Kolmogorov-Smirnov test",
            Self::DeLong => "DeLong's test",
        }
    }
}

/// The test of two groups that the numbers ask for: exact where an expected count is below [`LEAST_EXPECTED`].
pub fn test(group: Selection, other: Selection) -> (f64, Test) {
    let all = group + other;
    let Some(rate) = all.rate() else { return (1.0, Test::Fisher) };
    let fewer = group.of.min(other.of) as f64;
    if fewer * rate.min(1.0 - rate) < LEAST_EXPECTED {
        return (fisher::exact(group, other), Test::Fisher);
    }
    (standard_deviations(group, other).map_or(1.0, two_sided), Test::ChiSquare)
}

/// The p of every pair: first with second, first with third, … second with third, …
pub fn every_pair(groups: &[Selection]) -> Vec<f64> {
    pairs(groups.len()).map(|(one, other)| test(groups[one], groups[other]).0).collect()
}

/// Every pair of so many groups, in this order.
pub fn pairs(groups: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..groups).flat_map(move |one| (one + 1..groups).map(move |other| (one, other)))
}

/// Where [`pairs`] has the pair of the groups at `one` and `other`, of so many.
pub fn place(one: usize, other: usize, groups: usize) -> usize {
    let (first, second) = (one.min(other), one.max(other));
    first * (2 * groups).saturating_sub(first + 1) / 2 + second.saturating_sub(first + 1)
}

/// A p-value adjusted for the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// By Holm; by Bonferroni where not all are known.
    pub holm: f64,
    /// By Benjamini and Hochberg; `None` where not all are known.
    pub benjamini_hochberg: Option<f64>,
}

/// Adjusts the p at `at` for all of `p`.
pub fn adjusted(p: &[f64], at: usize) -> Option<Adjusted> {
    Some(Adjusted {
        holm: *adjust::holm(p).get(at)?,
        benjamini_hochberg: adjust::benjamini_hochberg(p).get(at).copied(),
    })
}

/// The same where only one of so many is known.
pub fn alone(p: f64, tests: u64) -> Adjusted {
    Adjusted { holm: (p * tests as f64).min(1.0), benjamini_hochberg: None }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::significance::chi_square::independence;

    #[test]
    fn small_numbers_are_tested_exactly_and_large_ones_by_chi_square() {
        let of = Selection::new;
        let small = (of(3, 12), of(9, 40));
        assert_eq!(test(small.0, small.1), (fisher::exact(small.0, small.1), Test::Fisher));
        let large = (of(30, 100), of(60, 150));
        let (p, which) = test(large.0, large.1);
        assert!(which == Test::ChiSquare);
        assert!((p - independence(&[large.0, large.1]).unwrap().p).abs() < 1e-14);
        for nothing in [(of(0, 0), of(0, 0)), (of(0, 5), of(0, 5)), (of(900, 900), of(800, 800))] {
            assert_eq!(test(nothing.0, nothing.1).0, 1.0);
        }
    }

    #[test]
    fn pairs_are_where_their_place_says() {
        let groups: Vec<Selection> = (1..=5).map(|x| Selection::new(x * 10, 100)).collect();
        let all = every_pair(&groups);
        assert_eq!(all.len(), 10);
        for one in 0..5 {
            for other in (0..5).filter(|other| *other != one) {
                let p = test(groups[one.min(other)], groups[one.max(other)]).0;
                assert_eq!(all[place(one, other, 5)], p, "{one} {other}");
            }
        }
    }

    #[test]
    fn bonferroni_never_says_less_than_holm() {
        let p = [0.001, 0.02, 0.03, 0.9];
        for at in 0..p.len() {
            assert!(adjusted(&p, at).unwrap().holm <= alone(p[at], 4).holm);
        }
        assert_eq!(adjusted(&p, 9), None);
    }
}
