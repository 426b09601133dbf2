//! A month of the trail as a Parquet file.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, BinaryArray, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
    error::ArrowError,
};
use chrono::{DateTime, NaiveDate, Utc};
use ephor_seal::Hash;
use futures::TryStreamExt as _;
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{super::row::Row, Archived, AuditError};
use crate::{Store, object_file};

/// How many rows a batch has.
const BATCH: usize = 8192;

/// A file that was written.
pub(super) struct Written {
    pub(super) file: File,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) sha256: Hash,
    pub(super) content_hash: Hash,
    /// The moment whose state it is.
    pub(super) as_of: DateTime<Utc>,
}

/// What a file was found to hold.
pub(super) struct Found {
    pub(super) rows: u64,
    pub(super) content_hash: Hash,
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let bytes = |name: &str, nullable| Field::new(name, DataType::Binary, nullable);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        text("organization_id", false),
        text("id", false),
        Field::new("created_at", time, false),
        text("actor_type", false),
        text("actor_id", false),
        text("action", false),
        text("entity_type", false),
        text("entity_id", true),
        text("body", true),
        bytes("salt", true),
        bytes("integrity_hash", false),
        text("erased_by", true),
        bytes("body_hash", true),
    ]))
}

/// Writes a month, as of one moment, into a file that nobody else can open.
pub(super) async fn write(store: &Store, month: NaiveDate) -> Result<Written, AuditError> {
    let (sender, receiver) = mpsc::channel::<Archived>(1024);
    let writing = tokio::task::spawn_blocking(move || write_all(receiver));
    let mut tx =
        store.sealer_pool().begin_with("begin isolation level repeatable read read only").await?;
    let as_of = sqlx::query_scalar!(r#"select now() as "now!""#).fetch_one(&mut *tx).await?;
    let mut rows = sqlx::query!(
        "select organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body, salt,
                integrity_hash, erased_by, body_hash
         from audit.audit_logs
         where created_at >= $1::date::timestamp at time zone 'UTC'
           and created_at < ($1::date + interval '1 month') at time zone 'UTC'
         order by organization_id, id",
        month,
    )
    .fetch(&mut *tx);
    while let Some(row) = rows.try_next().await? {
        let archived = Archived {
            organization: row.organization_id,
            integrity_hash: row.integrity_hash,
            row: Row {
                id: row.id,
                created_at: row.created_at,
                actor_type: row.actor_type,
                actor_id: row.actor_id,
                action: row.action,
                entity_type: row.entity_type,
                entity_id: row.entity_id,
                body: row.body,
                salt: row.salt,
                erased_by: row.erased_by,
                body_hash: row.body_hash,
            },
        };
        // Nobody takes it any more when the writer failed, which is told below.
        if sender.send(archived).await.is_err() {
            break;
        }
    }
    drop((rows, sender));
    tx.commit().await?;
    Ok(Written { as_of, ..writing.await?? })
}

fn write_all(mut rows: mpsc::Receiver<Archived>) -> Result<Written, AuditError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("ephor".to_owned())
        .build();
    let mut file = tempfile::tempfile()?;
    let mut writer =
        ArrowWriter::try_new(file.try_clone()?, schema(), Some(properties)).map_err(unwritten)?;
    let (mut content, mut count) = (Sha256::new(), 0);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let row = rows.blocking_recv();
        let ended = row.is_none();
        if let Some(row) = row {
            known_by(&mut content, &row);
            count += 1;
            batch.push(row);
        }
        if batch.len() == BATCH || (ended && !batch.is_empty()) {
            let columns = columns(&batch).map_err(|error| unwritten(error.into()))?;
            writer.write(&columns).map_err(unwritten)?;
            batch.clear();
        }
        if ended {
            break;
        }
    }
    writer.close().map_err(unwritten)?;
    let (sha256, bytes) = object_file::hash(&mut file)?;
    let content_hash = content.finalize().into();
    Ok(Written { file, rows: count, bytes, sha256, content_hash, as_of: DateTime::default() })
}

/// What a row is known by: organization, entry, leaf.
fn known_by(hasher: &mut Sha256, row: &Archived) {
    hasher.update(row.organization.as_bytes());
    hasher.update(row.row.id.as_bytes());
    hasher.update(&row.integrity_hash);
}

