//! The one pass over the data: columns checked, the plan built and run, with progress and cancellation.

use std::{sync::Arc, time::Duration};

use arrow::{
    array::{Array, AsArray},
    datatypes::{DataType, Schema},
    error::ArrowError,
};
use datafusion::{
    common::Column,
    error::DataFusionError,
    logical_expr::Expr,
    physical_plan::{
        ExecutionPlan, execute_stream,
        statistics::{StatisticsArgs, StatisticsContext},
    },
    prelude::DataFrame,
};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{
    Progress, Remote, RemoteError,
    crowded::{self, Stop},
    direct,
};
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    cube::{Cube, CubeError, Layout, Pool, Reader, State, Watch, fair_cube, limits},
    fault::nearest,
};

/// How often progress is told.
pub(super) const TELL: Duration = Duration::from_millis(100);

/// Faults of the spec that show once the columns are known.
pub fn column_faults(spec: &AnalysisSpec, schema: &Schema) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check = |place: String, name: &str, numeric: Option<&str>| match schema
        .fields()
        .iter()
        .find(|field| field.name() == name)
    {
        None if name.is_empty() => {}
        None => faults.push(unknown_column(place, name, schema)),
        Some(field) => {
            let kind = field.data_type();
            if let Some(role) = numeric
                && !(kind.is_numeric() || *kind == DataType::Null)
            {
                let message = format!(
                    "`{name}` cannot be a {role}: it holds {}, not numbers.",
                    describe(kind)
                );
                faults.push(
                    Fault::new(place, &format!("{role}_not_numeric"), message)
                        .hint("Name a column of numbers."),
                );
            } else if kind.is_nested()
                || matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
            {
                let message = format!(
                    "`{name}` holds {}, which cannot be grouped or compared.",
                    describe(kind)
                );
                faults.push(Fault::new(place, "unsupported_type", message));
            }
        }
    };
    if let Some(name) = &spec.target {
        check("/target".to_owned(), name, None);
    }
    if let Some(name) = &spec.prediction {
        check("/prediction".to_owned(), name, None);
    }
    if let Some(name) = &spec.score {
        check("/score".to_owned(), name, Some("score"));
    }
    if let Some(name) = &spec.weight {
        check("/weight".to_owned(), name, Some("weight"));
    }
    if let Some(name) = &spec.strata {
        check("/strata".to_owned(), name, None);
    }
    for (index, name) in spec.protected.iter().enumerate() {
        check(format!("/protected/{index}"), name, None);
    }
    faults.extend(crate::individual::feature_faults(spec, schema));
    if let Some(flipped) = &spec.flipped {
        faults.extend(crate::flips::column_fault(spec, flipped, schema));
    }
    if let Some(data) = &spec.data {
        faults.extend(data.column_faults(schema));
    }
    faults
}

pub(crate) fn unknown_column(place: String, name: &str, schema: &Schema) -> Fault {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let fault = Fault::new(place, "unknown_column", format!("There is no column `{name}`."));
    if let Some(near) = nearest(name, names()) {
        return fault.hint(format!("Did you mean `{near}`?"));
    }
    let mut listed: Vec<&str> = names().take(20).collect();
    if schema.fields().len() > listed.len() {
        listed.push("…");
    }
    fault.hint(format!("The columns are: {}.", listed.join(", ")))
}

pub(crate) fn describe(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, value) => describe(value),
        DataType::Boolean => "true and false".to_owned(),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_) => "lists".to_owned(),
        DataType::Struct(_) | DataType::Map(..) => "objects".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes".to_owned(),
        other => format!("values of type {other}"),
    }
}

/// The plan that reads the columns of `spec` and makes the cube: a table of one row with one column, `cube`.
///
/// What [`analyze`](crate::analyze) runs; for looking at it (EXPLAIN), or running it elsewhere.
///
/// # Errors
/// If a column is not there.
pub fn plan(table: DataFrame, spec: &AnalysisSpec) -> Result<DataFrame, DataFusionError> {
    plan_for(table, spec, &[], Reader::Elsewhere)
}

fn plan_for(
    table: DataFrame,
    spec: &AnalysisSpec,
    pools: &[Option<Pool>],
    reader: Reader,
) -> Result<DataFrame, DataFusionError> {
    let mut arguments = vec![layout(spec).literal(pools, reader)?];
    for name in spec.columns() {
        arguments.push(column(&table, name)?.0);
    }
    table.aggregate(Vec::new(), vec![fair_cube().call(arguments).alias("cube")])
}

