//! One threshold for each group, so that its selection rate comes as near as can be to everybody's.

use super::{
    Found,
    effect::{apart, of_deciding, of_form},
};
use crate::{
    analysis::GroupTally,
    recommendation::{GroupThreshold, Mitigation, Recommendation},
    tally::{NEGATIVE, POSITIVE, Tally},
};

const NONE: &str =
    "there are no thresholds: not every group has rows with a label, a score and a decision";

/// The thresholds, or why there are none.
pub(super) fn recommended(found: &Found<'_>) -> Result<Recommendation, String> {
    if !found.is_scored {
        return Err("there are no thresholds: the data have no column of scores".to_owned());
    }
    found.few_enough("thresholds")?;
    let (hits, all) = found.groups.iter().fold((0.0, 0.0), |sum, group| {
        let selected = group.tally.predicted(POSITIVE).w;
        (sum.0 + selected, sum.1 + selected + group.tally.predicted(NEGATIVE).w)
    });
    let cuts: Option<Vec<(&GroupTally, Cut)>> = found
        .groups
        .iter()
        .map(|group| Some((*group, Cut::nearest(&group.tally, hits / all)?)))
        .collect();
    let Some(cuts) = cuts.filter(|_| all > 0.0) else { return Err(NONE.to_owned()) };
    let (mut right, mut judged, mut right_now, mut judged_now) = (0.0, 0.0, 0.0, 0.0);
    for (group, cut) in &cuts {
        right += cut.right;
        judged += cut.judged;
        let cells = &group.tally.cells;
        right_now += cells[POSITIVE][POSITIVE].w + cells[NEGATIVE][NEGATIVE].w;
        judged_now += group.tally.judged().w;
    }
    if judged <= 0.0 || judged_now <= 0.0 {
        return Err(NONE.to_owned());
    }
    let effect =
        of_form(found.attribute, "demographic_parity", found.evidence.ideal).and_then(|measure| {
            let after = apart(measure.ideal, cuts.iter().map(|(_, cut)| cut.rate))?;
            of_deciding(measure, after, Some(right_now / judged_now), Some(right / judged))
        });
    if effect.is_none() {
        return Err("no thresholds of the scores bring the rates nearer to one another".to_owned());
    }
    let thresholds = cuts
        .iter()
        .map(|(group, cut)| GroupThreshold {
            group: group.name.clone(),
            threshold: cut.threshold,
            rate: cut.rate,
        })
        .collect();
    Ok(found.recommend(
        format!("Decide by a score threshold for each group of {}", found.attribute.name),
        Mitigation::GroupThresholds { thresholds, equalises: "selection_rate".to_owned() },
        effect,
    ))
}

/// A threshold and what it gives.
struct Cut {
    threshold: f64,
    rate: f64,
    right: f64,
    judged: f64,
}

impl Cut {
    /// The threshold whose rate comes nearest to the goal; of two as near, the one that is right more often.
    fn nearest(tally: &Tally, goal: f64) -> Option<Self> {
        let total = tally
            .points
            .iter()
            .fold([0.0, 0.0], |sum, point| [sum[0] + point.w[0], sum[1] + point.w[1]]);
        let judged = total[NEGATIVE] + total[POSITIVE];
        if judged <= 0.0 {
            return None;
        }
        let mut above = [0.0, 0.0];
        let mut best: Option<Self> = None;
        for (at, point) in tally.points.iter().enumerate().rev() {
            above[NEGATIVE] += point.w[NEGATIVE];
            above[POSITIVE] += point.w[POSITIVE];
            // Half way to the next lower score, so that rounding of a score does not matter.
            let threshold = match at.checked_sub(1) {
                Some(below) => f64::midpoint(tally.points[below].score, point.score),
                None => point.score,
            };
            let cut = Self {
                threshold,
                rate: (above[NEGATIVE] + above[POSITIVE]) / judged,
                right: above[POSITIVE] + total[NEGATIVE] - above[NEGATIVE],
                judged,
            };
            let better = best.as_ref().is_none_or(|best| {
                let (new, old) = ((cut.rate - goal).abs(), (best.rate - goal).abs());
                new < old || (new == old && cut.right > best.right)
            });
            if better {
                best = Some(cut);
            }
        }
        best
    }
}
