//! What a change would do to a disparity, on the data analysed.

use crate::{
    analysis::{judge::gap, sentences},
    disparities::{self, Against, Fold, Kind},
    mitigation::GroupMeasures,
    recommendation::Effect,
    result::{AttributeResult, Disparity},
};

/// What whoever decides by group must hear.
const LAW: &str = "Deciding by group may itself be restricted by law: ask before you do.";

/// How far rates are apart: as a ratio where that is what is ideal at 1, as a difference otherwise. `None` of fewer than two, and
/// where all are 0 of a ratio.
pub(super) fn apart(ideal: f64, rates: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut least, mut greatest) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for rate in rates {
        (count, least, greatest) = (count + 1, least.min(rate), greatest.max(rate));
    }
    if count < 2 {
        None
    } else if ideal == 1.0 {
        (greatest > 0.0).then(|| least / greatest)
    } else {
        Some(greatest - least)
    }
}

/// The disparity between groups of this name, in the form that has this ideal.
pub(super) fn of_form<'a>(
    attribute: &'a AttributeResult,
    name: &str,
    ideal: f64,
) -> Option<&'a Disparity> {
    let form = if ideal == 1.0 { "ratio" } else { "difference" };
    let id = format!("{name}_{form}");
    attribute.disparities.iter().find(|disparity| disparity.id == id)
}

/// What a disparity of errors between groups would be with these decisions; `None` of another.
pub(super) fn of_errors(disparity: &Disparity, groups: &[GroupMeasures]) -> Option<f64> {
    let ideal = disparity.ideal;
    let tpr = || groups.iter().filter_map(|group| group.true_positive_rate);
    let fpr = || groups.iter().filter_map(|group| group.false_positive_rate);
    match disparities::find(&disparity.id)?.kind {
        Kind::Extremes { metric, against: Against::Groups, .. } => match metric.id {
            "tpr" => apart(ideal, tpr()),
            "fnr" => apart(ideal, tpr().map(|rate| 1.0 - rate)),
            "fpr" => apart(ideal, fpr()),
            "tnr" => apart(ideal, fpr().map(|rate| 1.0 - rate)),
            _ => None,
        },
        Kind::Odds { fold: Fold::WorstCase, against: Against::Groups, .. } => {
            let worse =
                |one: f64, other: f64| if ideal == 1.0 { one.min(other) } else { one.max(other) };
            [apart(ideal, tpr()), apart(ideal, fpr())].into_iter().flatten().reduce(worse)
        }
        _ => None,
    }
}

/// The effect of deciding by group on a disparity, with accuracy before and after; `None` where it would be no smaller.
pub(super) fn of_deciding(
    measure: &Disparity,
    after: f64,
    accuracy_before: Option<f64>,
    accuracy_after: Option<f64>,
) -> Option<Effect> {
    let (ideal, before) = (measure.ideal, measure.value?);
    if gap(ideal, after) >= gap(ideal, before) {
        return None;
    }
    let mut sentence = if ideal == 1.0 {
        format!(
            "On these data the lowest rate would be {} instead of {} of the highest",
            sentences::percent(after),
            sentences::percent(before)
        )
    } else {
        format!(
            "On these data the groups would be {} instead of {} percentage points apart",
            sentences::points(after),
            sentences::points(before)
        )
    };
    if let (Some(before), Some(after)) = (accuracy_before, accuracy_after) {
        sentence.push_str(&format!(
            ", and {} instead of {} of decisions right",
            sentences::percent(after),
            sentences::percent(before)
        ));
    }
    sentence.push_str(". ");
    sentence.push_str(LAW);
    Some(Effect {
        measure: measure.id.clone(),
        before,
        after,
        accuracy_before,
        accuracy_after,
        sentence,
    })
}

/// By how much a disparity would come nearer to its ideal.
pub(super) fn gain(effect: &Effect) -> f64 {
    let ideal = disparities::find(&effect.measure).map_or(0.0, |definition| definition.ideal);
    gap(ideal, effect.before) - gap(ideal, effect.after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_apart_by_the_form_that_is_asked() {
        let of = |ideal, rates: &[f64]| apart(ideal, rates.iter().copied());
        assert_eq!(of(0.0, &[0.25, 0.5, 0.75]), Some(0.5));
        assert_eq!(of(1.0, &[0.25, 0.5]), Some(0.5));
        assert_eq!((of(1.0, &[0.0, 0.0]), of(0.0, &[0.0, 0.0])), (None, Some(0.0)));
        assert_eq!((of(0.0, &[0.5]), of(1.0, &[])), (None, None));
    }
}
