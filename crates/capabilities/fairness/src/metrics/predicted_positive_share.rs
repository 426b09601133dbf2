//! How many of all who are selected are of the group.

use super::{Better, Estimate, Measure, Metric, Needs, UNIT, Undefined};
use crate::tally::{POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "ppr",
    aliases: &["predicted_positive_rate", "predicted_positive_share"],
    title: "Share of all predicted positive",
    formula: "predicted positive in the group / predicted positive in all groups",
    range: UNIT,
    better: Better::Neither,
    needs: Needs::Predictions,
    source: "Aequitas ppr",
    edge_cases: "Undefined where nobody at all is predicted positive. Greater groups have more of it whatever the model does: for rates see selection_rate, Aequitas' pprev. Known exactly for the analysed rows: it has no interval.",
    measure: Measure::Estimate(ppr),
};

fn ppr(tally: &Tally) -> Result<Estimate, Undefined> {
    if tally.everybody_selected <= 0.0 {
        return Err(Undefined("nobody at all is predicted positive"));
    }
    let selected = tally.predicted(POSITIVE);
    // Sums of weights in another order may differ in their last digit.
    let value = (selected.w / tally.everybody_selected).min(1.0);
    Ok(Estimate { value, variance: None, bias: 0.0, n: selected.n })
}
