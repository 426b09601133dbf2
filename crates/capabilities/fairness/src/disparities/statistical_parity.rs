//! AIF360's signed difference of selection rates.

use super::{Definition, Form, metric, privileged};

pub(super) fn definitions() -> Vec<Definition> {
    metric("selection_rate")
        .map(|rate| {
            privileged(
                "statistical_parity_difference",
                "Statistical parity difference",
                rate,
                Form::Difference,
            )
        })
        .into_iter()
        .collect()
}
