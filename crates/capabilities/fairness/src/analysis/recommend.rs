//! What to do about a disparity: a mitigation that is computed, with the effect that it would have had on these data.

use super::{compare::Comparison, sentences};
use crate::{
    mitigation::reweighing,
    result::{
        AttributeResult, CellWeight, Disparity, Effect, GroupThreshold, Labels, Mitigation,
        PredictionSource, Recommendation, Status,
    },
    tally::{NEGATIVE, POSITIVE, Tally},
};

/// Recommendations for the judged disparities that are not within their thresholds, the most effective first.
pub(crate) fn recommend(
    attributes: &[AttributeResult],
    comparisons: &[Comparison],
    labels: &Labels,
    scored: bool,
) -> Vec<Recommendation> {
    let mut all: Vec<(f64, Recommendation)> = Vec::new();
    for (attribute, comparison) in attributes.iter().zip(comparisons) {
        let troubled = |id: &str| {
            attribute
                .disparities
                .iter()
                .find(|disparity| disparity.id == id && disparity.status > Some(Status::Pass))
        };
        let groups: Vec<(&str, &Tally)> = comparison
            .compared
            .iter()
            .map(|index| (comparison.group(*index).name.as_str(), &comparison.group(*index).tally))
            .collect();
        let mut add = |disparity: &Disparity, made: Option<Recommendation>| {
            if let Some(made) = made {
                let effect =
                    made.effect.as_ref().map_or(0.0, |effect| effect.before - effect.after);
                // A finding that chance cannot explain goes before one that it can, whatever its size.
                let certain = if disparity.status == Some(Status::Fail) { 1.0 } else { 0.0 };
                all.push((certain + effect, made));
            }
        };
        if let Some(disparity) = troubled("demographic_parity_difference") {
            if scored {
                add(disparity, thresholds(attribute, disparity, &groups, Equal::SelectionRate));
            }
            add(disparity, reweighing(attribute, disparity, &groups, labels));
        } else if let Some(disparity) =
            troubled("base_rate_difference").filter(|_| labels.prediction == PredictionSource::None)
        {
            add(disparity, reweighing(attribute, disparity, &groups, labels));
        }
        if let Some(disparity) = troubled("equal_opportunity_difference") {
            if scored {
                add(disparity, thresholds(attribute, disparity, &groups, Equal::TruePositiveRate));
            } else {
                add(
                    disparity,
                    investigate(
                        attribute,
                        disparity,
                        "Look at the rows with a positive label that are rejected in the group with the lower rate: what do they have in common, and is their label trustworthy? With a column of scores, Ephor computes thresholds for each group.",
                    ),
                );
            }
        } else if let Some(disparity) = troubled("equalized_odds_difference") {
            add(
                disparity,
                investigate(
                    attribute,
                    disparity,
                    "The false positive rates differ: look at the rows with a negative label that are selected in the group with the higher rate, and at how well its scores are calibrated.",
                ),
            );
        }
        for (id, advice) in [
            (
                "predictive_parity_difference",
                "A positive prediction means something else in each group: compare the reliability curves, and calibrate the scores within groups.",
            ),
            (
                "accuracy_difference",
                "The model knows one group less well: see whether it has too few rows or features that say less about it, and collect more of them.",
            ),
            (
                "roc_auc_difference",
                "The scores rank one group less well: see whether it has too few rows or features that say less about it.",
            ),
            (
                "ece_difference",
                "The scores of one group are less well calibrated: calibrate them within groups.",
            ),
        ] {
            if let Some(disparity) = troubled(id) {
                add(disparity, investigate(attribute, disparity, advice));
            }
        }
    }
    all.sort_by(|left, right| right.0.total_cmp(&left.0));
    all.into_iter().map(|(_, recommendation)| recommendation).collect()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one of three makers, of which two may find nothing to recommend"
)]
fn investigate(
    attribute: &AttributeResult,
    disparity: &Disparity,
    advice: &str,
) -> Option<Recommendation> {
    Some(Recommendation {
        title: format!(
            "Find out why {} differs by {}",
            disparity.title.trim_end_matches(" difference").to_lowercase(),
            attribute.name
        ),
        attribute: attribute.name.clone(),
        disparity: disparity.id.clone(),
        evidence: disparity.sentence.clone(),
        mitigation: Mitigation::Investigate { advice: advice.to_owned() },
        effect: None,
    })
}

