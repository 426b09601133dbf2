//! Two analyses compared: what became better or worse, beyond what chance could do.
//!
//! Pure: [`compare`] takes two results as they were stored, of any version, and never fails; [`compare_tasks`] takes those
//! of any task, and refuses two of different ones. What cannot be compared says so.

mod change;
mod groupings;
mod metrics;
mod sentences;
pub(crate) mod side;
mod specs;

use serde::{Deserialize, Serialize};

pub use change::ChangeInterval;
pub use specs::{Difference, Effect};

use crate::{
    result::{AnalysisResult, Status},
    task::{Task, TaskResult},
};
use change::{Measured, change_of, finite, moved};
use side::Side;

pub use groupings::MOST_GROUPS;

/// Two analyses, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What both predict.
    #[serde(default)]
    pub task: Task,
    /// Whether the numbers mean the same on both sides; if not, `differences` says why.
    pub comparable: bool,
    /// What was asked differently.
    pub differences: Vec<Difference>,
    /// Rows used.
    pub rows: Sides<u64>,
    /// The compliance score.
    pub score: ScoreChange,
    /// The worst status of each side.
    pub status: Sides<Option<Status>>,
    /// The metrics of everybody together.
    pub overall: Vec<MetricChange>,
    /// One entry for each attribute and combination of either side: the current ones in their order, then those gone.
    pub attributes: Vec<AttributeChange>,
    /// How many judged disparities have which verdict.
    pub counts: VerdictCounts,
    /// All of it in one sentence.
    pub sentence: String,
}

/// Something on both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides<T> {
    /// What it was.
    pub baseline: T,
    /// What it is now.
    pub current: T,
}

/// How the compliance score changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreChange {
    /// What it was.
    pub baseline: Option<f64>,
    /// What it is now.
    pub current: Option<f64>,
    /// Current - baseline; `None` unless both are there.
    pub change: Option<f64>,
}

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better, beyond noise.
    Improved,
    /// The same, or no further apart than noise explains.
    Unchanged,
    /// Another value beyond noise, where neither way is better.
    Changed,
    /// Worse, beyond noise.
    Worse,
    /// The baseline does not have it.
    New,
    /// Only the baseline has it.
    Gone,
    /// It has no value on a side, or the two cannot be compared.
    Undefined,
}

impl Verdict {
    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Worse => "worse",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Undefined => "undefined",
        }
    }
}

/// How one metric of everybody, or of a group, changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricChange {
    /// The metric's id.
    pub id: String,
    /// Its name for people; empty in comparisons that were stored before metrics had one.
    #[serde(default)]
    pub title: String,
    /// What it was.
    pub baseline: Option<f64>,
    /// What it is now.
    pub current: Option<f64>,
    /// Current - baseline.
    pub change: Option<f64>,
    /// The interval of the change, if both sides have one.
    pub interval: Option<ChangeInterval>,
    /// What became of it.
    pub verdict: Verdict,
    /// What that means.
    pub sentence: String,
}

/// How the metrics of one group changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupChange {
    /// The group, as the current side calls it.
    pub name: String,
    /// Its rows.
    pub rows: Sides<u64>,
    /// Every metric of either side.
    pub metrics: Vec<MetricChange>,
}

/// How one attribute, or combination of several, changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// Its name, as the current side has it.
    pub name: String,
    /// The class that is held against the rest; `None` but of several classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The attributes.
    pub attributes: Vec<String>,
    /// `new`, `gone`, or the worst of its judged disparities' verdicts.
    pub verdict: Verdict,
    /// The worst status of each side.
    pub status: Sides<Option<Status>>,
    /// Groups that the baseline does not have; of single classes none, for all classes together tell them.
    pub groups_new: Vec<String>,
    /// Groups that only the baseline has; of single classes none.
    pub groups_gone: Vec<String>,
    /// The reference groups, if they are not the same.
    pub references: Option<Sides<Option<String>>>,
    /// The metrics of each group that both sides have, large enough to be compared: of single attributes, and of the largest
    /// [`MOST_GROUPS`].
    #[serde(default)]
    pub groups: Vec<GroupChange>,
    /// Groups that are large enough on both sides, and that `groups` leaves out.
    #[serde(default)]
    pub groups_left_out: u64,
    /// Every disparity of either side; of single classes those that a side judges.
    pub disparities: Vec<DisparityChange>,
}

/// How one disparity changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DisparityChange {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The value without any disparity: 0 or 1.
    pub ideal: f64,
    /// Whether the current side judges it (for what is gone: whether the baseline did).
    pub judged: bool,
    /// What it was.
    pub baseline: Option<f64>,
    /// What it is now.
    pub current: Option<f64>,
    /// Current - baseline.
    pub change: Option<f64>,
    /// The interval of `change`, from the two intervals.
    pub interval: Option<ChangeInterval>,
    /// How much further from ideal it is (negative: nearer); for a ratio r by 1 - min(r, 1/r).
    pub gap_change: Option<f64>,
    /// The interval of `gap_change`, which decides the verdict.
    pub gap_interval: Option<ChangeInterval>,
    /// What it was judged.
    pub baseline_status: Option<Status>,
    /// What it is judged now.
    pub current_status: Option<Status>,
    /// What became of it.
    pub verdict: Verdict,
    /// It fails now and did not in the baseline, noise or not.
    pub regressed: bool,
    /// What that means.
    pub sentence: String,
}

