//! What is wrong with what is asked of an explanation: all of it at once, before anything is read.

use std::collections::HashSet;

use datafusion::arrow::datatypes::{DataType, Schema};
use ephor_explain::{groups::most_resamples, permutation::Metric};
use ephor_kernel::Fault;

use super::spec::{EffectKind, ExplanationSpec, Kind, Scale};

/// What is known of a model without reading its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its features.
    pub features: Vec<String>,
    /// How many outputs.
    pub outputs: usize,
    /// Does it consist of trees?
    pub has_trees: bool,
    /// Are its SHAP values exact, as those of trees and linear models? None where only the file tells.
    pub is_exact: Option<bool>,
    /// Do they say how many training rows went which way? None where only the file tells.
    pub has_covers: Option<bool>,
    /// From sums to predictions.
    pub link: String,
    /// May its sums be probabilities themselves, as of trees that hold shares of classes? Only the file tells.
    pub may_be_shares: bool,
}

/// More features are not explained on a server.
pub(super) const MOST_FEATURES: usize = 2_000;
/// More outputs are not explained on a server.
const MOST_OUTPUTS: usize = 1_000;
/// A row has at most so many values: one for each feature of each output.
const MOST_ROW_VALUES: usize = 1 << 18;
/// The rows to compare with.
pub(super) const MOST_BACKGROUND: usize = 10_000;
/// The rows of LIME, which are all shown.
pub(super) const MOST_NEAR: usize = 100;
/// Rows that methods work on which ask the model anew for each.
pub(super) const MOST_ASKED: usize = 100_000;
/// The features whose effects are shown.
pub(super) const MOST_EFFECTS: usize = 12;
/// Pairs of more features take too long.
const MOST_PAIRED: usize = 200;
/// Why pairs of features are not explained.
pub(super) const NO_COVERS: &str = "The file does not say how many training rows went which way, and pairs of features cannot be explained without";
/// Groups are shuffled at most so often.
pub(super) const MOST_RESAMPLES: usize = 100_000;
/// Why an option of estimates is refused.
pub(super) const EXACT: &str = "of estimates, and values of trees and linear models are exact";
/// A row has at most so many values of pairs: one for each two features of each output.
const MOST_ROW_PAIRS: usize = 1 << 22;

impl ExplanationSpec {
    /// All that is wrong with it.
    pub(crate) fn faults(&self, kind: Kind, known: &Known, schema: &Schema) -> Vec<Fault> {
        let mut faults = self.misplaced(kind);
        faults.extend(self.bounds(kind, known));
        faults.extend(self.column_faults(known, schema));
        if kind == Kind::Permutation && self.target.is_none() {
            let message = "Permutation importance needs the column of true labels";
            faults.push(Fault::new("/parameters/target", "required", message));
        }
        let shap = kind == Kind::Shap;
        if kind == Kind::Permutation {
            faults.extend(self.metric_faults(known));
        }
        let is_probability = known.link == "logistic" && known.outputs == 1;
        let may_be = is_probability || known.may_be_shares;
        if shap && self.scale == Scale::Probability && !may_be {
            faults.push(
                Fault::new(
                    "/parameters/scale",
                    "no_probability",
                    "The model does not predict one probability by the logistic function",
                )
                .hint("leave `scale` out: values are then in the unit of the margin"),
            );
        }
        if shap && self.interactions {
            if !known.has_trees {
                let message = "Pairs of features are explained of trees alone";
                faults.push(Fault::new("/parameters/interactions", "no_trees", message));
            } else if known.has_covers == Some(false) {
                faults.push(
                    Fault::new("/parameters/interactions", "no_covers", NO_COVERS)
                        .hint("leave `interactions` out, or upload the model in its own format instead of ONNX"),
                );
            }
            if known.features.len() > MOST_PAIRED {
                faults.push(Fault::new(
                    "/parameters/interactions",
                    "too_many_features",
                    format!("Pairs of at most {MOST_PAIRED} features are explained"),
                ));
            } else if known.features.len().pow(2).saturating_mul(known.outputs) > MOST_ROW_PAIRS {
                faults.push(Fault::new(
                    "/parameters/interactions",
                    "too_many_outputs",
                    format!(
                        "Pairs of {} features have too many values for {} outputs",
                        known.features.len(),
                        known.outputs
                    ),
                ));
            }
        }
        let compares = self.reference.is_some() || (shap && self.resamples.is_some());
        if compares && self.group.is_none() {
            let message = "Comparing groups needs their column";
            faults.push(Fault::new("/parameters/group", "required", message));
        }
        if shap {
            faults.extend(self.estimate_faults(known));
        }
        faults
    }

