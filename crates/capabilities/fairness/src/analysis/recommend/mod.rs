//! What to do about disparities: mitigations that are computed, with the effect that they would have had on these data.
//!
//! There is one answer to one cause, however many disparities say it: differences, ratios, of single attributes and of their
//! combinations. Where nothing can be computed, it is said why, and what to look into.

mod cause;
mod effect;
mod errors;
mod selection;
mod weights;

use super::{compare::Comparison, groups::GroupTally};
use crate::{
    AnalysisSpec,
    mitigation::MAX_THRESHOLD_GROUPS,
    recommendation::{Effect, Mitigation, Recommendation},
    result::{AttributeResult, Disparity, Labels, Status},
    tally::Tally,
};
use cause::{Apart, Cause, Trouble, troubles};

/// What was analysed.
pub(crate) struct Data<'a> {
    pub spec: &'a AnalysisSpec,
    pub labels: &'a Labels,
    /// Everybody.
    pub whole: &'a Tally,
    /// Width of the bins that scores are kept in, if they are.
    pub width: Option<f64>,
}

/// Recommendations for the judged disparities that are not within their thresholds, the most effective first.
///
/// `results` are those of the comparisons: single attributes before their combinations. A combination is only treated for what none
/// of its parts is in trouble with already.
pub(crate) fn recommend(
    results: &[AttributeResult],
    comparisons: &[Comparison],
    data: &Data<'_>,
) -> Vec<Recommendation> {
    let mut all: Vec<(f64, Recommendation)> = Vec::new();
    let mut treated: Vec<(&[usize], Cause)> = Vec::new();
    for (attribute, comparison) in results.iter().zip(comparisons) {
        let mine = comparison.groups.attributes.as_slice();
        for trouble in troubles(attribute, data.labels) {
            let is_part = |(part, cause): &(&[usize], Cause)| {
                *cause == trouble.cause && part.iter().all(|attribute| mine.contains(attribute))
            };
            if treated.iter().any(is_part) {
                continue;
            }
            treated.push((mine, trouble.cause));
            let found = Found {
                attribute,
                evidence: trouble.evidence,
                groups: comparison.compared.iter().map(|index| comparison.group(*index)).collect(),
                is_scored: data.spec.score.is_some(),
            };
            // A finding that chance cannot explain goes before one that it can, whatever its size.
            let certain = if trouble.evidence.status == Some(Status::Fail) { 1.0 } else { 0.0 };
            all.extend(
                found
                    .treat(&trouble, data)
                    .into_iter()
                    .map(|made| (certain + made.effect.as_ref().map_or(0.0, effect::gain), made)),
            );
        }
    }
    all.sort_by(|left, right| right.0.total_cmp(&left.0));
    all.into_iter().map(|(_, recommendation)| recommendation).collect()
}

/// Trouble between the groups of an attribute, or of several together.
struct Found<'a> {
    attribute: &'a AttributeResult,
    evidence: &'a Disparity,
    /// Those that are compared.
    groups: Vec<&'a GroupTally>,
    is_scored: bool,
}

impl Found<'_> {
    /// What can be computed; otherwise what to look into, and why nothing can.
    fn treat(&self, trouble: &Trouble<'_>, data: &Data<'_>) -> Vec<Recommendation> {
        let made = match trouble.cause {
            Cause::Selection => {
                vec![selection::recommended(self), weights::recommended(self, data.labels)]
            }
            Cause::Labels => vec![weights::recommended(self, data.labels)],
            Cause::Errors => vec![errors::recommended(self, trouble, data)],
            Cause::Precision | Cause::Accuracy | Cause::Ranking | Cause::Calibration => Vec::new(),
        };
        let (mut computed, mut reasons) = (Vec::new(), Vec::new());
        for one in made {
            match one {
                Ok(made) => computed.push(made),
                Err(reason) => reasons.push(reason),
            }
        }
        if !computed.is_empty() {
            return computed;
        }
        let mut advice = advice(trouble).to_owned();
        if !reasons.is_empty() {
            advice.push_str(&format!(" Nothing was computed: {}.", reasons.join("; ")));
        }
        if trouble.cause == Cause::Errors && !self.is_scored {
            advice.push_str(" With a column of scores, Ephor computes thresholds for each group.");
        }
        let title = format!("Find out why {} differs by {}", self.what(), self.attribute.name);
        vec![self.recommend(title, Mitigation::Investigate { advice }, None)]
    }

    fn recommend(
        &self,
        title: String,
        mitigation: Mitigation,
        effect: Option<Effect>,
    ) -> Recommendation {
        Recommendation {
            title,
            attribute: self.attribute.name.clone(),
            disparity: self.evidence.id.clone(),
            evidence: self.evidence.sentence.clone(),
            mitigation,
            effect,
        }
    }

    /// The evidence's title without its form.
    fn what(&self) -> String {
        let title = self.evidence.title.as_str();
        let bare = [" difference", " ratio"].iter().find_map(|form| title.strip_suffix(form));
        bare.unwrap_or(title).to_lowercase()
    }

    /// Combinations can make thousands of groups: nobody decides, or trains, by so many.
    fn few_enough(&self, what: &str) -> Result<(), String> {
        let groups = self.groups.len();
        if self.attribute.attributes.len() > 1 && groups > MAX_THRESHOLD_GROUPS {
            return Err(format!(
                "there are no {what}: {groups} groups are more than {MAX_THRESHOLD_GROUPS}"
            ));
        }
        Ok(())
    }
}

/// What to look into.
fn advice(trouble: &Trouble<'_>) -> &'static str {
    match trouble.cause {
        Cause::Selection => {
            "Look at what decides who is selected: features that stand for the group, and rows of the group with the lower rate just below the threshold."
        }
        Cause::Labels => {
            "Look at how the labels came about: do they say what they should of every group, and were the same people labelled?"
        }
        Cause::Errors => match trouble.apart() {
            Apart { tpr: false, .. } => {
                "The false positive rates differ: look at the rows with a negative label that are selected in the group with the higher rate, and at how well its scores are calibrated."
            }
            Apart { .. } => {
                "Look at the rows with a positive label that are rejected in the group with the lower rate: what do they have in common, and is their label trustworthy?"
            }
        },
        Cause::Precision => {
            "A positive prediction means something else in each group: compare the reliability curves, and calibrate the scores within groups."
        }
        Cause::Accuracy => {
            "The model knows one group less well: see whether it has too few rows or features that say less about it, and collect more of them."
        }
        Cause::Ranking => {
            "The scores rank one group less well: see whether it has too few rows or features that say less about it."
        }
        Cause::Calibration => {
            "The scores of one group are less well calibrated: calibrate them within groups."
        }
    }
}
