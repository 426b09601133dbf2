//! How often the prediction is positive.

use super::{Better, Measure, Metric, Needs, NO_PREDICTIONS, UNIT};
use crate::tally::{NEGATIVE, POSITIVE};

pub(super) const METRIC: Metric = Metric {
    id: "selection_rate",
    aliases: &["mean_prediction", "pprev"],
    title: "Selection rate",
    formula: "predicted positive / rows with a prediction",
    range: UNIT,
    better: Better::Neither,
    needs: Needs::Predictions,
    source: "Fairlearn selection_rate; AIF360 ClassificationMetric.selection_rate",
    edge_cases: "A missing prediction is counted as missing; Fairlearn and AIF360 count it as not selected.",
    measure: Measure::Rate(|tally| (tally.predicted(POSITIVE), tally.predicted(POSITIVE) + tally.predicted(NEGATIVE)), NO_PREDICTIONS),
};