/// Kamiran and Calders 2012: w(group, label) = P(group) P(label) / P(group, label).
fn reweighing(
    attribute: &AttributeResult,
    disparity: &Disparity,
    groups: &[(&str, &Tally)],
    labels: &Labels,
) -> Option<Recommendation> {
    let cells: Vec<[f64; 2]> = groups
        .iter()
        .map(|(_, tally)| [tally.label(NEGATIVE).w, tally.label(POSITIVE).w])
        .collect();
    let mut weights = Vec::new();
    let mut rates = Vec::new();
    let factors = reweighing::factors(&cells);
    for (((name, _), cell), factors) in groups.iter().zip(&cells).zip(factors) {
        let mine = cell[NEGATIVE] + cell[POSITIVE];
        if mine <= 0.0 {
            continue;
        }
        rates.push(cell[POSITIVE] / mine);
        let negative_label =
            labels.negative.clone().unwrap_or_else(|| format!("not {}", labels.positive));
        for (label, place) in [(labels.positive.clone(), POSITIVE), (negative_label, NEGATIVE)] {
            if let Some(weight) = factors[place] {
                weights.push(CellWeight { group: (*name).to_owned(), label, weight });
            }
        }
    }
    let before = spread(&rates)?;
    // A group without one of the labels keeps its rate: no weight can give it rows.
    let possible = groups
        .iter()
        .all(|(_, tally)| tally.label(NEGATIVE).w > 0.0 && tally.label(POSITIVE).w > 0.0);
    if !possible || before <= 0.01 {
        return None;
    }
    Some(Recommendation {
        title: format!(
            "Train again with reweighed rows, so that the label does not depend on {}",
            attribute.name
        ),
        attribute: attribute.name.clone(),
        disparity: disparity.id.clone(),
        evidence: disparity.sentence.clone(),
        mitigation: Mitigation::Reweighing { weights },
        effect: Some(Effect {
            measure: "base_rate_difference".to_owned(),
            before,
            after: 0.0,
            accuracy_before: None,
            accuracy_after: None,
            sentence: format!(
                "With these weights positive labels are equally frequent in every group of the training data (now {} percentage points apart). How far predictions follow shows when the model is trained again and analysed.",
                sentences::points(before)
            ),
        }),
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Equal {
    SelectionRate,
    TruePositiveRate,
}

/// One threshold for each group, so that its rate comes as near as can be to everybody's.
fn thresholds(
    attribute: &AttributeResult,
    disparity: &Disparity,
    groups: &[(&str, &Tally)],
    equal: Equal,
) -> Option<Recommendation> {
    let metric = match equal {
        Equal::SelectionRate => "selection_rate",
        Equal::TruePositiveRate => "tpr",
    };
    let group_rate = |tally: &Tally| match equal {
        Equal::SelectionRate => {
            (tally.predicted(POSITIVE).w, tally.predicted(POSITIVE).w + tally.predicted(NEGATIVE).w)
        }
        Equal::TruePositiveRate => (
            tally.cells[POSITIVE][POSITIVE].w,
            tally.cells[POSITIVE][POSITIVE].w + tally.cells[POSITIVE][NEGATIVE].w,
        ),
    };
    let (hits, all) = groups
        .iter()
        .map(|(_, tally)| group_rate(tally))
        .fold((0.0, 0.0), |sum, rate| (sum.0 + rate.0, sum.1 + rate.1));
    if all <= 0.0 {
        return None;
    }
    let goal = hits / all;
    let (mut thresholds, mut rates) = (Vec::new(), Vec::new());
    let (mut right, mut judged, mut right_now, mut judged_now) = (0.0, 0.0, 0.0, 0.0);
    for (name, tally) in groups {
        let cut = Cut::nearest(tally, goal, equal)?;
        rates.push(cut.rate);
        right += cut.right;
        judged += cut.judged;
        right_now += tally.cells[POSITIVE][POSITIVE].w + tally.cells[NEGATIVE][NEGATIVE].w;
        judged_now += tally.judged().w;
        thresholds.push(GroupThreshold {
            group: (*name).to_owned(),
            threshold: cut.threshold,
            rate: cut.rate,
        });
    }
    let (before, after) = (disparity.value?, spread(&rates)?);
    if after >= before || judged <= 0.0 || judged_now <= 0.0 {
        return None;
    }
    let (accuracy_before, accuracy_after) = (right_now / judged_now, right / judged);
    Some(Recommendation {
        title: format!("Decide by a score threshold for each group of {}", attribute.name),
        attribute: attribute.name.clone(),
        disparity: disparity.id.clone(),
        evidence: disparity.sentence.clone(),
        mitigation: Mitigation::GroupThresholds { thresholds, equalises: metric.to_owned() },
        effect: Some(Effect {
            measure: disparity.id.clone(),
            before,
            after,
            accuracy_before: Some(accuracy_before),
            accuracy_after: Some(accuracy_after),
            sentence: format!(
                "On these data the groups would be {} instead of {} percentage points apart, and {} instead of {} of decisions right. Deciding by group may itself be restricted by law: ask before you do.",
                sentences::points(after),
                sentences::points(before),
                sentences::percent(accuracy_after),
                sentences::percent(accuracy_before)
            ),
        }),
    })
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
    fn nearest(tally: &Tally, goal: f64, equal: Equal) -> Option<Self> {
        let total = tally
            .points
            .iter()
            .fold([0.0, 0.0], |sum, point| [sum[0] + point.w[0], sum[1] + point.w[1]]);
        let judged = total[NEGATIVE] + total[POSITIVE];
        let of = if equal == Equal::SelectionRate { judged } else { total[POSITIVE] };
        if of <= 0.0 {
            return None;
        }
        let mut above = [0.0, 0.0];
        let mut best: Option<Self> = None;
        for (at, point) in tally.points.iter().enumerate().rev() {
            above[NEGATIVE] += point.w[NEGATIVE];
            above[POSITIVE] += point.w[POSITIVE];
            let selected = if equal == Equal::SelectionRate {
                above[NEGATIVE] + above[POSITIVE]
            } else {
                above[POSITIVE]
            };
            // Half way to the next lower score, so that rounding of a score does not matter.
            let threshold = match at.checked_sub(1) {
                Some(below) => f64::midpoint(tally.points[below].score, point.score),
                None => point.score,
            };
            let cut = Self {
                threshold,
                rate: selected / of,
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

fn spread(rates: &[f64]) -> Option<f64> {
    let least = rates.iter().copied().reduce(f64::min)?;
    let greatest = rates.iter().copied().reduce(f64::max)?;
    (rates.len() > 1).then_some(greatest - least)
}
