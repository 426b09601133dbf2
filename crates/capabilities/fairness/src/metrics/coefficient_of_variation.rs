//! How much the benefits of the group's people vary, relative to their mean.

use super::{Better, Measure, Metric, Needs, entropy};

pub(super) const METRIC: Metric = Metric {
    id: "coefficient_of_variation",
    aliases: &[],
    title: "Coefficient of variation",
    formula: "standard deviation of b / mean b = sqrt(2 * generalized entropy (alpha 2)), b = prediction - label + 1",
    range: (0.0, f64::MAX),
    better: Better::Lower,
    needs: Needs::Decisions,
    source: "AIF360 coefficient_of_variation",
    edge_cases: "Undefined when every benefit is 0. The interval is of the delta method; there is none where all benefits are equal.",
    measure: Measure::Estimate(entropy::variation),
};
