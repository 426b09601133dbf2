//! How unequally benefits are spread over the people of the group (alpha 2).

use super::{Better, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_entropy_index",
    aliases: &["generalized_entropy_index_2"],
    title: "Generalized entropy (alpha 2)",
    formula: "mean((b / mean b)^2 - 1) / 2, b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Speicher et al. 2018; AIF360 generalized_entropy_index",
    edge_cases: "Undefined when every benefit is 0.",
    measure: smooth!(|matrix| entropy::of_matrix(matrix, entropy::Alpha::Two)),
};
