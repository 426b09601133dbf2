//! Measures what a monitor watches. No transaction is open meanwhile.

use chrono::{DateTime, Utc};
use ephor_fairness::{
    AnalysisError, AnalysisResult, CancellationToken, DataFrame, Status,
    drift::{self, ColumnDrift, ColumnKind, DriftReport, MetricDrift, MetricKind, Seen},
    task::{TaskResult, TaskSpec, analyze},
};
use ephor_kernel::{DatasetId, Scope};
use ephor_store::jobs::JobFailure;
use serde::Serialize;

use super::{
    Monitor,
    definition::{
        COLUMN_GONE, COLUMN_NEW, COLUMN_TYPE, Definition, GONE_CATEGORIES, Kind, NEW_CATEGORIES,
        SCORE,
    },
    finding::Finding,
    task::seeded,
    window::Window,
};
use crate::OpenDataset;

/// The least score of an analysis when the monitor says nothing else; that of four metrics in five.
const LEAST_SCORE: f64 = 80.0;

/// What the two sides are called in notes.
const REFERENCE: &str = "reference";
const CURRENT: &str = "current window";

/// What a run measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(super) struct Measured {
    /// Rows of the reference window, where there is one.
    pub(super) reference_rows: Option<u64>,
    /// Rows of the current window.
    pub(super) current_rows: u64,
    /// All that was judged.
    #[serde(skip)]
    pub(super) findings: Vec<Finding>,
    /// What the reader must know.
    pub(super) notes: Vec<String>,
}

impl Measured {
    /// The worst that was found; `None` when nothing could be judged.
    pub(super) fn status(&self) -> Option<Status> {
        self.findings.iter().map(|finding| finding.status).max()
    }
}

/// A table and how many rows of it are in the window.
struct Side {
    frame: DataFrame,
    rows: u64,
}

/// Reads what the monitor is about, as of `at`.
pub(super) async fn measure(
    open: &OpenDataset,
    scope: &Scope,
    monitor: &Monitor,
    at: DateTime<Utc>,
    cancel: &CancellationToken,
) -> Result<Measured, JobFailure> {
    let definition = Definition::of(monitor).map_err(|faults| {
        let told: Vec<_> = faults.iter().map(|fault| fault.message.as_ref()).collect();
        JobFailure::fatal(told.join("; "))
    })?;
    let time = definition.parameters.time_column.as_deref();
    let side = async |dataset: Option<DatasetId>, window: Window| {
        let dataset = dataset.ok_or_else(|| JobFailure::fatal("It names no data set"))?;
        let table = open(scope.clone(), dataset).await?;
        let frame = table.dataframe().map_err(|error| JobFailure::fatal(error.to_string()))?;
        let frame = window.of(frame, time)?;
        let rows = frame.clone().count().await.map_err(read)?;
        Ok::<_, JobFailure>(Side { frame, rows: rows as u64 })
    };
    let current = side(monitor.current_dataset_id, Window::current(monitor, at)).await?;
    let mut measured = Measured { current_rows: current.rows, ..Measured::default() };
    let least = monitor.minimum_rows.unsigned_abs();
    if current.rows < least {
        measured.notes.push(format!(
            "Nothing was judged: {} rows are in the current window, and {least} are needed",
            current.rows
        ));
        return Ok(measured);
    }
    if definition.compares() {
        let reference = side(monitor.reference_dataset_id, Window::reference(monitor)).await?;
        measured.reference_rows = Some(reference.rows);
        if reference.rows == 0 {
            measured.notes.push("Nothing was judged: the reference window holds no row".to_owned());
            return Ok(measured);
        }
        match definition.other_task() {
            Some(spec) => {
                compare_tasks(&definition, spec, reference, current, cancel, &mut measured).await?;
            }
            None => compare(&definition, reference, current, cancel, &mut measured).await?,
        }
    } else if let Some(spec) = definition.analysis_spec() {
        let result = analyze(current.frame, &spec, &(), cancel).await.map_err(failure)?;
        match &result {
            TaskResult::Binary(result) => {
                measured.notes.extend(result.warnings.iter().cloned());
                measured.findings = of_analysis(&definition, result);
            }
            result => {
                measured.notes.extend(notes(result));
                measured.findings = of_task(result);
            }
        }
    }
    measured.findings.retain(|finding| definition.watches(&finding.metric));
    if measured.findings.is_empty() {
        measured.notes.push("Nothing could be judged".to_owned());
    }
    Ok(measured)
}

