//! A month of one organization's rows as a Parquet file.

use std::fs::File;

use arrow::{error::ArrowError, json::ReaderBuilder};
use chrono::{DateTime, NaiveDate, Utc};
use ephor_kernel::Scope;
use ephor_seal::Hash;
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{RetentionError, columns::Columns};
use crate::{Store, object_file};

/// How many rows are read at once: conversations may be large, so not many.
const PAGE: i32 = 250;
/// A row group is written when what is held of it takes so many bytes.
const GROUP_BYTES: usize = 32 << 20;

/// A file that was written.
pub(super) struct Written {
    pub(super) file: File,
    pub(super) rows: i64,
    pub(super) bytes: i64,
    pub(super) sha256: Hash,
    /// The sum of a number for each row, as `ops.month_tenants` makes it.
    pub(super) digest: String,
}

/// Writes an organization's month, as of one moment, into a file that nobody else can open. Holds a
/// few hundred rows and one row group at a time.
pub(super) async fn write(
    store: &Store,
    scope: &Scope,
    table: &str,
    month: NaiveDate,
    columns: &Columns,
) -> Result<Written, RetentionError> {
    let (sender, receiver) = mpsc::channel::<Vec<String>>(2);
    let writer = Writer {
        columns: columns.clone(),
        about: [
            ("ephor.table", table.to_owned()),
            ("ephor.month", month.format("%Y-%m").to_string()),
            ("ephor.organization", scope.organization().to_string()),
        ]
        .map(|(key, value)| KeyValue::new(key.to_owned(), value))
        .to_vec(),
    };
    let writing = tokio::task::spawn_blocking(move || writer.write(receiver));
    let mut tx = store.begin_system(scope).await?;
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(tx.conn())
        .await?;
    let (mut after, mut digest): (Option<(Uuid, DateTime<Utc>)>, i128) = (None, 0);
    loop {
        let rows = sqlx::query!(
            r#"select id as "id!", created_at as "created_at!", line as "line!", digest as "digest!"
                 from ops.month_rows($1::text::regclass, $2, $3, $4, $5)"#,
            table,
            month,
            after.map(|(id, _)| id),
            after.map(|(_, time)| time),
            PAGE,
        )
        .fetch_all(tx.conn())
        .await?;
        let Some(last) = rows.last() else { break };
        after = Some((last.id, last.created_at));
        digest += rows.iter().map(|row| i128::from(row.digest)).sum::<i128>();
        // Nobody takes them any more when the writer failed, which is told below.
        if sender.send(rows.into_iter().map(|row| row.line).collect()).await.is_err() {
            break;
        }
    }
    drop(sender);
    tx.commit().await?;
    let written = writing.await?;
    let (file, rows, bytes, sha256) =
        written.map_err(|fault| RetentionError::archive(&format!("of {table}"), fault))?;
    Ok(Written { file, rows, bytes, sha256, digest: digest.to_string() })
}

/// What writes the file, in a thread of its own.
struct Writer {
    columns: Columns,
    about: Vec<KeyValue>,
}

impl Writer {
    fn write(
        self,
        mut pages: mpsc::Receiver<Vec<String>>,
    ) -> Result<(File, i64, i64, Hash), ParquetError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("ephor".to_owned())
            .set_key_value_metadata(Some(self.about))
            .build();
        let schema = self.columns.schema;
        let mut file = tempfile::tempfile()?;
        let mut writer = ArrowWriter::try_new(file.try_clone()?, schema.clone(), Some(properties))?;
        let mut decoder = ReaderBuilder::new(schema)
            .with_batch_size(PAGE.unsigned_abs() as usize)
            .build_decoder()?;
        let mut count: i64 = 0;
        while let Some(lines) = pages.blocking_recv() {
            for line in &lines {
                if decoder.decode(line.as_bytes())? != line.len() {
                    let fault = "a row is not what the catalog says".to_owned();
                    return Err(ArrowError::JsonError(fault).into());
                }
            }
            if let Some(batch) = decoder.flush()? {
                count += batch.num_rows() as i64;
                writer.write(&batch)?;
            }
            if writer.in_progress_size() > GROUP_BYTES {
                writer.flush()?;
            }
        }
        writer.close()?;
        let (sha256, bytes) = object_file::hash(&mut file)?;
        Ok((file, count, bytes as i64, sha256))
    }
}

/// Reads every row; answers how many there are. Blocks.
pub(super) fn row_count(file: File) -> Result<i64, ParquetError> {
    let mut rows = 0;
    for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.with_batch_size(1024).build()? {
        rows += batch?.num_rows() as i64;
    }
    Ok(rows)
}
