//! How unequally benefits are spread over the people of the group (alpha 0).

use super::{Better, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_entropy_index_0",
    aliases: &[],
    title: "Generalized entropy (alpha 0)",
    formula: "-mean(ln(b / mean b)), b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Speicher et al. 2018; AIF360 generalized_entropy_index",
    edge_cases: "Undefined where a benefit is 0 (a false negative). AIF360 divides by the mean once more than its own documentation says; this follows the documentation.",
    measure: smooth!(|matrix| entropy::of_matrix(matrix, entropy::Alpha::Zero)),
};
