//! Batches of rows to Parquet in an object store.

use std::io;

use ::parquet::{
    arrow::{AsyncArrowWriter, async_writer::AsyncFileWriter},
    basic::Compression,
    errors::ParquetError,
    file::properties::{EnabledStatistics, WriterProperties},
};
use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use sha2::{Digest, Sha256};

use crate::{Destination, TabularError, Upload};

/// Rows of a row group: what one thread of a query takes at a time.
const GROUP_ROWS: usize = 1 << 20;
/// A row group is written out when it takes this much memory.
const GROUP_BYTES: usize = 64 << 20;
/// So many parts are on their way at once.
const PARTS: usize = 4;

/// A table that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// How many rows it has.
    pub rows: u64,
    /// The size of the Parquet object, in bytes.
    pub bytes: u64,
    /// SHA-256 of the Parquet object, in hexadecimal.
    pub sha256: String,
}

/// Writes batches of rows as Parquet to an object store, in bounded memory. Unless it is finished, nothing is left behind.
pub struct TableWriter {
    writer: AsyncArrowWriter<Sink>,
    rows: u64,
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Begins an object with such columns.
    ///
    /// # Errors
    /// When the object store does not take it, or Parquet has no form for a column.
    pub async fn begin(destination: &Destination, schema: SchemaRef) -> Result<Self, TabularError> {
        let upload = Upload::begin(destination, PARTS).await?;
        let sink = Sink { upload, hash: Sha256::new(), bytes: 0 };
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(concat!("ephor ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = AsyncArrowWriter::try_new(sink, schema, Some(properties)).map_err(parquet)?;
        Ok(Self { writer, rows: 0 })
    }

    /// Writes rows, after those before.
    ///
    /// # Errors
    /// When the object store does not take them, or they do not have the columns.
    pub async fn write(&mut self, batch: &RecordBatch) -> Result<(), TabularError> {
        self.writer.write(batch).await.map_err(parquet)?;
        if self.writer.in_progress_size() > GROUP_BYTES {
            self.writer.flush().await.map_err(parquet)?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Ends the object: from now on it is there.
    ///
    /// # Errors
    /// When the object store does not take its end.
    pub async fn finish(mut self) -> Result<Stored, TabularError> {
        self.writer.finish().await.map_err(parquet)?;
        let Sink { upload, hash, bytes } = self.writer.into_inner();
        upload.finish().await?;
        Ok(Stored { rows: self.rows, bytes, sha256: hex::encode(hash.finalize()) })
    }

    /// Takes back what was written.
    pub async fn abort(self) {
        self.writer.into_inner().upload.abort().await;
    }
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

/// Hashes, counts and uploads what the writer gives.
struct Sink {
    upload: Upload,
    hash: Sha256,
    bytes: u64,
}

impl AsyncFileWriter for Sink {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, Result<(), ParquetError>> {
        async move {
            self.hash.update(&bytes);
            self.bytes += bytes.len() as u64;
            Ok(self.upload.write(bytes).await?)
        }
        .boxed()
    }

    fn complete(&mut self) -> BoxFuture<'_, Result<(), ParquetError>> {
        async { Ok(()) }.boxed()
    }
}
