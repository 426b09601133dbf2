//! A stream of bytes to Parquet in an object store.

use std::{io, sync::Arc};

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::physical_plan::execute_stream_partitioned;
use futures::{Stream, StreamExt};
use hashbrown::DefaultHashBuilder;
use object_store::ObjectStore;
use tokio_util::sync::CancellationToken;

use crate::{
    Format, Note, OpenOptions, Profile, TabularError,
    file::TableFile,
    profile::Profiler,
    spool,
    store::{Stored, TableWriter},
    table::local,
};

/// Where a table is stored.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// Where in it.
    pub path: object_store::path::Path,
}

/// How far a conversion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The data come in; counted in bytes.
    Receiving,
    /// The whole of it is read once, to learn its columns and find its faults.
    Checking,
    /// It is written as Parquet; counted in rows.
    Writing,
}

/// How far a conversion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// What it does.
    pub stage: Stage,
    /// How much of that is done.
    pub done: u64,
    /// How much there is of it, when that is known.
    pub total: Option<u64>,
}

/// A table that is stored.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Its columns.
    pub schema: SchemaRef,
    /// What they hold.
    pub profile: Profile,
    /// How many rows it has.
    pub rows: u64,
    /// The size of the Parquet object, in bytes.
    pub bytes: u64,
    /// SHA-256 of the Parquet object, in hexadecimal.
    pub sha256: String,
    /// The format that it came in.
    pub format: Format,
    /// The size of what came, in bytes.
    pub source_bytes: u64,
    /// What may surprise its user.
    pub notes: Vec<Note>,
}

/// Takes in a table as it comes, checks it, and stores it as Parquet, in bounded memory (its bytes go to a temporary
/// file first). On a fault, or when `cancel` says so, nothing is left behind.
///
/// The format is `options.format`, or what the content says.
pub async fn convert_to_parquet<S>(
    body: S,
    destination: &Destination,
    options: OpenOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Converted, TabularError>
where
    S: Stream<Item = io::Result<Bytes>> + Send,
{
    let body = std::pin::pin!(body);
    let received = spool::stream(body, &options, |done| {
        progress(Progress { stage: Stage::Receiving, done, total: None });
    });
    let (path, source_bytes) = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TabularError::Cancelled),
        received = received => received?,
    };
    progress(Progress { stage: Stage::Checking, done: 0, total: Some(source_bytes) });
    let unpacked = options.limits.unpacked_bytes;
    let table = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(TabularError::Cancelled),
        opened = local(TableFile::temporary(path), options) => opened?,
    };
    let mut writer = TableWriter::begin(destination, table.schema()).await?;
    let written = {
        let writing = write(&table, &mut writer, unpacked, progress);
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(TabularError::Cancelled),
            written = writing => written,
        }
    };
    // It may have been stopped in the very moment in which it was done.
    let written = if cancel.is_cancelled() { Err(TabularError::Cancelled) } else { written };
    let profile = match written {
        Ok(profile) => profile,
        Err(error) => {
            writer.abort().await;
            return Err(error);
        }
    };
    let Stored { bytes, sha256, rows: _ } = writer.finish().await?;
    Ok(Converted {
        schema: table.schema(),
        rows: profile.rows,
        profile,
        bytes,
        sha256,
        format: table.format(),
        source_bytes,
        notes: table.notes().to_vec(),
    })
}

/// Writes the table in its own order, and profiles it on the way.
async fn write(
    table: &crate::Table,
    writer: &mut TableWriter,
    unpacked: Option<u64>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Profile, TabularError> {
    let frame = table.dataframe()?;
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    let mut profiler = Profiler::new(table.schema(), &DefaultHashBuilder::default());
    let (mut rows, mut size) = (0, 0_u64);
    // The parts decode at once, each a few batches ahead, and are written one after the other.
    for mut stream in execute_stream_partitioned(plan, context)? {
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            size = size.saturating_add(batch.get_array_memory_size() as u64);
            if let Some(limit) = unpacked
                && size > limit
            {
                return Err(TabularError::too_large(
                    "the unpacked table's bytes",
                    limit,
                    "Give fewer rows or columns, or raise the limit",
                ));
            }
            profiler.add(&batch)?;
            writer.write(&batch).await?;
            rows += batch.num_rows() as u64;
            progress(Progress { stage: Stage::Writing, done: rows, total: Some(table.rows()) });
            // A stream that is always ready would never let a cancellation through.
            tokio::task::consume_budget().await;
        }
    }
    Ok(profiler.finish())
}
