//! Weights to train again with: Kamiran and Calders 2012, w(group, label) = P(group) P(label) / P(group, label).

use super::{Found, effect::apart};
use crate::{
    analysis::sentences,
    mitigation::reweighing,
    recommendation::{CellWeight, Effect, Mitigation, Recommendation},
    result::Labels,
    tally::{NEGATIVE, POSITIVE},
};

/// Base rates that are so near to one another are the same.
const SAME: f64 = 0.01;

/// The weights, or why there are none.
pub(super) fn recommended(found: &Found<'_>, labels: &Labels) -> Result<Recommendation, String> {
    found.few_enough("weights")?;
    let cells: Vec<[f64; 2]> = found
        .groups
        .iter()
        .map(|group| [group.tally.label(NEGATIVE).w, group.tally.label(POSITIVE).w])
        .collect();
    let mut weights = Vec::new();
    let mut rates = Vec::new();
    let factors = reweighing::factors(&cells);
    for ((group, cell), factors) in found.groups.iter().zip(&cells).zip(factors) {
        let mine = cell[NEGATIVE] + cell[POSITIVE];
        if mine <= 0.0 {
            continue;
        }
        rates.push(cell[POSITIVE] / mine);
        let negative_label =
            labels.negative.clone().unwrap_or_else(|| format!("not {}", labels.positive));
        for (label, place) in [(labels.positive.clone(), POSITIVE), (negative_label, NEGATIVE)] {
            if let Some(weight) = factors[place] {
                weights.push(CellWeight { group: group.name.clone(), label, weight });
            }
        }
    }
    let Some(before) = apart(0.0, rates.into_iter()) else {
        return Err("there are no weights: fewer than two groups have labels".to_owned());
    };
    // A group without one of the labels keeps its rate: no weight can give it rows.
    if cells.iter().any(|cell| cell[NEGATIVE] <= 0.0 || cell[POSITIVE] <= 0.0) {
        return Err("there are no weights: a group has one of the labels only".to_owned());
    }
    if before <= SAME {
        return Err("weights would change nothing: positive labels are equally frequent".to_owned());
    }
    Ok(found.recommend(
        format!(
            "Train again with reweighed rows, so that the label does not depend on {}",
            found.attribute.name
        ),
        Mitigation::Reweighing { weights },
        Some(Effect {
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
    ))
}
