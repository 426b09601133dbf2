//! Reads columns of a table, once, within bounded memory.

use std::sync::Arc;

use arrow::{
    array::{Array, AsArray},
    datatypes::{DataType, Float64Type, Schema, TimeUnit},
};
use datafusion::{
    common::Column,
    error::DataFusionError,
    logical_expr::{Expr, cast},
    physical_plan::execute_stream,
    prelude::DataFrame,
};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{ColumnKind, categories::Categories, chunks::MAX_CHUNKS, numbers::Numbers};
use crate::AnalysisError;

/// What is kept of a column.
#[derive(Debug, Clone)]
pub(super) enum Tally {
    Numbers(Numbers),
    Categories(Categories),
}

impl Tally {
    pub fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Number => Self::Numbers(Numbers::default()),
            ColumnKind::Category => Self::Categories(Categories::default()),
        }
    }

    pub fn missing(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.missing,
            Self::Categories(categories) => categories.missing,
        }
    }

    pub fn values(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.values,
            Self::Categories(categories) => categories.values,
        }
    }

    /// Rows whose number is none: NaN and infinities.
    pub fn invalid(&self) -> u64 {
        match self {
            Self::Numbers(numbers) => numbers.invalid,
            Self::Categories(_) => 0,
        }
    }

    pub fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Numbers(mine), Self::Numbers(other)) => mine.merge(other),
            (Self::Categories(mine), Self::Categories(other)) => mine.merge(other),
            // Tallies of one column are of one kind.
            (Self::Numbers(_), Self::Categories(_)) | (Self::Categories(_), Self::Numbers(_)) => {}
        }
    }

    /// What is left without a part of it.
    pub fn without(&self, part: &Self) -> Self {
        match (self, part) {
            (Self::Numbers(mine), Self::Numbers(part)) => Self::Numbers(mine.without(part)),
            (Self::Categories(mine), Self::Categories(part)) => {
                Self::Categories(mine.without(part))
            }
            (Self::Numbers(_), Self::Categories(_)) | (Self::Categories(_), Self::Numbers(_)) => {
                self.clone()
            }
        }
    }

    fn add(&mut self, column: &dyn Array, row: usize) {
        match self {
            Self::Numbers(numbers) => match column.as_primitive_opt::<Float64Type>() {
                Some(column) if column.is_valid(row) => numbers.add(column.value(row)),
                _ => numbers.missing += 1,
            },
            Self::Categories(categories) => match column.as_string_opt::<i32>() {
                Some(column) if column.is_valid(row) => categories.add(column.value(row)),
                _ => categories.missing += 1,
            },
        }
    }
}

/// A column to read, and what as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub name: String,
    pub kind: ColumnKind,
}

/// One part of a table: all of it, or a chunk.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The chunk's name; empty for the whole.
    pub name: String,
    pub rows: u64,
    /// One for each column wanted.
    pub tallies: Vec<Tally>,
}

/// What a column can be compared as; `None` if it cannot.
pub(super) fn kind(data_type: &DataType) -> Option<ColumnKind> {
    match data_type {
        DataType::Dictionary(_, value) => kind(value),
        DataType::Interval(_) => None,
        kind if kind.is_numeric() || kind.is_temporal() => Some(ColumnKind::Number),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Boolean
        | DataType::Null => Some(ColumnKind::Category),
        _ => None,
    }
}

/// Reads the columns wanted, in parts by the values of `chunks`. Of more than [`MAX_CHUNKS`] chunks the rest is in none, and
/// there is one part more than that.
pub(super) async fn read(
    table: &DataFrame,
    wanted: &[Wanted],
    chunks: Option<&str>,
    cancel: &CancellationToken,
) -> Result<Vec<Part>, AnalysisError> {
    let selected = selection(table, wanted, chunks).map_err(AnalysisError::Read)?;
    let context = Arc::new(selected.task_ctx());
    let plan = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(AnalysisError::Cancelled),
        plan = selected.create_physical_plan() => plan.map_err(AnalysisError::Read)?,
    };
    let kinds: Vec<ColumnKind> = wanted.iter().map(|column| column.kind).collect();
    let has_chunks = chunks.is_some();
    // A task of its own, so that dropping this future, or cancelling, aborts it at its next batch.
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        let mut stream = execute_stream(plan, context)?;
        let mut parts = Parts { kinds, parts: Vec::new() };
        if !has_chunks {
            parts.part("");
        }
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            if has_chunks {
                parts.add_by_chunk(batch.columns(), batch.num_rows());
            } else {
                parts.add(batch.columns(), batch.num_rows());
            }
        }
        Ok::<_, DataFusionError>(parts.parts)
    });
    tokio::select! {
        biased;
        () = cancel.cancelled() => {
            task.shutdown().await;
            Err(AnalysisError::Cancelled)
        }
        ended = task.join_next() => match ended {
            Some(Ok(read)) => read.map_err(AnalysisError::Read),
            Some(Err(failed)) => Err(AnalysisError::Engine(failed.to_string())),
            None => Err(AnalysisError::Engine("the scan ended without a result".to_owned())),
        },
    }
}

