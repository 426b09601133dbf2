//! How far apart the scores of positives and negatives are.

use super::{Better, Estimate, Measure, Metric, NO_NEGATIVES, NO_POSITIVES, Needs, UNIT, Undefined};
use crate::tally::{NEGATIVE, POSITIVE, Tally};

pub(super) const METRIC: Metric = Metric {
    id: "ks",
    aliases: &["kolmogorov_smirnov"],
    title: "Kolmogorov-Smirnov separation",
    formula: "max over scores of |F(score | positive) - F(score | negative)|",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Ranking,
    source: "SciPy ks_2samp of the positives' and negatives' scores",
    edge_cases: "Undefined in a group that lacks one of the labels. It is biased upwards in small groups and has no interval.",
    measure: Measure::Estimate(kolmogorov_smirnov),
};

fn kolmogorov_smirnov(tally: &Tally) -> Result<Estimate, Undefined> {
    let [negatives, positives] = [tally.scores[NEGATIVE].count, tally.scores[POSITIVE].count];
    if positives.w <= 0.0 {
        return Err(Undefined(NO_POSITIVES));
    }
    if negatives.w <= 0.0 {
        return Err(Undefined(NO_NEGATIVES));
    }
    let (mut below, mut value) = ([0.0_f64; 2], 0.0_f64);
    for point in &tally.points {
        below[NEGATIVE] += point.w[NEGATIVE];
        below[POSITIVE] += point.w[POSITIVE];
        value = value.max((below[NEGATIVE] / negatives.w - below[POSITIVE] / positives.w).abs());
    }
    Ok(Estimate { value: value.min(1.0), variance: None, n: negatives.n + positives.n })
}
