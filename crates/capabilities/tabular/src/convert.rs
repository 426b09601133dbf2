//! A stream of bytes to Parquet in an object store.

use std::{io, sync::Arc};

use ::parquet::{
    arrow::{AsyncArrowWriter, async_writer::AsyncFileWriter},
    basic::Compression,
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties},
};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::physical_plan::execute_stream_partitioned;
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture};
use hashbrown::DefaultHashBuilder;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Format, Note, OpenOptions, Profile, TabularError, file::TableFile, profile::Profiler, spool,
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

/// Rows of a row group: what one thread of a query takes at a time.
const GROUP_ROWS: usize = 1 << 20;
/// A row group is written out when it takes this much memory.
const GROUP_BYTES: usize = 64 << 20;
const PART: usize = 8 << 20;
const PARTS: usize = 4;

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
    let upload = destination.store.put_multipart(&destination.path).await?;
    let mut upload = Upload(Some(WriteMultipart::new_with_chunk_size(upload, PART)));
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let written = {
        let sink = Sink { upload: &mut upload, hash: &mut hash, bytes: &mut bytes };
        let writing = write(&table, sink, unpacked, progress);
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
            upload.abort().await;
            return Err(error);
        }
    };
    upload.finish().await?;
    Ok(Converted {
        schema: table.schema(),
        rows: profile.rows,
        profile,
        bytes,
        sha256: hex::encode(hash.finalize()),
        format: table.format(),
        source_bytes,
        notes: table.notes().to_vec(),
    })
}

/// Writes the table in its own order, and profiles it on the way.
async fn write(
    table: &crate::Table,
    sink: Sink<'_>,
    unpacked: Option<u64>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Profile, TabularError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("ephor ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer =
        AsyncArrowWriter::try_new(sink, table.schema(), Some(properties)).map_err(parquet)?;
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
            writer.write(&batch).await.map_err(parquet)?;
            if writer.in_progress_size() > GROUP_BYTES {
                writer.flush().await.map_err(parquet)?;
            }
            rows += batch.num_rows() as u64;
            progress(Progress { stage: Stage::Writing, done: rows, total: Some(table.rows()) });
            // A stream that is always ready would never let a cancellation through.
            tokio::task::consume_budget().await;
        }
    }
    writer.finish().await.map_err(parquet)?;
    Ok(profiler.finish())
}

fn parquet(error: ParquetError) -> TabularError {
    match error {
        ParquetError::External(inner) => match inner.downcast::<object_store::Error>() {
            Ok(store) => TabularError::Store(*store),
            Err(other) => TabularError::Io(io::Error::other(other)),
        },
        other => TabularError::Engine(Box::new(other.into())),
    }
}

/// An upload that leaves nothing behind unless it is finished: also when nobody waits for it any more.
struct Upload(Option<WriteMultipart>);

impl Upload {
    async fn finish(mut self) -> Result<(), TabularError> {
        match self.0.take() {
            Some(upload) => Ok(upload.finish().await.map(drop)?),
            None => Ok(()),
        }
    }

    async fn abort(mut self) {
        if let Some(upload) = self.0.take() {
            abort(upload).await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(upload), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(abort(upload));
        }
    }
}

async fn abort(upload: WriteMultipart) {
    if let Err(error) = upload.abort().await {
        tracing::warn!(%error, "an upload that was not finished could not be cleaned up");
    }
}

/// Hashes, counts and uploads what the writer gives.
struct Sink<'u> {
    upload: &'u mut Upload,
    hash: &'u mut Sha256,
    bytes: &'u mut u64,
}

impl AsyncFileWriter for Sink<'_> {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ParquetError>> {
        async move {
            self.hash.update(&bytes);
            *self.bytes += bytes.len() as u64;
            if let Some(upload) = &mut self.upload.0 {
                upload.wait_for_capacity(PARTS).await?;
                upload.put(bytes);
            }
            Ok(())
        }
        .boxed()
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), ParquetError>> {
        async { Ok(()) }.boxed()
    }
}
