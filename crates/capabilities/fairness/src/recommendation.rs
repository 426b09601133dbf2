//! What an analysis recommends: what to change, computed, and what that is expected to do.

use serde::{Deserialize, Serialize};

use crate::mitigation::ScoreRule;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recommendation {
    /// What to do, in one line.
    pub title: String,
    /// The attribute that it is about, or the combination of several, joined by `|`.
    pub attribute: String,
    /// The disparity that it is about: the worst of those with one cause.
    pub disparity: String,
    /// What was found.
    pub evidence: String,
    /// What to change, computed.
    pub mitigation: Mitigation,
    /// What the change is expected to do.
    pub effect: Option<Effect>,
}

/// A computed change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mitigation {
    /// Train again with these sample weights (Kamiran and Calders 2012).
    Reweighing {
        /// One weight for each group and label.
        weights: Vec<CellWeight>,
    },
    /// Decide by one score threshold for each group.
    GroupThresholds {
        /// One threshold for each group.
        thresholds: Vec<GroupThreshold>,
        /// What the thresholds equalise: `selection_rate`, `tpr` or `fpr`.
        equalises: String,
    },
    /// Decide by score thresholds for each group, and by draw between them (Hardt, Price and Srebro 2016).
    DrawnThresholds {
        /// One rule for each group.
        rules: Vec<GroupScoreRule>,
        /// What the rules equalise: `tpr`, `fpr` or `equalized_odds`, which is both.
        equalises: String,
    },
    /// Nothing that can be computed: what to look into.
    Investigate {
        /// What to do.
        advice: String,
    },
}

/// The training weight of one group and label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellWeight {
    /// The group.
    pub group: String,
    /// The label.
    pub label: String,
    /// The weight of each of its rows.
    pub weight: f64,
}

/// The score threshold of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupThreshold {
    /// The group.
    pub group: String,
    /// Positive when score >= threshold.
    pub threshold: f64,
    /// The equalised rate that it gives.
    pub rate: f64,
}

/// The rule of one group: how likely a score is selected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupScoreRule {
    /// The group.
    pub group: String,
    /// Its rule.
    pub rule: ScoreRule,
    /// The true positive rate that it gives.
    pub true_positive_rate: Option<f64>,
    /// The false positive rate that it gives.
    pub false_positive_rate: Option<f64>,
}

/// What a change is expected to do, computed on the analysed data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The measure: a disparity's id.
    pub measure: String,
    /// Its value now.
    pub before: f64,
    /// Its value after the change.
    pub after: f64,
    /// Accuracy now.
    pub accuracy_before: Option<f64>,
    /// Accuracy after the change.
    pub accuracy_after: Option<f64>,
    /// What that means.
    pub sentence: String,
}
