//! Thresholds for groups that an analysis has counted: what a fit would find, without another pass and without a frontier.

use super::{
    MAX_THRESHOLD_GROUPS, MOST_WEIGHT, Measures, MitigationSpec, ScoreRule, Subject, curve::Curve,
    outcomes, subject, threshold,
};
use crate::{analysis::GroupTally, tally::Tally};

/// The most points of all groups' curves that are searched beside an analysis: a fit by itself may take its time.
const MOST_POINTS: usize = 1 << 21;

/// Rules, and what decisions are like before and after.
pub(crate) struct Advice {
    /// Of each group, in the order given; of one that cannot be compared, everybody's.
    pub rules: Vec<ScoreRule>,
    pub before: Measures,
    pub after: Measures,
}

/// Finds thresholds for these groups of everybody; `width` of the bins of [0, 1], if scores are binned. Otherwise says why there
/// are none, as a part of a sentence.
pub(crate) fn advise(
    spec: &MitigationSpec,
    groups: &[&GroupTally],
    whole: &Tally,
    width: Option<f64>,
) -> Result<Advice, String> {
    if groups.len() > MAX_THRESHOLD_GROUPS {
        return Err(format!("{} groups are more than {MAX_THRESHOLD_GROUPS}", groups.len()));
    }
    if groups.iter().map(|group| group.tally.points.len()).sum::<usize>() > MOST_POINTS {
        return Err("so many groups have too many different scores to search beside an analysis; the mitigation can be computed by itself".to_owned());
    }
    let whole = Curve::new(whole, width);
    if whole.positives <= 0.0 || whole.negatives <= 0.0 {
        return Err("the scored rows have one label only".to_owned());
    }
    if whole.positives + whole.negatives > MOST_WEIGHT {
        return Err("the weights are too great".to_owned());
    }
    let mut left_out = Vec::new();
    let subjects: Vec<Subject> = groups
        .iter()
        .map(|group| subject(spec, group.values.clone(), &group.tally, width, &mut left_out))
        .collect();
    if subjects.iter().filter(|subject| subject.is_compared).count() < 2 {
        return Err("fewer than two groups have scores and the labels that it takes".to_owned());
    }
    let (own, fallback) = threshold::rules(spec, &subjects, &whole);
    let mut own = own.into_iter();
    let rules: Vec<ScoreRule> = subjects
        .iter()
        .map(|subject| {
            let rule = if subject.is_compared { own.next() } else { None };
            rule.unwrap_or_else(|| fallback.clone())
        })
        .collect();
    let before = outcomes(&subjects, |_, subject| subject.before);
    let after = outcomes(&subjects, |index, subject| subject.curve.apply(&rules[index]));
    let (before, after) = (Measures::of_decisions(&before), Measures::of_decisions(&after));
    Ok(Advice { rules, before, after })
}
