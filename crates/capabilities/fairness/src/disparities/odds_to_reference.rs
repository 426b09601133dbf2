//! AIF360's equalized odds: the greater of two absolute differences from the reference group.

use super::{Definition, Peer, metric, peer::About};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    const EDGE_CASES: &str = "All other groups together against the reference group, which is the spec's, or the largest. Undefined if any of the four values is. Of two groups the first is Fairlearn's equalized odds difference.";
    [
        (
            "equalized_odds_difference_to_reference",
            "Equalized odds difference against the reference group",
            "max(|TPR others - TPR reference|, |FPR others - FPR reference|)",
            "AIF360 ClassificationMetric.equalized_odds_difference",
            (0.0, 1.0),
            Needs::Decisions,
            ["tpr", "fpr"],
        ),
        (
            "generalized_equalized_odds_difference",
            "Generalized equalized odds difference",
            "max(|mean score of positives: others - reference|, |mean score of negatives: others - reference|)",
            "AIF360 generalized equalized odds difference: of generalized_true_positive_rate, generalized_false_positive_rate; Pleiss et al. 2017",
            (0.0, f64::MAX),
            Needs::Ranking,
            ["mean_score_positives", "mean_score_negatives"],
        ),
    ]
    .into_iter()
    .filter_map(|(id, title, formula, source, range, needs, [first, second])| {
        let metrics = [metric(first)?, metric(second)?];
        let peer = Peer::GreaterToReference { metrics };
        let about = About { id, title, formula, range, source, edge_cases: EDGE_CASES, needs, peer };
        Some(about.definition())
    })
    .collect()
}
