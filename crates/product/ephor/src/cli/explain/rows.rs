//! A table's columns as the rows that a model takes.

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _, RecordBatch},
    compute::{can_cast_types, cast},
    datatypes::{DataType, Float64Type},
};
use ephor_explain::{CancellationToken, Rows};
use ephor_fairness::DataFrame;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::mpsc::Sender;

use crate::exit::UsageError;

/// Reads the features' columns: `count` rows, or all if they are not more than `most`.
pub(super) async fn read(
    table: DataFrame,
    features: &[String],
    count: Option<usize>,
    most: usize,
    source: &str,
) -> anyhow::Result<Rows> {
    Ok(read_with(table, features, &Beside::default(), count, most, source).await?.rows)
}

/// Columns beside the features.
#[derive(Debug, Clone, Default)]
pub(super) struct Beside {
    /// What should have been predicted, as numbers.
    pub target: Option<String>,
    /// Who belongs to which group, as texts.
    pub group: Option<String>,
}

impl Beside {
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.target.iter().chain(&self.group)
    }
}

/// Rows with what stands beside them.
pub(super) struct Columns {
    pub rows: Rows,
    pub targets: Vec<f64>,
    pub groups: Vec<Option<String>>,
}

/// Refuses a table that lacks columns which are asked for, or has others than numbers in their place; all of them at once.
fn refuse(
    table: &DataFrame,
    features: &[String],
    beside: &Beside,
    source: &str,
) -> anyhow::Result<()> {
    let faults: Vec<String> = features
        .iter()
        .chain(&beside.target)
        .filter_map(|feature| match table.schema().as_arrow().field_with_name(feature) {
            Err(_) => Some(format!("{source}: it has no column `{feature}`, which is asked for")),
            Ok(field) if !numeric(field.data_type()) => Some(format!(
                "{source}: `{feature}` is no column of numbers ({}); a category is the number that the model was trained with",
                field.data_type()
            )),
            Ok(_) => None,
        })
        .chain(beside.group.iter().filter_map(|group| {
            let missing = table.schema().as_arrow().field_with_name(group).is_err();
            missing.then(|| format!("{source}: it has no column `{group}`, which is asked for"))
        }))
        .collect();
    if !faults.is_empty() {
        return Err(UsageError(faults.join("\n")).into());
    }
    Ok(())
}

/// Reads the features' columns and those beside them, in one go: rows keep together.
pub(super) async fn read_with(
    table: DataFrame,
    features: &[String],
    beside: &Beside,
    count: Option<usize>,
    most: usize,
    source: &str,
) -> anyhow::Result<Columns> {
    refuse(&table, features, beside, source)?;
    let mut names: Vec<&str> = features.iter().map(String::as_str).collect();
    for name in beside.names() {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let place = |name: &Option<String>| {
        name.as_ref().and_then(|name| names.iter().position(|other| other == name))
    };
    let (target, group) = (place(&beside.target), place(&beside.group));
    let (mut targets, mut groups) = (Vec::new(), Vec::new());
    let table = table.select_columns(&names)?.limit(0, count)?;
    let mut batches = table.execute_stream().await?;
    let (mut values, width) = (Vec::new(), features.len());
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        if values.len() / width.max(1) + batch.num_rows() > most {
            let message = format!(
                "{source}: its rows and their values do not fit into the memory allowed, which holds {most} rows; \
                 explain fewer (--rows), or allow more (--memory)"
            );
            return Err(UsageError(message).into());
        }
        let columns = batch.columns()[..width]
            .iter()
            .map(|column| cast(column, &DataType::Float64))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            values.extend(columns.iter().map(|column| number(column, row)));
        }
        if let Some(target) = target {
            let column = cast(batch.column(target), &DataType::Float64)?;
            targets.extend((0..column.len()).map(|row| number(&column, row)));
        }
        if let Some(group) = group {
            let column = cast(batch.column(group), &DataType::Utf8)?;
            let texts = column.as_string::<i32>();
            groups.extend(texts.iter().map(|text| text.map(ToOwned::to_owned)));
        }
    }
    Ok(Columns { rows: Rows::new(values, width), targets, groups })
}

/// The features' columns of a table, a piece of its rows after the other, in the table's own order.
pub(super) struct Pieces {
    batches: BoxStream<'static, anyhow::Result<RecordBatch>>,
    width: usize,
    /// A piece has so many rows at most.
    size: usize,
    /// So many rows are still to come at most.
    left: usize,
    /// What is read beyond the last piece.
    values: Vec<f64>,
}

impl Pieces {
    /// Begins to read: `count` rows, or all.
    pub(super) async fn open(
        table: DataFrame,
        features: &[String],
        count: Option<usize>,
        size: usize,
        source: &str,
    ) -> anyhow::Result<Self> {
        refuse(&table, features, &Beside::default(), source)?;
        let names: Vec<&str> = features.iter().map(String::as_str).collect();
        // Its parts, one after the other: rows keep their order.
        let streams = table.select_columns(&names)?.execute_stream_partitioned().await?;
        let batches = stream::iter(streams).flatten();
        let batches = batches.map(|batch| batch.map_err(anyhow::Error::from)).boxed();
        let left = count.unwrap_or(usize::MAX);
        Ok(Self { batches, width: features.len(), size, left, values: Vec::new() })
    }

    /// Hands piece after piece on, until there are no more, nobody takes them, or it is given up.
    pub(super) async fn send(
        mut self,
        to: Sender<anyhow::Result<Rows>>,
        cancel: CancellationToken,
    ) {
        let all = async {
            while let Some(piece) = self.next().await.transpose() {
                let is_last = piece.is_err();
                if to.send(piece).await.is_err() || is_last {
                    return;
                }
            }
        };
        tokio::select! {
            () = all => {}
            () = cancel.cancelled() => {}
        }
    }

    async fn next(&mut self) -> anyhow::Result<Option<Rows>> {
        let wanted = self.size.min(self.left).saturating_mul(self.width);
        while self.values.len() < wanted {
            let Some(batch) = self.batches.next().await else { break };
            let batch = batch?;
            let columns = batch
                .columns()
                .iter()
                .map(|column| cast(column, &DataType::Float64))
                .collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                self.values.extend(columns.iter().map(|column| number(column, row)));
            }
        }
        let beyond = self.values.split_off(wanted.min(self.values.len()));
        let rows = Rows::new(std::mem::replace(&mut self.values, beyond), self.width);
        self.left -= rows.len();
        Ok((!rows.is_empty()).then_some(rows))
    }
}

fn number(column: &ArrayRef, row: usize) -> f64 {
    if column.is_null(row) { f64::NAN } else { column.as_primitive::<Float64Type>().value(row) }
}

/// Numbers, yes and no; and what has no values at all.
fn numeric(kind: &DataType) -> bool {
    (kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null))
        && can_cast_types(kind, &DataType::Float64)
}