fn columns(rows: &[Archived]) -> Result<RecordBatch, ArrowError> {
    let text = |of: &dyn Fn(&Archived) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let micros = rows.iter().map(|row| Some(row.row.created_at.timestamp_micros()));
    RecordBatch::try_new(
        schema(),
        vec![
            text(&|row| Some(row.organization.to_string())),
            text(&|row| Some(row.row.id.to_string())),
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
            text(&|row| Some(row.row.actor_type.clone())),
            text(&|row| Some(row.row.actor_id.to_string())),
            text(&|row| Some(row.row.action.clone())),
            text(&|row| Some(row.row.entity_type.clone())),
            text(&|row| row.row.entity_id.map(|id| id.to_string())),
            text(&|row| row.row.body.clone()),
            Arc::new(rows.iter().map(|row| row.row.salt.as_deref()).collect::<BinaryArray>()),
            Arc::new(
                rows.iter().map(|row| Some(row.integrity_hash.as_slice())).collect::<BinaryArray>(),
            ),
            text(&|row| row.row.erased_by.map(|id| id.to_string())),
            Arc::new(rows.iter().map(|row| row.row.body_hash.as_deref()).collect::<BinaryArray>()),
        ],
    )
}

/// Reads every row, and computes its leaf anew.
pub(super) fn read_back(file: File) -> Result<Found, AuditError> {
    let (mut content, mut rows) = (Sha256::new(), 0);
    each(file, |archived| {
        known_by(&mut content, &archived);
        rows += 1;
        let leaf = archived.row.entry(archived.organization).leaf_hash();
        if leaf.is_none_or(|leaf| leaf[..] != archived.integrity_hash[..]) {
            return Err(AuditError::Archive(format!(
                "entry {} is not as it was sealed",
                archived.row.id
            )));
        }
        Ok(true)
    })?;
    Ok(Found { rows, content_hash: content.finalize().into() })
}

/// Reads row by row, for as long as `take` says so.
pub(super) fn each(
    file: File,
    mut take: impl FnMut(Archived) -> Result<bool, AuditError>,
) -> Result<(), AuditError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(unread)?
        .with_batch_size(BATCH)
        .build()
        .map_err(unread)?;
    for batch in reader {
        let batch = batch.map_err(|error| unread(error.into()))?;
        let columns = Columns::of(&batch)
            .ok_or_else(|| AuditError::Archive("its columns are not an archive's".to_owned()))?;
        for at in 0..batch.num_rows() {
            let row = columns
                .row(at)
                .ok_or_else(|| AuditError::Archive("a row of it can't be read".to_owned()))?;
            if !take(row)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// A batch's columns, by their types.
struct Columns<'a> {
    texts: Vec<&'a StringArray>,
    bytes: Vec<&'a BinaryArray>,
    times: &'a TimestampMicrosecondArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_any().downcast_ref();
        let bytes = |name: &str| batch.column_by_name(name)?.as_any().downcast_ref();
        let texts = [
            "organization_id",
            "id",
            "actor_type",
            "actor_id",
            "action",
            "entity_type",
            "entity_id",
            "body",
            "erased_by",
        ];
        Some(Self {
            texts: texts.into_iter().map(text).collect::<Option<_>>()?,
            bytes: ["salt", "integrity_hash", "body_hash"]
                .into_iter()
                .map(bytes)
                .collect::<Option<_>>()?,
            times: batch.column_by_name("created_at")?.as_any().downcast_ref()?,
        })
    }

    fn row(&self, at: usize) -> Option<Archived> {
        let text = |column: usize| {
            let column = self.texts.get(column)?;
            (!column.is_null(at)).then(|| column.value(at).to_owned())
        };
        let id = |column: usize| text(column)?.parse::<Uuid>().ok();
        let bytes = |column: usize| {
            let column = self.bytes.get(column)?;
            (!column.is_null(at)).then(|| column.value(at).to_vec())
        };
        Some(Archived {
            organization: id(0)?,
            integrity_hash: bytes(1)?,
            row: Row {
                id: id(1)?,
                created_at: DateTime::from_timestamp_micros(self.times.value(at))?,
                actor_type: text(2)?,
                actor_id: id(3)?,
                action: text(4)?,
                entity_type: text(5)?,
                entity_id: id(6),
                body: text(7),
                salt: bytes(0),
                erased_by: id(8),
                body_hash: bytes(2),
            },
        })
    }
}

fn unwritten(error: parquet::errors::ParquetError) -> AuditError {
    AuditError::Archive(format!("it can't be written: {error}"))
}

fn unread(error: parquet::errors::ParquetError) -> AuditError {
    AuditError::Archive(format!("it can't be read: {error}"))
}
