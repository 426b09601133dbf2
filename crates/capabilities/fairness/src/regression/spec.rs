//! What to analyse of predicted numbers.

use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

use super::{DISPARITIES, registry};
use crate::{
    AnalysisSpec, Fault, column_faults,
    frame::{Grouping, Need, names_of, require},
};

/// What a wrong prediction costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// (y - prediction)².
    #[default]
    Squared,
    /// |y - prediction|.
    Absolute,
}

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionSpec {
    /// The column of true numbers.
    pub target: String,
    /// The column of predicted numbers.
    pub prediction: String,
    /// The loss that must be bounded in every group.
    #[serde(default)]
    pub loss: Loss,
    /// The bound: no group's mean loss may be above it. Without one, the worst group's loss is told and not judged.
    #[serde(default)]
    pub loss_bound: Option<f64>,
    /// Who is compared with whom.
    #[serde(flatten)]
    pub groups: Grouping,
}

impl RegressionSpec {
    /// An analysis of `prediction` against `target`, with the defaults for the rest.
    pub fn new(target: impl Into<String>, prediction: impl Into<String>, groups: Grouping) -> Self {
        Self {
            target: target.into(),
            prediction: prediction.into(),
            loss: Loss::default(),
            loss_bound: None,
            groups,
        }
    }

    /// All that is wrong with the spec, given the columns.
    pub fn faults(&self, schema: &Schema) -> Vec<Fault> {
        let base = AnalysisSpec {
            prediction: Some(self.prediction.clone()),
            ..self.groups.as_spec(&self.target)
        };
        let mut faults = base.faults();
        faults.extend(self.own_faults());
        for (place, name, role) in
            [("/target", &self.target, "target"), ("/prediction", &self.prediction, "prediction")]
        {
            faults.extend(require(schema, place, name, role, Need::Numbers));
        }
        let seen: Vec<String> = faults.iter().map(|fault| fault.where_.clone()).collect();
        faults.extend(
            column_faults(&base, schema).into_iter().filter(|fault| !seen.contains(&fault.where_)),
        );
        faults
    }

    /// What is wrong with what other tasks are not asked, before any data are seen.
    pub(crate) fn own_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.prediction.is_empty() {
            faults.push(
                Fault::new(
                    "/prediction",
                    "required",
                    "The column of predicted numbers is not named.",
                )
                .hint("Name it as prediction."),
            );
        }
        if self.loss_bound.is_some_and(|bound| !(bound.is_finite() && bound >= 0.0)) {
            faults.push(Fault::new(
                "/loss_bound",
                "out_of_range",
                "The bound of the loss must be a number of at least 0.",
            ));
        }
        let mut known = names_of(registry().iter().map(|metric| metric.about.quantity()));
        known.extend(DISPARITIES.iter().map(|about| about.id.to_owned()));
        faults.extend(self.groups.threshold_faults(&known));
        faults
    }
}
