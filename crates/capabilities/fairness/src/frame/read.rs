//! One pass over some columns: rows in the same order each time, batch after batch, until their end or until cancelled.

use arrow::{
    array::{ArrayRef, AsArray, Float64Array, RecordBatch},
    compute::cast,
    datatypes::{DataType, Float64Type, Schema},
};
use datafusion::{
    common::Column,
    error::DataFusionError,
    logical_expr::{Expr, SortExpr},
    physical_plan::execute_stream_partitioned,
    prelude::DataFrame,
};
use futures::StreamExt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, Fault, RemoteError,
    analysis::{describe, unknown_column},
};

/// What a column must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Numbers.
    Numbers,
    /// Anything that has values.
    Anything,
}

/// Faults of a column that a spec names in a role.
pub(crate) fn require(
    schema: &Schema,
    place: &str,
    name: &str,
    role: &str,
    need: Need,
) -> Option<Fault> {
    if name.is_empty() {
        return None;
    }
    let Some(field) = schema.fields().iter().find(|field| field.name() == name) else {
        return Some(unknown_column(place.to_owned(), name, schema));
    };
    let kind = field.data_type();
    let is_number = kind.is_numeric() || *kind == DataType::Null;
    if need == Need::Numbers && !is_number {
        let message =
            format!("`{name}` cannot be a {role}: it holds {}, not numbers.", describe(kind));
        return Some(
            Fault::new(place, &format!("{role}_not_numeric"), message)
                .hint("Name a column of numbers."),
        );
    }
    if kind.is_nested()
        || matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
    {
        let message =
            format!("`{name}` holds {}, which cannot be grouped or compared.", describe(kind));
        return Some(Fault::new(place, "unsupported_type", message));
    }
    None
}

/// Reads the columns once, and lets `step` see each batch; the batches are ordered by a column, if one is named.
///
/// One partition is read after another, so that the same data give the same rows in the same order.
pub(crate) async fn rows<T: Send + 'static>(
    table: DataFrame,
    columns: &[&str],
    order: Option<&str>,
    cancel: &CancellationToken,
    state: T,
    step: impl FnMut(&mut T, &RecordBatch) -> Result<(), AnalysisError> + Send + 'static,
) -> Result<T, AnalysisError> {
    let (mut session, plan) = table.into_parts();
    session.config_mut().options_mut().execution.target_partitions = 1;
    let table = DataFrame::new(session, plan);
    let planned = in_order(table, columns, order).map_err(AnalysisError::Read)?;
    run(planned, cancel, state, step).await
}

fn in_order(
    table: DataFrame,
    columns: &[&str],
    order: Option<&str>,
) -> Result<DataFrame, DataFusionError> {
    let columns = chosen(&table, columns)?.into_iter().map(|(column, _)| column);
    let sort = chosen(&table, order.as_slice())?.into_iter();
    let sort: Vec<SortExpr> = sort.map(|(column, _)| column.sort(true, true)).collect();
    let table = table.select(columns.collect::<Vec<_>>())?;
    if sort.is_empty() { Ok(table) } else { table.sort(sort) }
}

/// Columns of a table with their names, each once.
pub(crate) fn chosen(
    table: &DataFrame,
    columns: &[&str],
) -> Result<Vec<(Expr, String)>, DataFusionError> {
    let mut chosen: Vec<(Expr, String)> = Vec::with_capacity(columns.len());
    for name in columns {
        if chosen.iter().any(|(_, known)| known == name) {
            continue;
        }
        let found = table.schema().iter().find(|(_, field)| field.name() == name);
        let (qualifier, field) =
            found.ok_or_else(|| DataFusionError::Plan(format!("there is no column {name}")))?;
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        chosen.push((column, (*name).to_owned()));
    }
    Ok(chosen)
}

/// Runs a plan, and lets `step` see each batch.
pub(crate) async fn run<T: Send + 'static>(
    planned: DataFrame,
    cancel: &CancellationToken,
    mut state: T,
    mut step: impl FnMut(&mut T, &RecordBatch) -> Result<(), AnalysisError> + Send + 'static,
) -> Result<T, AnalysisError> {
    let context = Arc::new(planned.task_ctx());
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
        plan = planned.create_physical_plan() => plan.map_err(told)?,
    };
    // The scan has a task of its own, so that dropping this future, or cancelling, aborts it at its next batch.
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        let streams = execute_stream_partitioned(plan, context).map_err(told)?;
        for mut stream in streams {
            while let Some(batch) = stream.next().await {
                step(&mut state, &batch.map_err(told)?)?;
                tokio::task::yield_now().await;
            }
        }
        Ok(state)
    });
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            task.shutdown().await;
            Err(AnalysisError::Cancelled)
        }
        ended = task.join_next() => match ended {
            Some(Ok(read)) => read,
            Some(Err(failed)) => Err(AnalysisError::Engine(failed.to_string())),
            None => Err(AnalysisError::Engine("the scan ended without a result".to_owned())),
        },
    }
}

/// Why other machines did not run a plan, if that is what the error says.
fn told(error: DataFusionError) -> AnalysisError {
    match RemoteError::within(&error) {
        Some(cause) => cause.clone().into(),
        None => AnalysisError::Read(error),
    }
}

/// A column of a batch as numbers; NaN where there is none.
pub(crate) fn floats(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, AnalysisError> {
    let array = column(batch, name)?;
    let array: Float64Array = if *array.data_type() == DataType::Float64 {
        array.as_primitive::<Float64Type>().clone()
    } else {
        cast(array, &DataType::Float64)
            .map_err(|error| AnalysisError::Read(error.into()))?
            .as_primitive::<Float64Type>()
            .clone()
    };
    Ok(array.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// A column of a batch.
pub(crate) fn column<'a>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a ArrayRef, AnalysisError> {
    batch
        .column_by_name(name)
        .ok_or_else(|| AnalysisError::Engine(format!("the scan gave no column {name}")))
}
