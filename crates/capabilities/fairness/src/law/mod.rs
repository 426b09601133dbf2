//! Reports as rules of law state them, from the same cube as an analysis: New York City's Local Law 144 and the Uniform
//! Guidelines of the EEOC.
//!
//! They count people: a column of weights is refused. What they say is arithmetic and statistics, not legal advice.

mod asked;
mod categories;
pub mod eeoc;
mod family;
pub mod ll144;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{AnalysisError, AnalysisSpec, Fault, cube::Cube};
pub use asked::{LawSpec, MAX_CATEGORIES};
pub use family::Family;

/// Categories with a lesser share of the data may be left out.
pub const SMALL_SHARE: f64 = 0.02;

/// How a report is made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReportOptions {
    /// Categories with a lesser share of the data are left out of the comparison; at most [`SMALL_SHARE`].
    pub exclude_below: Option<f64>,
    /// Why they are: Local Law 144 asks for a justification.
    pub exclude_reason: Option<String>,
    /// Values that say that the category is not known, beside what is missing.
    pub unknown: BTreeSet<String>,
    /// One of the protected attributes that is none of the report's, but a stratum (a job, a department) within which groups
    /// are compared too; for the EEOC's report.
    pub strata: Option<String>,
}

impl ReportOptions {
    /// All that is wrong with them and with what the report is asked of.
    pub(crate) fn faults(&self, spec: &AnalysisSpec) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(share) = self.exclude_below
            && !(share > 0.0 && share <= SMALL_SHARE)
        {
            let message = format!(
                "Categories below a share of {share} cannot be left out: the rules allow it below 2 % of the data."
            );
            faults.push(
                Fault::new("/exclude_below", "out_of_range", message).hint("0.02 is the most."),
            );
        }
        if let Some(weight) = &spec.weight {
            let message = format!("The rules count people: `{weight}` cannot weigh them.");
            faults
                .push(Fault::new("/weight", "not_allowed", message).hint("Leave the weight out."));
        }
        if let Some(strata) = &self.strata {
            if !spec.protected.contains(strata) {
                let message = format!("The strata `{strata}` are not among the columns read.");
                faults.push(Fault::new("/strata", "unknown_attribute", message));
            } else if spec.protected.len() < 2 {
                let message = format!("`{strata}` is the stratum and the only attribute at once.");
                faults.push(Fault::new("/strata", "two_roles", message));
            }
        }
        faults
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
pub enum LawReport {
    /// New York City's Local Law 144.
    Ll144(ll144::Ll144Report),
    /// The Uniform Guidelines on Employee Selection Procedures.
    Eeoc(eeoc::EeocReport),
}

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// New York City's Local Law 144.
    Ll144,
    /// The Uniform Guidelines on Employee Selection Procedures.
    Eeoc,
}

impl Rule {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ll144 => "ll144",
            Self::Eeoc => "eeoc",
        }
    }
}

impl LawReport {
    /// The rule whose report it is.
    pub const fn rule(&self) -> Rule {
        match self {
            Self::Ll144(_) => Rule::Ll144,
            Self::Eeoc(_) => Rule::Eeoc,
        }
    }
}

/// Makes a report of a cube.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the options, the spec and the data.
pub fn report(
    rule: Rule,
    cube: &Cube,
    spec: &AnalysisSpec,
    options: &ReportOptions,
) -> Result<LawReport, AnalysisError> {
    match rule {
        Rule::Ll144 => ll144::report(cube, spec, options).map(LawReport::Ll144),
        Rule::Eeoc => eeoc::report(cube, spec, options).map(LawReport::Eeoc),
    }
}
