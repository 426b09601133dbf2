//! AIF360's means of two signed differences.

use super::{Average, Definition, Family, Kind};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    [
        ("average_odds_difference", "Average odds difference", "((FPR others - FPR reference) + (TPR others - TPR reference)) / 2", Average::Odds),
        ("average_abs_odds_difference", "Average absolute odds difference", "(|FPR others - FPR reference| + |TPR others - TPR reference|) / 2", Average::AbsoluteOdds),
        (
            "average_predictive_value_difference",
            "Average predictive value difference",
            "((PPV others - PPV reference) + (FOR others - FOR reference)) / 2",
            Average::PredictiveValue,
        ),
    ]
    .into_iter()
    .map(|(id, title, formula, average)| Definition {
        id: id.to_owned(),
        // aif360.sklearn's name.
        aliases: if average == Average::AbsoluteOdds { vec!["average_odds_error".to_owned()] } else { Vec::new() },
        title: title.to_owned(),
        formula: formula.to_owned(),
        range: (if average == Average::AbsoluteOdds { 0.0 } else { -1.0 }, 1.0),
        ideal: 0.0,
        source: "AIF360 ClassificationMetric",
        edge_cases: "All other groups together against the reference group. Undefined if any of the four rates is.",
        needs: Needs::Decisions,
        default_threshold: None,
        family: Family::Other,
        scored: false,
        kind: Kind::Average(average),
    })
    .collect()
}
