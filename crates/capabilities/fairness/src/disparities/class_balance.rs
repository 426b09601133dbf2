//! Do those who have the same label get the same score, whatever their group?

use super::{Definition, extremes, metric, to_reference};

pub(super) fn definitions() -> Vec<Definition> {
    let source = "Kleinberg, Mullainathan, Raghavan 2017";
    [
        ("mean_score_positives", "balance_positive_class", "Balance for the positive class"),
        ("mean_score_negatives", "balance_negative_class", "Balance for the negative class"),
    ]
    .into_iter()
    .filter_map(|(id, name, title)| Some((metric(id)?, name, title)))
    .flat_map(|(metric, name, title)| {
        let mut definitions = extremes(metric, name, title, source);
        definitions.extend(to_reference(metric, name, title, source));
        definitions
    })
    .collect()
}
