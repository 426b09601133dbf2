//! A table's columns as the rows that a model takes.

use arrow::{
    array::{Array as _, ArrayRef, AsArray as _},
    compute::{can_cast_types, cast},
    datatypes::{DataType, Float64Type},
};
use ephor_explain::Rows;
use ephor_fairness::DataFrame;
use futures::StreamExt as _;

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

/// Reads the features' columns and those beside them, in one go: rows keep together.
pub(super) async fn read_with(
    table: DataFrame,
    features: &[String],
    beside: &Beside,
    count: Option<usize>,
    most: usize,
    source: &str,
) -> anyhow::Result<Columns> {
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

fn number(column: &ArrayRef, row: usize) -> f64 {
    if column.is_null(row) { f64::NAN } else { column.as_primitive::<Float64Type>().value(row) }
}

/// Numbers, yes and no; and what has no values at all.
fn numeric(kind: &DataType) -> bool {
    (kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null))
        && can_cast_types(kind, &DataType::Float64)
}
