//! Do more decisions flip one way than the other, beyond chance?

use serde::{Deserialize, Serialize};

use super::pairs::Pairs;
use crate::{
    frame::Joined,
    significance::{adjust::holm, mcnemar},
};

/// The flips of a group, each way, and `McNemar`'s exact test of these. It counts rows: weights have no place in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlipTest {
    /// The attributes that the group is by, joined by `|`; empty for everybody.
    pub attribute: String,
    /// The group; `all` for everybody.
    pub group: String,
    /// Its rows with both decisions.
    pub rows: u64,
    /// Of these, negative as they are, positive with the attribute changed.
    pub to_positive: u64,
    /// Of these, positive as they are, negative with the attribute changed.
    pub to_negative: u64,
    /// The exact p of as many flips one way as the other; `None` if no decision flips.
    pub p_value: Option<f64>,
    /// The same by Holm, over the groups of these attributes.
    pub p_adjusted: Option<f64>,
}

impl FlipTest {
    pub(super) fn of(attribute: &str, group: &str, pairs: &Pairs) -> Self {
        let (to_positive, to_negative) = (pairs.to_positive.n, pairs.to_negative.n);
        let p_value = mcnemar::exact(to_positive, to_negative);
        Self {
            attribute: attribute.to_owned(),
            group: group.to_owned(),
            rows: pairs.all.n,
            to_positive,
            to_negative,
            p_value,
            p_adjusted: p_value,
        }
    }

    /// Of all groups by the same attributes.
    pub(super) fn of_groups(attribute: &str, groups: &[Joined], sums: &[Pairs]) -> Vec<Self> {
        let mut tests: Vec<Self> = groups
            .iter()
            .zip(sums)
            .map(|(group, pairs)| Self::of(attribute, &group.name, pairs))
            .collect();
        let known: Vec<f64> = tests.iter().filter_map(|test| test.p_value).collect();
        let tested = tests.iter_mut().filter(|test| test.p_value.is_some());
        for (test, adjusted) in tested.zip(holm(&known)) {
            test.p_adjusted = Some(adjusted);
        }
        tests
    }
}
