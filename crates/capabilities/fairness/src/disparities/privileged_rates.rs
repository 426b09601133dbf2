//! AIF360's signed differences and ratios of error rates.

use super::{Definition, Form, metric, privileged};

pub(super) fn definitions() -> Vec<Definition> {
    [
        ("true_positive_rate_difference", "True positive rate difference", "tpr", Form::Difference),
        (
            "false_positive_rate_difference",
            "False positive rate difference",
            "fpr",
            Form::Difference,
        ),
        (
            "false_negative_rate_difference",
            "False negative rate difference",
            "fnr",
            Form::Difference,
        ),
        (
            "false_omission_rate_difference",
            "False omission rate difference",
            "for",
            Form::Difference,
        ),
        (
            "false_discovery_rate_difference",
            "False discovery rate difference",
            "fdr",
            Form::Difference,
        ),
        ("error_rate_difference", "Error rate difference", "zero_one_loss", Form::Difference),
        ("false_positive_rate_ratio", "False positive rate ratio", "fpr", Form::Ratio),
        ("false_negative_rate_ratio", "False negative rate ratio", "fnr", Form::Ratio),
        ("false_omission_rate_ratio", "False omission rate ratio", "for", Form::Ratio),
        ("false_discovery_rate_ratio", "False discovery rate ratio", "fdr", Form::Ratio),
        ("error_rate_ratio", "Error rate ratio", "zero_one_loss", Form::Ratio),
    ]
    .into_iter()
    .filter_map(|(id, title, rate, form)| {
        let title = format!("{title} against the reference group");
        metric(rate).map(|metric| privileged(id, &title, metric, form))
    })
    .collect()
}