/// The current window against the reference's.
async fn compare(
    definition: &Definition,
    reference: Side,
    current: Side,
    cancel: &CancellationToken,
    measured: &mut Measured,
) -> Result<(), JobFailure> {
    if definition.kind == Kind::Data {
        let watched = &definition.parameters.columns;
        measured.findings = of_schema(&reference.frame, &current.frame, watched);
    }
    let mut spec = definition.drift_spec();
    // A column that is gone is a finding, and no reason not to look at the others.
    let gone = |name: &String| {
        let columns = current.frame.schema();
        !columns.fields().iter().any(|field| field.name() == name)
    };
    if definition.kind == Kind::Data && !spec.columns.is_empty() {
        spec.columns.retain(|name| !gone(name));
        if spec.columns.is_empty() {
            return Ok(());
        }
    }
    let report = drift::drift(reference.frame, current.frame, &spec, cancel).await;
    let DriftReport { columns, metrics, notes, .. } = match report {
        Ok(report) => report,
        // Columns that are gone, or hold something else, may be why: that is what is to be told.
        Err(AnalysisError::Invalid(faults)) if measured.status() == Some(Status::Fail) => {
            measured.notes.extend(faults.iter().map(ToString::to_string));
            return Ok(());
        }
        Err(error) => return Err(failure(error)),
    };
    measured.notes.extend(notes);
    let wanted = match definition.kind {
        Kind::Performance => MetricKind::Performance,
        Kind::Bias | Kind::Data | Kind::Compliance => MetricKind::Fairness,
    };
    if definition.kind == Kind::Data {
        measured.findings.extend(columns.into_iter().flat_map(|one| of_column(definition, one)));
    } else {
        let metrics = metrics.into_iter().filter(|metric| metric.kind == wanted);
        measured.findings.extend(metrics.filter_map(of_metric));
    }
    Ok(())
}

/// The current window against the reference's, of another task than yes or no.
async fn compare_tasks(
    definition: &Definition,
    spec: &TaskSpec,
    reference: Side,
    current: Side,
    cancel: &CancellationToken,
    measured: &mut Measured,
) -> Result<(), JobFailure> {
    let spec = seeded(spec.clone(), definition.parameters.seed);
    let before = analyze(reference.frame, &spec, &(), cancel).await;
    let before = before.map_err(|error| failure(of_side(error, REFERENCE)))?;
    let now = analyze(current.frame, &spec, &(), cancel).await;
    let now = now.map_err(|error| failure(of_side(error, CURRENT)))?;
    measured.notes.extend(drift::task_notes((REFERENCE, &before), (CURRENT, &now)));
    measured.notes.extend(of_sides(&notes(&before), &notes(&now)));
    let wanted = match definition.kind {
        Kind::Performance => MetricKind::Performance,
        Kind::Bias | Kind::Data | Kind::Compliance => MetricKind::Fairness,
    };
    let metrics = drift::task_drift(&before, &now, &definition.thresholds()).into_iter();
    let metrics = metrics.filter(|metric| metric.kind == wanted);
    measured.findings.extend(metrics.filter_map(of_metric));
    Ok(())
}

/// Faults of an analysis, with the rows that they were found in.
fn of_side(error: AnalysisError, name: &str) -> AnalysisError {
    match error {
        AnalysisError::Invalid(mut faults) => {
            for fault in &mut faults {
                fault.message = format!("In the {name}: {}", fault.message);
            }
            AnalysisError::Invalid(faults)
        }
        other => other,
    }
}

/// The notes of both sides; what holds of both is told once.
fn of_sides(reference: &[String], current: &[String]) -> Vec<String> {
    let both = current.iter().filter(|note| reference.contains(note)).cloned();
    let only = |these: &[String], there: &[String], name: &str| -> Vec<String> {
        let own = these.iter().filter(|note| !there.contains(note));
        own.map(|note| format!("In the {name}: {note}")).collect()
    };
    both.chain(only(current, reference, CURRENT))
        .chain(only(reference, current, REFERENCE))
        .collect()
}

/// What the reader of a result of another task must know.
fn notes(result: &TaskResult) -> Vec<String> {
    result.findings().map(|findings| findings.notes.clone()).unwrap_or_default()
}

