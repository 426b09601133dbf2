//! Who is compared with whom, and how sure to be: the part of a spec that all kinds of analysis share.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    AnalysisSpec, Fault,
    fault::nearest,
    spec::{confident, draws, thirty},
};

/// Who is compared with whom. Each field means what that of [`AnalysisSpec`] means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// The columns that say who belongs to which group.
    pub protected: Vec<String>,
    /// The column of weights, each >= 0.
    #[serde(default)]
    pub weight: Option<String>,
    /// Attribute to the group that others are compared with; the largest group, if it is not here.
    #[serde(default)]
    pub reference_groups: BTreeMap<String, String>,
    /// How many attributes are combined at most; all of them, if it is not here. 1: no intersections.
    #[serde(default)]
    pub intersection_depth: Option<usize>,
    /// Groups with fewer rows are shown, but not compared.
    #[serde(default = "thirty")]
    pub min_group_size: u64,
    /// Disparity id to threshold: how far from ideal is accepted (for a ratio r, of 1 - min(r, 1/r)).
    #[serde(default)]
    pub thresholds: BTreeMap<String, f64>,
    /// The confidence of all intervals.
    #[serde(default = "confident")]
    pub confidence: f64,
    /// The seed of whatever is drawn.
    #[serde(default)]
    pub seed: u64,
    /// Draws of the bootstrap, where there is one.
    #[serde(default = "draws")]
    pub bootstrap_draws: u32,
}

impl Grouping {
    /// Groups by `protected`, with the defaults for the rest.
    pub fn new<S: Into<String>>(protected: impl IntoIterator<Item = S>) -> Self {
        Self::from(&AnalysisSpec::new("", protected))
    }

    /// The spec of a binary analysis of the same groups, which checks what both ask for.
    pub(crate) fn as_spec(&self, target: &str) -> AnalysisSpec {
        AnalysisSpec {
            weight: self.weight.clone(),
            reference_groups: self.reference_groups.clone(),
            intersection_depth: self.intersection_depth,
            min_group_size: self.min_group_size,
            confidence: self.confidence,
            seed: self.seed,
            bootstrap_draws: self.bootstrap_draws,
            ..AnalysisSpec::new(target, self.protected.clone())
        }
    }

    /// What is wrong with the thresholds, of which only these are known.
    pub(crate) fn threshold_faults(&self, known: &BTreeSet<String>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (id, threshold) in &self.thresholds {
            let place = format!("/thresholds/{id}");
            if !known.contains(id) {
                let message = format!("There is no disparity `{id}` in this kind of analysis.");
                let fault = Fault::new(place.clone(), "unknown_disparity", message);
                faults.push(match nearest(id, known.iter().map(String::as_str)) {
                    Some(name) => fault.hint(format!("Did you mean `{name}`?")),
                    None => fault.hint(format!(
                        "There are: {}.",
                        known.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
                    )),
                });
            }
            if !(0.0..=1e300).contains(threshold) {
                let message = format!(
                    "The threshold of `{id}` is {threshold}; it must be a number of at least 0."
                );
                faults.push(Fault::new(place, "out_of_range", message).hint("0.1 is usual."));
            }
        }
        faults
    }
}

impl From<&AnalysisSpec> for Grouping {
    fn from(spec: &AnalysisSpec) -> Self {
        Self {
            protected: spec.protected.clone(),
            weight: spec.weight.clone(),
            reference_groups: spec.reference_groups.clone(),
            intersection_depth: spec.intersection_depth,
            min_group_size: spec.min_group_size,
            thresholds: spec.thresholds.clone(),
            confidence: spec.confidence,
            seed: spec.seed,
            bootstrap_draws: spec.bootstrap_draws,
        }
    }
}
