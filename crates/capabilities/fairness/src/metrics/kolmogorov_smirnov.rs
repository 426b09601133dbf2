//! How far apart the scores of positives and negatives are.

use super::{Better, Estimate, Measure, Metric, NO_NEGATIVES, NO_POSITIVES, Needs, UNIT, Undefined};
use crate::tally::{NEGATIVE, POSITIVE, Tally};

/// The mean of the greatest distance of a Brownian bridge from 0: of so many standard errors is the separation of labels whose
/// scores do not differ at all. Source: Kolmogorov 1933; sqrt(pi / 2) ln 2.
const MEAN_GREATEST: f64 = 0.868_731_160_636_159;

pub(super) const METRIC: Metric = Metric {
    id: "ks",
    aliases: &["kolmogorov_smirnov"],
    title: "Kolmogorov-Smirnov separation",
    formula: "max over scores of |F(score | positive) - F(score | negative)|",
    range: UNIT,
    better: Better::Higher,
    needs: Needs::Ranking,
    source: "SciPy ks_2samp of the positives' and negatives' scores",
    edge_cases: "Undefined in a group that lacks one of the labels. It is biased upwards in small groups, which its interval allows for.",
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
    let (mut below, mut value, mut there) = ([0.0_f64; 2], 0.0_f64, [0.5_f64; 2]);
    for point in &tally.points {
        below[NEGATIVE] += point.w[NEGATIVE];
        below[POSITIVE] += point.w[POSITIVE];
        let shares = [below[NEGATIVE] / negatives.w, below[POSITIVE] / positives.w];
        let apart = (shares[NEGATIVE] - shares[POSITIVE]).abs();
        if apart > value {
            (value, there) = (apart, shares);
        }
    }
    // Where they are furthest apart it is a difference of two shares, drawn to the middle as Agresti and Coull's: where labels
    // do not overlap no sample knows that none do. It was picked as the furthest, which is the bias.
    let rows = [negatives.effective(), positives.effective()];
    let variance = |label: usize| {
        let p = ((there[label] * rows[label] + 2.0) / (rows[label] + 4.0)).clamp(0.0, 1.0);
        p * (1.0 - p) / rows[label]
    };
    Ok(Estimate {
        value: value.min(1.0),
        variance: Some(variance(NEGATIVE) + variance(POSITIVE)),
        bias: MEAN_GREATEST * (1.0 / rows[NEGATIVE] + 1.0 / rows[POSITIVE]).sqrt(),
        n: negatives.n + positives.n,
    })
}