/// A column of the table, and what it holds.
pub(super) fn column(table: &DataFrame, name: &str) -> Result<(Expr, DataType), DataFusionError> {
    let (qualifier, field) = table
        .schema()
        .iter()
        .find(|(_, field)| field.name() == name)
        .ok_or_else(|| DataFusionError::Plan(format!("there is no column {name}")))?;
    let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
    Ok((column, field.data_type().clone()))
}

pub(crate) fn layout(spec: &AnalysisSpec) -> Layout {
    Layout {
        attributes: spec.protected.len() + usize::from(spec.strata.is_some()),
        label: spec.target.is_some(),
        prediction: spec.prediction.is_some(),
        score: spec.score.is_some(),
        weight: spec.weight.is_some(),
        positive: spec.positive_label.clone(),
        threshold: spec.score_threshold,
    }
}

/// What becomes of an attribute of more values than there are codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// It is refused.
    Refused,
    /// The values that can be compared are kept, the others counted together. The table is read anew: to count each value, and
    /// then to make the cube.
    Pooled,
}

/// Makes the cube of a table: of a local Parquet file by itself, of anything else by DataFusion, here or elsewhere.
pub(crate) async fn scan(
    table: DataFrame,
    spec: &AnalysisSpec,
    crowded: Crowded,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Cube, AnalysisError> {
    let remote = Remote::of(&table);
    let mut pools: Vec<Option<Pool>> = vec![None; spec.protected.len()];
    loop {
        let found = once(table.clone(), spec, &pools, remote.as_deref(), progress, cancel).await;
        match found {
            Ok(cube) => {
                progress.rows(cube.rows, Some(cube.rows));
                return Ok(cube);
            }
            // Strata are compared within, and what is counted together is no stratum: they have no pool.
            Err(Stop::Crowded(at))
                if crowded == Crowded::Pooled && matches!(pools.get(at), Some(None)) =>
            {
                let pool = crowded::pool(&table, spec, at, remote.is_some(), cancel);
                // What few need is no part of every analysis' future.
                pools[at] = Some(Box::pin(pool).await?);
            }
            Err(stop) => return Err(stop.told(spec)),
        }
    }
}

/// Reads the table once.
async fn once(
    table: DataFrame,
    spec: &AnalysisSpec,
    pools: &[Option<Pool>],
    remote: Option<&Remote>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Cube, Stop> {
    if remote.is_none() {
        let empty = Cube::with_pools(layout(spec), pools)
            .map_err(|error| AnalysisError::Engine(error.to_string()))?;
        if let Some(cube) = direct::scan(&table, spec, &empty, progress, cancel).await? {
            return Ok(cube);
        }
    }
    planned(table, spec, pools, remote, progress, cancel).await
}

/// Runs the plan.
async fn planned(
    table: DataFrame,
    spec: &AnalysisSpec,
    pools: &[Option<Pool>],
    remote: Option<&Remote>,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Cube, Stop> {
    let watch = Watch::start();
    let reader = match remote {
        Some(_) => Reader::Elsewhere,
        None => Reader::Here(watch.number()),
    };
    let planned = plan_for(table, spec, pools, reader).map_err(AnalysisError::Read)?;
    let context = Arc::new(planned.task_ctx());
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled.into()),
        plan = planned.create_physical_plan() => plan.map_err(|error| Stop::of(error, spec))?,
    };
    let total = remote.map_or_else(|| rows_known(&plan), |remote| remote.rows);
    progress.rows(0, total);
    // The scan has a task of its own, so that dropping this future, or cancelling, aborts it at its next batch.
    let running = Arc::clone(&plan);
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        let mut stream = execute_stream(running, context)?;
        let mut bytes = None;
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let column = batch.column(0).as_binary::<i32>();
            if column.len() == 1 && column.is_valid(0) {
                bytes = Some(column.value(0).to_vec());
            }
        }
        Ok::<_, DataFusionError>(bytes)
    });
    let mut tick = tokio::time::interval(TELL);
    let bytes = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                task.shutdown().await;
                return Err(AnalysisError::Cancelled.into());
            }
            ended = task.join_next() => match ended {
                Some(Ok(read)) => break read.map_err(|error| Stop::of(error, spec))?,
                Some(Err(failed)) => return Err(AnalysisError::Engine(failed.to_string()).into()),
                None => return Err(AnalysisError::Engine("the scan ended without a result".to_owned()).into()),
            },
            _ = tick.tick() => progress.rows(watch.rows(), total),
        }
    };
    let bytes = bytes.ok_or_else(|| AnalysisError::Engine("the scan gave no cube".to_owned()))?;
    let state =
        State::from_bytes(&bytes).map_err(|error| AnalysisError::Engine(error.to_string()))?;
    let cube = match state {
        State::Cube(cube) => *cube,
        State::Refused(error) => {
            return Err(Stop::of(DataFusionError::External(Box::new(error)), spec));
        }
    };
    if let Some(remote) = remote {
        remote.must_have_read(cube.rows).map_err(AnalysisError::from)?;
    }
    Ok(cube)
}

