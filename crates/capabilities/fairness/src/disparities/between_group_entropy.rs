//! How unequally benefits are spread between groups: everybody is given their group's mean benefit.

use super::{Definition, Family, Kind};
use crate::metrics::{Needs, entropy::Alpha};

pub(super) fn definitions() -> Vec<Definition> {
    let mut definitions = Vec::new();
    for all_groups in [false, true] {
        let (prefix, who) = if all_groups {
            ("between_all_groups", "all groups")
        } else {
            ("between_group", "others and reference group")
        };
        for (suffix, title, formula, alpha, variation) in [
            (
                "mean_log_deviation",
                "mean log deviation",
                "generalized entropy (alpha 0) of mean benefits",
                Alpha::Zero,
                false,
            ),
            (
                "theil_index",
                "Theil index",
                "generalized entropy (alpha 1) of mean benefits",
                Alpha::One,
                false,
            ),
            (
                "generalized_entropy_index",
                "generalized entropy index",
                "generalized entropy (alpha 2) of mean benefits",
                Alpha::Two,
                false,
            ),
            (
                "generalized_entropy_index_half",
                "generalized entropy index (alpha 1/2)",
                "generalized entropy (alpha 1/2) of mean benefits",
                Alpha::Half,
                false,
            ),
            (
                "generalized_entropy_index_3",
                "generalized entropy index (alpha 3)",
                "generalized entropy (alpha 3) of mean benefits",
                Alpha::Three,
                false,
            ),
            (
                "coefficient_of_variation",
                "coefficient of variation",
                "sqrt(2 * generalized entropy (alpha 2) of mean benefits)",
                Alpha::Two,
                true,
            ),
        ] {
            definitions.push(Definition {
                id: format!("{prefix}_{suffix}"),
                aliases: Vec::new(),
                title: format!("Between-group {title} ({who})"),
                formula: format!("{formula}, over {who}"),
                range: (0.0, f64::MAX),
                ideal: 0.0,
                source: "Speicher et al. 2018; AIF360 between_group_*, between_all_groups_*",
                edge_cases: "Benefit b = prediction - label + 1. Undefined with fewer than two groups, or (alpha 0) when a group's mean benefit is 0. There is no interval at alpha 1/2 and 3.",
                needs: Needs::Decisions,
                default_threshold: None,
                family: Family::Other,
                scored: false,
                kind: Kind::Entropy { alpha, all_groups, variation },
            });
        }
    }
    definitions
}
