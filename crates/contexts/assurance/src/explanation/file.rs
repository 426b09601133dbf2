//! Values as files to be kept.

use std::{collections::VecDeque, io, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use datafusion::{
    arrow::{
        array::{ArrayRef, AsArray as _, RecordBatch, StringArray},
        compute::cast,
        csv::WriterBuilder,
        datatypes::{DataType, Field, Schema, SchemaRef},
        error::ArrowError,
    },
    execution::SendableRecordBatchStream,
    physical_plan::execute_stream_partitioned,
};
use ephor_kernel::{Code, ExplanationId, Problem, Scope};
use ephor_tabular::{Format, OpenOptions, Source};
use futures::{Stream, StreamExt as _, stream};
use http::header;
use object_store::{ObjectStoreExt as _, path::Path};
use serde::{Deserialize, Serialize};

use super::get::explanation_values;
use crate::Assurance;

/// The formats of values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValuesFormat {
    /// As they are stored.
    #[default]
    Parquet,
    /// For spreadsheets.
    Csv,
}

/// Memory that reading values may take.
const MEMORY: usize = 64 << 20;

/// The values of an explanation, as a download that streams.
///
/// # Errors
/// `not_found`; `conflict` when there are none; `unavailable` when the object store does not answer.
pub async fn explanation_file(
    state: &Assurance,
    scope: &Scope,
    id: ExplanationId,
    format: ValuesFormat,
) -> Result<Response, Problem> {
    let mut tx = state.store.begin(scope).await?;
    let path = explanation_values(&mut tx, id).await?;
    tx.commit().await?;
    let path = Path::from(path);
    let (kind, ending, body) = match format {
        ValuesFormat::Parquet => {
            let object = state.objects.get(&path).await.map_err(|error| unread(&error, id))?;
            ("application/vnd.apache.parquet", "parquet", Body::from_stream(object.into_stream()))
        }
        ValuesFormat::Csv => {
            let source = Source::Object { store: Arc::clone(&state.objects), path };
            let options = OpenOptions {
                format: Some(Format::Parquet),
                memory_bytes: MEMORY,
                ..OpenOptions::default()
            };
            let table = ephor_tabular::open(source, options).await;
            let table = table.map_err(|error| unread(&error, id))?;
            let frame = table.dataframe().map_err(|error| unread(&error, id))?;
            let context = Arc::new(frame.task_ctx());
            let plan = frame.create_physical_plan().await.map_err(|error| unread(&error, id))?;
            let schema = plan.schema();
            let parts =
                execute_stream_partitioned(plan, context).map_err(|error| unread(&error, id))?;
            let body = Body::from_stream(lines(schema, parts));
            ("text/csv; charset=utf-8; header=present", "csv", body)
        }
    };
    let name = format!("attachment; filename=\"explanation-{id}.{ending}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, body).into_response())
}

/// Values were whole when they were stored: what is wrong with them now is no fault of the caller's.
fn unread(error: &dyn std::error::Error, id: ExplanationId) -> Problem {
    tracing::error!(%error, explanation = %id, "stored values could not be read");
    Problem::new(Code::Unavailable, "The stored values could not be read at the moment")
        .retry_after(5)
}

/// Lines of CSV, the names first, also where no row follows: part by part, in their order.
fn lines(
    schema: SchemaRef,
    parts: Vec<SendableRecordBatchStream>,
) -> impl Stream<Item = io::Result<Bytes>> {
    let names = written(&RecordBatch::new_empty(schema), true);
    let names = names.map(Bytes::from).map_err(io::Error::other);
    let parts: VecDeque<_> = parts.into();
    let rows = stream::unfold(parts, |mut parts| async move {
        loop {
            let part = parts.front_mut()?;
            match part.next().await {
                None => {
                    parts.pop_front();
                }
                Some(Ok(batch)) => {
                    let text = written(&batch, false).map_err(io::Error::other);
                    return Some((text.map(Bytes::from), parts));
                }
                Some(Err(error)) => {
                    parts.clear();
                    return Some((Err(io::Error::other(error)), parts));
                }
            }
        }
    });
    stream::iter([names]).chain(rows)
}

fn written(batch: &RecordBatch, with_header: bool) -> Result<Vec<u8>, ArrowError> {
    let mut out = Vec::new();
    let mut writer = WriterBuilder::new().with_header(with_header).build(&mut out);
    writer.write(&shown(batch)?)?;
    drop(writer);
    Ok(out)
}

/// As a spreadsheet may have it: of texts that it would run it shows an apostrophe first (OWASP, CSV injection).
fn shown(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let name = guarded(field.name());
        if column.data_type().is_numeric() {
            fields.push(Field::new(name, column.data_type().clone(), true));
            columns.push(Arc::clone(column));
        } else {
            let plain = cast(column, &DataType::Utf8)?;
            let safe: StringArray =
                plain.as_string::<i32>().iter().map(|value| value.map(guarded)).collect();
            fields.push(Field::new(name, DataType::Utf8, true));
            columns.push(Arc::new(safe));
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_stand_there_without_any_row() {
        let fields = [("row", DataType::Int64), ("=a", DataType::Float64)];
        let fields = fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec();
        let text: Vec<_> = lines(Arc::new(Schema::new(fields)), Vec::new())
            .map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap())
            .collect()
            .await;
        assert_eq!(text.concat(), "row,'=a\n");
    }
}
