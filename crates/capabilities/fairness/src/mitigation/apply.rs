//! Adding a mitigation's weights or decisions to a table of any size, and measuring before and after.

use std::{collections::BTreeSet, io::Write, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{Field, Schema, SchemaRef},
};
use datafusion::{
    error::DataFusionError, physical_plan::execute_stream_partitioned, prelude::DataFrame,
};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Method, MitigationArtifact,
    decide::{Columns, Decider},
    write::{OutputFormat, TableWriter},
};
use crate::{
    AnalysisError, AnalysisResult, AnalysisSpec, Fault, Progress,
    analysis::{analyze_cube, column_faults, layout, read_error, unknown_column},
    cube::{Cube, CubeError},
};

/// Batches on their way to the writer.
const AHEAD: usize = 2;

/// How to apply a mitigation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// The name of the new column, if not the usual one.
    pub column: Option<String>,
    /// The column that names rows: draws then follow the row, wherever it is. Without it they follow its number.
    pub row_id: Option<String>,
}

impl ApplyOptions {
    /// The name of the column that `artifact` adds.
    pub fn column(&self, artifact: &MitigationArtifact) -> String {
        self.column.clone().unwrap_or_else(|| {
            let usual = if artifact.kind == Method::Reweighing { "weight" } else { "prediction" };
            format!("mitigated_{usual}")
        })
    }
}

/// What applying a mitigation did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplyReport {
    /// The new column.
    pub column: String,
    /// Rows written.
    pub rows: u64,
    /// Rows that are selected.
    pub selected: u64,
    /// Rows that were decided by draw.
    pub drawn: u64,
    /// Rows of groups that the artefact leaves out: weighed as they were, or decided by its fallback.
    pub left_out: u64,
    /// Rows of groups that it does not know: the same.
    pub unknown: u64,
    /// Some of these groups, the largest first.
    pub unknown_groups: Vec<Vec<String>>,
    /// Rows without a score, which are not decided.
    pub without_score: u64,
    /// Rows without a label, which have no weight.
    pub without_label: u64,
    /// Rows with a label that their group did not have: weighed as they were.
    pub unseen_labels: u64,
    /// Disparities and accuracy before and after, measured on the rows that were written.
    pub measured: Vec<Compared>,
    /// Why nothing could be measured, if so.
    pub not_measured: Option<String>,
}

/// One measure before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The attribute or combination; nothing for everybody.
    pub attribute: Option<String>,
    /// The measure's id.
    pub id: String,
    /// Its value before.
    pub before: Option<f64>,
    /// Its value after.
    pub after: Option<f64>,
}

/// Reads `table` once, in its own order and in bounded memory, and writes it to `out` with one more column.
///
/// That is `mitigated_weight` or `mitigated_prediction` unless it is named otherwise; a column that is there already is not
/// overwritten. Before and after are measured on the way, if the labels are there.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of artefact and table; what was written then, or after any other error, is not
/// whole.
pub async fn apply<W: Write + Send + 'static>(
    table: DataFrame,
    artifact: &MitigationArtifact,
    options: &ApplyOptions,
    format: OutputFormat,
    out: W,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<ApplyReport, AnalysisError> {
    let column = options.column(artifact);
    let faults = apply_faults(artifact, options, table.schema().as_arrow());
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let context = Arc::new(table.task_ctx());
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
        plan = table.create_physical_plan() => plan.map_err(AnalysisError::Read)?,
    };
    let schema = plan.schema();
    let streams = execute_stream_partitioned(plan, context).map_err(AnalysisError::Read)?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let (mine, row_id) = (artifact.clone(), options.row_id.clone());
    let worker = tokio::task::spawn_blocking(move || {
        let mut worker = Worker::new(mine, column, row_id, &schema, format, out)?;
        worker.run(receiver)?;
        worker.finish()
    });
    let read = send(streams, &sender, progress, cancel).await;
    if read.is_ok() {
        // The worker may have ended by itself: then it says why.
        let _ = sender.send(None).await;
    }
    drop(sender);
    let written = worker.await.map_err(|failed| AnalysisError::Engine(failed.to_string()))?;
    read.and(written)
}