    /// What is asked of estimates alone, of a model whose values are exact; and a precision that is none.
    fn estimate_faults(&self, known: &Known) -> Vec<Fault> {
        let mut faults = Vec::new();
        let given = [("samples", self.samples.is_some()), ("precision", self.precision.is_some())];
        let is_exact = known.is_exact == Some(true);
        for (name, _) in given.iter().filter(|(_, is_given)| *is_given && is_exact) {
            let message = format!("`{name}` is {EXACT}");
            faults.push(Fault::new(format!("/parameters/{name}"), "exact", message));
        }
        if self.precision.is_some_and(|precision| !(precision > 0.0 && precision.is_finite())) {
            let message = "A number greater than 0, in the unit of the prediction";
            faults.push(Fault::new("/parameters/precision", "range", message));
        }
        faults
    }

    /// A metric that says nothing of a model with so many outputs.
    fn metric_faults(&self, known: &Known) -> Option<Fault> {
        let outputs = known.outputs;
        let message = match self.metric? {
            Metric::R2 | Metric::MeanSquaredError | Metric::MeanAbsoluteError if outputs != 1 => {
                format!(
                    "The metric is of one predicted number, and the model has {outputs} outputs"
                )
            }
            Metric::RocAuc if outputs > 2 => {
                format!("The area under the curve is of two classes, and the model has {outputs}")
            }
            _ => return None,
        };
        Some(Fault::new("/parameters/metric", "of_other_outputs", message))
    }

    /// All that is wrong with a background of its own: the columns are those of the data set that is explained, by name.
    pub(super) fn background_faults(
        &self,
        kind: Kind,
        features: &[String],
        rows: u64,
        schema: &Schema,
    ) -> Vec<Fault> {
        const PLACE: &str = "/background_dataset_id";
        let mut faults = Vec::new();
        if kind == Kind::Permutation {
            let message = "Permutation importance compares with no other rows";
            faults.push(Fault::new(PLACE, "of_another_type", message));
        }
        if rows == 0 {
            faults.push(Fault::new(PLACE, "no_rows", "The background data set has no rows"));
        }
        let columns = self.feature_columns(features);
        let missing = |name: &&String| schema.field_with_name(name).is_err();
        let missing: Vec<&String> = columns.iter().filter(missing).collect();
        if !missing.is_empty() {
            let message = format!(
                "The background data set has no column for the features {}",
                listed(&missing)
            );
            let hint = "its columns have the same names as those of the data set that is explained";
            faults.push(Fault::new(PLACE, "unknown_column", message).hint(hint));
        }
        let is_no_number = |name: &&String| {
            schema.field_with_name(name).is_ok_and(|field| !is_numeric(field.data_type()))
        };
        let texts: Vec<&String> = columns.iter().filter(is_no_number).collect();
        if !texts.is_empty() {
            let message = format!(
                "These columns of the background data set hold no numbers: {}",
                listed(&texts)
            );
            let hint = "a category is the number that the model was trained with";
            faults.push(Fault::new(PLACE, "not_numeric", message).hint(hint));
        }
        faults
    }

    /// What other methods alone are asked.
    fn misplaced(&self, kind: Kind) -> Vec<Fault> {
        use Kind::{Global, Lime, Permutation, Shap};
        let given: [(&str, bool, &[Kind]); 17] = [
            ("output", self.output.is_some(), &[Shap, Lime, Global]),
            ("background", self.background.is_some(), &[Shap, Lime, Global]),
            ("scale", self.scale != Scale::Margin, &[Shap]),
            ("interactions", self.interactions, &[Shap]),
            ("group", self.group.is_some(), &[Shap]),
            ("reference", self.reference.is_some(), &[Shap]),
            ("resamples", self.resamples.is_some(), &[Shap]),
            ("precision", self.precision.is_some(), &[Shap]),
            ("single_rows", self.single_rows.is_some(), &[Shap]),
            ("target", self.target.is_some(), &[Permutation]),
            ("metric", self.metric.is_some(), &[Permutation]),
            ("repeats", self.repeats.is_some(), &[Permutation, Lime]),
            ("samples", self.samples.is_some(), &[Shap, Lime]),
            ("top", self.top.is_some(), &[Lime]),
            ("categorical", !self.categorical.is_empty(), &[Lime, Global]),
            ("features", self.features.is_some(), &[Global]),
            ("points", self.points.is_some(), &[Global]),
        ];
        let effect = ("effect", self.effect != EffectKind::Partial, [Global].as_slice());
        given
            .into_iter()
            .chain([effect])
            .filter(|(_, is_given, kinds)| *is_given && !kinds.contains(&kind))
            .map(|(name, _, kinds)| {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                Fault::new(
                    format!("/parameters/{name}"),
                    "of_another_type",
                    format!("`{name}` is asked of {} alone", words.join(" and ")),
                )
            })
            .collect()
    }

