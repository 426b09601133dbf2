//! SHAP values of a data set's rows, a piece at a time: memory does not grow with the data set.

use std::sync::Arc;

use datafusion::arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch},
    datatypes::{DataType, SchemaRef},
    error::ArrowError,
};
use ephor_explain::{
    CancellationToken, ExplainError, Explanation, Model, Rows, Scorer as _,
    groups::{self, compare},
    kernel::{self, Estimated},
    shap::{self, Progress},
    summary::{Digest, Groups, Method, Settings, Summary, Unit},
};
use ephor_store::jobs::JobFailure;
use ephor_tabular::TableWriter;

use super::{
    faults::{EXACT, NO_COVERS},
    rows::{Piece, Pieces},
    spec::Scale,
    work::{Found, Work, no_rows, schema, unstored},
};

/// The values of a piece take so many bytes at most.
const PIECE_BYTES: usize = 32 << 20;
/// Kernel SHAP compares with so many rows, and explains so many, where nothing is said: each asks the model thousands of times.
const KERNEL_BACKGROUND: usize = 100;
const KERNEL_ROWS: usize = 100;
/// More are never explained by kernel SHAP on a server.
const MOST_KERNEL_ROWS: usize = 10_000;
/// A linear model is compared with so many rows where nothing is said, and so are trees with a background data set.
const EXACT_BACKGROUND: usize = 1_000;
/// Pairs of features are computed of so many rows.
const PAIRED_ROWS: usize = 500;
/// Groups are compared by test when there are no more values than this.
const MOST_COMPARED: usize = 1 << 22;
/// And no more rows than this, as each has the name of its group beside it.
const MOST_COMPARED_ROWS: usize = 1 << 20;

/// How values are computed.
#[derive(Debug, Clone)]
pub(super) struct Way {
    model: Arc<Model>,
    background: Option<Arc<Rows>>,
    /// Trees made ready for all pieces, where they are compared with the background.
    ready: Option<Arc<shap::Ready>>,
    unit: Unit,
    /// What kernel SHAP is asked for.
    kernel: kernel::Settings,
}

/// Values, with their errors where they are estimated.
struct Values {
    explanation: Explanation,
    estimated: Option<Estimated>,
}

impl Way {
    /// Chooses it for the model, and draws the rows to compare with.
    pub async fn choose(work: &Work) -> Result<Self, JobFailure> {
        let is_probable = work.spec.scale == Scale::Probability;
        let has_own = work.background.is_some();
        let (least, unit) = match (&*work.model, is_probable) {
            (Model::Forest(_), false) if has_own => (Some(EXACT_BACKGROUND), Unit::Margin),
            (Model::Forest(forest), false) if forest.has_covers() => (None, Unit::Margin),
            (Model::Linear(_), false) => (Some(EXACT_BACKGROUND), Unit::Margin),
            (Model::Forest(_), false) => (Some(KERNEL_BACKGROUND), Unit::Margin),
            (Model::Forest(_) | Model::Linear(_), true) => {
                (Some(KERNEL_BACKGROUND), Unit::Probability)
            }
            #[allow(unreachable_patterns, reason = "other models only answer")]
            _ => (Some(KERNEL_BACKGROUND), Unit::Prediction),
        };
        let background = match work.spec.background.or(least) {
            Some(rows) => Some(Arc::new(work.background(rows).await?)),
            None => None,
        };
        let ready = match &background {
            Some(background) => {
                let (model, rows) = (Arc::clone(&work.model), Arc::clone(background));
                let cancel = work.cancel.clone();
                let ready =
                    move || shap::Ready::new(&model, &rows, unit == Unit::Probability, &cancel);
                Work::blocking(ready).await?.map(Arc::new)
            }
            None => None,
        };
        let kernel = kernel::Settings {
            samples: work.spec.samples,
            precision: work.spec.precision,
            seed: work.spec.seed,
        };
        Ok(Self { model: Arc::clone(&work.model), background, ready, unit, kernel })
    }