/// The disparities that an analysis of another task judged; of one class against the rest, that class is the group.
fn of_task(result: &TaskResult) -> Vec<Finding> {
    let judged = result.disparities().into_iter().filter_map(|found| {
        let one = found.disparity;
        Some(Finding {
            attribute: Some(found.attribute.to_owned()),
            group: found.class.map(str::to_owned),
            value: one.value,
            threshold: one.threshold,
            interval: one.interval.clone(),
            ..Finding::new(one.id.clone(), one.status?, one.sentence.clone())
        })
    });
    judged.collect()
}

/// Columns that came, went, or hold something else by now.
fn of_schema(reference: &DataFrame, current: &DataFrame, watched: &[String]) -> Vec<Finding> {
    let is_watched = |name: &String| watched.is_empty() || watched.contains(name);
    let column = |name: &String, metric, status, sentence| Finding {
        attribute: Some(name.clone()),
        ..Finding::new(metric, status, sentence)
    };
    let mut findings = Vec::new();
    for field in reference.schema().fields().iter().filter(|field| is_watched(field.name())) {
        let name = field.name();
        let now = current.schema().fields().iter().find(|other| other.name() == name);
        let Some(now) = now else {
            let sentence = format!("The column `{name}` of the reference is gone.");
            findings.push(column(name, COLUMN_GONE, Status::Fail, sentence));
            continue;
        };
        let sentence = format!("The column `{name}` is there.");
        findings.push(column(name, COLUMN_GONE, Status::Pass, sentence));
        let (before, after) = (kind_of(field.data_type()), kind_of(now.data_type()));
        let (status, sentence) = if before == after {
            (Status::Pass, format!("The column `{name}` holds {before}."))
        } else {
            (Status::Fail, format!("The column `{name}` held {before} and holds {after} now."))
        };
        findings.push(column(name, COLUMN_TYPE, status, sentence));
    }
    for field in current.schema().fields().iter().filter(|field| is_watched(field.name())) {
        let name = field.name();
        if !reference.schema().fields().iter().any(|other| other.name() == name) {
            let sentence = format!("The column `{name}` is new: the reference does not have it.");
            findings.push(column(name, COLUMN_NEW, Status::Warning, sentence));
        }
    }
    findings
}

/// What a column holds, in the words of a person: widths and encodings may differ from file to file.
fn kind_of(kind: &datafusion::arrow::datatypes::DataType) -> &'static str {
    use datafusion::arrow::datatypes::DataType;
    match kind {
        DataType::Dictionary(_, value) => kind_of(value),
        DataType::Boolean => "true and false",
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => "times",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "texts",
        kind if kind.is_numeric() => "numbers",
        _ => "other values",
    }
}

/// The tests of a column that were judged.
fn of_column(definition: &Definition, column: ColumnDrift) -> Vec<Finding> {
    let ColumnDrift {
        name, kind, tests, bins, new_values, new_count, gone_values, gone_count, ..
    } = column;
    let judged = tests.into_iter().filter_map(|test| {
        Some(Finding {
            attribute: Some(name.clone()),
            value: test.value,
            threshold: test.threshold,
            interval: test.interval,
            p_value: test.p_adjusted.or(test.p_value),
            ..Finding::new(test.id, test.status?, test.sentence)
        })
    });
    let mut findings: Vec<_> = judged.collect();
    // Numbers have no categories, and of too many none were counted.
    if kind != ColumnKind::Category || bins.is_empty() {
        return findings;
    }
    let seen = [
        (
            NEW_CATEGORIES,
            Unlisted::of(&new_values, new_count),
            "are in categories that the reference does not have",
        ),
        (
            GONE_CATEGORIES,
            Unlisted::of(&gone_values, gone_count),
            "of the reference are in categories that are gone",
        ),
    ];
    for (metric, share, what) in seen {
        let Some(threshold) = definition.own_threshold(metric) else { continue };
        let Unlisted { least, most } = share;
        let percent = 100.0 * least;
        let about = if most > least { "At least " } else { "" };
        findings.push(Finding {
            attribute: Some(name.clone()),
            value: Some(least),
            threshold: Some(threshold),
            ..Finding::new(
                metric,
                share.status(threshold),
                format!("{about}{percent:.2} % of the values of `{name}` {what}."),
            )
        });
    }
    findings
}

/// The share of all categories of which only the most frequent are listed: between these.
struct Unlisted {
    least: f64,
    most: f64,
}

