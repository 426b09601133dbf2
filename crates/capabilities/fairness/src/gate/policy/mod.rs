//! What must hold, as a file says it.

mod bound;
mod date;
mod read;
mod tree;

use std::collections::BTreeMap;

use serde::Serialize;

pub use bound::{Bound, Measured, Scope, Side};
pub use date::Day;

use crate::{
    AnalysisResult, Fault, analysis, disparities,
    task::{Task, TaskResult},
};

/// The most bytes of a policy file.
pub const MAX_POLICY_BYTES: usize = 1 << 20;

/// What stops a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailOn {
    /// What is beyond its threshold, noise allowed for.
    Fail,
    /// What is beyond its threshold, though noise could explain it.
    Warning,
    /// What became worse than the baseline, beyond noise.
    Regression,
    /// Nothing.
    Never,
}

impl FailOn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fail, Self::Warning, Self::Regression, Self::Never];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warning => "warning",
            Self::Regression => "regression",
            Self::Never => "never",
        }
    }
}

/// What must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Policy {
    /// What stops the gate.
    pub fail_on: Option<FailOn>,
    /// Attributes that must be analysed.
    pub required_attributes: Vec<String>,
    /// The least rows used.
    pub min_rows: Option<u64>,
    /// The least rows of every group of every attribute.
    pub min_group_rows: Option<u64>,
    /// The least compliance score.
    pub min_compliance_score: Option<f64>,
    /// What metrics must be.
    pub metrics: Vec<Bound>,
    /// Disparity id to threshold.
    pub thresholds: BTreeMap<String, f64>,
    /// Attribute (or attributes joined by `|`) to disparity id to threshold.
    pub attribute_thresholds: BTreeMap<String, BTreeMap<String, f64>>,
    /// Findings that are known, and count as accepted until they expire.
    pub allow: Vec<Allowed>,
}

/// A finding that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The disparity or metric.
    pub id: String,
    /// The attribute, attributes joined by `|`, or `overall`.
    pub attribute: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub expires: Day,
    /// Its line in the file.
    pub line: Option<usize>,
}

impl Policy {
    /// Reads a policy of TOML or JSON for analyses of yes and no; all its faults at once.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        read::read(text, Task::Binary)
    }

    /// The same for analyses of a task, whose disparities and metrics it names.
    pub fn read_for(text: &str, task: Task) -> Result<Self, Vec<Fault>> {
        read::read(text, task)
    }

    /// Judges the attributes that have thresholds of their own by these. `overridden`: disparities whose threshold
    /// somebody set elsewhere, which counts more.
    pub fn judge(&self, result: &mut AnalysisResult, overridden: &[String]) {
        let overridden: Vec<&str> = overridden
            .iter()
            .filter_map(|name| disparities::find(name))
            .map(|definition| definition.id.as_str())
            .collect();
        for (attribute, thresholds) in &self.attribute_thresholds {
            for (id, threshold) in
                thresholds.iter().filter(|(id, _)| !overridden.contains(&id.as_str()))
            {
                analysis::judge_anew(result, attribute, id, *threshold);
            }
        }
        if !self.attribute_thresholds.is_empty() {
            analysis::sum_up_anew(result);
        }
    }

    /// The same of any task. A threshold of a disparity of one class against the rest holds for every class.
    pub fn judge_task(&self, result: &mut TaskResult, overridden: &[String]) {
        if let TaskResult::Binary(result) = result {
            return self.judge(result, overridden);
        }
        for (attribute, thresholds) in &self.attribute_thresholds {
            for (id, threshold) in thresholds.iter().filter(|(id, _)| !overridden.contains(id)) {
                result.judge_anew(attribute, id, *threshold);
            }
        }
        if !self.attribute_thresholds.is_empty() {
            result.sum_up_anew();
        }
    }
}
