//! What a monitor is told to watch, and what is wrong with that.

use std::collections::BTreeMap;

use ephor_fairness::{
    AnalysisSpec,
    catalogue::{self, Entry},
    drift::{self, DriftSpec},
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
            Some(analysis) => vec![analysis.target.clone()],
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

fn unknown_kind() -> Fault {
    Fault::new("/kind", "unknown_kind", "There is no such kind of monitor")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(row: Value) -> Vec<(String, String)> {
        faults(&row, None)
            .into_iter()
            .map(|fault| (fault.pointer.into_owned(), fault.code.into_owned()))
            .collect()
    }

    fn all(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn what_runs_by_itself_is_complete_and_what_does_not_may_be_a_draft() {
        assert_eq!(found(json!({ "name": "draft", "kind": "performance_degradation" })), []);
        assert_eq!(
            found(json!({
                "kind": "performance_degradation", "schedule": "0 25 * * *", "window_seconds": 60
            })),
            all(&[
                ("/schedule", "schedule"),
                ("/current_dataset_id", "required"),
                ("/reference_dataset_id", "required"),
                ("/parameters/analysis", "required"),
                ("/parameters/time_column", "required"),
            ])
        );
        let set = "0191f1f0-0000-7000-8000-000000000001";
        let whole = json!({
            "kind": "data_quality", "schedule": "*/5 * * * *", "current_dataset_id": set,
            "reference_dataset_id": set, "metric": "psi", "threshold": 0.2,
        });
        assert_eq!(found(whole), []);
    }

    #[test]
    fn parameters_are_those_of_the_engine() {
        assert_eq!(
            found(json!({ "kind": "bias_drift", "parameters": { "colums": [] } })),
            all(&[("/parameters", "type")])
        );
        let analysis = json!({ "target": "", "protected": ["sex"], "prediction": "p" });
        assert_eq!(
            found(json!({
                "kind": "compliance_violation", "threshold": 80.0, "parameters": { "analysis": analysis }
            })),
            all(&[("/parameters/analysis/target", "required")])
        );
        assert_eq!(
            found(
                json!({ "kind": "data_quality", "threshold": 1.0, "parameters": { "confidence": 2.0 } })
            ),
            all(&[("/parameters/confidence", "out_of_range"), ("/threshold", "no_metric")])
        );
        assert_eq!(
            found(json!({ "kind": "data_quality", "metric": "psy" })),
            all(&[("/metric", "unknown_metric")])
        );
    }

    fn of_numbers(more: &Value) -> Vec<(String, String)> {
        let mut row = json!({
            "kind": "bias_drift",
            "parameters": { "analysis": {
                "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex"],
            } },
        });
        for (name, value) in more.as_object().unwrap() {
            if name == "parameters" {
                for (name, value) in value.as_object().unwrap() {
                    row["parameters"][name] = value.clone();
                }
            } else {
                row[name] = value.clone();
            }
        }
        found(row)
    }

    #[test]
    fn a_metric_is_one_of_the_task_and_its_threshold_fits_it() {
        let of = of_numbers;
        assert_eq!(of(&json!({ "metric": "mae_difference", "threshold": 500.0 })), []);
        // Of yes or no there is such a disparity, of numbers there is none.
        let unknown = all(&[("/metric", "unknown_metric")]);
        assert_eq!(of(&json!({ "metric": "demographic_parity_difference" })), unknown);
        // A metric of one group is no disparity, and the other way round.
        assert_eq!(of(&json!({ "metric": "mae", "threshold": 1.0 })), unknown);
        let performance = |metric: &str| {
            of(&json!({ "kind": "performance_degradation", "metric": metric, "threshold": 1.0 }))
        };
        assert_eq!(performance("mae"), []);
        assert_eq!(performance("mae_difference"), unknown);
        // What can never be reached is no threshold.
        let wrong = all(&[("/threshold", "out_of_range")]);
        for threshold in [-1.0, 1.0] {
            let row = json!({ "metric": "prediction_distance", "threshold": threshold });
            assert_eq!(of(&row), wrong, "{threshold}");
        }
        assert_eq!(
            of(&json!({
                "kind": "compliance_violation", "threshold": 80.0,
                "parameters": { "confidence": 2.0, "thresholds": { "mse_diference": 1.0, "rmse_ratio": 1.5 } },
            })),
            all(&[
                ("/parameters/thresholds/mse_diference", "unknown_metric"),
                ("/parameters/thresholds/rmse_ratio", "out_of_range"),
                ("/parameters/confidence", "out_of_range"),
                ("/threshold", "no_metric"),
            ])
        );
    }

    #[test]
    fn every_fault_of_an_analysis_is_told_where_it_stands() {
        let analysis = json!({ "task": "ranking", "target": "y", "protected": [], "top": "x" });
        // What is watched is told of too, by the task that it names.
        let faults =
            of_numbers(&json!({ "metric": "mae", "parameters": { "analysis": analysis } }));
        for (at, code) in [
            ("/metric", "unknown_metric"),
            ("/parameters/analysis/target", "misplaced"),
            ("/parameters/analysis/top", "type"),
            ("/parameters/analysis/protected", "required"),
        ] {
            let wanted = (at.to_owned(), code.to_owned());
            assert!(faults.contains(&wanted), "{wanted:?} is not in {faults:?}");
        }
        let set = "0191f1f0-0000-7000-8000-000000000001";
        let runs = json!({
            "kind": "performance_degradation", "on_arrival": true, "current_dataset_id": set,
            "reference_dataset_id": set,
        });
        // Numbers have units: how much worse is too much, only the monitor can say.
        assert_eq!(of_numbers(&runs), all(&[("/threshold", "required")]));
    }
    /// A monitor of numbers that runs by itself, over two data sets.
    fn running(more: &Value) -> Vec<(String, String)> {
        let set = "0191f1f0-0000-7000-8000-000000000001";
        let mut row =
            json!({ "on_arrival": true, "current_dataset_id": set, "reference_dataset_id": set });
        for (name, value) in more.as_object().unwrap() {
            row[name] = value.clone();
        }
        of_numbers(&row)
    }

    #[test]
    fn what_would_never_be_judged_needs_a_threshold() {
        let needed = all(&[("/threshold", "required")]);
        let (numbers, classes, lists) = (
            json!({ "task": "regression", "target": "y", "prediction": "p", "protected": ["sex"] }),
            json!({ "task": "multiclass", "target": "y", "prediction": "p", "protected": ["sex"] }),
            json!({ "task": "ranking", "list": "q", "score": "s", "protected": ["sex"] }),
        );
        let of = |kind: &str, metric: &str, analysis: &Value, thresholds: Value| {
            running(&json!({
                "kind": kind, "metric": metric,
                "parameters": { "analysis": analysis, "thresholds": thresholds },
            }))
        };
        let none = || json!({});
        for (kind, metric, analysis) in [
            ("bias_drift", "mae_difference", &numbers),
            ("bias_drift", "bounded_group_loss", &numbers),
            ("bias_drift", "tpr_difference", &classes),
            ("compliance_violation", "ndkl", &lists),
            ("performance_degradation", "mae", &numbers),
        ] {
            assert_eq!(of(kind, metric, analysis, none()), needed, "{kind} {metric}");
            let mut thresholds = none();
            thresholds[metric] = json!(0.3);
            assert_eq!(of(kind, metric, analysis, thresholds), [], "{kind} {metric}");
        }
        // That of another metric is none of this one.
        let other = json!({ "rmse": 5.0 });
        assert_eq!(of("performance_degradation", "mae", &numbers, other), needed);
        // The analysis itself may say it.
        let mut own = numbers.clone();
        own["thresholds"] = json!({ "mae_difference": 0.5 });
        assert_eq!(of("bias_drift", "mae_difference", &own, none()), []);
        own["loss_bound"] = json!(4.0);
        assert_eq!(of("bias_drift", "bounded_group_loss", &own, none()), []);
        // These are judged by themselves.
        for (kind, metric, analysis) in [
            ("bias_drift", "prediction_distance", &numbers),
            ("bias_drift", "exposure_ratio", &lists),
            ("compliance_violation", "multiclass_equalized_odds_difference", &classes),
            ("performance_degradation", "macro_f1", &classes),
        ] {
            assert_eq!(of(kind, metric, analysis, none()), [], "{kind} {metric}");
        }
    }

    #[test]
    fn an_analysis_that_cannot_be_read_hides_nothing_else() {
        let wrong = json!({ "target": "y", "prediction": "p", "protected": ["sex"], "top": 3 });
        let misplaced = ("/parameters/analysis/top", "misplaced");
        let row = json!({
            "kind": "performance_degradation", "metric": "nothing",
            "parameters": { "analysis": wrong, "confidence": 2.0, "thresholds": { "accuracy": 0.1 } },
        });
        assert_eq!(
            found(row.clone()),
            all(&[
                misplaced,
                ("/parameters/confidence", "out_of_range"),
                ("/metric", "unknown_metric"),
            ])
        );
        let row_of_compliance = json!({
            "kind": "compliance_violation",
            "parameters": { "analysis": wrong, "thresholds": { "nothing": 0.1 } },
        });
        assert_eq!(
            found(row_of_compliance),
            all(&[misplaced, ("/parameters/analysis/thresholds/nothing", "unknown_disparity")])
        );
        // Of a task that is none nobody knows what it has.
        let none = json!({
            "kind": "performance_degradation", "metric": "mae",
            "parameters": { "analysis": { "task": "regresion", "target": "y", "prediction": "p", "protected": ["sex"] } },
        });
        assert_eq!(found(none), all(&[("/parameters/analysis/task", "vocabulary")]));

        // A monitor that is stored is told the same when it runs.
        let monitor = Monitor {
            id: ephor_kernel::MonitorId::new(),
            name: "m".to_owned(),
            kind: "performance_degradation".to_owned(),
            status: "active".to_owned(),
            model_id: None,
            reference_dataset_id: None,
            current_dataset_id: None,
            reference_from: None,
            reference_until: None,
            window_seconds: None,
            minimum_rows: 1,
            metric: Some("nothing".to_owned()),
            threshold: None,
            severity: "low".to_owned(),
            parameters: row["parameters"].clone(),
        };
        let faults = Definition::of(&monitor).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_ref()).collect();
        assert_eq!(
            places,
            [
                "/parameters/analysis/top",
                "/parameters/confidence",
                "/metric",
                "/current_dataset_id",
                "/reference_dataset_id",
            ]
        );
    }
}