/// Rows that the sources say they have, if they all do.
fn rows_known(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let children = plan.children();
    if children.is_empty() {
        let statistics =
            StatisticsContext::new().compute(plan.as_ref(), &StatisticsArgs::new()).ok()?;
        return statistics.num_rows.get_value().map(|rows| *rows as u64);
    }
    children.into_iter().map(rows_known).sum()
}

/// What to do about groups that are named by texts.
const SHORTER: &str = "Name a column of groups, or put a short name in place of each text first.";

/// More text in one batch of rows than has places: of which column, the engine does not say.
fn text_too_long(spec: &AnalysisSpec) -> Fault {
    let names = spec.protected.iter().chain(&spec.strata);
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let message = format!(
        "The rows hold texts so long that a few thousand of them take more than 2 GiB, among {} or what is read beside.",
        names.join(", ")
    );
    Fault::new("/protected", "values_too_long", message).hint(SHORTER)
}

pub(crate) fn read_error(error: DataFusionError, spec: &AnalysisSpec) -> AnalysisError {
    if let DataFusionError::ArrowError(cause, _) = error.find_root()
        && matches!(**cause, ArrowError::OffsetOverflowError(_))
        && !spec.protected.is_empty()
    {
        return AnalysisError::Invalid(vec![text_too_long(spec)]);
    }
    if let Some(cause) = RemoteError::within(&error) {
        return cause.clone().into();
    }
    let DataFusionError::External(cause) = error.find_root() else {
        return AnalysisError::Read(error);
    };
    let Some(cause) = cause.downcast_ref::<CubeError>() else { return AnalysisError::Read(error) };
    let attribute = |position: &usize| match spec.protected.get(*position) {
        Some(name) => (format!("/protected/{position}"), name.as_str()),
        None => ("/strata".to_owned(), spec.strata.as_deref().unwrap_or_default()),
    };
    let listed = |values: &[String]| {
        values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
    };
    let fault = match cause {
        CubeError::TooManyValues { attribute: position } => {
            let (place, name) = attribute(position);
            Fault::new(place, "too_many_values", format!("`{name}` has more than {} different values, so that it does not tell groups apart.", limits::MAX_VALUES))
                .hint("Name a column of groups, or put its values into bands first.")
        }
        CubeError::ValuesTooLong { attribute: position } => {
            let (place, name) = attribute(position);
            Fault::new(
                place,
                "values_too_long",
                format!(
                    "The different values of `{name}` take more than {} MiB together, or one of them alone does: it is text, not groups.",
                    limits::MAX_NAME_BYTES >> 20
                ),
            )
            .hint(SHORTER)
        }
        CubeError::TooManyCells => Fault::new(
            "/protected",
            "too_many_groups",
            format!(
                "The protected attributes{} have more than {} combinations in these data.",
                if spec.strata.is_some() { " and strata" } else { "" },
                limits::MAX_CELLS
            ),
        )
        .hint("Analyse fewer attributes at once, or put their values into bands first."),
        CubeError::NoLabels(values) => Fault::new(
            "/target",
            "label_not_binary",
            format!(
                "`{}` is no label of two values: it has {} and more.",
                spec.target.as_deref().unwrap_or_default(),
                listed(values)
            ),
        )
        .hint("Name a column with two values."),
        CubeError::NoPredictions(values) => {
            let name = spec.prediction.as_deref().unwrap_or_default();
            Fault::new(
                "/prediction",
                "prediction_not_binary",
                format!(
                    "`{name}` is no prediction of two values: it has {} and more.",
                    listed(values)
                ),
            )
            .hint("If it holds scores or probabilities, name it as score and not as prediction.")
        }
        CubeError::Unreadable(_) | CubeError::Damaged(_) => return AnalysisError::Read(error),
    };
    AnalysisError::Invalid(vec![fault])
}