    fn is_kernel(&self) -> bool {
        self.unit == Unit::Prediction
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// How many rows are compared with.
    pub fn background(&self) -> Option<u64> {
        self.background.as_ref().map(|rows| rows.len() as u64)
    }

    fn values(
        &self,
        rows: &Rows,
        progress: &dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<Values, ExplainError> {
        if let Some(ready) = &self.ready {
            let explanation = ready.values(rows, progress, cancel)?;
            return Ok(Values { explanation, estimated: None });
        }
        let is_probable = self.unit == Unit::Probability;
        let explanation = match (&*self.model, &self.background) {
            (Model::Forest(forest), _) => shap::path_dependent(forest, rows, progress, cancel)?,
            (Model::Linear(linear), Some(background)) if is_probable => {
                shap::linear_in_probability(linear, rows, background, progress, cancel)?
            }
            (Model::Linear(linear), Some(background)) => {
                shap::linear(linear, rows, background, progress, cancel)?
            }
            (Model::Graph(_), Some(background)) => {
                let found = kernel::explain(
                    &*self.model,
                    rows,
                    background,
                    &self.kernel,
                    progress,
                    cancel,
                )?;
                let explanation = found.explanation.clone();
                return Ok(Values { explanation, estimated: Some(found) });
            }
            (Model::Linear(_) | Model::Graph(_), None) => return Err(ExplainError::NoBackground),
        };
        Ok(Values { explanation, estimated: None })
    }
}

impl Way {
    /// The digest of rows that are all there.
    pub fn digest(
        &self,
        mut digest: Digest,
        rows: &Rows,
        cancel: &CancellationToken,
    ) -> Result<Summary, ExplainError> {
        // What kernel SHAP asks of each row is much.
        let most = if self.is_kernel() { KERNEL_ROWS } else { usize::MAX };
        let all: Vec<&[f64]> = rows.iter().take(most).collect();
        let each = 8 * rows.width() * self.model.outputs();
        let size = (PIECE_BYTES / each.max(1)).max(64);
        for (index, part) in all.chunks(size).enumerate() {
            let rows = Rows::new(part.concat(), rows.width());
            let values = self.values(&rows, &(), cancel);
            let Values { explanation, estimated } =
                values.map_err(|error| error.after(index * size))?;
            match estimated {
                Some(found) => digest.add_estimated(&rows, &found)?,
                None => digest.add(&rows, &explanation)?,
            }
        }
        Ok(digest.finish())
    }
}

/// What rows give beside the digest.
struct Taken {
    digest: Digest,
    batch: Result<RecordBatch, ArrowError>,
    kept: Option<(Vec<f64>, Vec<Option<String>>)>,
    base: Vec<f64>,
}

/// SHAP values of the first rows, all by default.
pub(super) async fn explain(work: &Work) -> Result<Found, JobFailure> {
    if work.spec.interactions {
        pairable(&work.model)?;
    }
    estimable(work)?;
    let way = Way::choose(work).await?;
    let model = &work.model;
    let (features, outputs) = (model.features().len(), model.outputs());
    let all = usize::try_from(work.table.rows()).unwrap_or(usize::MAX);
    let most = match work.spec.rows {
        Some(rows) if way.is_kernel() => rows.min(MOST_KERNEL_ROWS),
        Some(rows) => rows,
        None if way.is_kernel() => KERNEL_ROWS,
        None => usize::MAX,
    }
    .min(all);
    let settings = Settings {
        rows: work.spec.single_rows.clone().unwrap_or_else(|| (0..10).collect()),
        seed: work.spec.seed,
        ..Settings::default()
    };
    let method = if way.is_kernel() { Method::Kernel } else { Method::Shap };
    let mut summary = work.summary(method, way.unit());
    summary.background = way.background();
    let mut digest = Digest::new(summary, &settings);
    if work.spec.group.is_some() {
        digest = digest.by_group(work.spec.group.clone());
    }
    let size = (PIECE_BYTES / (8 * (features * outputs).max(1))).clamp(64, 1 << 16);
    let columns = work.columns();
    let stored_schema = values_schema(model);
    let mut pieces = Pieces::open(&work.table, &columns, size).await?;
    let mut writer = TableWriter::begin(&work.destination, Arc::clone(&stored_schema))
        .await
        .map_err(unstored)?;
    let most_compared = MOST_COMPARED_ROWS.min(MOST_COMPARED / features.max(1));
    let is_compared = work.spec.group.is_some() && most <= most_compared;
    let (mut compared, mut groups, mut base) = (Vec::new(), Vec::new(), Vec::new());
    let mut done = 0;
    while done < most
        && let Some(mut piece) = pieces.next().await?
    {
        piece.cut(most - done);
        let rows = piece.rows.len();
        let progress = work.progress(done as u64, Some(most as u64));
        let (way, cancel) = (way.clone(), work.cancel.clone());
        let (schema, output) = (Arc::clone(&stored_schema), work.output());
        let taken = Work::blocking(move || {
            take(digest, &piece, &way, &schema, (output, is_compared), &progress, &cancel)
        })
        .await?;
        digest = taken.digest;
        base = taken.base;
        if let Some((values, names)) = taken.kept {
            compared.extend(values);
            groups.extend(names);
        }
        let batch = taken.batch.map_err(|error| JobFailure::fatal(error.to_string()))?;
        writer.write(&batch).await.map_err(unstored)?;
        done += rows;
    }
    if done == 0 {
        writer.abort().await;
        return Err(no_rows());
    }
    let mut summary = digest.finish();
    if is_compared {
        let explanation = Explanation {
            base: vec![base.get(work.output()).copied().unwrap_or_default()],
            values: compared,
            features,
        };
        match tested(work, explanation, groups).await? {
            Ok(found) => summary.groups = Some(found),
            Err(why) => untested(&mut summary, why),
        }
    } else if work.spec.group.is_some() {
        let why = format!(
            "of {features} features at most {most_compared} rows are compared; ask for fewer by `rows`"
        );
        untested(&mut summary, why);
    }
    if work.spec.interactions {
        summary.interactions = pairs(work, &summary).await?;
    }
    Ok((summary, writer.finish().await.map_err(unstored)?))
}

fn take(
    mut digest: Digest,
    piece: &Piece,
    way: &Way,
    schema: &SchemaRef,
    (output, is_compared): (usize, bool),
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Taken, ExplainError> {
    let before = usize::try_from(piece.first).unwrap_or(usize::MAX);
    let values = way.values(&piece.rows, progress, cancel);
    let Values { explanation, estimated } = values.map_err(|error| error.after(before))?;
    match estimated {
        Some(found) if piece.groups.is_empty() => digest.add_estimated(&piece.rows, &found)?,
        Some(found) => digest.add_estimated_grouped(&piece.rows, &found, &piece.groups)?,
        None if piece.groups.is_empty() => digest.add(&piece.rows, &explanation)?,
        None => digest.add_grouped(&piece.rows, &explanation, &piece.groups)?,
    }
    let predictions = way.model.predict(&piece.rows)?;
    let predictions: Vec<Option<f64>> =
        predictions.iter().map(|row| row.get(output).copied()).collect();
    let kept = is_compared.then(|| {
        let values = (0..piece.rows.len()).flat_map(|row| explanation.row(row, output).to_vec());
        (values.collect(), piece.groups.clone())
    });
    let batch = stored(schema, piece.first, &explanation, output, predictions);
    Ok(Taken { digest, batch, kept, base: explanation.base })
}

/// The row's number, the base, the prediction, and what each feature adds.
fn values_schema(model: &Model) -> SchemaRef {
    let lead =
        [("row", DataType::Int64), ("base", DataType::Float64), ("prediction", DataType::Float64)];
    let lead = lead.into_iter().map(|(name, kind)| (name.to_owned(), kind, true));
    let features = model.features().iter().map(|name| (name.clone(), DataType::Float64, true));
    schema(lead.chain(features))
}

fn stored(
    schema: &SchemaRef,
    first: u64,
    explanation: &Explanation,
    output: usize,
    predictions: Vec<Option<f64>>,
) -> Result<RecordBatch, ArrowError> {
    let rows = predictions.len();
    let numbers = (0..rows as u64).map(|row| i64::try_from(first + row).unwrap_or(i64::MAX));
    let base = explanation.base.get(output).copied();
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers)),
        Arc::new(std::iter::repeat_n(base, rows).collect::<Float64Array>()),
        Arc::new(Float64Array::from(predictions)),
    ];
    for feature in 0..explanation.features {
        let values = (0..rows).map(|row| explanation.row(row, output)[feature]);
        columns.push(Arc::new(Float64Array::from_iter_values(values)));
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
}

/// Notes why groups were not compared.
fn untested(summary: &mut Summary, why: String) {
    if let Some(groups) = &mut summary.groups {
        groups.untested = Some(why);
    }
}

/// Whether groups differ by more than chance; or why they cannot be compared, as when there is one alone.
async fn tested(
    work: &Work,
    explanation: Explanation,
    names: Vec<Option<String>>,
) -> Result<Result<Groups, String>, JobFailure> {
    let settings = groups::Settings {
        reference: work.spec.reference.clone(),
        resamples: work.spec.resamples,
        seed: work.spec.seed,
        ..groups::Settings::default()
    };
    let (column, cancel) = (work.spec.group.clone(), work.cancel.clone());
    let is_named = settings.reference.is_some();
    Work::blocking(move || {
        let confidence = settings.confidence;
        match compare(&explanation, 0, &names, &settings, &(), &cancel) {
            Ok(found) => Ok(Ok(Groups::of(column, confidence, &found))),
            // A group that was named and is not there is a fault of the question.
            Err(ExplainError::Asked(faults)) if !is_named => Ok(Err(faults.join("; "))),
            Err(error) => Err(error),
        }
    })
    .await
}

/// What is asked of estimates has no meaning for exact values: told before all the work, where only the file tells.
fn estimable(work: &Work) -> Result<(), JobFailure> {
    let given =
        [("samples", work.spec.samples.is_some()), ("precision", work.spec.precision.is_some())];
    match (&*work.model, given.iter().find(|(_, is_given)| *is_given)) {
        (Model::Forest(_) | Model::Linear(_), Some((name, _))) => {
            Err(JobFailure::fatal(format!("`{name}` is {EXACT}. Leave it out")))
        }
        _ => Ok(()),
    }
}

/// Pairs need to know how many training rows went which way: told before all the work, not after it.
fn pairable(model: &Model) -> Result<(), JobFailure> {
    match model {
        Model::Forest(forest) if !forest.has_covers() => Err(JobFailure::fatal(format!(
            "{NO_COVERS}. Leave `interactions` out, or upload the model in its own format instead of ONNX"
        ))),
        _ => Ok(()),
    }
}

/// What pairs of features add together, over some rows.
async fn pairs(
    work: &Work,
    summary: &Summary,
) -> Result<Option<ephor_explain::summary::Interactions>, JobFailure> {
    let drawn = work.sample(PAIRED_ROWS).await?;
    let settings = Settings { rows: Vec::new(), seed: work.spec.seed, ..Settings::default() };
    let mut digest = Digest::new(
        Summary::new(
            Method::Shap,
            summary.model.clone(),
            summary.output,
            Unit::Margin,
            work.model.features(),
        ),
        &settings,
    );
    let (model, cancel) = (Arc::clone(&work.model), work.cancel.clone());
    Work::blocking(move || {
        let Model::Forest(forest) = &*model else { return Ok(None) };
        // Pairs take the square of the features: a few rows at a time.
        let width = drawn.rows.width();
        let size = (PIECE_BYTES / (8 * (width * width * forest.outputs()).max(1))).max(1);
        let all: Vec<&[f64]> = drawn.rows.iter().collect();
        for part in all.chunks(size) {
            let rows = Rows::new(part.concat(), width);
            let found = shap::interactions(forest, &rows, &(), &cancel)?;
            digest.add_pairs(&rows, &found)?;
        }
        Ok(digest.finish().interactions)
    })
    .await
}