impl Unlisted {
    /// None that is not listed is more frequent than the last that is.
    fn of(listed: &[Seen], count: u64) -> Self {
        let least: f64 = listed.iter().map(|seen| seen.share).sum();
        let others = count.saturating_sub(listed.len() as u64) as f64;
        let last = listed.last().map_or(0.0, |seen| seen.share);
        Self { least, most: (least + others * last).min(1.0).max(least) }
    }

    /// A warning when it depends on those that are not listed: it neither raises nor closes.
    fn status(&self, threshold: f64) -> Status {
        if self.least > threshold {
            Status::Fail
        } else if self.most > threshold {
            Status::Warning
        } else {
            Status::Pass
        }
    }
}

/// A metric that was judged against the reference's.
fn of_metric(metric: MetricDrift) -> Option<Finding> {
    Some(Finding {
        attribute: metric.attribute,
        group: metric.group,
        value: metric.current,
        reference: metric.reference,
        threshold: metric.threshold,
        interval: metric.interval,
        p_value: metric.p_adjusted.or(metric.p_value),
        ..Finding::new(metric.metric, metric.status?, metric.sentence)
    })
}

/// The disparities that an analysis judged and, where compliance is watched, its score.
fn of_analysis(definition: &Definition, result: &AnalysisResult) -> Vec<Finding> {
    let all = result.attributes.iter().chain(&result.intersections);
    let judged = all.flat_map(|attribute| {
        attribute.disparities.iter().filter_map(|one| {
            Some(Finding {
                attribute: Some(attribute.name.clone()),
                value: one.value,
                threshold: one.threshold,
                interval: one.interval.clone(),
                ..Finding::new(one.id.clone(), one.status?, one.sentence.clone())
            })
        })
    });
    let mut findings: Vec<_> = judged.collect();
    if definition.kind == Kind::Compliance
        && let Some(score) = result.compliance_score
    {
        let threshold = match &definition.metric {
            None => definition.threshold,
            Some(_) => definition.own_threshold(SCORE),
        };
        let least = threshold.unwrap_or(LEAST_SCORE);
        // A score has no interval: the disparities below it are what fails beyond noise.
        let status = match score < least {
            true if result.status == Some(Status::Fail) => Status::Fail,
            true => Status::Warning,
            false => Status::Pass,
        };
        let sentence = format!("The compliance score is {score}; at least {least} is asked for.");
        findings.push(Finding {
            value: Some(score),
            threshold: Some(least),
            ..Finding::new(SCORE, status, sentence)
        });
    }
    findings
}

fn failure(error: AnalysisError) -> JobFailure {
    match error {
        AnalysisError::Cancelled => JobFailure::Cancelled,
        AnalysisError::Invalid(_) => JobFailure::fatal(error.to_string()),
        AnalysisError::Read(_) | AnalysisError::Remote(_) | AnalysisError::Engine(_) => {
            JobFailure::retry(error.to_string())
        }
    }
}

fn read(error: datafusion::error::DataFusionError) -> JobFailure {
    JobFailure::retry(format!("The data could not be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_faults_say_which_rows_they_are_about() {
        let notes = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            of_sides(&notes(&["Both.", "Old."]), &notes(&["New.", "Both."])),
            ["Both.", "In the current window: New.", "In the reference: Old."]
        );
        let found = ephor_fairness::Fault {
            where_: "/target".to_owned(),
            code: "unknown_column".to_owned(),
            message: "There is no column `y`.".to_owned(),
            hint: None,
        };
        let told = of_side(AnalysisError::Invalid(vec![found]), REFERENCE).to_string();
        assert_eq!(told, "/target: In the reference: There is no column `y`.");
    }

    #[test]
    fn categories_that_are_not_listed_are_not_taken_for_none() {
        let listed: Vec<Seen> =
            (0..20).map(|n| Seen { value: n.to_string(), rows: 1, share: 0.01 }).collect();
        let status = |count, threshold| Unlisted::of(&listed, count).status(threshold);
        assert_eq!(status(20, 0.25), Status::Pass);
        assert_eq!(status(25, 0.251), Status::Pass);
        assert_eq!(status(80, 0.25), Status::Warning);
        assert_eq!(status(80, 0.1), Status::Fail);
        assert_eq!(Unlisted::of(&[], 0).status(0.0), Status::Pass);
    }
}
