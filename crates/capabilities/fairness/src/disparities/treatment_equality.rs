//! Are the model's mistakes split alike: wrongly rejected for each that is wrongly selected?

use super::{Definition, extremes, metric, to_reference};

pub(super) fn definitions() -> Vec<Definition> {
    let (title, source) = ("Treatment equality", "Berk et al. 2018, treatment equality");
    metric("treatment_equality")
        .map(|metric| {
            let mut definitions = extremes(metric, metric.id, title, source);
            definitions.extend(to_reference(metric, metric.id, title, source));
            definitions
        })
        .unwrap_or_default()
}
