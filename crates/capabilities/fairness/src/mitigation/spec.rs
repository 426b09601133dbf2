//! What to mitigate, and how.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    AnalysisSpec, Fault,
    spec::{half, thirty},
};

/// How a mitigation works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Weights for training, by group and label (Kamiran and Calders 2012).
    Reweighing,
    /// Score thresholds by group (Hardt, Price and Srebro 2016).
    Threshold,
    /// Scores near the threshold decided for the disadvantaged groups (Kamiran, Karim and Zhang 2012).
    RejectOption,
}

impl Method {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reweighing => "reweighing",
            Self::Threshold => "threshold",
            Self::RejectOption => "reject_option",
        }
    }
}

/// What is to be equal between groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// Selection rates.
    #[default]
    DemographicParity,
    /// True positive rates.
    EqualOpportunity,
    /// False positive rates.
    FalsePositiveRateParity,
    /// True and false positive rates.
    EqualizedOdds,
}

impl Constraint {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DemographicParity => "demographic_parity",
            Self::EqualOpportunity => "equal_opportunity",
            Self::FalsePositiveRateParity => "false_positive_rate_parity",
            Self::EqualizedOdds => "equalized_odds",
        }
    }
}

/// What is to be as good as the constraint lets it be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The share of decisions that are right.
    Accuracy,
    /// The mean of true positive and true negative rate, of everybody together.
    #[default]
    BalancedAccuracy,
}

impl Objective {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
        }
    }
}

/// What to mitigate, and how. Groups are the combinations of all protected attributes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MitigationSpec {
    /// How.
    pub method: Method,
    /// What is to be equal. Reweighing makes base rates equal, whatever this says.
    #[serde(default)]
    pub constraint: Constraint,
    /// What is to be as good as the constraint lets it be.
    #[serde(default)]
    pub objective: Objective,
    /// How far from equal is accepted. By default 0 if decisions are drawn, 0.01 with one threshold for each group, and 0.05 with
    /// a reject option.
    #[serde(default)]
    pub tolerance: Option<f64>,
    /// Whether scores between two thresholds may be decided by draw, which makes rates exactly equal.
    #[serde(default)]
    pub randomized: bool,
    /// The seed of those draws.
    #[serde(default)]
    pub seed: u64,
    /// The column of true labels.
    pub target: String,
    /// The column of predicted labels, to compare with. Without it predictions are `score >= score_threshold`.
    #[serde(default)]
    pub prediction: Option<String>,
    /// The column of scores, unless rows are reweighed.
    #[serde(default)]
    pub score: Option<String>,
    /// The least score that counts as a positive prediction now.
    #[serde(default = "half")]
    pub score_threshold: f64,
    /// The label that counts as positive. May be left out for 0/1, -1/1 and true/false.
    #[serde(default)]
    pub positive_label: Option<String>,
    /// The columns that say who belongs to which group.
    pub protected: Vec<String>,
    /// The column of weights, each >= 0.
    #[serde(default)]
    pub weight: Option<String>,
    /// Attribute to its advantaged group, for a reject option. By default groups with a rate above everybody's are advantaged.
    #[serde(default)]
    pub reference_groups: BTreeMap<String, String>,
    /// Groups with fewer rows have no rule of their own.
    #[serde(default = "thirty")]
    pub min_group_size: u64,
}

impl MitigationSpec {
    /// `method` for `target` by `protected`, with the defaults for the rest.
    pub fn new<S: Into<String>>(
        method: Method,
        target: impl Into<String>,
        protected: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            method,
            constraint: Constraint::default(),
            objective: Objective::default(),
            tolerance: None,
            randomized: false,
            seed: 0,
            target: target.into(),
            prediction: None,
            score: None,
            score_threshold: half(),
            positive_label: None,
            protected: protected.into_iter().map(Into::into).collect(),
            weight: None,
            reference_groups: BTreeMap::new(),
            min_group_size: thirty(),
        }
    }

    /// How far from equal is accepted.
    pub fn accepted(&self) -> f64 {
        self.tolerance.unwrap_or(match self.method {
            Method::RejectOption => 0.05,
            Method::Threshold if !self.randomized => 0.01,
            Method::Threshold | Method::Reweighing => 0.0,
        })
    }

    /// The analysis that reads what the mitigation is made of, and that measures the data before it.
    pub fn before(&self) -> AnalysisSpec {
        let is_scored = self.method != Method::Reweighing;
        AnalysisSpec {
            prediction: self.prediction.clone().filter(|_| is_scored),
            score: self.score.clone().filter(|_| is_scored),
            score_threshold: self.score_threshold,
            positive_label: self.positive_label.clone(),
            weight: self.weight.clone(),
            reference_groups: self.reference_groups.clone(),
            // Combinations of more attributes are too many to show.
            intersection_depth: (self.protected.len() > 6).then_some(1),
            min_group_size: self.min_group_size,
            bootstrap_draws: 0,
            ..AnalysisSpec::new(self.target.clone(), self.protected.clone())
        }
    }

    /// The analysis that measures the data with the column that the mitigation adds.
    pub fn after(&self, column: &str) -> AnalysisSpec {
        let mut spec = self.before();
        if self.method == Method::Reweighing {
            spec.weight = Some(column.to_owned());
        } else {
            spec.prediction = Some(column.to_owned());
        }
        spec
    }

    /// All that is wrong with the spec by itself, before any data are seen.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.before().faults();
        if self.method != Method::Reweighing && self.score.is_none() {
            faults.push(
                Fault::new("/score", "required", "There is no column of scores to decide by.")
                    .hint("Name one, or reweigh rows instead, which needs labels only."),
            );
        }
        if self.method == Method::Threshold
            && self.constraint == Constraint::EqualizedOdds
            && !self.randomized
        {
            let message = "One threshold for each group cannot make two rates equal.";
            faults.push(
                Fault::new("/randomized", "required", message)
                    .hint("Let scores between thresholds be decided by draw, or choose a constraint on one rate."),
            );
        }
        if self.tolerance.is_some_and(|tolerance| !(0.0..=1.0).contains(&tolerance)) {
            let message = format!(
                "The tolerance is {}; it must lie between 0 and 1.",
                self.tolerance.unwrap_or_default()
            );
            faults.push(Fault::new("/tolerance", "out_of_range", message).hint("0.01 is usual."));
        }
        let named = self.reference_groups.len();
        if self.method == Method::RejectOption && named > 0 && named < self.protected.len() {
            faults.push(
                Fault::new(
                    "/reference_groups",
                    "incomplete",
                    "An advantaged group is named for some of the attributes, and not for all.",
                )
                .hint("Name one for each, or none."),
            );
        }
        faults
    }
}
