//! A gate: what must hold of a model, whether it does, and what a CI job needs to show it.
//!
//! [`gate`] judges a result by a [`Policy`], beside a baseline if there is one; [`sarif`], [`junit`] and [`markdown`] write
//! what it found. All of it is pure: files, clocks and exit codes are the caller's.

pub mod baseline;
mod checks;
mod known;
pub mod policy;
mod requirements;

pub mod junit;
pub mod markdown;
pub mod sarif;

use serde::Serialize;

pub use baseline::{read_baseline, read_task_baseline};
pub use policy::{Allowed, Bound, Day, FailOn, Policy, Scope, Side};

use crate::{
    comparison::{Comparison, Verdict, compare},
    result::{AnalysisResult, Status},
};

/// What a gate found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Whether anything stops it.
    pub stopped: bool,
    /// What stops it.
    pub fail_on: FailOn,
    /// Everything that was judged, attribute by attribute, then what the policy asks of the whole.
    pub checks: Vec<Check>,
    /// What the reader should know: known findings that expired or are none any more, attributes that are not there.
    pub notes: Vec<String>,
}

/// One thing that was judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What was judged: a disparity's id, `metric_bound`, `required_attribute`, `rows`, `group_rows`, `compliance_score`.
    pub rule: String,
    /// The disparity or metric that a known finding would name; `None` for what cannot be accepted.
    pub id: Option<String>,
    /// The attribute, attributes joined by `|`, or `overall`.
    pub subject: String,
    /// The group, for what is asked of each.
    pub group: Option<String>,
    /// What it is called among others: the same from run to run.
    pub key: String,
    /// What was measured.
    pub value: Option<f64>,
    /// `None` when there was nothing to judge: see the sentence.
    pub status: Option<Status>,
    /// What was found.
    pub sentence: String,
    /// Why it is accepted, if it is a known finding that has not expired.
    pub known: Option<Allowed>,
    /// What became of it since the baseline, if there is one.
    pub change: Option<Since>,
    /// Whether it stops the gate.
    pub stops: bool,
}

/// What became of something since the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Since {
    /// What it was judged then.
    pub status: Option<Status>,
    /// What became of it.
    pub verdict: Verdict,
    /// Whether that is a regression: worse beyond noise and beyond what is accepted, or failing without a counterpart.
    pub regression: bool,
    /// What that means.
    pub sentence: String,
}

impl Check {
    /// Whether it is something to report: a warning or worse.
    pub fn is_finding(&self) -> bool {
        self.status >= Some(Status::Warning)
    }

    fn stopped_by(&self, fail_on: FailOn) -> bool {
        if self.known.is_some() {
            return false;
        }
        match fail_on {
            FailOn::Fail => self.status >= Some(Status::Fail),
            FailOn::Warning => self.status >= Some(Status::Warning),
            FailOn::Regression => self.change.as_ref().map_or_else(
                // What the baseline says nothing of is asked of this run alone.
                || self.status >= Some(Status::Fail),
                |change| change.regression,
            ),
            FailOn::Never => false,
        }
    }
}

impl Gate {
    /// The checks that stop it.
    pub fn stopping(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.stops)
    }
}

/// A baseline with what became of it.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// The result of then.
    pub baseline: &'a AnalysisResult,
    /// It and the current one, side by side.
    pub comparison: Comparison,
}

impl<'a> Compared<'a> {
    /// Compares the current result with a baseline.
    pub fn new(baseline: &'a AnalysisResult, current: &AnalysisResult) -> Self {
        Self { baseline, comparison: compare(baseline, current) }
    }
}

/// Judges a result. `today` decides what has expired.
pub fn gate(
    result: &AnalysisResult,
    policy: &Policy,
    fail_on: FailOn,
    compared: Option<&Compared<'_>>,
    today: Day,
) -> Gate {
    let mut checks = checks::of_disparities(result, compared);
    let mut notes = requirements::check(result, policy, compared, &mut checks);
    known::accept(&mut checks, policy, today, &mut notes);
    for check in &mut checks {
        check.stops = check.stopped_by(fail_on);
    }
    Gate { stopped: checks.iter().any(|check| check.stops), fail_on, checks, notes }
}
