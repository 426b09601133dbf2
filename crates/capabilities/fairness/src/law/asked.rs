//! Reports of the law as a part of an analysis, made of the same cube.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{LawReport, ReportOptions, Rule, report};
use crate::{AnalysisError, AnalysisSpec, Fault, analysis::Cells, cube::Cube};

/// The most categories of one attribute: what has more is none that a rule speaks of, and testing each takes its time.
pub const MAX_CATEGORIES: usize = 1_000;
/// The most values that say that a category is not known.
const MAX_UNKNOWN: usize = 100;
/// The most characters of a justification.
const MAX_REASON: usize = 2_000;

/// Which reports of the law an analysis makes, and how. Categories are the values of the protected attributes; the EEOC's report
/// compares within the analysis' strata too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawSpec {
    /// Which reports.
    pub rules: Vec<Rule>,
    /// Categories with a lesser share of the data are left out of the comparison; at most [`SMALL_SHARE`](super::SMALL_SHARE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_below: Option<f64>,
    /// Why they are: Local Law 144 asks for a justification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_reason: Option<String>,
    /// Values that say that the category is not known, beside what is missing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<String>,
}

impl LawSpec {
    /// These reports, with nothing left out.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            rules: rules.into_iter().collect(),
            exclude_below: None,
            exclude_reason: None,
            unknown: BTreeSet::new(),
        }
    }

    fn options(&self) -> ReportOptions {
        ReportOptions {
            exclude_below: self.exclude_below,
            exclude_reason: self.exclude_reason.clone(),
            unknown: self.unknown.clone(),
            strata: None,
        }
    }

    /// All that is wrong with it, beside what is wrong with the spec that it is a part of.
    pub(crate) fn faults(&self, spec: &AnalysisSpec) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.options().faults(spec);
        for fault in faults.iter_mut().filter(|fault| fault.where_ == "/exclude_below") {
            "/law/exclude_below".clone_into(&mut fault.where_);
        }
        if self.rules.is_empty() {
            faults.push(
                Fault::new("/law/rules", "required", "No report of the law is named.")
                    .hint("There are ll144 and eeoc."),
            );
        }
        for (at, rule) in self.rules.iter().enumerate() {
            if self.rules[..at].contains(rule) {
                let message = format!("`{}` is named twice.", rule.as_str());
                faults.push(Fault::new(format!("/law/rules/{at}"), "duplicate", message));
            }
        }
        let reason = self.exclude_reason.as_deref().unwrap_or_default();
        if self.exclude_below.is_some()
            && self.rules.contains(&Rule::Ll144)
            && reason.trim().is_empty()
        {
            faults.push(
                Fault::new(
                    "/law/exclude_reason",
                    "required",
                    "A category that is left out needs a justification, which the summary publishes.",
                )
                .hint("Say why, in a sentence (6 RCNY § 5-301 (d))."),
            );
        }
        if reason.chars().count() > MAX_REASON {
            let message = format!("A justification has at most {MAX_REASON} characters.");
            faults.push(Fault::new("/law/exclude_reason", "too_long", message));
        }
        if self.unknown.len() > MAX_UNKNOWN {
            let message = format!("At most {MAX_UNKNOWN} values say that a category is not known.");
            faults.push(Fault::new("/law/unknown", "too_many", message));
        }
        faults
    }

    /// The reports, of the cube of an analysis.
    pub(crate) fn reports(
        &self,
        cube: &Cube,
        spec: &AnalysisSpec,
    ) -> Result<Vec<LawReport>, AnalysisError> {
        let mut faults = Vec::new();
        for (at, name) in spec.protected.iter().enumerate() {
            let categories = Cells::count(cube, &[at]);
            if categories > MAX_CATEGORIES {
                let message = format!(
                    "`{name}` has {categories} values: a report of the law compares at most {MAX_CATEGORIES} categories."
                );
                faults.push(
                    Fault::new(format!("/protected/{at}"), "too_many_groups", message)
                        .hint("Leave the column out, or put its values into bands first."),
                );
            }
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        self.rules.iter().map(|rule| self.report(*rule, cube, spec)).collect()
    }

    fn report(
        &self,
        rule: Rule,
        cube: &Cube,
        spec: &AnalysisSpec,
    ) -> Result<LawReport, AnalysisError> {
        let mut options = self.options();
        let Some(strata) = spec.strata.as_ref().filter(|_| rule == Rule::Eeoc) else {
            return report(rule, cube, spec, &options);
        };
        // The cube has the strata behind the protected attributes, as one more of them.
        options.strata = Some(strata.clone());
        let mut spec = AnalysisSpec { strata: None, ..spec.clone() };
        spec.protected.push(strata.clone());
        report(rule, cube, &spec, &options)
    }
}
