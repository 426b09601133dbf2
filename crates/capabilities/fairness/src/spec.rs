//! What to analyse: columns, groups, thresholds, and how sure to be.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    data::DataSpec,
    disparities,
    fault::{Fault, nearest},
    flips,
    frame::names_of,
    individual,
    law::LawSpec,
};

/// The most protected attributes of one analysis.
pub const MAX_ATTRIBUTES: usize = 8;
/// The most combinations of attributes in one analysis.
pub const MAX_INTERSECTIONS: usize = 64;
/// The most bootstrap draws.
pub const MAX_DRAWS: u32 = 100_000;

/// What the analysis looks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnalysisType {
    /// Are groups selected equally often?
    DemographicParity,
    /// Is the model equally right about each group?
    EqualizedOdds,
    /// Are similar people treated alike?
    IndividualFairness,
    /// All group metrics.
    #[default]
    Comprehensive,
}

impl AnalysisType {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DemographicParity => "demographic_parity",
            Self::EqualizedOdds => "equalized_odds",
            Self::IndividualFairness => "individual_fairness",
            Self::Comprehensive => "comprehensive",
        }
    }
}

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisSpec {
    /// What the analysis looks for.
    #[serde(default)]
    pub analysis_type: AnalysisType,
    /// The column of true labels. Without it, what predictions or scores say of groups is analysed, and not whether they
    /// are right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The column of predicted labels. Without it, predictions are `score >= score_threshold`; without a score
    /// either, the labels alone are analysed.
    #[serde(default)]
    pub prediction: Option<String>,
    /// The column of scores: a greater score speaks for the positive label.
    #[serde(default)]
    pub score: Option<String>,
    /// The least score that counts as a positive prediction, if there is no column of predictions.
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
    /// The column of strata (jobs, departments) within which groups are compared too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strata: Option<String>,
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
    /// The seed of the bootstrap.
    #[serde(default)]
    pub seed: u64,
    /// Draws of the bootstrap; 0 for none.
    #[serde(default = "draws")]
    pub bootstrap_draws: u32,
    /// The columns that say who is like whom: what individual fairness needs, and nothing else reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// How many of the rows most like it each row is compared with, itself among them; with `features`.
    #[serde(default = "five", skip_serializing_if = "is_five")]
    pub neighbours: u32,
    /// The column of decisions with a protected attribute changed and all else as it is: predictions where there is a column of
    /// predictions, scores otherwise. How many flip is told beside the analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flipped: Option<String>,
    /// The report of the data alone to make beside the analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataSpec>,
    /// Reports of the law to make beside the analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<LawSpec>,
}

pub(crate) const fn half() -> f64 {
    0.5
}
pub(crate) const fn thirty() -> u64 {
    30
}
pub(crate) const fn confident() -> f64 {
    0.95
}
pub(crate) const fn draws() -> u32 {
    1_000
}
const fn five() -> u32 {
    5
}
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_five(neighbours: &u32) -> bool {
    *neighbours == five()
}

impl AnalysisSpec {
    /// A comprehensive analysis of predictions or scores by `protected` without labels, with the defaults for the rest. One of
    /// both columns is to be named.
    pub fn unlabelled<S: Into<String>>(protected: impl IntoIterator<Item = S>) -> Self {
        Self { target: None, ..Self::new("", protected) }
    }

