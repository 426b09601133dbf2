//! What an analysis of any task found.

use serde::Serialize;
use serde_json::Value;

use super::Task;
use crate::{
    AnalysisResult, Disparity, Recommendation, Rows, Status, StatusCounts, data::DataReport,
    frame::Findings, law::LawReport, multiclass::MulticlassReport, ranking::RankingReport,
    regression::RegressionReport,
};

/// What an analysis found; in JSON the same as the task's own result.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TaskResult {
    /// Of yes or no.
    Binary(Box<AnalysisResult>),
    /// Of numbers.
    Regression(Box<RegressionReport>),
    /// Of one class of several.
    Multiclass(Box<MulticlassReport>),
    /// Of the order of lists.
    Ranking(Box<RankingReport>),
}

/// A disparity, and what it is of.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The attribute, or several joined by `|`.
    pub attribute: &'a str,
    /// The class that is held against the rest, where one is.
    pub class: Option<&'a str>,
    /// The disparity.
    pub disparity: &'a Disparity,
}

impl From<AnalysisResult> for TaskResult {
    fn from(result: AnalysisResult) -> Self {
        Self::Binary(Box::new(result))
    }
}

impl TaskResult {
    /// Reads a result of this task, as it was written.
    ///
    /// # Errors
    /// It is no result of this task, or holds a number that JSON does not have.
    pub fn read(task: Task, json: Value) -> Result<Self, serde_json::Error> {
        Ok(match task {
            Task::Binary => Self::Binary(serde_json::from_value(json)?),
            Task::Regression => Self::Regression(serde_json::from_value(json)?),
            Task::Multiclass => Self::Multiclass(serde_json::from_value(json)?),
            Task::Ranking => Self::Ranking(serde_json::from_value(json)?),
        })
    }

    /// What is predicted.
    pub const fn task(&self) -> Task {
        match self {
            Self::Binary(_) => Task::Binary,
            Self::Regression(_) => Task::Regression,
            Self::Multiclass(_) => Task::Multiclass,
            Self::Ranking(_) => Task::Ranking,
        }
    }

    /// What was found of yes or no; `None` of another task.
    pub fn binary(&self) -> Option<&AnalysisResult> {
        match self {
            Self::Binary(result) => Some(result),
            Self::Regression(_) | Self::Multiclass(_) | Self::Ranking(_) => None,
        }
    }

    /// What was found of another task; `None` of yes or no.
    pub fn findings(&self) -> Option<&Findings> {
        match self {
            Self::Binary(_) => None,
            Self::Regression(report) => Some(&report.findings),
            Self::Multiclass(report) => Some(&report.findings),
            Self::Ranking(report) => Some(&report.findings),
        }
    }

    /// The version of the engine that found it.
    pub fn engine_version(&self) -> &str {
        match self {
            Self::Binary(result) => &result.engine_version,
            Self::Regression(report) => &report.engine_version,
            Self::Multiclass(report) => &report.engine_version,
            Self::Ranking(report) => &report.engine_version,
        }
    }

    /// How many rows were read and used.
    pub fn rows(&self) -> &Rows {
        match self {
            Self::Binary(result) => &result.rows,
            Self::Regression(report) => &report.findings.rows,
            Self::Multiclass(report) => &report.findings.rows,
            Self::Ranking(report) => &report.findings.rows,
        }
    }

    /// How many judged disparities passed and did not.
    pub fn counts(&self) -> StatusCounts {
        self.findings()
            .map(|findings| findings.counts)
            .or_else(|| self.binary().map(|result| result.counts))
            .unwrap_or_default()
    }

    /// The worst status of any judged disparity; `None` when nothing could be judged.
    pub fn status(&self) -> Option<Status> {
        self.findings()
            .map_or_else(|| self.binary().and_then(|result| result.status), |found| found.status)
    }

    /// 0 to 100; `None` when no scored disparity is defined. Only analyses of yes or no have a score: its thresholds are of their
    /// disparities alone.
    pub fn compliance_score(&self) -> Option<f64> {
        self.binary().and_then(|result| result.compliance_score)
    }

    /// What to do: only computed for yes or no.
    pub fn recommendations(&self) -> &[Recommendation] {
        self.binary().map_or(&[], |result| &result.recommendations)
    }

    /// The data alone, if they were asked for.
    pub fn data(&self) -> Option<&DataReport> {
        self.binary().and_then(|result| result.data.as_ref())
    }

    /// The reports of the law that were asked for.
    pub fn law(&self) -> &[LawReport] {
        self.binary().map_or(&[], |result| &result.law)
    }

    /// The disparities of an attribute, or of several in whatever order: of all classes together, or of one `class` against the
    /// rest. Empty if there is no such thing.
    pub fn disparities_of(&self, class: Option<&str>, attributes: &[String]) -> &[Disparity] {
        let same = |names: &[String]| {
            names.len() == attributes.len() && names.iter().all(|name| attributes.contains(name))
        };
        if let Some(result) = self.binary() {
            let mut all = result.attributes.iter().chain(&result.intersections);
            let found = all.find(|one| same(&one.attributes));
            return found.map(|one| one.disparities.as_slice()).unwrap_or_default();
        }
        let comparisons = match (class, self) {
            (None, _) => self.findings().map(|findings| findings.comparisons.as_slice()),
            (Some(class), Self::Multiclass(report)) => {
                let mut all = report.against_rest.iter();
                all.find(|one| one.class == class).map(|one| one.comparisons.as_slice())
            }
            (Some(_), _) => None,
        };
        let found = comparisons.unwrap_or_default().iter().find(|one| same(&one.attributes));
        found.map(|one| one.disparities.as_slice()).unwrap_or_default()
    }

    /// Every disparity; those of single classes where they are judged.
    pub fn disparities(&self) -> Vec<Found<'_>> {
        if let Some(result) = self.binary() {
            let found = result.disparities();
            return found
                .map(|(attribute, disparity)| Found { attribute, class: None, disparity })
                .collect();
        }
        let mut all: Vec<Found<'_>> = Vec::new();
        for one in self.findings().into_iter().flat_map(|findings| &findings.comparisons) {
            let attribute = one.name.as_str();
            let found = one.disparities.iter();
            all.extend(found.map(|disparity| Found { attribute, class: None, disparity }));
        }
        if let Self::Multiclass(report) = self {
            for result in &report.against_rest {
                for one in &result.comparisons {
                    let judged = one.disparities.iter().filter(|found| found.threshold.is_some());
                    all.extend(judged.map(|disparity| Found {
                        attribute: &one.name,
                        class: Some(&result.class),
                        disparity,
                    }));
                }
            }
        }
        all
    }
}
