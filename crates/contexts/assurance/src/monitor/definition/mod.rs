//! What a monitor is told to watch, and what is wrong with that.

use std::collections::BTreeMap;

use ephor_fairness::{
    AnalysisSpec,
    catalogue::{self, Entry},
    disparities,
    drift::{self, DriftSpec},
    metrics::{self, Needs},
    task::{Task, TaskSpec},
};
use ephor_kernel::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Monitor, task};
use crate::{analysis::fault, schedule};

/// The compliance score of an analysis, as a metric.
pub(super) const SCORE: &str = "compliance_score";
/// The share of current values in categories that the reference does not have.
pub(super) const NEW_CATEGORIES: &str = "new_categories";
/// The share of the reference's values in categories that are gone.
pub(super) const GONE_CATEGORIES: &str = "gone_categories";
/// A column of the reference that the current rows do not have.
pub(super) const COLUMN_GONE: &str = "column_gone";
/// A column that the reference does not have.
pub(super) const COLUMN_NEW: &str = "column_new";
/// What a column holds: numbers, texts, times.
pub(super) const COLUMN_TYPE: &str = "column_type";
/// Measured by monitors themselves, so unknown to the engine.
const OWN: [&str; 6] =
    [SCORE, NEW_CATEGORIES, GONE_CATEGORIES, COLUMN_GONE, COLUMN_NEW, COLUMN_TYPE];

/// What a monitor looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Groups treated less equally than before, or unequally at all.
    Bias,
    /// Metrics worse than those of the reference.
    Performance,
    /// Columns that changed.
    Data,
    /// An analysis that does not pass.
    Compliance,
}

impl Kind {
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "bias_drift" => Some(Self::Bias),
            "performance_degradation" => Some(Self::Performance),
            "data_quality" => Some(Self::Data),
            "compliance_violation" => Some(Self::Compliance),
            _ => None,
        }
    }
}

/// The column `parameters` of a monitor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Parameters {
    /// The column of dates or timestamps by which windows are cut.
    pub(super) time_column: Option<String>,
    /// The columns whose quality is watched; empty for all.
    pub(super) columns: Vec<String>,
    /// Task, target, predictions, protected attributes, as they were given.
    pub(super) analysis: Option<Value>,
    /// Test or metric to threshold.
    pub(super) thresholds: BTreeMap<String, f64>,
    /// The confidence of tests and intervals.
    pub(super) confidence: f64,
    /// The seed of what is drawn at random.
    pub(super) seed: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            time_column: None,
            columns: Vec::new(),
            analysis: None,
            thresholds: BTreeMap::new(),
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// What a monitor is told, without its names and dates.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    pub(super) kind: Kind,
    pub(super) parameters: Parameters,
    /// That of the parameters, read; `None` where there is none, or it cannot be read.
    pub(super) analysis: Option<TaskSpec>,
    /// Under the name of the registry.
    pub(super) metric: Option<String>,
    pub(super) threshold: Option<f64>,
    has_reference: bool,
    has_current: bool,
    has_window: bool,
}

impl Definition {
    /// That of a stored monitor.
    ///
    /// # Errors
    /// What is wrong with it, and what is missing: a monitor that runs is complete.
    pub(super) fn of(monitor: &Monitor) -> Result<Self, Vec<Fault>> {
        let has_window = monitor.window_seconds.is_some()
            || monitor.reference_from.is_some()
            || monitor.reference_until.is_some();
        let parameters = read(&monitor.parameters).map_err(|fault| vec![fault])?;
        let (analysis, unread) = analysis_of(&parameters);
        let task = task_of(&parameters).unwrap_or_default();
        let definition = Self {
            kind: Kind::of(&monitor.kind).ok_or_else(|| vec![unknown_kind()])?,
            parameters,
            analysis,
            metric: monitor.metric.as_deref().map(|metric| canonical(task, metric)),
            threshold: monitor.threshold,
            has_reference: monitor.reference_dataset_id.is_some(),
            has_current: monitor.current_dataset_id.is_some(),
            has_window,
        };
        let faults = [unread, definition.faults(), definition.missing()].concat();
        if faults.is_empty() { Ok(definition) } else { Err(faults) }
    }

    /// What is predicted, where that is another task than yes or no, and more than columns is watched.
    pub(super) fn other_task(&self) -> Option<&TaskSpec> {
        let spec = self.analysis.as_ref().filter(|_| self.kind != Kind::Data)?;
        (spec.task() != Task::Binary).then_some(spec)
    }

    /// Is the current window held against a reference, rather than against thresholds alone?
    pub(super) fn compares(&self) -> bool {
        match self.kind {
            Kind::Bias => self.has_reference,
            Kind::Performance | Kind::Data => true,
            Kind::Compliance => false,
        }
    }

    /// Is this metric watched?
    pub(super) fn watches(&self, metric: &str) -> bool {
        self.metric.as_deref().is_none_or(|watched| watched == metric)
    }

