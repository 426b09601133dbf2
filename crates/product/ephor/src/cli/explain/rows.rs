//! A table's columns as the rows that a model takes.

use arrow::{
    array::{Array as _, AsArray as _},
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
    let faults: Vec<String> = features
        .iter()
        .filter_map(|feature| match table.schema().as_arrow().field_with_name(feature) {
            Err(_) => Some(format!("{source}: it has no column `{feature}`, which the model asks for")),
            Ok(field) if !numeric(field.data_type()) => Some(format!(
                "{source}: `{feature}` is no column of numbers ({}); a category is the number that the model was trained with",
                field.data_type()
            )),
            Ok(_) => None,
        })
        .collect();
    if !faults.is_empty() {
        return Err(UsageError(faults.join("\n")).into());
    }
    let names: Vec<&str> = features.iter().map(String::as_str).collect();
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
        let columns = batch
            .columns()
            .iter()
            .map(|column| cast(column, &DataType::Float64))
            .collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            values.extend(columns.iter().map(|column| {
                if column.is_null(row) {
                    f64::NAN
                } else {
                    column.as_primitive::<Float64Type>().value(row)
                }
            }));
        }
    }
    Ok(Rows::new(values, width))
}

/// Numbers, yes and no; and what has no values at all.
fn numeric(kind: &DataType) -> bool {
    (kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Null))
        && can_cast_types(kind, &DataType::Float64)
}
