//! Which label is positive: named in the spec, or plain from the values.

use std::collections::BTreeSet;

use crate::{
    AnalysisSpec, Fault,
    cube::{self, Cube},
    result::{Labels, PredictionSource},
};

/// How the labels were read, or why they cannot be.
pub(crate) fn resolve(cube: &Cube, spec: &AnalysisSpec) -> Result<Labels, Vec<Fault>> {
    let mut faults = Vec::new();
    let named = spec.positive_label.as_deref();
    // Without labels, predictions say which words there are.
    let mut read = &cube.prediction.labels;
    if let Some(target) = &spec.target {
        read = &cube.target.labels;
        faults.extend(label_faults(read, "/target", target, "label", named));
    }
    if let Some(name) = &spec.prediction {
        let predicted = &cube.prediction.labels;
        faults.extend(label_faults(predicted, "/prediction", name, "prediction", named));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let prediction = match (&spec.prediction, &spec.score) {
        (Some(_), _) => PredictionSource::Column,
        (None, Some(_)) => PredictionSource::Score,
        (None, None) => PredictionSource::None,
    };
    let positive = read.positives.first().cloned().or_else(|| spec.positive_label.clone());
    let positive = positive.unwrap_or_else(|| {
        if read.others.iter().any(|label| label.eq_ignore_ascii_case("false")) {
            "true"
        } else {
            "1"
        }
        .to_owned()
    });
    Ok(Labels { positive, negative: read.others.first().cloned(), prediction })
}

/// Why a column's values cannot be read as yes and no.
pub(crate) fn label_faults(
    labels: &cube::Labels,
    place: &str,
    column: &str,
    role: &str,
    positive: Option<&str>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let values: BTreeSet<&str> =
        labels.positives.iter().chain(&labels.others).map(String::as_str).collect();
    let listed = values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    let code = |word: &str| format!("{role}_{word}");
    if values.is_empty() {
        let message = format!("`{column}` has no values: every row is missing.");
        faults
            .push(Fault::new(place, &code("empty"), message).hint("Name a column that is filled."));
    } else if values.len() > 2 {
        let message =
            format!("`{column}` has {} values ({listed}), and a {role} has two.", values.len());
        faults.push(
            Fault::new(place, &code("not_binary"), message)
                .hint("Name a column with two values, or make one: one value against the others."),
        );
    } else if let Some(positive) = positive {
        // Without a single positive row, what is there must be the one other label.
        if labels.positives.is_empty() && labels.others.len() > 1 {
            let message = format!("`{column}` has no value `{positive}`: it has {listed}.");
            faults.push(
                Fault::new("/positive_label", "unknown_label", message)
                    .hint("Name one of its values as positive_label."),
            );
        }
    } else {
        let negative =
            |value: &str| value == "0" || value == "-1" || value.eq_ignore_ascii_case("false");
        if labels.positives.len() > 1 || !labels.others.iter().all(|value| negative(value)) {
            let message = format!("Which value of `{column}` is positive? It has {listed}.");
            faults.push(
                Fault::new("/positive_label", "required", message)
                    .hint("Name one of them as positive_label."),
            );
        }
    }
    faults
}