/// All that is wrong with applying `artifact` to a table of this schema, before any row is read.
pub fn apply_faults(
    artifact: &MitigationArtifact,
    options: &ApplyOptions,
    schema: &Schema,
) -> Vec<Fault> {
    let mut faults = artifact.faults();
    faults.extend(table_faults(artifact, options, &options.column(artifact), schema));
    faults
}

/// Hands all batches to the worker, in order; ends early if it has ended.
async fn send(
    streams: Vec<datafusion::physical_plan::SendableRecordBatchStream>,
    sender: &mpsc::Sender<Option<RecordBatch>>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<(), AnalysisError> {
    let mut rows = 0;
    for mut stream in streams {
        loop {
            let batch = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
                batch = stream.next() => batch,
            };
            let Some(batch) = batch else { break };
            let batch = batch.map_err(AnalysisError::Read)?;
            rows += batch.num_rows() as u64;
            let sent = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
                sent = sender.send(Some(batch)) => sent,
            };
            if sent.is_err() {
                return Ok(());
            }
            progress.rows(rows, None);
        }
    }
    Ok(())
}

fn table_faults(
    artifact: &MitigationArtifact,
    options: &ApplyOptions,
    column: &str,
    schema: &Schema,
) -> Vec<Fault> {
    let spec = &artifact.spec;
    let has = |name: &String| schema.field_with_name(name).is_ok();
    // Labels and present predictions are for measuring: decisions are made without them as well.
    let mut needed = spec.before();
    needed.prediction = None;
    if spec.method == Method::Reweighing {
        needed.score = None;
    } else {
        needed.target.clone_from(&spec.score);
        needed.weight = None;
    }
    let mut faults = column_faults(&needed, schema);
    let mut seen = BTreeSet::new();
    faults.retain(|fault| seen.insert(fault.message.clone()));
    if let Some(row_id) = options.row_id.as_ref().filter(|name| !has(name)) {
        faults.push(unknown_column("/row_id".to_owned(), row_id, schema));
    }
    if column.is_empty() || schema.field_with_name(column).is_ok() {
        let message = if column.is_empty() {
            "The new column has no name.".to_owned()
        } else {
            format!("The table has a column `{column}` already, which is not overwritten.")
        };
        faults.push(
            Fault::new("/column", "column_exists", message)
                .hint("Give the new column another name."),
        );
    }
    faults
}

/// What reads batches, decides, counts and writes, on a thread of its own.
struct Worker<W: Write + Send> {
    decider: Decider,
    writer: TableWriter<W>,
    schema: SchemaRef,
    row_id: Option<String>,
    spec: AnalysisSpec,
    places: Places,
    measures: Option<[Measure; 2]>,
    column: String,
}

/// Where in a batch the columns are.
struct Places {
    protected: Vec<usize>,
    target: Option<usize>,
    score: Option<usize>,
    weight: Option<usize>,
}

/// A cube on the way.
struct Measure {
    cube: Cube,
    spec: AnalysisSpec,
    columns: Vec<usize>,
}

impl Measure {
    fn new(spec: AnalysisSpec, schema: &Schema) -> Option<Self> {
        let columns =
            spec.columns().map(|name| schema.index_of(name).ok()).collect::<Option<_>>()?;
        Some(Self { cube: Cube::new(layout(&spec)), spec, columns })
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let columns: Vec<_> =
            self.columns.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        self.cube.update(&columns).map_err(|error| of_cube(error, &self.spec))
    }
}

fn of_cube(error: CubeError, spec: &AnalysisSpec) -> AnalysisError {
    read_error(DataFusionError::External(Box::new(error)), spec)
}

