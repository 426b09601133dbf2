//! How unequally benefits are spread over the people of the group (alpha 1/2: who benefits least counts for more).

use super::{Better, Measure, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_entropy_index_half",
    aliases: &[],
    title: "Generalized entropy (alpha 1/2)",
    formula: "4 * mean(1 - sqrt(b / mean b)), b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Speicher et al. 2018; AIF360 generalized_entropy_index",
    edge_cases: "Undefined when every benefit is 0. The interval is of the delta method; there is none where all benefits are equal.",
    measure: Measure::Estimate(|tally| entropy::estimated(tally, entropy::Alpha::Half)),
};
