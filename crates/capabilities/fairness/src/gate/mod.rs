//! A gate: what must hold of a model, whether it does, and what a CI job needs to show it.
//!
//! [`gate`] judges a result by a [`Policy`], beside a baseline if there is one; [`sarif`], [`junit`] and [`markdown`] write
//! what it found. All of it is pure: files, clocks and exit codes are the caller's.

pub mod baseline;
mod bounds;
mod checks;
mod known;
pub mod policy;
mod requirements;
mod subject;

pub mod junit;
pub mod markdown;
pub mod sarif;

use serde::Serialize;

pub use baseline::{read_baseline, read_task_baseline};
pub use policy::{Allowed, Bound, Day, FailOn, Measured, Policy, Scope, Side};

use crate::{
    comparison::{Comparison, OtherTask, Verdict, compare, compare_tasks, side},
    result::{AnalysisResult, Status},
    task::TaskResult,
};
use subject::Subject;

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
    /// The class that is held against the rest; `None` but of several classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
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
    /// Why it cannot be shown, of what was asked for by name: it fails for that reason alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unshown: Option<String>,
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
    /// What it is of: the attribute, and the class that is held against the rest.
    pub fn of(&self) -> String {
        of(&self.subject, self.class.as_deref())
    }

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

fn of(subject: &str, class: Option<&str>) -> String {
    class.map_or_else(|| subject.to_owned(), |class| format!("{subject}: {class}"))
}

/// A baseline with what became of it.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// The result of then.
    baseline: side::Side<'a>,
    /// It and the current one, side by side.
    pub comparison: Comparison,
}

impl<'a> Compared<'a> {
    /// Compares the current result with a baseline.
    pub fn new(baseline: &'a AnalysisResult, current: &AnalysisResult) -> Self {
        Self { baseline: side::Side::of_binary(baseline), comparison: compare(baseline, current) }
    }

    /// The same of any task.
    ///
    /// # Errors
    /// The two are of two tasks.
    pub fn of_tasks(baseline: &'a TaskResult, current: &TaskResult) -> Result<Self, OtherTask> {
        let comparison = compare_tasks(baseline, current)?;
        Ok(Self { baseline: side::Side::of(baseline), comparison })
    }
}

/// Judges a result of yes and no. `today` decides what has expired.
pub fn gate(
    result: &AnalysisResult,
    policy: &Policy,
    fail_on: FailOn,
    compared: Option<&Compared<'_>>,
    today: Day,
) -> Gate {
    judge(&Subject::of_binary(result), policy, fail_on, compared, today)
}

/// The same of any task. The policy was read for it.
pub fn gate_task(
    result: &TaskResult,
    policy: &Policy,
    fail_on: FailOn,
    compared: Option<&Compared<'_>>,
    today: Day,
) -> Gate {
    judge(&Subject::of(result), policy, fail_on, compared, today)
}

fn judge(
    subject: &Subject<'_>,
    policy: &Policy,
    fail_on: FailOn,
    compared: Option<&Compared<'_>>,
    today: Day,
) -> Gate {
    let mut checks = checks::of_disparities(subject, policy, compared);
    let mut notes = requirements::check(subject, policy, compared, &mut checks);
    known::accept(&mut checks, policy, today, &mut notes);
    for check in &mut checks {
        check.stops = check.stopped_by(fail_on);
    }
    Gate { stopped: checks.iter().any(|check| check.stops), fail_on, checks, notes }
}
