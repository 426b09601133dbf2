//! How unequally benefits are spread over the people of the group (alpha 1).

use super::{Better, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "theil_index",
    aliases: &["generalized_entropy_index_1"],
    title: "Theil index",
    formula: "mean(b / mean b * ln(b / mean b)), b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Speicher et al. 2018; AIF360 generalized_entropy_index",
    edge_cases: "0 ln 0 counts as 0. Undefined when every benefit is 0.",
    measure: smooth!(|matrix| entropy::of_matrix(matrix, entropy::Alpha::One)),
};
