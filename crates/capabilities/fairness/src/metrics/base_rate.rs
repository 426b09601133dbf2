//! How often the label is positive.

use super::{Better, Measure, Metric, Needs, NO_LABELS, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "base_rate",
    aliases: &["prev", "prevalence"],
    title: "Base rate",
    formula: "positive labels / labelled rows",
    range: UNIT,
    better: Better::Neither,
    needs: Needs::Labels,
    source: "AIF360 BinaryLabelDatasetMetric.base_rate; Fairlearn MetricFrame with the mean of y_true",
    edge_cases: "Undefined in a group without labelled rows.",
    measure: Measure::Rate(|tally| (tally.label(POSITIVE), tally.label(POSITIVE) + tally.label(NEGATIVE)), NO_LABELS),
};
