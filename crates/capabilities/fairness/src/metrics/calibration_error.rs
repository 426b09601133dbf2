//! How far scores are from the share of positives at that score.

use super::{Better, Estimate, Measure, Metric, NO_SCORES, Needs, UNIT, Undefined};
use crate::tally::{NEGATIVE, POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "ece",
    aliases: &["expected_calibration_error"],
    title: "Expected calibration error",
    formula: "sum over ten equal-width bins of share of bin * |mean score - share of positives|",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Probabilities,
    source: "Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017",
    edge_cases: "Undefined unless all scores are probabilities. A score of 1 belongs to the last bin. It is biased upwards in small groups and has no interval.",
    measure: Measure::Estimate(calibration_error),
};

fn calibration_error(tally: &Tally) -> Result<Estimate, Undefined> {
    let bins = tally.reliability.as_ref().ok_or(Undefined("the scores are not all between 0 and 1, or there are too many groups to keep bins of scores for each"))?;
    let total: f64 = bins.iter().map(|bin| bin.w[NEGATIVE] + bin.w[POSITIVE]).sum();
    if total <= 0.0 {
        return Err(Undefined(NO_SCORES));
    }
    let value = bins.iter().map(|bin| (bin.score - bin.w[POSITIVE]).abs()).sum::<f64>() / total;
    Ok(Estimate { value, variance: None, n: bins.iter().map(|bin| bin.n).sum() })
}
