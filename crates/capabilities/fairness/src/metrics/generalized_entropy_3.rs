//! How unequally benefits are spread over the people of the group (alpha 3: who benefits most counts for more).

use super::{Better, Measure, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "generalized_entropy_index_3",
    aliases: &[],
    title: "Generalized entropy (alpha 3)",
    formula: "mean((b / mean b)^3 - 1) / 6, b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "Speicher et al. 2018; AIF360 generalized_entropy_index",
    edge_cases: "Undefined when every benefit is 0. The interval is of the delta method; there is none where all benefits are equal.",
    measure: Measure::Estimate(|tally| entropy::estimated(tally, entropy::Alpha::Three)),
};