    /// Could a run find anything by this metric? Not by that of another task, nor by another than the one that is watched.
    pub(super) fn finds(&self, metric: &str) -> bool {
        let is_known = match self.other_task() {
            Some(spec) => task::has(spec.task(), self.kind == Kind::Performance, metric),
            None => is_known(metric),
        };
        is_known && self.watches(metric)
    }

    /// The threshold that is set for a metric of our own.
    pub(super) fn own_threshold(&self, metric: &str) -> Option<f64> {
        let named = (self.metric.as_deref() == Some(metric)).then_some(self.threshold).flatten();
        named.or_else(|| self.parameters.thresholds.get(metric).copied())
    }

    /// All thresholds that the engine is to know of.
    pub(super) fn thresholds(&self) -> BTreeMap<String, f64> {
        let mut all = self.parameters.thresholds.clone();
        if let (Some(metric), Some(threshold)) = (&self.metric, self.threshold) {
            all.insert(metric.clone(), threshold);
        }
        all.retain(|metric, _| !OWN.contains(&metric.as_str()));
        all
    }

    /// What to compare the windows by.
    pub(super) fn drift_spec(&self) -> DriftSpec {
        let Parameters { columns, confidence, seed, .. } = &self.parameters;
        // Of the columns that an analysis reads, its metrics are wanted, not the columns themselves.
        let analysis = match &self.analysis {
            Some(TaskSpec::Binary(spec)) if self.kind != Kind::Data => Some((**spec).clone()),
            _ => None,
        };
        let columns = match &analysis {
            // One that is read anyway: with none named, every column would be compared.
            Some(AnalysisSpec { target, prediction, score, .. }) => {
                let told = target.as_ref().or(prediction.as_ref()).or(score.as_ref());
                told.cloned().into_iter().collect()
            }
            None => columns.clone(),
        };
        DriftSpec {
            columns,
            thresholds: self.thresholds(),
            confidence: *confidence,
            seed: *seed,
            analysis,
            ..DriftSpec::default()
        }
    }

    /// What to analyse the current window by.
    pub(super) fn analysis_spec(&self) -> Option<TaskSpec> {
        let mut spec = self.analysis.clone()?;
        task::thresholds_mut(&mut spec).extend(self.thresholds());
        Some(spec)
    }

    /// Is an analysis asked for that cannot be read?
    fn is_unread(&self) -> bool {
        self.analysis.is_none() && self.parameters.analysis.is_some()
    }

    /// What is wrong with what is there, but for an analysis that cannot be read.
    fn faults(&self) -> Vec<Fault> {
        if let Some(spec) = self.other_task() {
            return task::faults(self, spec);
        }
        match task_of(&self.parameters) {
            Some(Task::Binary) => {}
            // Columns are watched, whatever is predicted.
            _ if self.kind == Kind::Data => {}
            // What it is to be is known even if the rest of it cannot be read.
            Some(task) => return task::watched(self, task),
            None => return Vec::new(),
        }
        let mut faults = Vec::new();
        if self.compares() {
            let mut spec = self.drift_spec();
            let hides = self.kind != Kind::Data && self.is_unread();
            if hides {
                // Its own columns are compared.
                spec.columns.clear();
            }
            let found = spec.faults().into_iter();
            faults.extend(found.filter(|one| !hides || one.code != "no_analysis").map(fault));
        } else if let Some(spec) = self.analysis_spec() {
            faults.extend(spec.faults().into_iter().map(within_analysis));
        } else if self.is_unread() {
            // Any columns would do: thresholds are looked at alone.
            let mut spec = AnalysisSpec::new("target", ["attribute"]);
            spec.thresholds = self.thresholds();
            let found = spec.faults().into_iter();
            let found = found.filter(|one| one.where_.starts_with("/thresholds/"));
            faults.extend(found.map(within_analysis));
        }
        if self.threshold.is_some() && self.metric.is_none() && self.kind != Kind::Compliance {
            let message = "A threshold is that of a metric, and none is named";
            faults.push(
                Fault::new("/threshold", "no_metric", message)
                    .hint("name the metric, or set several under parameters.thresholds"),
            );
        }
        if let Some(metric) = &self.metric
            && !is_known(metric)
        {
            let fault =
                Fault::new("/metric", "unknown_metric", format!("There is no metric `{metric}`"));
            faults.push(match catalogue::nearest(metric) {
                Some(name) => fault.hint(format!("did you mean `{name}`?")),
                None => fault.hint("`ephor metrics` lists them"),
            });
        }
        if let (Some(metric), Some(TaskSpec::Binary(spec))) = (&self.metric, &self.analysis)
            && self.kind != Kind::Data
            && spec.target.is_none()
            && needs_labels(metric)
        {
            let message = format!("`{metric}` needs labels, and the analysis names none");
            faults.push(Fault::new("/metric", "no_labels", message).hint(
                "name the target, or watch what needs none: `demographic_parity_difference`",
            ));
        }
        faults
    }