    fn bounds(&self, kind: Kind, known: &Known) -> Vec<Fault> {
        let mut faults = Vec::new();
        if known.features.len() > MOST_FEATURES {
            faults.push(Fault::new(
                "/artifact_id",
                "too_many_features",
                format!(
                    "The model has {} features; at most {MOST_FEATURES} are explained",
                    known.features.len()
                ),
            ));
        }
        // Memory goes with both, whatever the number of rows.
        if known.outputs > MOST_OUTPUTS {
            faults.push(Fault::new(
                "/artifact_id",
                "too_many_outputs",
                format!(
                    "The model has {} outputs; at most {MOST_OUTPUTS} are explained",
                    known.outputs
                ),
            ));
        } else if known.features.len().saturating_mul(known.outputs) > MOST_ROW_VALUES {
            faults.push(Fault::new(
                "/artifact_id",
                "too_many_outputs",
                format!(
                    "The model has {} features for each of {} outputs; at most {MOST_ROW_VALUES} values of a row are explained",
                    known.features.len(),
                    known.outputs
                ),
            ));
        }
        if let Some(output) = self.output.filter(|output| *output >= known.outputs) {
            faults.push(Fault::new(
                "/parameters/output",
                "range",
                format!(
                    "There is no output {output}: the model has {}, counted from 0",
                    known.outputs
                ),
            ));
        }
        let most_rows = match kind {
            Kind::Shap => usize::MAX,
            Kind::Lime => MOST_NEAR,
            Kind::Permutation | Kind::Global => MOST_ASKED,
        };
        // What groups are compared by is kept, for each feature.
        let resamples = MOST_RESAMPLES.min(most_resamples(known.features.len()));
        let within = [
            ("rows", self.rows, 1, most_rows),
            ("background", self.background, 1, MOST_BACKGROUND),
            ("repeats", self.repeats, 1, 100),
            ("samples", self.samples, 100, 50_000),
            ("resamples", self.resamples, 20, resamples),
            ("top", self.top, 1, 100),
            ("points", self.points, 2, 200),
        ];
        for (name, value, least, most) in within {
            if value.is_some_and(|value| value < least || value > most) {
                let message = if most == usize::MAX {
                    format!("At least {least}")
                } else {
                    format!("Between {least} and {most}")
                };
                faults.push(Fault::new(format!("/parameters/{name}"), "range", message));
            }
        }
        let lists = [
            ("single_rows", self.single_rows.as_ref().map(Vec::len), MOST_NEAR),
            ("features", self.features.as_ref().map(Vec::len), MOST_EFFECTS),
        ];
        for (name, count, most) in lists {
            if count.is_some_and(|count| count == 0 || count > most) {
                let message = format!("Between 1 and {most} of them");
                faults.push(Fault::new(format!("/parameters/{name}"), "range", message));
            }
        }
        let names = self.features.iter().flatten().map(|name| ("features", name));
        for (place, name) in names.chain(self.categorical.iter().map(|name| ("categorical", name)))
        {
            if !known.features.contains(name) {
                faults.push(Fault::new(
                    format!("/parameters/{place}"),
                    "unknown_feature",
                    format!("The model has no feature `{name}`"),
                ));
            }
        }
        faults
    }

    fn column_faults(&self, known: &Known, schema: &Schema) -> Vec<Fault> {
        let mut faults = Vec::new();
        let place = if self.columns.is_some() { "/parameters/columns" } else { "/dataset_id" };
        let columns = self.feature_columns(&known.features);
        if columns.len() != known.features.len() {
            faults.push(Fault::new(
                place,
                "length",
                format!(
                    "The model has {} features, and {} columns are named",
                    known.features.len(),
                    columns.len()
                ),
            ));
        }
        let mut seen = HashSet::new();
        for column in &columns {
            if !seen.insert(column) {
                let message = format!("`{column}` stands for two features");
                faults.push(Fault::new(place, "repeated", message));
            }
        }
        let mut missing = Vec::new();
        let named = columns.iter().map(|name| (place, name));
        let target = self.target.iter().map(|name| ("/parameters/target", name));
        for (place, name) in named.chain(target) {
            match schema.field_with_name(name) {
                Err(_) if place == "/dataset_id" => missing.push(name),
                Err(_) => faults.push(unknown(place, name)),
                Ok(field) if !is_numeric(field.data_type()) => faults.push(
                    Fault::new(place, "not_numeric", format!("`{name}` is no column of numbers"))
                        .hint("a category is the number that the model was trained with"),
                ),
                Ok(_) => {}
            }
        }
        if let Some(group) =
            self.group.as_ref().filter(|name| schema.field_with_name(name).is_err())
        {
            faults.push(unknown("/parameters/group", group));
        }
        if !missing.is_empty() {
            faults.push(
                Fault::new(
                    place,
                    "unknown_column",
                    format!("The data set has no column for the features {}", listed(&missing)),
                )
                .hint("say with `columns` which columns hold the features, in the model's order"),
            );
        }
        faults
    }
}

/// The first names, and how many there are beyond.
fn listed(names: &[&String]) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    let others = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{others}", shown.join(", "))
}

fn unknown(place: &'static str, name: &str) -> Fault {
    Fault::new(place, "unknown_column", format!("The data set has no column `{name}`"))
}

fn is_numeric(kind: &DataType) -> bool {
    kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
