//! Archives that there are: found, held against what was recorded of them, and handed out.

use std::{io, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use ephor_kernel::{ArchiveId, OrganizationId};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{RetentionError, file};
use crate::{OrgTx, Store, StoreError, audit, object_file};

/// A month of an organization's rows of one table, in the object store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// Its id.
    pub id: ArchiveId,
    /// Whose rows.
    pub organization: OrganizationId,
    /// The table, with its schema.
    pub table: String,
    /// The month's first day.
    pub month: NaiveDate,
    /// 1, and more for rows that came after the month had been archived.
    pub part: i32,
    /// Its path in the object store.
    pub object: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// How long the file is, in bytes.
    pub byte_count: i64,
    /// How many rows it holds.
    pub row_count: i64,
    /// The sum of a number for each row, by which a change after writing is noticed.
    #[serde(skip)]
    pub(super) row_digest: String,
    /// When the rows were dropped from the database; `None` while they are still there.
    pub dropped_at: Option<DateTime<Utc>>,
}

impl Archive {
    /// What the file is called where it is taken to.
    pub fn file_name(&self) -> String {
        let part = if self.part > 1 { format!("-{}", self.part) } else { String::new() };
        format!("{}-{}{part}.parquet", self.table, self.month.format("%Y-%m"))
    }

    /// The word of the permission to read the table's rows.
    pub fn permission_word(&self) -> &str {
        self.table.rsplit('.').next().unwrap_or_default()
    }
}

/// One archive of the transaction's organization.
pub async fn archive_get(tx: &mut OrgTx, id: ArchiveId) -> Result<Option<Archive>, StoreError> {
    let organization = tx.organization();
    let row = sqlx::query_as!(
        Archive,
        r#"select id, organization_id as "organization", source_table as "table", month, part, object, sha256,
                  byte_count, row_count, row_digest, dropped_at
             from ops.archives where organization_id = $1 and id = $2"#,
        organization.uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row)
}

/// The archives of the transaction's organization, the newest months first; a thousand at most.
pub async fn archive_mine(tx: &mut OrgTx) -> Result<Vec<Archive>, StoreError> {
    let organization = tx.organization();
    let rows = sqlx::query_as!(
        Archive,
        r#"select id, organization_id as "organization", source_table as "table", month, part, object, sha256,
                  byte_count, row_count, row_digest, dropped_at
             from ops.archives where organization_id = $1
            order by month desc, source_table, part limit 1000"#,
        organization.uuid(),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

/// The archives of all organizations, the newest months first.
pub async fn archive_list(store: &Store, limit: i32) -> Result<Vec<Archive>, StoreError> {
    let rows = sqlx::query_as!(
        Archive,
        r#"select id as "id!", organization_id as "organization!", source_table as "table!", month as "month!",
                  part as "part!", object as "object!", sha256 as "sha256!", byte_count as "byte_count!",
                  row_count as "row_count!", row_digest as "row_digest!", dropped_at
             from ops.archives_list($1)"#,
        limit,
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(rows)
}

/// Reads every archive back; tells what is wrong with each that is damaged.
pub async fn archive_check(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
) -> Result<Vec<(Archive, Option<String>)>, RetentionError> {
    let mut all = Vec::new();
    for archive in archive_list(store, i32::MAX).await? {
        let fault = match check(objects, &archive).await {
            Ok(()) => None,
            Err(RetentionError::Archive { fault, .. }) => Some(fault),
            Err(error) => return Err(error),
        };
        all.push((archive, fault));
    }
    Ok(all)
}

/// Reads an archive back: its bytes and its number of rows are as recorded.
pub(super) async fn check(
    objects: &Arc<dyn ObjectStore>,
    archive: &Archive,
) -> Result<(), RetentionError> {
    let damaged = |fault: String| RetentionError::archive(&archive.object, fault);
    let (file, sha256) = object_file::fetch(objects, &archive.object)
        .await
        .map_err(|error| damaged(format!("it can't be read: {error}")))?;
    if hex::encode(sha256) != archive.sha256 {
        return Err(damaged("its bytes are not those that were archived".to_owned()));
    }
    let rows = tokio::task::spawn_blocking(move || file::row_count(file))
        .await?
        .map_err(|error| damaged(format!("it can't be read: {error}")))?;
    if rows != archive.row_count {
        return Err(damaged(format!("it holds {rows} rows, not {}", archive.row_count)));
    }
    Ok(())
}

/// The bytes of an archive; that they were asked for is recorded in the transaction, which is
/// committed before the object store is asked. The last piece is held back until all that came
/// before it is known to be what was archived: a damaged file breaks off.
pub async fn archive_contents(
    mut tx: OrgTx,
    objects: &Arc<dyn ObjectStore>,
    archive: &Archive,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, RetentionError> {
    let details =
        json!({ "table": archive.table, "month": archive.month.format("%Y-%m").to_string() });
    audit::record(&mut tx, "archive_download", "ops.archives", Some(archive.id.uuid()), &details)
        .await?;
    tx.commit().await?;
    let found =
        objects.get(&Path::from(archive.object.as_str())).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => RetentionError::Gone(archive.object.clone()),
            error => RetentionError::archive(&archive.object, error),
        })?;
    let pieces = found.into_stream().map_err(io::Error::from).boxed().fuse();
    let (object, wanted) = (archive.object.clone(), archive.sha256.clone());
    let reading = (pieces, Sha256::new(), None::<Bytes>);
    Ok(stream::try_unfold(reading, move |(mut pieces, mut hasher, mut held)| {
        let (object, wanted) = (object.clone(), wanted.clone());
        async move {
            while let Some(piece) = pieces.try_next().await? {
                hasher.update(&piece);
                if let Some(ready) = held.replace(piece) {
                    return Ok(Some((ready, (pieces, hasher, held))));
                }
            }
            let Some(last) = held.take() else { return Ok(None) };
            if hex::encode(hasher.clone().finalize()) != wanted {
                tracing::error!(
                    object,
                    "an archive is damaged; `ephor db archive --check` tells of all"
                );
                return Err(io::Error::other("the archive is damaged"));
            }
            Ok(Some((last, (pieces, hasher, None))))
        }
    }))
}
