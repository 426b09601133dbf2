//! Aequitas' reading of an attribute: each group against the reference group, and whether that is parity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The parities that need two others each, which stand before them, or are of one disparity
/// ([`each_to_reference`](crate::disparities::each_to_reference)).
pub(crate) static OF_TWO: [(&str, [&str; 2]); 5] = [
    ("type_i_parity", ["fdr_parity", "fpr_parity"]),
    ("type_ii_parity", ["for_parity", "fnr_parity"]),
    ("equalized_odds", ["fpr_parity", "tpr_parity"]),
    ("unsupervised_fairness", ["statistical_parity", "impact_parity"]),
    ("supervised_fairness", ["type_i_parity", "type_ii_parity"]),
];

/// Each group against the reference group, for information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parity {
    /// Tau of each disparity: parity is a ratio of at least tau and at most 1 / tau. 0.8, unless the spec sets a threshold for the
    /// disparity: then 1 less the threshold.
    pub tau: BTreeMap<String, f64>,
    /// The groups that are compared, the reference group among them, ordered by name.
    pub groups: Vec<GroupParity>,
    /// Whether all of these groups have each parity; `None` where that cannot be told.
    pub parities: BTreeMap<String, Option<bool>>,
}

/// A group against the reference group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupParity {
    /// The group's name.
    pub group: String,
    /// Its ratio to the reference group by each disparity's id, such as `fpr_disparity`; `None` where it is undefined.
    pub disparities: BTreeMap<String, Option<f64>>,
    /// Whether that is parity, by Aequitas' names, such as `fpr_parity` and `type_i_parity`; `None` where it cannot be told.
    pub parities: BTreeMap<String, Option<bool>>,
}

/// Whether all hold: one that does not is enough to say no.
pub(crate) fn all(held: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for one in held {
        match one {
            Some(true) => {}
            Some(false) => return Some(false),
            None => known = None,
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disparities::each_to_reference;

    #[test]
    fn one_that_does_not_hold_decides() {
        assert_eq!(all([Some(true), None, Some(false)]), Some(false));
        assert_eq!(all([Some(true), None]), None);
        assert_eq!(all([Some(true), Some(true)]), Some(true));
    }

    #[test]
    fn every_name_is_of_a_disparity_or_of_names_before_it() {
        let of_one: Vec<&str> = each_to_reference::all().map(|one| one.parity).collect();
        assert_eq!(of_one.len(), 10);
        for one in each_to_reference::all() {
            assert!(crate::disparities::find(one.id).is_some(), "{}", one.id);
        }
        for (place, (name, parts)) in OF_TWO.iter().enumerate() {
            for part in parts {
                let before = OF_TWO[..place].iter().map(|two| two.0);
                let mut known = of_one.iter().copied().chain(before);
                assert!(known.any(|known| known == *part), "{name} of {part}");
            }
        }
    }
}