impl<W: Write + Send> Worker<W> {
    fn new(
        artifact: MitigationArtifact,
        column: String,
        row_id: Option<String>,
        schema: &SchemaRef,
        format: OutputFormat,
        out: W,
    ) -> Result<Self, AnalysisError> {
        let spec = &artifact.spec;
        let at = |name: &Option<String>| name.as_ref().and_then(|name| schema.index_of(name).ok());
        let protected = spec.protected.iter().filter_map(|name| schema.index_of(name).ok());
        let places = Places {
            protected: protected.collect(),
            target: schema.index_of(&spec.target).ok(),
            score: at(&spec.score),
            weight: at(&spec.weight),
        };
        let (before, after) = (spec.before(), spec.after(&column));
        let positive = Some(artifact.labels.positive.clone());
        let [before, after] =
            [before, after].map(|spec| AnalysisSpec { positive_label: positive.clone(), ..spec });
        let decider = Decider::new(artifact);
        let mut fields: Vec<_> = schema.fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(&column, decider.data_type(), true)));
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let measures = Measure::new(before.clone(), &schema)
            .zip(Measure::new(after, &schema))
            .map(|(before, after)| [before, after]);
        Ok(Self {
            writer: TableWriter::new(format, out, &schema)?,
            decider,
            schema,
            row_id,
            spec: before,
            places,
            measures,
            column,
        })
    }

    /// Takes batches until the end is told. A channel that closes without it is a reader that failed.
    fn run(
        &mut self,
        mut batches: mpsc::Receiver<Option<RecordBatch>>,
    ) -> Result<(), AnalysisError> {
        loop {
            match batches.blocking_recv() {
                Some(Some(batch)) => self.add(&batch)?,
                Some(None) => return Ok(()),
                None => return Err(AnalysisError::Cancelled),
            }
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let at = |place: Option<usize>| place.map(|place| batch.column(place));
        let row_id = self.row_id.as_ref().and_then(|name| batch.column_by_name(name));
        let columns = Columns {
            protected: self.places.protected.iter().map(|place| batch.column(*place)).collect(),
            target: at(self.places.target),
            score: at(self.places.score),
            weight: at(self.places.weight),
            row_id,
        };
        let made = self.decider.column(&columns, batch.num_rows());
        let made = made.map_err(|error| of_cube(error, &self.spec))?;
        let columns = batch.columns().iter().cloned().chain([made]).collect();
        let batch = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns)
            .map_err(|error| AnalysisError::Engine(error.to_string()))?;
        self.writer.write(&batch)?;
        for measure in self.measures.iter_mut().flatten() {
            measure.add(&batch)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<ApplyReport, AnalysisError> {
        self.writer.finish()?;
        let mut report = self.decider.finish();
        report.column = self.column;
        let Some([before, after]) = self.measures else {
            report.not_measured =
                Some("the table has not all columns of labels, predictions and weights".to_owned());
            return Ok(report);
        };
        let results = [before, after].map(|one| analyze_cube(&one.cube, &one.spec));
        match results {
            [Ok(before), Ok(after)] => report.measured = compare(&before, &after),
            [Err(AnalysisError::Invalid(faults)), _] | [_, Err(AnalysisError::Invalid(faults))] => {
                let messages: Vec<String> = faults.iter().map(ToString::to_string).collect();
                report.not_measured = Some(messages.join(" "));
            }
            [Err(error), _] | [_, Err(error)] => return Err(error),
        }
        Ok(report)
    }
}

/// What is shown of decisions, or of weights.
const DISPARITIES: [&str; 6] = [
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "predictive_equality_difference",
    "equalized_odds_difference",
    "accuracy_difference",
];

fn compare(before: &AnalysisResult, after: &AnalysisResult) -> Vec<Compared> {
    let is_decided = after.spec.prediction.is_some();
    let ids: &[&str] = if is_decided { &DISPARITIES } else { &["base_rate_difference"] };
    let metrics: &[&str] = if is_decided {
        &["accuracy", "balanced_accuracy", "selection_rate"]
    } else {
        &["base_rate"]
    };
    let overall = metrics.iter().map(|id| {
        let of =
            |result: &AnalysisResult| result.overall.metric(id).and_then(|metric| metric.value);
        Compared { attribute: None, id: (*id).to_owned(), before: of(before), after: of(after) }
    });
    let mut compared: Vec<Compared> = overall.collect();
    let attributes = |result: &AnalysisResult| -> Vec<crate::AttributeResult> {
        result.attributes.iter().chain(&result.intersections).cloned().collect()
    };
    for (before, after) in attributes(before).iter().zip(&attributes(after)) {
        for id in ids {
            let of = |result: &crate::AttributeResult| {
                let found = result.disparities.iter().find(|disparity| disparity.id == *id);
                found.and_then(|disparity| disparity.value)
            };
            compared.push(Compared {
                attribute: Some(after.name.clone()),
                id: (*id).to_owned(),
                before: of(before),
                after: of(after),
            });
        }
    }
    compared
}
