//! A mitigation as a file: what to do, whom it concerns, and what it did on the data it was made from.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FrontierPoint, Measures, Method, MitigationSpec, ScoreRule};
use crate::Fault;

/// The format that this engine writes and reads.
pub const FORMAT: &str = "ephor-mitigation/1";
/// The most groups of one artefact that reweighs.
const MOST_GROUPS: usize = crate::cube::limits::MAX_CELLS;

/// A mitigation that was computed: to be kept, and applied to other data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MitigationArtifact {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the engine that made it.
    pub engine_version: String,
    /// How it works.
    pub kind: Method,
    /// What was asked for.
    pub spec: MitigationSpec,
    /// The label that counts as positive, and the other.
    pub labels: ArtifactLabels,
    /// What to do with each group.
    pub rules: Rules,
    /// What it did on the data it was made from.
    pub expected: Expected,
    /// What each tolerance would buy; of thresholds only.
    pub frontier: Vec<FrontierPoint>,
    /// The data it was made from.
    pub data: DataDescription,
    /// Groups without a rule of their own.
    pub left_out: Vec<LeftOut>,
    /// What its user must know.
    pub notes: Vec<String>,
}

/// The two labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArtifactLabels {
    /// The one that counts as positive.
    pub positive: String,
    /// The other.
    pub negative: String,
}

/// What to do with each group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rules {
    /// Weigh its rows. Rows of other groups keep their weight.
    Weights {
        /// Each group's factors.
        groups: Vec<GroupWeights>,
    },
    /// Decide by its scores.
    Scores {
        /// What other groups are decided by.
        fallback: ScoreRule,
        /// The band of a reject option.
        band: Option<RejectBand>,
        /// Each group's rule.
        groups: Vec<GroupRule>,
    },
}

/// A group's factors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupWeights {
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its rows.
    pub n: u64,
    /// What the weight of rows with a positive label is multiplied by; nothing, if there was none.
    pub positive: Option<f64>,
    /// The same of rows with the other label.
    pub negative: Option<f64>,
}

/// A group's rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRule {
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its rows.
    pub n: u64,
    /// Whether a reject option counts it as advantaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_favoured: Option<bool>,
    /// How likely its rows are selected.
    pub rule: ScoreRule,
}

/// Scores above `threshold - margin` up to `threshold + margin` are selected in disadvantaged groups, and not in others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RejectBand {
    /// Its middle.
    pub threshold: f64,
    /// Half of its width.
    pub margin: f64,
}

/// What a mitigation did on the data it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// As decisions (or labels) are.
    pub before: Measures,
    /// As they become.
    pub after: Measures,
    /// What that is worth.
    pub note: String,
}

/// The data that a mitigation was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataDescription {
    /// What they are called, if anybody said.
    pub source: Option<String>,
    /// Rows read.
    pub rows: u64,
    /// Rows with a label, and with a score where one is needed.
    pub used: u64,
    /// Their weight.
    pub weight: f64,
    /// Groups.
    pub groups: u64,
    /// Bins of [0, 1] that scores were counted in; nothing, if each was kept.
    pub score_bins: Option<u32>,
}

/// A group without a rule of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its rows.
    pub n: u64,
    /// Why.
    pub reason: String,
}

impl MitigationArtifact {
    /// All that is wrong with it, so that it cannot be applied.
    pub fn faults(&self) -> Vec<Fault> {
        if self.format != FORMAT {
            let message = format!("The format is `{}`; this engine reads `{FORMAT}`.", self.format);
            return vec![
                Fault::new("/format", "unknown_format", message)
                    .hint("Make the mitigation again with this version."),
            ];
        }
        let mut faults = self.spec.faults();
        for fault in &mut faults {
            fault.where_ = format!("/spec{}", fault.where_);
        }
        let is_weights = matches!(self.rules, Rules::Weights { .. });
        if self.kind != self.spec.method || is_weights != (self.kind == Method::Reweighing) {
            let message = format!("The rules are not those of {}.", self.kind.as_str());
            faults.push(Fault::new("/kind", "inconsistent", message));
        }
        if self.labels.positive == self.labels.negative {
            let message = "The positive and the negative label are the same.";
            faults.push(Fault::new("/labels", "inconsistent", message));
        }
        match &self.rules {
            Rules::Weights { groups } => {
                values_faults(&mut faults, &self.spec, groups.iter().map(|group| &group.values));
                for (index, group) in groups.iter().enumerate() {
                    let weights = [group.positive, group.negative];
                    if weights.iter().flatten().any(|one| !(one.is_finite() && *one >= 0.0)) {
                        faults.push(Fault::new(
                            format!("/rules/groups/{index}"),
                            "out_of_range",
                            "A weight is no finite number of at least 0.",
                        ));
                    }
                }
            }
            Rules::Scores { fallback, band, groups } => {
                values_faults(&mut faults, &self.spec, groups.iter().map(|group| &group.values));
                rule_faults(&mut faults, "/rules/fallback", fallback);
                for (index, group) in groups.iter().enumerate() {
                    rule_faults(&mut faults, &format!("/rules/groups/{index}/rule"), &group.rule);
                }
                if band.is_some() != (self.kind == Method::RejectOption) {
                    let message = "A reject option has a band, and nothing else has.";
                    faults.push(Fault::new("/rules/band", "inconsistent", message));
                }
            }
        }
        faults
    }

    /// Whether applying it leaves nothing to a draw.
    pub fn is_deterministic(&self) -> bool {
        match &self.rules {
            Rules::Weights { .. } => true,
            Rules::Scores { fallback, groups, .. } => {
                fallback.is_deterministic()
                    && groups.iter().all(|group| group.rule.is_deterministic())
            }
        }
    }
}

fn values_faults<'a>(
    faults: &mut Vec<Fault>,
    spec: &MitigationSpec,
    groups: impl ExactSizeIterator<Item = &'a Vec<String>>,
) {
    if groups.len() > MOST_GROUPS {
        let message = format!("There are {} groups; at most {MOST_GROUPS} can be.", groups.len());
        faults.push(Fault::new("/rules/groups", "too_many", message));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, values) in groups.enumerate() {
        let place = format!("/rules/groups/{index}/values");
        if values.len() != spec.protected.len() {
            let message = format!(
                "The group has {} values, and there are {} protected attributes.",
                values.len(),
                spec.protected.len()
            );
            faults.push(Fault::new(place, "inconsistent", message));
        } else if !seen.insert(values) {
            let message = format!("The group `{}` is there twice.", values.join("|"));
            faults.push(Fault::new(place, "duplicate", message));
        }
    }
}

fn rule_faults(faults: &mut Vec<Fault>, place: &str, rule: &ScoreRule) {
    let is_share = |probability: f64| (0.0..=1.0).contains(&probability);
    if !is_share(rule.below) || !rule.steps.iter().all(|step| is_share(step.probability)) {
        faults.push(Fault::new(place, "out_of_range", "A probability is not between 0 and 1."));
    }
    let is_ascending = rule.steps.windows(2).all(|pair| pair[0].from < pair[1].from);
    if !is_ascending || !rule.steps.iter().all(|step| step.from.is_finite()) {
        let message = "The steps are no finite numbers in ascending order.";
        faults.push(Fault::new(format!("{place}/steps"), "out_of_range", message));
    }
}