impl DisparityChange {
    /// Whether a gate on regressions stops it: judged, beyond its threshold, and either worse than the baseline beyond
    /// noise, or failing where the baseline has nothing to compare with.
    pub fn stops(&self) -> bool {
        match self.verdict {
            Verdict::Worse => self.current_status >= Some(Status::Warning),
            Verdict::New | Verdict::Undefined => {
                self.current_status == Some(Status::Fail)
                    && self.baseline_status != Some(Status::Fail)
            }
            Verdict::Improved | Verdict::Unchanged | Verdict::Changed | Verdict::Gone => false,
        }
    }
}

/// How many judged disparities have which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Better, beyond noise.
    pub improved: u64,
    /// The same within noise.
    pub unchanged: u64,
    /// Worse, beyond noise.
    pub worse: u64,
    /// Without a counterpart in the baseline.
    pub new: u64,
    /// Only in the baseline.
    pub gone: u64,
    /// Not to be compared.
    pub undefined: u64,
    /// Failing now and not in the baseline.
    pub regressed: u64,
}

impl Comparison {
    /// What keeps it from telling what regressed: numbers that mean something else, and intervals of two confidences,
    /// beside which nothing is beyond noise.
    pub fn obstacles(&self) -> impl Iterator<Item = &Difference> {
        let blinds = |one: &&Difference| one.effect == Effect::Numbers || one.field == "confidence";
        self.differences.iter().filter(blinds)
    }

    /// What a gate on regressions stops, with the attribute (of several classes, of one class against the rest) that it is of.
    pub fn regressions(&self) -> impl Iterator<Item = (&AttributeChange, &DisparityChange)> {
        self.attributes.iter().flat_map(|attribute| {
            let stopped = attribute.disparities.iter().filter(|change| change.stops());
            stopped.map(move |change| (attribute, change))
        })
    }
}

/// Two analyses of different tasks, whose numbers have nothing to do with one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the baseline is an analysis of the task {}, this one of the task {}", .baseline.as_str(), .current.as_str())]
pub struct OtherTask {
    /// What the baseline predicts.
    pub baseline: Task,
    /// What the current one predicts.
    pub current: Task,
}

/// Compares two analyses of yes or no.
///
/// The two are taken as independent samples. If both measured the same rows, as when two models are compared on one test
/// set, the intervals of changes are wider than they need be, and a verdict of `worse` is as sure as it says or surer.
pub fn compare(baseline: &AnalysisResult, current: &AnalysisResult) -> Comparison {
    let differences = specs::differences(baseline, current);
    compared(differences, &Side::of_binary(baseline), &Side::of_binary(current))
}

/// Compares two analyses of one task, in the way of [`compare`].
///
/// # Errors
/// They are of two tasks.
pub fn compare_tasks(baseline: &TaskResult, current: &TaskResult) -> Result<Comparison, OtherTask> {
    let differences = match (baseline, current) {
        (TaskResult::Binary(was), TaskResult::Binary(is)) => specs::differences(was, is),
        (TaskResult::Regression(was), TaskResult::Regression(is)) => specs::of_numbers(was, is),
        (TaskResult::Multiclass(was), TaskResult::Multiclass(is)) => specs::of_classes(was, is),
        (TaskResult::Ranking(was), TaskResult::Ranking(is)) => specs::of_lists(was, is),
        _ => return Err(OtherTask { baseline: baseline.task(), current: current.task() }),
    };
    Ok(compared(differences, &Side::of(baseline), &Side::of(current)))
}

fn compared(differences: Vec<Difference>, baseline: &Side<'_>, current: &Side<'_>) -> Comparison {
    let attributes = groupings::changes(baseline, current, &differences);
    let other_classes = differences.iter().any(|one| one.field == specs::CLASSES);
    let counts = counts(&attributes);
    let score = ScoreChange {
        baseline: baseline.score,
        current: current.score,
        change: baseline.score.zip(current.score).and_then(|(was, is)| finite(is - was)),
    };
    let mut comparison = Comparison {
        task: current.task,
        comparable: differences.iter().all(|difference| difference.effect != Effect::Numbers),
        differences,
        rows: Sides { baseline: baseline.rows, current: current.rows },
        score,
        status: Sides { baseline: baseline.status, current: current.status },
        overall: metrics::changes(current.task, baseline.overall, current.overall, other_classes),
        attributes,
        counts,
        sentence: String::new(),
    };
    comparison.sentence = sentences::whole(&comparison);
    comparison
}

fn counts(attributes: &[AttributeChange]) -> VerdictCounts {
    let mut counts = VerdictCounts::default();
    let judged = attributes.iter().flat_map(|one| &one.disparities).filter(|one| one.judged);
    for change in judged {
        counts.regressed += u64::from(change.regressed);
        match change.verdict {
            Verdict::Improved => counts.improved += 1,
            Verdict::Unchanged | Verdict::Changed => counts.unchanged += 1,
            Verdict::Worse => counts.worse += 1,
            Verdict::New => counts.new += 1,
            Verdict::Gone => counts.gone += 1,
            Verdict::Undefined => counts.undefined += 1,
        }
    }
    counts
}

/// Whether a metric rose or fell beyond noise; `None` unless both sides have a value.
pub(crate) fn metric_moved(
    baseline: &crate::MetricValue,
    current: &crate::MetricValue,
) -> Option<std::cmp::Ordering> {
    let of = |one: &crate::MetricValue| Measured::of(one.value, one.interval.as_ref());
    Some(moved(&change_of(&of(baseline)?, &of(current)?)))
}
