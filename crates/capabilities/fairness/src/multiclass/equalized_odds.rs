//! Is each class recognised as often, and wrongly given as often, in each group?

use tokio_util::sync::CancellationToken;

use super::{MulticlassSpec, one_against_rest};
use crate::{
    IntervalMethod, WorstPair,
    analysis::Evidence,
    disparities::DIFFERENCE_THRESHOLD,
    frame::{About, Draft, Measured, Picked, Sample, Sides, compared, not_comparable},
    intervals::pairs::{Member, greatest_difference},
    metrics::Better,
};

pub(super) const ABOUT: About = About {
    id: "multiclass_equalized_odds_difference",
    title: "Equalized odds difference of the worst class",
    formula: "max over classes of max(TPR difference, FPR difference), the class against the rest",
    range: (0.0, 1.0),
    better: Better::Lower,
    source: "Fairlearn equalized_odds_difference, each class against the rest",
    edge_cases: "Rates that are undefined in a group are left out. The interval holds for all pairs of groups in all classes at once (Holm), and its test is adjusted for these; none with very many.",
    difference_threshold: Some(DIFFERENCE_THRESHOLD),
    ratio_threshold: None,
};

pub(super) fn draft(
    groups: &[Measured],
    parts: &[Vec<Measured>],
    classes: &[String],
    spec: &MulticlassSpec,
    sure: bool,
    cancel: &CancellationToken,
) -> (Draft, Option<Evidence>) {
    worst(&ABOUT, &["tpr", "fpr"], groups, parts, classes, spec, sure, cancel)
}

/// The greatest difference of some rates over all classes and pairs of groups; tested, of rows without weights, unless somebody
/// cancels.
#[allow(clippy::too_many_arguments, reason = "what two disparities share, and no more")]
pub(super) fn worst(
    about: &About,
    rates: &[&str],
    groups: &[Measured],
    parts: &[Vec<Measured>],
    classes: &[String],
    spec: &MulticlassSpec,
    sure: bool,
    cancel: &CancellationToken,
) -> (Draft, Option<Evidence>) {
    let places = compared(groups, &spec.groups);
    let quantities = one_against_rest::quantities();
    let (mut families, mut found): (Vec<Vec<Member>>, Option<(f64, WorstPair)>) =
        (Vec::new(), None);
    let is_tested = sure && spec.groups.weight.is_none();
    let (mut samples, mut chosen): (Vec<Vec<Option<Sample>>>, _) = (Vec::new(), None);
    for (part, class) in parts.iter().zip(classes) {
        for (at, quantity) in
            quantities.iter().enumerate().filter(|(_, quantity)| rates.contains(&quantity.id))
        {
            let known: Vec<(usize, f64)> = places
                .iter()
                .filter_map(|place| Some((*place, part[*place].metrics[at].value?)))
                .collect();
            families.push(
                places.iter().filter_map(|place| part[*place].metrics[at].member()).collect(),
            );
            if is_tested {
                let sample = |place: &usize| Sample::of(&part[*place].metrics[at]);
                samples.push(places.iter().map(sample).collect());
            }
            let (Some(low), Some(high)) = (
                known.iter().min_by(|left, right| left.1.total_cmp(&right.1)),
                known.iter().rev().max_by(|left, right| left.1.total_cmp(&right.1)),
            ) else {
                continue;
            };
            let gap = high.1 - low.1;
            if known.len() >= 2 && found.as_ref().is_none_or(|(most, _)| gap > *most) {
                let pair = WorstPair {
                    low: groups[low.0].name.clone(),
                    low_value: low.1,
                    high: groups[high.0].name.clone(),
                    high_value: high.1,
                    metric: format!("{} of {class}", quantity.id),
                };
                let place = |group: usize| places.iter().position(|place| *place == group);
                chosen = place(low.0)
                    .zip(place(high.0))
                    .map(|(low, high)| (families.len() - 1, low, high));
                found = Some((gap, pair));
            }
        }
    }
    let value = found.as_ref().map(|(gap, _)| *gap).ok_or_else(|| {
        if places.len() < 2 {
            not_comparable(groups.len(), places.len()).to_owned()
        } else {
            "no rate is defined in two groups".to_owned()
        }
    });
    let high = found.as_ref().map_or(0.0, |(_, pair)| pair.high_value);
    let sides = Sides { high, least: about.range.0, is_ratio: false };
    let is_stopped = || cancel.is_cancelled();
    let picked = chosen
        .filter(|_| is_tested)
        .and_then(|chosen| Picked::of_families(&samples, chosen, &is_stopped));
    let evidence = picked.map(|picked| picked.evidence(sides, spec.groups.confidence));
    let draft = Draft {
        id: about.id.to_owned(),
        title: about.title.to_owned(),
        ideal: 0.0,
        value,
        interval: sure.then(|| greatest_difference(&families, spec.groups.confidence)).flatten(),
        method: IntervalMethod::SimultaneousPairs,
        threshold: about.difference_threshold,
        worst_pair: found.map(|(_, pair)| pair),
        n: places.iter().map(|at| groups[*at].n).sum(),
        left_out: Vec::new(),
    };
    (draft, evidence)
}