    /// What is missing to run.
    fn missing(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut need = |there: bool, pointer: &'static str, message: &'static str| {
            if !there {
                faults.push(Fault::new(pointer, "required", message));
            }
        };
        need(
            self.has_current,
            "/current_dataset_id",
            "A monitor that runs needs a data set to look at",
        );
        need(
            self.has_reference || !self.compares(),
            "/reference_dataset_id",
            "A monitor of this kind needs a data set to compare with",
        );
        need(
            self.parameters.analysis.is_some() || self.kind == Kind::Data,
            "/parameters/analysis",
            "A monitor of this kind needs to know the target, the predictions and the protected attributes",
        );
        if let Some(spec) = self.other_task() {
            need(
                task::judges(self, spec),
                "/threshold",
                if self.metric.is_some() {
                    "Nothing says how far is too far for this metric, so that it would never be judged: set a threshold"
                } else {
                    "The metrics of this task have no common scale: name a metric and by how much it may be worse, or several under parameters.thresholds"
                },
            );
        }
        need(
            self.parameters.time_column.is_some() || !self.has_window,
            "/parameters/time_column",
            "A window needs the column of the data that says when each row was",
        );
        faults
    }
}

/// The check of the resource engine. What runs by itself must be complete; what is run by hand is asked
/// for the rest then.
pub(crate) fn faults(new: &Value, _old: Option<&Value>) -> Vec<Fault> {
    let text = |field: &str| new.get(field).and_then(Value::as_str);
    let there = |field: &str| new.get(field).is_some_and(|value| !value.is_null());
    let mut faults = schedule::faults(new);
    // The vocabulary is the database's to check.
    let Some(kind) = text("kind").and_then(Kind::of) else { return faults };
    let parameters = match new.get("parameters").map_or(Ok(Parameters::default()), read) {
        Ok(parameters) => parameters,
        Err(fault) => {
            faults.push(fault);
            return faults;
        }
    };
    let (analysis, unread) = analysis_of(&parameters);
    faults.extend(unread);
    let task = task_of(&parameters).unwrap_or_default();
    let definition = Definition {
        kind,
        parameters,
        analysis,
        metric: text("metric").map(|metric| canonical(task, metric)),
        threshold: new.get("threshold").and_then(Value::as_f64),
        has_reference: there("reference_dataset_id"),
        has_current: there("current_dataset_id"),
        has_window: ["window_seconds", "reference_from", "reference_until"].into_iter().any(there),
    };
    faults.extend(definition.faults());
    let runs_by_itself =
        there("schedule") || new.get("on_arrival").and_then(Value::as_bool) == Some(true);
    if runs_by_itself {
        faults.extend(definition.missing());
    }
    faults
}

fn read(parameters: &Value) -> Result<Parameters, Fault> {
    serde_json::from_value(parameters.clone())
        .map_err(|error| Fault::new("/parameters", "type", format!("It cannot be read: {error}")))
}

/// The analysis of the parameters, by its task, or why it cannot be read.
fn analysis_of(parameters: &Parameters) -> (Option<TaskSpec>, Vec<Fault>) {
    match parameters.analysis.as_ref().map(TaskSpec::read).transpose() {
        Ok(analysis) => (analysis, Vec::new()),
        Err(faults) => (None, faults.into_iter().map(within_analysis).collect()),
    }
}

/// What the analysis of the parameters predicts; `None` if it says something else than a task.
fn task_of(parameters: &Parameters) -> Option<Task> {
    match parameters.analysis.as_ref().and_then(|one| one.get("task")) {
        Some(word) => Task::named(word.as_str()?),
        None => Some(Task::Binary),
    }
}

/// A fault of the analysis, told where it stands among the parameters.
pub(super) fn within_analysis(mut found: ephor_fairness::Fault) -> Fault {
    found.where_ = format!("/analysis{}", found.where_);
    fault(found)
}

/// The name under which results have it. Only metrics of yes or no have several.
fn canonical(task: Task, metric: &str) -> String {
    if task != Task::Binary {
        return metric.to_owned();
    }
    let id = match catalogue::find(metric) {
        Some(Entry::Metric(found)) => found.id,
        Some(Entry::Disparity(found)) => &found.id,
        None => metric,
    };
    id.to_owned()
}

/// Is it measured where yes or no is predicted, or columns are watched?
fn is_known(metric: &str) -> bool {
    OWN.contains(&metric)
        || drift::registry::find(metric).is_some()
        || catalogue::find(metric).is_some()
}

/// Whether a metric or disparity of yes or no compares with what is true.
fn needs_labels(metric: &str) -> bool {
    let of_group = metrics::find(metric).map(|one| one.needs);
    let needs = of_group.or_else(|| disparities::find(metric).map(|one| one.needs));
    needs.is_some_and(Needs::labels)
}

fn unknown_kind() -> Fault {
    Fault::new("/kind", "unknown_kind", "There is no such kind of monitor")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
