//! What is asked of an explanation, and what is wrong with it.

use std::collections::HashSet;

use datafusion::arrow::datatypes::{DataType, Schema};
use ephor_explain::permutation::Metric;
use ephor_kernel::Fault;
use serde::{Deserialize, Serialize};

/// How a model is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What each feature adds to each prediction.
    Shap,
    /// A linear model near each of some rows.
    Lime,
    /// What the model loses without each feature.
    Permutation,
    /// What the model does as a whole: mean values, and effects of the features that count most.
    Global,
}

impl Kind {
    /// The word that PostgreSQL stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shap => "shap",
            Self::Lime => "lime",
            Self::Permutation => "permutation",
            Self::Global => "global",
        }
    }
}

/// In which unit SHAP values add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The model's sum before its link.
    #[default]
    Margin,
    /// The probability, of models that predict one by the logistic function.
    Probability,
}

/// Which effect of a feature is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// Partial dependence, with lines of single rows.
    #[default]
    Partial,
    /// Accumulated local effects.
    Accumulated,
}

/// What is asked for beyond model, data set and method. What is left out has a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplanationSpec {
    /// The data set's columns in the model's order, where they have other names than its features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Which output, counted from 0: the class, of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<usize>,
    /// How many rows: the first of them for SHAP and LIME, drawn by chance for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
    /// How many rows to compare with, drawn by chance: from the background data set, or else from the data set itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<usize>,
    /// SHAP: the unit.
    #[serde(default)]
    pub scale: Scale,
    /// SHAP: pairs of features too, of some rows.
    #[serde(default)]
    pub interactions: bool,
    /// SHAP: the column that says who belongs to which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// SHAP: the group that others are compared with; the largest by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// SHAP: the rows to be shown each by itself, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_rows: Option<Vec<u64>>,
    /// Permutation: the column of true labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Permutation: how good a model is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// Permutation and LIME: how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
    /// LIME: how many made-up rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// LIME: how many features a linear model has at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// LIME and global: the features whose numbers are categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categorical: Vec<String>,
    /// Global: the features whose effects are shown; those that count most by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// Global: which effect.
    #[serde(default)]
    pub effect: EffectKind,
    /// Global: at how many values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<usize>,
    /// The seed of chance.
    #[serde(default)]
    pub seed: u64,
}

/// What is known of a model without reading its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// Its features.
    pub features: Vec<String>,
    /// How many outputs.
    pub outputs: usize,
    /// Does it consist of trees?
    pub has_trees: bool,
    /// Do they say how many training rows went which way? None where only the file tells.
    pub has_covers: Option<bool>,
    /// From sums to predictions.
    pub link: String,
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
/// A row has at most so many values of pairs: one for each two features of each output.
const MOST_ROW_PAIRS: usize = 1 << 22;

impl ExplanationSpec {
    /// The columns that hold the features.
    pub(super) fn feature_columns(&self, features: &[String]) -> Vec<String> {
        self.columns.clone().unwrap_or_else(|| features.to_vec())
    }