    /// A comprehensive analysis of `target` by `protected`, with the defaults for the rest.
    pub fn new<S: Into<String>>(
        target: impl Into<String>,
        protected: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            analysis_type: AnalysisType::default(),
            target: Some(target.into()),
            prediction: None,
            score: None,
            score_threshold: half(),
            positive_label: None,
            protected: protected.into_iter().map(Into::into).collect(),
            weight: None,
            strata: None,
            reference_groups: BTreeMap::new(),
            intersection_depth: None,
            min_group_size: thirty(),
            thresholds: BTreeMap::new(),
            confidence: confident(),
            seed: 0,
            bootstrap_draws: draws(),
            features: Vec::new(),
            neighbours: five(),
            flipped: None,
            data: None,
            law: None,
        }
    }

    /// The columns that it names: protected attributes, then strata, target, prediction, score and weight if they are there.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.protected
            .iter()
            .chain(&self.strata)
            .chain(&self.target)
            .chain(&self.prediction)
            .chain(&self.score)
            .chain(&self.weight)
            .map(String::as_str)
    }

    /// Whether the rows themselves are read, and not only counted.
    pub(crate) fn needs_rows(&self) -> bool {
        self.analysis_type == AnalysisType::IndividualFairness
            || self.flipped.is_some()
            || self.data.is_some()
    }

    /// How many combinations of two or more attributes it asks for.
    fn intersections(&self) -> usize {
        let attributes = self.protected.len().min(MAX_ATTRIBUTES);
        let depth = self.intersection_depth.unwrap_or(attributes).min(attributes);
        (0_u32..1 << attributes)
            .filter(|set| (2..=depth).contains(&(set.count_ones() as usize)))
            .count()
    }

    /// All that is wrong with the spec by itself, before any data are seen.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.column_faults(&mut faults);
        self.number_faults(&mut faults);
        if self.analysis_type == AnalysisType::IndividualFairness {
            faults.extend(individual::faults(self));
        }
        if self.analysis_type == AnalysisType::EqualizedOdds
            && self.prediction.is_none()
            && self.score.is_none()
        {
            faults.push(
                Fault::new("/prediction", "required", "Equalized odds compares predictions with labels, and there are no predictions.")
                    .hint("Name a column of predictions or of scores."),
            );
        }
        if self.analysis_type == AnalysisType::EqualizedOdds
            && self.target.is_none()
            && !faults.iter().any(|fault| fault.where_ == "/target")
        {
            faults.push(
                Fault::new(
                    "/target",
                    "required",
                    "Equalized odds compares predictions with labels, and there are no labels.",
                )
                .hint(
                    "Name the column of labels, or ask for demographic parity, which needs none.",
                ),
            );
        }
        if let Some(flipped) = &self.flipped {
            faults.extend(flips::faults(self, flipped));
        }
        if let Some(data) = &self.data {
            faults.extend(data.faults(self));
        }
        if let Some(law) = &self.law {
            faults.extend(law.faults(self));
        }
        let beside = self.disparities_beside();
        for id in self.thresholds.keys() {
            if disparities::find(id).is_none() && !beside.contains(id) {
                let known = disparities::registry().iter().map(|disparity| disparity.id.as_str());
                let fault = Fault::new(
                    format!("/thresholds/{id}"),
                    "unknown_disparity",
                    format!("There is no disparity `{id}`."),
                );
                faults.push(match nearest(id, known) {
                    Some(name) => fault.hint(format!("Did you mean `{name}`?")),
                    None => fault.hint("`demographic_parity_difference` is one."),
                });
            }
        }
        faults
    }

    /// What individual fairness and flips are judged by, if they are asked for.
    fn disparities_beside(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if self.analysis_type == AnalysisType::IndividualFairness {
            names.extend(names_of([individual::ABOUT.quantity()]));
        }
        if self.flipped.is_some() {
            names.extend(flips::names());
        }
        names
    }

    fn column_faults(&self, faults: &mut Vec<Fault>) {
        let is_unlabelled_alone =
            self.target.is_none() && self.prediction.is_none() && self.score.is_none();
        if is_unlabelled_alone || self.target.as_ref().is_some_and(String::is_empty) {
            faults.push(
                Fault::new("/target", "required", "The column of true labels is not named.")
                    .hint("Name it as target. Predictions or scores are analysed without one, if there are any."),
            );
        }
        if self.protected.is_empty() {
            faults.push(
                Fault::new(
                    "/protected",
                    "required",
                    "No protected attribute is named, so there are no groups to compare.",
                )
                .hint("Name at least one column, such as sex or race."),
            );
        }
        if self.protected.len() > MAX_ATTRIBUTES {
            let message = format!(
                "{} protected attributes are named; at most {MAX_ATTRIBUTES} can be.",
                self.protected.len()
            );
            faults.push(
                Fault::new("/protected", "too_many", message).hint("Analyse them in several runs."),
            );
        }
        let mut seen = BTreeSet::new();
        for (index, column) in self.protected.iter().enumerate() {
            let place = format!("/protected/{index}");
            if column.is_empty() {
                faults.push(Fault::new(
                    place.clone(),
                    "required",
                    "A protected attribute has no name.",
                ));
            }
            if !seen.insert(column) {
                faults.push(Fault::new(
                    place.clone(),
                    "duplicate",
                    format!("`{column}` is named twice."),
                ));
            }
            let roles = [
                ("target", self.target.as_ref()),
                ("prediction", self.prediction.as_ref()),
                ("score", self.score.as_ref()),
                ("weight", self.weight.as_ref()),
                ("stratum", self.strata.as_ref()),
            ];
            for (role, other) in roles {
                if other == Some(column) {
                    let message =
                        format!("`{column}` is the {role} and a protected attribute at once.");
                    faults.push(
                        Fault::new(place.clone(), "two_roles", message)
                            .hint("Groups must be told apart by another column."),
                    );
                }
            }
        }
        self.strata_faults(faults);
        if let Some(target) = self.target.as_ref().filter(|_| self.target == self.prediction) {
            let message = format!("`{target}` is the target and the prediction at once.");
            faults.push(
                Fault::new("/prediction", "two_roles", message)
                    .hint("Leave the prediction out to analyse the labels alone."),
            );
        }
        for attribute in self.reference_groups.keys() {
            if !self.protected.contains(attribute) {
                let message = format!(
                    "A reference group is given for `{attribute}`, which is no protected attribute here."
                );
                faults.push(Fault::new(
                    format!("/reference_groups/{attribute}"),
                    "unknown_attribute",
                    message,
                ));
            }
        }
    }

    fn strata_faults(&self, faults: &mut Vec<Fault>) {
        let Some(strata) = &self.strata else { return };
        if strata.is_empty() {
            faults.push(
                Fault::new("/strata", "required", "The column of strata has no name.")
                    .hint("Leave it out to compare without strata."),
            );
        }
        let roles = [
            ("target", self.target.as_ref()),
            ("prediction", self.prediction.as_ref()),
            ("score", self.score.as_ref()),
            ("weight", self.weight.as_ref()),
        ];
        for (role, _) in roles.into_iter().filter(|(_, other)| *other == Some(strata)) {
            let message = format!("`{strata}` is the {role} and the stratum at once.");
            faults.push(Fault::new("/strata", "two_roles", message).hint(
                "Strata must be told apart by another column, such as a job or a department.",
            ));
        }
    }

    fn number_faults(&self, faults: &mut Vec<Fault>) {
        if !(self.confidence >= 0.5 && self.confidence < 1.0) {
            let message = format!(
                "The confidence is {}; it must be at least 0.5 and below 1.",
                self.confidence
            );
            faults.push(Fault::new("/confidence", "out_of_range", message).hint("0.95 is usual."));
        }
        if !self.score_threshold.is_finite() {
            faults.push(Fault::new(
                "/score_threshold",
                "out_of_range",
                "The score threshold is no finite number.",
            ));
        }
        if self.intersection_depth == Some(0) {
            faults.push(
                Fault::new(
                    "/intersection_depth",
                    "out_of_range",
                    "The depth of intersections is 0.",
                )
                .hint("1 means no intersections."),
            );
        }
        let combinations = self.intersections();
        if self.protected.len() <= MAX_ATTRIBUTES && combinations > MAX_INTERSECTIONS {
            let message = format!(
                "{} attributes have {combinations} combinations; at most {MAX_INTERSECTIONS} can be analysed.",
                self.protected.len()
            );
            faults.push(
                Fault::new("/intersection_depth", "too_many", message)
                    .hint("Set intersection_depth to 2, or to 1 for no combinations."),
            );
        }
        if self.bootstrap_draws > MAX_DRAWS {
            let message = format!(
                "{} bootstrap draws are asked for; at most {MAX_DRAWS} can be.",
                self.bootstrap_draws
            );
            faults.push(Fault::new("/bootstrap_draws", "out_of_range", message));
        }
        for (id, threshold) in &self.thresholds {
            if !(0.0..=1e9).contains(threshold) {
                let message = format!(
                    "The threshold of `{id}` is {threshold}; it must be a number of at least 0."
                );
                faults.push(
                    Fault::new(format!("/thresholds/{id}"), "out_of_range", message)
                        .hint("0.1 is usual."),
                );
            }
        }
    }
}
