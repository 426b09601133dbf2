//! Does a score mean the same for each group?

use super::{Definition, Family, Fold, Kind};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    [
        (
            "calibration_within_groups_difference",
            "Calibration within groups difference",
            "greatest over ten equal bins of the score of max - min share of positive labels over groups",
            Fold::WorstCase,
        ),
        (
            "calibration_within_groups_difference_mean",
            "Mean calibration within groups difference",
            "mean over ten equal bins of the score of max - min share of positive labels over groups",
            Fold::Mean,
        ),
    ]
    .into_iter()
    .map(|(id, title, formula, fold)| Definition {
        id: id.to_owned(),
        aliases: Vec::new(),
        title: title.to_owned(),
        formula: formula.to_owned(),
        range: (0.0, 1.0),
        ideal: 0.0,
        source: "Kleinberg, Mullainathan, Raghavan 2017; Pleiss et al. 2017",
        edge_cases: "Of a bin, only groups with at least the least group size there are compared, and only bins with two of them count. Where groups' scores lie differently within a bin, part of the difference is theirs. Undefined without such a bin, or unless all scores are between 0 and 1.",
        needs: Needs::Probabilities,
        default_threshold: None,
        family: Family::Other,
        scored: false,
        kind: Kind::Bins { fold },
    })
    .collect()
}
