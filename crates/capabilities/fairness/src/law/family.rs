//! Over which tests a p-value is adjusted. The group with the highest rate is picked by the data: of groups with one rate, the one
//! that chance favours. To test the others against it is to have looked at every pair.

use serde::{Deserialize, Serialize};

use crate::significance::{
    Selection, adjust,
    all_pairs::{Adjusted, MAX_GROUPS, adjusted, alone, pairs, place},
    fisher,
};

/// The tests that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// How many there are.
    pub tests: u64,
    /// The group with the highest rate was named beforehand, as the spec's reference group: only what is tested against it counts.
    /// Otherwise all pairs of groups do.
    pub is_named: bool,
}

impl Family {
    /// Of so many groups.
    pub(super) fn new(groups: usize, is_named: bool) -> Self {
        let (groups, others) = (groups as u64, groups.saturating_sub(1) as u64);
        Self { tests: if is_named { others } else { groups * others / 2 }, is_named }
    }

    /// Fisher's p of each group against that at `best`, adjusted; in the order of the groups, 1 of that group itself.
    pub(super) fn adjust(self, groups: &[Selection], best: usize) -> Vec<Adjusted> {
        let Some(highest) = groups.get(best).copied() else { return Vec::new() };
        let itself = Adjusted { holm: 1.0, benjamini_hochberg: Some(1.0) };
        if self.is_named {
            let others = groups.iter().enumerate().filter(|(at, _)| *at != best);
            let p: Vec<f64> = others.map(|(_, group)| fisher::exact(*group, highest)).collect();
            let found = adjust::holm(&p).into_iter().zip(adjust::benjamini_hochberg(&p));
            let mut all: Vec<Adjusted> = found
                .map(|(holm, hochberg)| Adjusted { holm, benjamini_hochberg: Some(hochberg) })
                .collect();
            all.insert(best, itself);
            return all;
        }
        let every = if groups.len() > MAX_GROUPS { Vec::new() } else { exact_pairs(groups, best) };
        groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                if at == best {
                    return itself;
                }
                // Not every pair of very many groups is tested: then by Bonferroni, which is never less.
                adjusted(&every, place(at, best, groups.len()))
                    .unwrap_or_else(|| alone(fisher::exact(*group, highest), self.tests))
            })
            .collect()
    }
}

/// Fisher's exact p of every pair, in the order of [`pairs`]: the law's reports test all of them alike, whatever their numbers.
/// Rounding depends on which group comes first: the one at `best` is the second, as it is where it is compared.
fn exact_pairs(groups: &[Selection], best: usize) -> Vec<f64> {
    let in_order = |(one, other)| if one == best { (other, one) } else { (one, other) };
    pairs(groups.len())
        .map(in_order)
        .map(|(one, other)| fisher::exact(groups[one], groups[other]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: [(u64, u64); 4] = [(30, 100), (55, 100), (45, 100), (20, 100)];

    fn groups() -> Vec<Selection> {
        GROUPS.iter().map(|(selected, of)| Selection::new(*selected, *of)).collect()
    }

    #[test]
    fn a_picked_group_is_one_of_all_pairs_and_a_named_one_of_its_own() {
        let (all, named) = (Family::new(4, false), Family::new(4, true));
        assert_eq!((all.tests, named.tests), (6, 3));
        let groups = groups();
        let (all, named) = (all.adjust(&groups, 1), named.adjust(&groups, 1));
        assert_eq!((all.len(), named.len()), (4, 4));
        for at in [0, 2, 3] {
            let p = fisher::exact(groups[at], groups[1]);
            assert!(p <= named[at].holm && named[at].holm < all[at].holm, "{at}");
        }
        // The least of all six, and the least of three.
        let least = fisher::exact(groups[3], groups[1]);
        assert_eq!((all[3].holm, named[3].holm), (6.0 * least, 3.0 * least));
        assert_eq!((all[1].holm, named[1].holm), (1.0, 1.0));
    }

    #[test]
    fn of_two_groups_there_is_one_test() {
        let groups = [Selection::new(10, 50), Selection::new(30, 50)];
        let p = fisher::exact(groups[0], groups[1]);
        for is_named in [false, true] {
            let found = Family::new(2, is_named).adjust(&groups, 1);
            assert_eq!((found[0].holm, found[0].benjamini_hochberg), (p, Some(p)));
        }
        assert!(Family::new(0, false).adjust(&[], 0).is_empty());
    }

    #[test]
    fn of_very_many_groups_each_counts_for_all_pairs() {
        let groups: Vec<Selection> = (0..70).map(|at| Selection::new(20 + at % 3, 60)).collect();
        let family = Family::new(groups.len(), false);
        let found = family.adjust(&groups, 2);
        assert_eq!(family.tests, 70 * 69 / 2);
        assert!(found.iter().all(|one| one.holm == 1.0));
    }
}
