//! The labels alone, before any model: AIF360's `BinaryLabelDatasetMetric`.

use super::{Definition, Form, metric, privileged};

pub(super) fn definitions() -> Vec<Definition> {
    metric("base_rate")
        .map(|rate| {
            [
                ("dataset_statistical_parity_difference", "Label parity difference", Form::Difference),
                ("dataset_disparate_impact", "Label impact ratio", Form::Ratio),
            ]
            .map(|(id, title, form)| Definition {
                source: "AIF360 BinaryLabelDatasetMetric.statistical_parity_difference, disparate_impact",
                ..privileged(id, title, rate, form)
            })
        })
        .into_iter()
        .flatten()
        .collect()
}