/// The columns wanted as numbers or text, then the chunks' as text.
fn selection(
    table: &DataFrame,
    wanted: &[Wanted],
    chunks: Option<&str>,
) -> Result<DataFrame, DataFusionError> {
    let column = |name: &str, to: DataType| {
        let found = table.schema().iter().find(|(_, field)| field.name() == name);
        let (qualifier, field) =
            found.ok_or_else(|| DataFusionError::Plan(format!("there is no column {name}")))?;
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        // A time is a number of microseconds, whatever its unit in this table.
        let column = match microseconds(field.data_type()).filter(|_| to == DataType::Float64) {
            Some(time) => cast(cast(column, time), DataType::Int64),
            None => column,
        };
        Ok::<_, DataFusionError>(cast(column, to))
    };
    let mut columns = Vec::new();
    for (at, Wanted { name, kind }) in wanted.iter().enumerate() {
        let to = match kind {
            ColumnKind::Number => DataType::Float64,
            ColumnKind::Category => DataType::Utf8,
        };
        columns.push(column(name, to)?.alias(format!("c{at}")));
    }
    if let Some(chunks) = chunks {
        columns.push(column(chunks, DataType::Utf8)?.alias("chunk"));
    }
    if columns.is_empty() {
        columns.push(datafusion::prelude::lit(1_i64).alias("row"));
    }
    table.clone().select(columns)
}

/// The type of the same times in microseconds: two tables may have them in different units.
fn microseconds(kind: &DataType) -> Option<DataType> {
    Some(match kind {
        DataType::Dictionary(_, value) => return microseconds(value),
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Duration(_) => DataType::Duration(TimeUnit::Microsecond),
        _ => return None,
    })
}

struct Parts {
    kinds: Vec<ColumnKind>,
    parts: Vec<Part>,
}

impl Parts {
    fn part(&mut self, name: &str) -> usize {
        if let Some(at) = self.parts.iter().position(|part| part.name == name) {
            return at;
        }
        if self.parts.len() <= MAX_CHUNKS {
            let tallies = self.kinds.iter().map(|kind| Tally::new(*kind)).collect();
            self.parts.push(Part { name: name.to_owned(), rows: 0, tallies });
        }
        self.parts.len() - 1
    }

    fn add(&mut self, columns: &[Arc<dyn Array>], rows: usize) {
        let Some(part) = self.parts.first_mut() else { return };
        part.rows += rows as u64;
        for (tally, column) in part.tallies.iter_mut().zip(columns) {
            for row in 0..rows {
                tally.add(column, row);
            }
        }
    }

    fn add_by_chunk(&mut self, columns: &[Arc<dyn Array>], rows: usize) {
        let Some((chunks, columns)) = columns.split_last() else { return };
        let names = chunks.as_string_opt::<i32>();
        // Rows of one chunk mostly come together.
        let mut at = 0;
        for row in 0..rows {
            let name = names
                .filter(|names| names.is_valid(row))
                .map_or("(missing)", |names| names.value(row));
            if self.parts.get(at).is_none_or(|part| part.name != name) {
                at = self.part(name);
            }
            let part = &mut self.parts[at];
            part.rows += 1;
            for (tally, column) in part.tallies.iter_mut().zip(columns) {
                tally.add(column, row);
            }
        }
    }
}

/// The kind that both tables' column is compared as: as numbers only if it is numbers in both, or in one and nothing in the other.
pub(super) fn common_kind(reference: &Schema, current: &Schema, name: &str) -> Option<ColumnKind> {
    let of =
        |schema: &Schema| schema.field_with_name(name).ok().map(|field| field.data_type().clone());
    let (reference, current) = (of(reference)?, of(current)?);
    match (&reference, &current) {
        (DataType::Null, other) | (other, DataType::Null) => kind(other),
        (left, right) => match (kind(left)?, kind(right)?) {
            (ColumnKind::Number, ColumnKind::Number) => Some(ColumnKind::Number),
            _ => Some(ColumnKind::Category),
        },
    }
}
