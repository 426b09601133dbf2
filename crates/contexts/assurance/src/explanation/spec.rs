//! What is asked of an explanation.

use ephor_explain::permutation::Metric;
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
    /// SHAP: how often groups are drawn again and shuffled; by default as often as their number of tests needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resamples: Option<usize>,
    /// SHAP of models that only answer: enough when the largest standard error of a row's values is below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<f64>,
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
    /// LIME: how many made-up rows; SHAP of models that only answer: how many coalitions of features for a row.
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

impl ExplanationSpec {
    /// The columns that hold the features.
    pub(super) fn feature_columns(&self, features: &[String]) -> Vec<String> {
        self.columns.clone().unwrap_or_else(|| features.to_vec())
    }

    /// The output that is explained: the one, or class 1 of two classes.
    pub(super) fn output_of(&self, outputs: usize) -> usize {
        self.output.unwrap_or(usize::from(outputs == 2))
    }
}
