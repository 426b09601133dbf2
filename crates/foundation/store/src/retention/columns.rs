//! The columns of a table, as an archive holds them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::RetentionError;
use crate::Store;

/// What an archive of a table holds, and what not.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) schema: SchemaRef,
    /// Columns that an erasure blanks: it could not reach them in a file.
    pub(super) left_out: Vec<String>,
}

/// Reads them from the catalog.
pub(super) async fn columns(store: &Store, table: &str) -> Result<Columns, RetentionError> {
    let rows = sqlx::query!(
        r#"select name as "name!", kind as "kind!", is_nullable as "is_nullable!", is_left_out as "is_left_out!"
             from ops.archive_columns($1::text::regclass)"#,
        table,
    )
    .fetch_all(store.system_pool())
    .await?;
    let (mut fields, mut left_out) = (Vec::new(), Vec::new());
    for row in rows {
        if row.is_left_out {
            left_out.push(row.name);
        } else {
            fields.push(Field::new(row.name, data_type(&row.kind), row.is_nullable));
        }
    }
    Ok(Columns { schema: Arc::new(Schema::new(fields)), left_out })
}

/// The type of Arrow for one of PostgreSQL. What has none of its own is text, as PostgreSQL writes it.
fn data_type(kind: &str) -> DataType {
    match kind {
        "smallint" => DataType::Int16,
        "integer" => DataType::Int32,
        "bigint" => DataType::Int64,
        "boolean" => DataType::Boolean,
        "real" => DataType::Float32,
        "double precision" => DataType::Float64,
        "date" => DataType::Date32,
        "timestamp with time zone" => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
        }
        kind => decimal(kind).unwrap_or(DataType::Utf8),
    }
}

/// `numeric(20,10)`, when it is bounded and fits.
fn decimal(kind: &str) -> Option<DataType> {
    let (precision, scale) = kind.strip_prefix("numeric(")?.strip_suffix(')')?.split_once(',')?;
    let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
    (precision <= 38).then_some(DataType::Decimal128(precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_type_of_its_own_is_text() {
        assert_eq!(data_type("numeric(20,10)"), DataType::Decimal128(20, 10));
        assert_eq!(data_type("bigint"), DataType::Int64);
        for kind in ["uuid", "jsonb", "text[]", "numeric", "numeric(40,0)", "inet"] {
            assert_eq!(data_type(kind), DataType::Utf8, "{kind}");
        }
    }
}
