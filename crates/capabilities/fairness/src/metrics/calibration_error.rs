//! How far scores are from the share of positives at that score.

use super::{
    Better, Estimate, Measure, Metric, NO_SCORES, Needs, UNIT, Undefined, reliability::BINS,
};
use crate::{
    intervals,
    tally::{Count, NEGATIVE, POSITIVE, ReliabilitySums, Tally},
};

pub(super) const METRIC: Metric = Metric {
    id: "ece",
    aliases: &["expected_calibration_error"],
    title: "Expected calibration error",
    formula: "sum over ten equal-width bins of share of bin * |mean score - share of positives|",
    range: UNIT,
    better: Better::Lower,
    needs: Needs::Probabilities,
    source: "Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017",
    edge_cases: "Undefined unless all scores are probabilities. A score of 1 belongs to the last bin. It is biased upwards in small groups, which its interval allows for.",
    measure: Measure::Estimate(calibration_error),
};

fn calibration_error(tally: &Tally) -> Result<Estimate, Undefined> {
    let bins = tally.reliability.as_ref().ok_or(Undefined("the scores are not all between 0 and 1, or there are too many groups to keep bins of scores for each"))?;
    let total: f64 = bins.iter().map(|bin| bin.w[NEGATIVE] + bin.w[POSITIVE]).sum();
    if total <= 0.0 {
        return Err(Undefined(NO_SCORES));
    }
    let value = bins.iter().map(|bin| (bin.score - bin.w[POSITIVE]).abs()).sum::<f64>() / total;
    let (variance, bias) = spread(bins, total, tally.labelled_scores().count);
    Ok(Estimate { value, variance, bias, n: bins.iter().map(|bin| bin.n).sum() })
}

/// Of so many standard errors chance may have moved a bin towards being right.
const MOVED: f64 = 2.0;

/// A variance of the sum of absolute differences, not below the true one, and the most that the sum is too great on average.
///
/// A bin's |difference| varies no more than the difference does. It is too great on average, by 0.8 standard errors where the bin
/// is right and by nothing where it is far from it: E |N(d, 1)| - |d|, of the least |d| that chance may have left.
fn spread(bins: &[ReliabilitySums; BINS], total: f64, rows: Count) -> (Option<f64>, f64) {
    let effective = rows.effective();
    if effective <= 1.0 {
        return (None, 0.0);
    }
    let (mut variance, mut bias) = (0.0, 0.0);
    for (index, bin) in bins.iter().enumerate() {
        let weight = bin.w[NEGATIVE] + bin.w[POSITIVE];
        if weight <= 0.0 {
            continue;
        }
        let (share, mean) = (weight / total, bin.score / weight);
        let here = share * effective;
        // As Agresti and Coull: a bin without positives is no certainty.
        let positives = (bin.w[POSITIVE] / weight * here + 2.0) / (here + 4.0);
        // The most that scores within the bin can vary around their mean (Bhatia and Davis).
        let (lower, upper) = (index as f64 / BINS as f64, (index + 1) as f64 / BINS as f64);
        let within = ((mean - lower) * (upper - mean)).max(0.0);
        let gap = mean - bin.w[POSITIVE] / weight;
        let row = positives * (1.0 - positives) + within + (1.0 - share) * gap * gap;
        let of_bin = share * row / effective;
        variance += of_bin;
        let error = of_bin.sqrt();
        bias += error * too_great(((share * gap).abs() / error - MOVED).max(0.0));
    }
    (Some(variance), bias)
}

/// E |N(d, 1)| - |d|.
fn too_great(d: f64) -> f64 {
    let density = (-d * d / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    2.0 * density - d * intervals::two_sided(d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_value_is_too_great_near_0_only() {
        assert!((too_great(0.0) - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-12);
        // 2 (0.241971 - 0.158655).
        assert!((too_great(1.0) - 0.166_631).abs() < 1e-5);
        assert!((0.0..1e-6).contains(&too_great(5.0)));
    }
}
