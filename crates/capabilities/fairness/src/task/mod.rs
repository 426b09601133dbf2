//! Analyses of whatever a model predicts, asked for and answered in one way: for who keeps them and shows them.

mod judge;
mod read;
mod result;
mod unjudged;

use arrow::datatypes::Schema;
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisSpec, Fault, Progress, column_faults,
    frame::Grouping,
    multiclass::{self, MulticlassSpec},
    ranking::{self, RankingSpec},
    regression::{self, RegressionSpec},
};
pub use result::{Found, TaskResult};

/// What a model predicts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Yes or no.
    #[default]
    Binary,
    /// Numbers.
    Regression,
    /// One class of several.
    Multiclass,
    /// The order of lists.
    Ranking,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Binary, Self::Regression, Self::Multiclass, Self::Ranking];

    /// Its word, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Regression => "regression",
            Self::Multiclass => "multiclass",
            Self::Ranking => "ranking",
        }
    }

    /// The task with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|task| task.as_str() == word)
    }
}

/// What to analyse of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskSpec {
    /// Yes or no.
    Binary(Box<AnalysisSpec>),
    /// Numbers.
    Regression(RegressionSpec),
    /// One class of several.
    Multiclass(MulticlassSpec),
    /// The order of lists.
    Ranking(RankingSpec),
}

impl From<AnalysisSpec> for TaskSpec {
    fn from(spec: AnalysisSpec) -> Self {
        Self::Binary(Box::new(spec))
    }
}

impl TaskSpec {
    /// Reads a specification in JSON: the fields of its task, and `task`, without which it is one of yes or no.
    ///
    /// # Errors
    /// Every fault of the JSON; what it says is checked by [`faults`](Self::faults) and
    /// [`column_faults`](Self::column_faults).
    pub fn read(json: &Value) -> Result<Self, Vec<Fault>> {
        read::read(json)
    }

    /// The same specification in JSON. One of yes or no stands without its task, as it always did.
    ///
    /// # Errors
    /// It could not be written, which only a lack of memory can cause.
    pub fn to_json(&self) -> Result<Value, serde_json::Error> {
        let mut json = match self {
            Self::Binary(spec) => return serde_json::to_value(spec),
            Self::Regression(spec) => serde_json::to_value(spec)?,
            Self::Multiclass(spec) => serde_json::to_value(spec)?,
            Self::Ranking(spec) => serde_json::to_value(spec)?,
        };
        if let Value::Object(fields) = &mut json {
            // Lists have no weights: what nobody asked for is not written.
            if self.task() == Task::Ranking && fields.get("weight").is_some_and(Value::is_null) {
                fields.remove("weight");
            }
            fields.insert("task".to_owned(), self.task().as_str().into());
        }
        Ok(json)
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

    /// The protected attributes.
    pub fn protected(&self) -> &[String] {
        match self {
            Self::Binary(spec) => &spec.protected,
            Self::Regression(spec) => &spec.groups.protected,
            Self::Multiclass(spec) => &spec.groups.protected,
            Self::Ranking(spec) => &spec.groups.protected,
        }
    }

    /// What is wrong with it by itself, before any data are seen; with the columns at hand, [`column_faults`](Self::column_faults)
    /// tells all.
    pub fn faults(&self) -> Vec<Fault> {
        let of = |groups: &Grouping, target: &str| groups.as_spec(target).faults();
        match self {
            Self::Binary(spec) => spec.faults(),
            Self::Regression(spec) => [of(&spec.groups, &spec.target), spec.own_faults()].concat(),
            Self::Multiclass(spec) => [of(&spec.groups, &spec.target), spec.own_faults()].concat(),
            // There is no target here.
            Self::Ranking(spec) => {
                let mut faults = of(&spec.groups, "");
                faults.retain(|fault| fault.where_ != "/target");
                faults.extend(spec.own_faults());
                faults
            }
        }
    }

    /// All that is wrong with it, given the columns.
    pub fn column_faults(&self, schema: &Schema) -> Vec<Fault> {
        match self {
            Self::Binary(spec) => {
                let mut faults = spec.faults();
                faults.extend(column_faults(spec, schema));
                faults
            }
            Self::Regression(spec) => spec.faults(schema),
            Self::Multiclass(spec) => spec.faults(schema),
            Self::Ranking(spec) => spec.faults(schema),
        }
    }
}

/// Analyses a table by its task: the same as the task's own `analyze`. Progress is told of analyses of yes or no; the others read
/// their rows one after another, or have other machines read them.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &TaskSpec,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<TaskResult, AnalysisError> {
    Ok(match spec {
        TaskSpec::Binary(spec) => {
            TaskResult::Binary(Box::new(crate::analyze(table, spec, progress, cancel).await?))
        }
        TaskSpec::Regression(spec) => {
            TaskResult::Regression(Box::new(regression::analyze(table, spec, cancel).await?))
        }
        TaskSpec::Multiclass(spec) => {
            TaskResult::Multiclass(Box::new(multiclass::analyze(table, spec, cancel).await?))
        }
        TaskSpec::Ranking(spec) => {
            TaskResult::Ranking(Box::new(ranking::analyze(table, spec, cancel).await?))
        }
    })
}
