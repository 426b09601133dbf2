//! The first rows of a data set, to look at.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray as _, StringArray},
    compute::cast,
    csv::WriterBuilder,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    json::{ArrayWriter, LineDelimitedWriter},
    record_batch::RecordBatch,
};
use ephor_kernel::{DatasetId, Problem, Scope};

use super::open::stored;
use crate::Registry;

/// The most rows that are shown at once.
pub const MAX_PREVIEW_ROWS: usize = 1_000;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// With a header.
    Csv,
}

impl RowFormat {
    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

impl Registry {
    /// The first rows, at most [`MAX_PREVIEW_ROWS`].
    ///
    /// # Errors
    /// `not_found`; `unavailable` when the object store does not answer.
    pub async fn dataset_rows(
        &self,
        scope: &Scope,
        id: DatasetId,
        limit: usize,
        format: RowFormat,
    ) -> Result<Vec<u8>, Problem> {
        let table = self.dataset_open(scope, id).await?;
        let frame = table.dataframe().map_err(|error| stored(&error))?;
        let batches = async { frame.limit(0, Some(limit.min(MAX_PREVIEW_ROWS)))?.collect().await }
            .await
            .map_err(|error| stored(&error.into()))?;
        written(&batches, format).map_err(|error| {
            tracing::error!(%error, dataset = %id, "rows could not be written");
            Problem::internal()
        })
    }
}

fn written(batches: &[RecordBatch], format: RowFormat) -> Result<Vec<u8>, ArrowError> {
    let mut out = Vec::new();
    let all: Vec<&RecordBatch> = batches.iter().collect();
    match format {
        RowFormat::Json => {
            let mut writer = ArrayWriter::new(&mut out);
            writer.write_batches(&all)?;
            writer.finish()?;
        }
        RowFormat::Ndjson => {
            let mut writer = LineDelimitedWriter::new(&mut out);
            writer.write_batches(&all)?;
            writer.finish()?;
        }
        RowFormat::Csv => {
            let mut writer = WriterBuilder::new().with_header(true).build(&mut out);
            for batch in all {
                writer.write(&shown(batch)?)?;
            }
        }
    }
    Ok(out)
}

/// The rows as a spreadsheet may have them: of texts that it would run it shows an apostrophe first (OWASP, CSV
/// injection), and what CSV has no form for is left out.
fn shown(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if column.data_type().is_nested() {
            continue;
        }
        let text = match column.data_type() {
            DataType::Dictionary(_, value) => value.is_string(),
            kind => kind.is_string(),
        };
        let name = guarded(field.name());
        if text {
            let plain = cast(column, &DataType::Utf8)?;
            let safe: StringArray =
                plain.as_string::<i32>().iter().map(|value| value.map(guarded)).collect();
            fields.push(Field::new(name, DataType::Utf8, true));
            columns.push(Arc::new(safe));
        } else {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
