//! The ratio of selection rates that the four-fifths rule looks at.

use super::{Definition, Family, Form, RATIO_THRESHOLD, metric, privileged};

pub(super) fn definitions() -> Vec<Definition> {
    metric("selection_rate")
        .map(|rate| Definition {
            default_threshold: Some(RATIO_THRESHOLD),
            family: Family::Selection,
            source: "AIF360 disparate_impact; EEOC Uniform Guidelines 1978, 29 CFR 1607.4 D (four-fifths rule, guidance)",
            ..privileged("disparate_impact", "Disparate impact", rate, Form::Ratio)
        })
        .into_iter()
        .collect()
}
