//! The tests of drift by name.

use serde::Serialize;

use super::{
    ColumnKind, chi_square, jensen_shannon, kolmogorov_smirnov, l_infinity, missing_share, psi,
    wasserstein,
};
use crate::metrics::serialize_range;

/// A test of drift.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Definition {
    /// Its stable id.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How it is computed, of the reference's p and the current table's q.
    pub formula: &'static str,
    /// Its least and greatest value; in JSON `null` where there is no bound.
    #[serde(serialize_with = "serialize_range")]
    pub range: (f64, f64),
    /// The kinds of columns that it applies to.
    pub kinds: &'static [ColumnKind],
    /// How great a value is accepted where nothing else is said; `None`: its p-value judges.
    pub default_threshold: Option<f64>,
    /// Where the definition comes from.
    pub source: &'static str,
    /// When it is undefined, and other traps.
    pub edge_cases: &'static str,
}

static ALL: [&Definition; 7] = [
    &kolmogorov_smirnov::DEFINITION,
    &wasserstein::DEFINITION,
    &chi_square::DEFINITION,
    &jensen_shannon::DEFINITION,
    &psi::DEFINITION,
    &l_infinity::DEFINITION,
    &missing_share::DEFINITION,
];

/// All tests, in the order in which reports list them.
pub fn all() -> &'static [&'static Definition] {
    &ALL
}

/// The test with this id.
pub fn find(id: &str) -> Option<&'static Definition> {
    ALL.into_iter().find(|test| test.id == id)
}

pub(super) const BOTH: &[ColumnKind] = &[ColumnKind::Number, ColumnKind::Category];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::catalogue;

    #[test]
    fn each_is_named_once_and_says_all_of_itself() {
        let mut ids = HashSet::new();
        for test in all() {
            assert!(
                ids.insert(test.id)
                    && catalogue::find(test.id).is_none_or(|_| test.id == "kolmogorov_smirnov"),
                "{}",
                test.id
            );
            for text in [test.title, test.formula, test.source, test.edge_cases] {
                assert!(!text.is_empty(), "{} leaves a text empty", test.id);
            }
            assert!(test.range.0 < test.range.1 && !test.kinds.is_empty(), "{}", test.id);
            assert!(find(test.id).is_some());
        }
    }
}
