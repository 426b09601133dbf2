//! Are both error rates the same in each group?

use super::{Against, DIFFERENCE_THRESHOLD, Definition, Family, Fold, Form, Kind, RATIO_THRESHOLD};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    let mut definitions = Vec::new();
    for against in [Against::Groups, Against::Overall] {
        for fold in [Fold::WorstCase, Fold::Mean] {
            definitions.extend(
                [Form::Difference, Form::Ratio].map(|form| definition(form, fold, against)),
            );
        }
    }
    definitions
}

fn definition(form: Form, fold: Fold, against: Against) -> Definition {
    let (noun, ideal, threshold, worst) = match form {
        Form::Difference => ("difference", 0.0, DIFFERENCE_THRESHOLD, "greater"),
        Form::Ratio => ("ratio", 1.0, RATIO_THRESHOLD, "lesser"),
    };
    let (fold_id, fold_words, fold_formula) = match fold {
        Fold::WorstCase => ("", "", worst),
        Fold::Mean => ("_mean", " (mean)", "mean"),
    };
    let (against_id, against_words) = match against {
        Against::Groups => ("", "between groups"),
        Against::Overall => ("_to_overall", "to everybody"),
    };
    let headline = fold == Fold::WorstCase && against == Against::Groups;
    Definition {
        id: format!("equalized_odds_{noun}{fold_id}{against_id}"),
        aliases: Vec::new(),
        title: format!(
            "Equalized odds {noun}{fold_words}{}",
            if against == Against::Overall { " to everybody" } else { "" }
        ),
        formula: format!("the {fold_formula} of the TPR {noun} and the FPR {noun} {against_words}"),
        range: (0.0, 1.0),
        ideal,
        source: "Fairlearn equalized_odds_difference, equalized_odds_ratio (agg worst_case, mean); Hardt, Price, Srebro 2016",
        edge_cases: "A group without positives has no TPR, one without negatives no FPR: left out of that rate and listed. Fairlearn counts them as 0.0, which makes a difference of 0.636 out of 0.5. Undefined unless both rates can be compared.",
        needs: Needs::Decisions,
        default_threshold: headline.then_some(threshold),
        family: Family::Errors,
        scored: headline && form == Form::Difference,
        kind: Kind::Odds { form, fold, against },
    }
}
