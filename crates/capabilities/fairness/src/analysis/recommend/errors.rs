//! Thresholds that make error rates equal, as [`mitigation::fit`](crate::mitigation::fit) finds them: of one rate by one threshold
//! for each group, or by draw between two; of both by draw.

use super::{
    Data, Found,
    cause::{Apart, Trouble},
    effect::{of_deciding, of_errors, of_form},
};
use crate::{
    analysis::judge::gap,
    disparities::{self, Kind},
    mitigation::{Advice, Constraint, Method, MitigationSpec, ScoreRule, advise},
    recommendation::{GroupScoreRule, GroupThreshold, Mitigation, Recommendation},
    result::Disparity,
    tally::Tally,
};

/// The least that treats the trouble, or why nothing does.
///
/// One rate is made equal if only that differs, first by single thresholds; where that leaves a disparity beyond its threshold (few
/// scores, or rates so low that a point apart is far; the other rate, where equalized odds are judged), both are.
pub(super) fn recommended(
    found: &Found<'_>,
    trouble: &Trouble<'_>,
    data: &Data<'_>,
) -> Result<Recommendation, String> {
    let Some(target) = &data.spec.target else {
        return Err("there are no thresholds: the data have no labels".to_owned());
    };
    if !found.is_scored {
        return Err("there are no thresholds: the data have no column of scores".to_owned());
    }
    let one = match trouble.apart() {
        Apart { tpr: true, fpr: false } => Some(Constraint::EqualOpportunity),
        Apart { tpr: false, fpr: true } => Some(Constraint::FalsePositiveRateParity),
        Apart { .. } => None,
    };
    let of_one = one.into_iter().flat_map(|constraint| [(constraint, false), (constraint, true)]);
    let mut last =
        Err("no thresholds of the scores bring the rates nearer to one another".to_owned());
    let mut needs_both = false;
    for (constraint, randomized) in of_one.chain([(Constraint::EqualizedOdds, true)]) {
        if needs_both && constraint != Constraint::EqualizedOdds {
            continue;
        }
        let spec = MitigationSpec {
            constraint,
            randomized,
            score: data.spec.score.clone(),
            min_group_size: data.spec.min_group_size,
            ..MitigationSpec::new(
                Method::Threshold,
                target.clone(),
                found.attribute.attributes.iter().cloned(),
            )
        };
        match advise(&spec, &found.groups, data.whole, data.width) {
            Ok(advice) => {
                let (own, odds) = heals(found, trouble, &advice);
                // Draws would not help where this rate is equal already, and the other is apart.
                needs_both = own && !odds;
                if let Some(made) = made(found, constraint, randomized, &advice) {
                    if own && odds {
                        return Ok(made);
                    }
                    last = Ok(made);
                }
            }
            // What one constraint leaves to be done may need what the next asks for: labels of both kinds in each group.
            Err(reason) if last.is_err() => {
                last = Err(format!("there are no thresholds: {reason}"));
            }
            Err(_) => {}
        }
    }
    last
}

/// Whether the rate's own disparities would be within their thresholds; and whether equalized odds would, where they are judged.
fn heals(found: &Found<'_>, trouble: &Trouble<'_>, advice: &Advice) -> (bool, bool) {
    let is_odds = |disparity: &Disparity| {
        let kind = disparities::find(&disparity.id).map(|definition| definition.kind);
        matches!(kind, Some(Kind::Odds { .. }))
    };
    let is_within = |disparity: &Disparity| {
        let after = of_errors(disparity, &advice.after.groups);
        let within = |after: f64, most: f64| gap(disparity.ideal, after) <= most;
        after.zip(disparity.threshold).is_none_or(|(after, most)| within(after, most))
    };
    let own =
        trouble.all.iter().copied().all(|disparity| is_odds(disparity) || is_within(disparity));
    let all = &found.attribute.disparities;
    (own, all.iter().all(|disparity| !is_odds(disparity) || is_within(disparity)))
}

fn made(
    found: &Found<'_>,
    constraint: Constraint,
    randomized: bool,
    advice: &Advice,
) -> Option<Recommendation> {
    let ideal = found.evidence.ideal;
    let measure = of_errors(found.evidence, &advice.after.groups)
        .map(|after| (found.evidence, after))
        .or_else(|| {
            let odds = of_form(found.attribute, "equalized_odds", ideal)?;
            Some((odds, of_errors(odds, &advice.after.groups)?))
        })?;
    let (before, after) = (advice.before.accuracy, advice.after.accuracy);
    let mut effect = of_deciding(measure.0, measure.1, before, after)?;
    let equalises = match constraint {
        Constraint::DemographicParity => "selection_rate",
        Constraint::EqualOpportunity => "tpr",
        Constraint::FalsePositiveRateParity => "fpr",
        Constraint::EqualizedOdds => "equalized_odds",
    };
    let rules = found.groups.iter().zip(&advice.rules).zip(&advice.after.groups);
    let name = &found.attribute.name;
    if !randomized {
        let thresholds = rules
            .filter_map(|((group, rule), measured)| {
                let rate = if constraint == Constraint::FalsePositiveRateParity {
                    measured.false_positive_rate?
                } else {
                    measured.true_positive_rate?
                };
                let threshold = threshold(rule, &group.tally);
                Some(GroupThreshold { group: group.name.clone(), threshold, rate })
            })
            .collect();
        return Some(found.recommend(
            format!("Decide by a score threshold for each group of {name}"),
            Mitigation::GroupThresholds { thresholds, equalises: equalises.to_owned() },
            Some(effect),
        ));
    }
    effect.sentence.push_str(
        " Scores between two thresholds are decided by draw: two people with one score may be decided differently.",
    );
    let rules = rules
        .map(|((group, rule), measured)| GroupScoreRule {
            group: group.name.clone(),
            rule: rule.clone(),
            true_positive_rate: measured.true_positive_rate,
            false_positive_rate: measured.false_positive_rate,
        })
        .collect();
    Some(found.recommend(
        format!("Decide by score thresholds for each group of {name}, and by draw between them"),
        Mitigation::DrawnThresholds { rules, equalises: equalises.to_owned() },
        Some(effect),
    ))
}

/// The least score that a rule of one threshold selects. Who selects all or none has one beyond the scores: a result holds numbers
/// only.
fn threshold(rule: &ScoreRule, tally: &Tally) -> f64 {
    match (rule.steps.first(), &*tally.points) {
        (Some(step), _) => step.from,
        (None, []) => 0.0,
        (None, [lowest, ..]) if rule.below > 0.0 => lowest.score,
        (None, [.., highest]) => highest.score.next_up(),
    }
}
