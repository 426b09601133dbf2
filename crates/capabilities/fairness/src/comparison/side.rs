//! What comparing and gating need of an analysis, whatever its task.

use crate::{
    NotCompared, frame,
    multiclass::MulticlassReport,
    result::{AnalysisResult, AttributeResult, Disparity, MetricValue, Reference, Status},
    task::{Task, TaskResult},
};

/// One side of a comparison, or the one analysis that a gate judges.
#[derive(Debug, Clone)]
pub(crate) struct Side<'a> {
    pub task: Task,
    /// Rows used.
    pub rows: u64,
    pub score: Option<f64>,
    pub status: Option<Status>,
    /// The metrics of everybody together.
    pub overall: &'a [MetricValue],
    /// Attributes, then their combinations; of several classes, then each class against the rest.
    pub groupings: Vec<Grouped<'a>>,
}

/// The groups of one attribute, or of several together.
#[derive(Debug, Clone)]
pub(crate) struct Grouped<'a> {
    pub task: Task,
    /// The class that is held against the rest.
    pub class: Option<&'a str>,
    pub name: &'a str,
    pub attributes: &'a [String],
    pub status: Option<Status>,
    /// Whether there are two groups that are large enough, and why not.
    pub comparable: bool,
    pub reason: Option<&'a str>,
    pub reference: Option<&'a Reference>,
    /// The column of strata within which groups are compared too.
    pub strata: Option<&'a str>,
    pub groups: Vec<Member<'a>>,
    pub disparities: &'a [Disparity],
}

/// One group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub name: &'a str,
    pub values: &'a [String],
    pub n: u64,
    /// Below the least group size, or values that are counted together.
    pub small: bool,
    /// Values that are counted together, of whom each alone nothing is known.
    pub is_rest: bool,
    pub metrics: &'a [MetricValue],
}

impl<'a> Member<'a> {
    /// Why it is compared with no other, if it is not.
    pub(crate) fn not_compared(&self) -> Option<NotCompared> {
        NotCompared::of(self.small, self.is_rest)
    }

    /// The metric with this id.
    pub(crate) fn metric(&self, id: &str) -> Option<&'a MetricValue> {
        self.metrics.iter().find(|metric| metric.id == id)
    }
}

impl<'a> Side<'a> {
    pub(crate) fn of(result: &'a TaskResult) -> Self {
        match result {
            TaskResult::Binary(result) => Self::of_binary(result),
            TaskResult::Regression(report) => Self::of_findings(Task::Regression, &report.findings),
            TaskResult::Multiclass(report) => Self::of_classes(report),
            TaskResult::Ranking(report) => Self::of_findings(Task::Ranking, &report.findings),
        }
    }

    pub(crate) fn of_binary(result: &'a AnalysisResult) -> Self {
        Self {
            task: Task::Binary,
            rows: result.rows.used,
            score: result.compliance_score,
            status: result.status,
            overall: &result.overall.metrics,
            groupings: result
                .attributes
                .iter()
                .chain(&result.intersections)
                .map(|one| Grouped::of_binary(result, one))
                .collect(),
        }
    }

    fn of_findings(task: Task, findings: &'a frame::Findings) -> Self {
        Self {
            task,
            rows: findings.rows.used,
            score: None,
            status: findings.status,
            overall: &findings.overall.metrics,
            groupings: findings
                .comparisons
                .iter()
                .map(|one| Grouped::of_comparison(task, None, one))
                .collect(),
        }
    }

    fn of_classes(report: &'a MulticlassReport) -> Self {
        let mut side = Self::of_findings(Task::Multiclass, &report.findings);
        for of_class in &report.against_rest {
            let class = Some(of_class.class.as_str());
            side.groupings.extend(
                of_class
                    .comparisons
                    .iter()
                    .map(|one| Grouped::of_comparison(Task::Multiclass, class, one)),
            );
        }
        side
    }
}

impl<'a> Grouped<'a> {
    fn of_binary(result: &AnalysisResult, one: &'a AttributeResult) -> Self {
        Self {
            task: Task::Binary,
            class: None,
            name: &one.name,
            attributes: &one.attributes,
            status: one.status,
            comparable: one.comparable,
            reason: one.reason.as_deref(),
            reference: one.reference.as_ref(),
            strata: one.strata.as_ref().map(|strata| strata.column.as_str()),
            groups: one
                .groups
                .iter()
                .map(|group| Member {
                    name: &group.name,
                    values: &group.values,
                    n: group.n,
                    small: group.small,
                    is_rest: result.is_rest(one, group),
                    metrics: &group.metrics,
                })
                .collect(),
            disparities: &one.disparities,
        }
    }

    pub(crate) fn of_comparison(
        task: Task,
        class: Option<&'a str>,
        one: &'a frame::Comparison,
    ) -> Self {
        Self {
            task,
            class,
            name: &one.name,
            attributes: &one.attributes,
            status: one.status,
            comparable: one.comparable,
            reason: one.reason.as_deref(),
            reference: one.reference.as_ref(),
            strata: None,
            groups: one
                .groups
                .iter()
                .map(|group| Member {
                    name: &group.name,
                    values: &group.values,
                    n: group.n,
                    small: group.small,
                    is_rest: false,
                    metrics: &group.metrics,
                })
                .collect(),
            disparities: &one.disparities,
        }
    }
}