    /// The output that is explained: the one, or class 1 of two classes.
    pub(super) fn output_of(&self, outputs: usize) -> usize {
        self.output.unwrap_or(usize::from(outputs == 2))
    }

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
        if shap && self.scale == Scale::Probability && !is_probability {
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
        if self.reference.is_some() && self.group.is_none() {
            let message = "A group to compare with needs the column of groups";
            faults.push(Fault::new("/parameters/group", "required", message));
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
        let given: [(&str, bool, &[Kind]); 15] = [
            ("output", self.output.is_some(), &[Shap, Lime, Global]),
            ("background", self.background.is_some(), &[Shap, Lime, Global]),
            ("scale", self.scale != Scale::Margin, &[Shap]),
            ("interactions", self.interactions, &[Shap]),
            ("group", self.group.is_some(), &[Shap]),
            ("reference", self.reference.is_some(), &[Shap]),
            ("single_rows", self.single_rows.is_some(), &[Shap]),
            ("target", self.target.is_some(), &[Permutation]),
            ("metric", self.metric.is_some(), &[Permutation]),
            ("repeats", self.repeats.is_some(), &[Permutation, Lime]),
            ("samples", self.samples.is_some(), &[Lime]),
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
        let within = [
            ("rows", self.rows, 1, most_rows),
            ("background", self.background, 1, MOST_BACKGROUND),
            ("repeats", self.repeats, 1, 100),
            ("samples", self.samples, 100, 50_000),
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
mod tests {
    use datafusion::arrow::datatypes::Field;
    use serde_json::json;

    use super::*;

    fn known() -> Known {
        Known {
            features: vec!["age".into(), "income".into()],
            outputs: 1,
            has_trees: true,
            has_covers: Some(true),
            link: "identity".into(),
        }
    }

    fn schema() -> Schema {
        let number = |name| Field::new(name, DataType::Float64, true);
        Schema::new(vec![
            number("age"),
            number("income"),
            Field::new("sex", DataType::Utf8, true),
            Field::new("y", DataType::Boolean, true),
        ])
    }

    fn faults(kind: Kind, spec: serde_json::Value) -> Vec<(String, String)> {
        let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
        let found = spec.faults(kind, &known(), &schema());
        found.into_iter().map(|fault| (fault.pointer.to_string(), fault.code.to_string())).collect()
    }

    fn pair(place: &str, code: &str) -> (String, String) {
        (format!("/parameters/{place}"), code.to_owned())
    }

    #[test]
    fn what_can_be_done_has_no_fault() {
        for (kind, spec) in [
            (Kind::Shap, json!({})),
            (
                Kind::Shap,
                json!({ "group": "sex", "interactions": true, "columns": ["income", "y"] }),
            ),
            (Kind::Lime, json!({ "rows": 3, "categorical": ["age"] })),
            (Kind::Permutation, json!({ "target": "y", "metric": "roc_auc" })),
            (Kind::Global, json!({ "features": ["age"], "effect": "accumulated" })),
        ] {
            assert_eq!(faults(kind, spec.clone()), [], "{spec}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let spec = json!({
            "target": "sex", "scale": "probability", "output": 1, "rows": 0, "reference": "f",
            "columns": ["age", "age", "nothing"], "features": [], "background": 20_000,
        });
        let found = faults(Kind::Shap, spec);
        for wanted in [
            pair("target", "of_another_type"),
            pair("target", "not_numeric"),
            pair("features", "of_another_type"),
            pair("features", "range"),
            pair("scale", "no_probability"),
            pair("output", "range"),
            pair("rows", "range"),
            pair("background", "range"),
            pair("columns", "length"),
            pair("columns", "repeated"),
            pair("columns", "unknown_column"),
            pair("group", "required"),
        ] {
            assert!(found.contains(&wanted), "{wanted:?} is not among {found:?}");
        }
        assert_eq!(faults(Kind::Permutation, json!({})), [pair("target", "required")]);
    }

    #[test]
    fn more_outputs_than_memory_holds_are_refused() {
        let found = |features: usize, outputs| {
            let features = (0..features).map(|number| number.to_string()).collect();
            let known = Known { features, outputs, has_trees: true, ..known() };
            let spec = ExplanationSpec { interactions: true, ..ExplanationSpec::default() };
            let found = spec.faults(Kind::Shap, &known, &schema());
            let found = found.into_iter().filter(|fault| fault.code == "too_many_outputs");
            found.map(|fault| fault.pointer.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(2, 1_000), Vec::<String>::new());
        assert_eq!(found(2, 1_001), ["/artifact_id"]);
        assert_eq!(found(2_000, 132), ["/artifact_id"]);
        assert_eq!(found(200, 105), ["/parameters/interactions"]);
    }

    fn codes(kind: Kind, spec: serde_json::Value, known: &Known) -> Vec<String> {
        let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
        let found = spec.faults(kind, known, &schema());
        found.into_iter().map(|fault| fault.code.to_string()).collect()
    }

    #[test]
    fn what_the_file_does_not_hold_is_refused() {
        let pairs = || json!({ "interactions": true });
        let of = |has_covers| Known { has_covers, ..known() };
        assert_eq!(codes(Kind::Shap, pairs(), &of(Some(false))), ["no_covers"]);
        // Then the job tells.
        assert_eq!(codes(Kind::Shap, pairs(), &of(None)), Vec::<String>::new());
        let linear = Known { has_trees: false, ..of(Some(false)) };
        assert_eq!(codes(Kind::Shap, pairs(), &linear), ["no_trees"]);
        assert_eq!(codes(Kind::Shap, json!({}), &of(Some(false))), Vec::<String>::new());
    }

    #[test]
    fn what_several_outputs_do_not_have_is_refused() {
        let several = |outputs| Known { outputs, link: "logistic".into(), ..known() };
        let probability = || json!({ "scale": "probability" });
        assert_eq!(codes(Kind::Shap, probability(), &several(1)), Vec::<String>::new());
        assert_eq!(codes(Kind::Shap, probability(), &several(3)), ["no_probability"]);
        let by = |metric: &str| json!({ "target": "y", "metric": metric });
        for (metric, outputs, refused) in [
            ("r2", 1, false),
            ("r2", 2, true),
            ("mean_squared_error", 3, true),
            ("mean_absolute_error", 3, true),
            ("roc_auc", 2, false),
            ("roc_auc", 3, true),
            ("log_loss", 3, false),
            ("accuracy", 3, false),
        ] {
            let found = codes(Kind::Permutation, by(metric), &several(outputs));
            let expected: &[&str] = if refused { &["of_other_outputs"] } else { &[] };
            assert_eq!(found, expected, "{metric} of {outputs}");
        }
    }

    #[test]
    fn a_background_has_all_features_as_numbers() {
        let found = |kind, spec, rows| {
            let spec: ExplanationSpec = serde_json::from_value(spec).unwrap();
            let found = spec.background_faults(kind, &known().features, rows, &schema());
            assert!(found.iter().all(|fault| fault.pointer == "/background_dataset_id"));
            found.into_iter().map(|fault| fault.code.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found(Kind::Shap, json!({}), 9), Vec::<String>::new());
        assert_eq!(
            found(Kind::Lime, json!({ "columns": ["income", "y"] }), 9),
            Vec::<String>::new()
        );
        let wrong = json!({ "columns": ["sex", "nothing"] });
        assert_eq!(
            found(Kind::Permutation, wrong, 0),
            ["of_another_type", "no_rows", "unknown_column", "not_numeric"]
        );
    }

    #[test]
    fn unknown_words_are_refused() {
        let parse = |body| serde_json::from_value::<ExplanationSpec>(body);
        assert!(parse(json!({ "sead": 1 })).is_err());
        assert!(parse(json!({ "metric": "magic" })).is_err());
    }
}
