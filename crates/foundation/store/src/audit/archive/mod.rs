//! Retention that archives: a past month of the trail becomes a Parquet file in the object store,
//! which is read back before the month is dropped. Tiles, bundles and checkpoints stay, so that the
//! trail still verifies, and an archived entry can still be proven.
//!
//! Each step can be repeated: killed anywhere, the next run goes on, and what was not yet dropped is
//! in the database.

mod file;
mod find;

use std::sync::Arc;

use chrono::NaiveDate;
use ephor_kernel::OrganizationId;
use ephor_seal::KeyRing;
use object_store::ObjectStore;
use serde::Serialize;

use super::{AuditError, row::Row, verify};
use crate::{
    Store, object_file,
    retention::{MonthPlan, is_due},
};
pub use find::archived_receipt;

/// An archived entry: whose it is, its leaf as the trail has it, and the rest.
#[derive(Debug)]
struct Archived {
    organization: uuid::Uuid,
    integrity_hash: Vec<u8>,
    row: Row,
}

/// A month that was archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Archive {
    /// Its first day.
    pub month: NaiveDate,
    /// The archive's path in the object store.
    pub object: String,
    /// How many entries it holds.
    pub row_count: i64,
    /// How long it is, in bytes.
    pub byte_count: i64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// The SHA-256 of what its rows are known by, in hexadecimal.
    pub content_hash: String,
    /// Was the month dropped from the database?
    pub dropped: bool,
}

/// Archives and drops every month of the trail that is older than the `keep` months before the
/// present one, the oldest first. Refuses, and drops nothing, when the trail of a month's
/// organization does not verify. Another process that is at it leaves nothing to do.
pub async fn archive_due(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    keys: &KeyRing,
    keep: u32,
    today: NaiveDate,
) -> Result<Vec<Archive>, AuditError> {
    let mut conn = store.sealer_pool().acquire().await?.detach();
    let mine = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('ephor audit archive', 0)) as "mine!""#
    )
    .fetch_one(&mut conn)
    .await?;
    let mut done = Vec::new();
    if mine {
        let months =
            sqlx::query_scalar!(r#"select month as "month!" from audit.months() order by 1"#)
                .fetch_all(store.sealer_pool())
                .await?;
        for month in months.into_iter().filter(|month| is_due(*month, keep, today)) {
            done.push(archive_month(store, objects, keys, month).await?);
        }
    }
    // The lock goes with the connection.
    drop(conn);
    Ok(done)
}

/// The months that [`archive_due`] would archive, and how much they hold; changes nothing.
pub async fn archive_plan(
    store: &Store,
    keep: u32,
    today: NaiveDate,
) -> Result<Vec<MonthPlan>, AuditError> {
    let rows = sqlx::query!(
        r#"select m.month as "month!", count(distinct l.organization_id) as "organizations!", count(l.id) as "rows!"
             from audit.months() m
             left join audit.audit_logs l on l.created_at >= m.month::timestamp at time zone 'UTC'
                  and l.created_at < (m.month + interval '1 month') at time zone 'UTC'
            group by m.month order by m.month"#
    )
    .fetch_all(store.sealer_pool())
    .await?;
    Ok(rows
        .into_iter()
        .filter(|row| is_due(row.month, keep, today))
        .map(|row| MonthPlan {
            table: TRAIL.to_owned(),
            month: row.month,
            organizations: row.organizations,
            rows: row.rows,
        })
        .collect())
}

/// The table of the trail.
const TRAIL: &str = "audit.audit_logs";

/// Archives and drops one month.
async fn archive_month(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    keys: &KeyRing,
    month: NaiveDate,
) -> Result<Archive, AuditError> {
    // One that was written before a run was killed will do, if it is whole and still all there is.
    let found = archive_list(store).await?.into_iter().find(|archive| archive.month == month);
    let archive = match found {
        Some(archive)
            if check(objects, &archive).await.is_ok() && is_current(store, &archive).await? =>
        {
            archive
        }
        _ => archive_write(store, objects, keys, month).await?,
    };
    object_file::settle().await?;
    sqlx::query_scalar!("select audit.month_drop($1)", month)
        .fetch_one(store.sealer_pool())
        .await?;
    tracing::info!(month = %month, entries = archive.row_count, object = archive.object, "a month of the audit trail was archived and dropped");
    Ok(Archive { dropped: true, ..archive })
}

/// Is an archive what the database still holds of its month? An erasure may have come in between.
async fn is_current(store: &Store, archive: &Archive) -> Result<bool, AuditError> {
    let erased_since = sqlx::query_scalar!(
        r#"select exists (
               select from audit.audit_logs l
               join audit.audit_logs e on e.organization_id = l.organization_id and e.id = l.erased_by
               join audit.archives a on a.month = $1
               where l.created_at >= $1::date::timestamp at time zone 'UTC'
                 and l.created_at < ($1::date + interval '1 month') at time zone 'UTC'
                 and e.created_at >= a.archived_at) as "is!""#,
        archive.month,
    )
    .fetch_one(store.sealer_pool())
    .await?;
    Ok(!erased_since)
}

/// Writes a month's archive, reads it back, and records it. Nothing is dropped.
pub async fn archive_write(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    keys: &KeyRing,
    month: NaiveDate,
) -> Result<Archive, AuditError> {
    let organizations = sqlx::query_scalar!(
        r#"select distinct l.organization_id as "id!" from audit.audit_logs l
           where l.created_at >= $1::date::timestamp at time zone 'UTC'
             and l.created_at < ($1::date + interval '1 month') at time zone 'UTC'"#,
        month,
    )
    .fetch_all(store.sealer_pool())
    .await?;
    for organization in organizations {
        let said = verify(store, OrganizationId::from(organization), keys).await?;
        if !said.verified() {
            return Err(AuditError::Archive(format!(
                "{}: the trail of organization {organization} does not verify; run `ephor audit verify`",
                month.format("%Y-%m")
            )));
        }
    }
    let written = file::write(store, month).await?;
    let object = format!("archive/audit_logs/{}.parquet", month.format("%Y-%m"));
    object_file::upload(objects, &object, written.file).await?;
    let archive = Archive {
        month,
        object,
        row_count: written.rows as i64,
        byte_count: written.bytes as i64,
        sha256: hex::encode(written.sha256),
        content_hash: hex::encode(written.content_hash),
        dropped: false,
    };
    check(objects, &archive).await?;
    let mut tx = store.sealer_pool().begin().await?;
    sqlx::query!("delete from audit.archives where month = $1", month).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into audit.archives (month, object, sha256, content_hash, byte_count, row_count, archived_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        month,
        archive.object,
        &written.sha256[..],
        &written.content_hash[..],
        archive.byte_count,
        archive.row_count,
        written.as_of,
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(archive)
}

/// A month's archive, in a file of this process's own, once its bytes are those that were recorded.
async fn fetch(
    objects: &Arc<dyn ObjectStore>,
    archive: &Archive,
) -> Result<std::fs::File, AuditError> {
    let damaged = |what: String| AuditError::Archive(format!("{}: {what}", archive.object));
    let (file, sha256) = object_file::fetch(objects, &archive.object)
        .await
        .map_err(|error| damaged(format!("it can't be read: {error}")))?;
    if hex::encode(sha256) != archive.sha256 {
        return Err(damaged("its bytes are not those that were archived".to_owned()));
    }
    Ok(file)
}

/// Reads an archive back: its bytes, its number of rows, and each row's leaf are as recorded.
async fn check(objects: &Arc<dyn ObjectStore>, archive: &Archive) -> Result<(), AuditError> {
    let file = fetch(objects, archive).await?;
    let read = tokio::task::spawn_blocking(move || file::read_back(file)).await??;
    if read.rows as i64 != archive.row_count
        || hex::encode(read.content_hash) != archive.content_hash
    {
        return Err(AuditError::Archive(format!(
            "{}: its rows are not those that were archived",
            archive.object
        )));
    }
    Ok(())
}

/// The months that were archived, the oldest first.
pub async fn archive_list(store: &Store) -> Result<Vec<Archive>, AuditError> {
    let rows = sqlx::query!(
        "select month, object, row_count, byte_count, sha256, content_hash, dropped_at
         from audit.archives order by month"
    )
    .fetch_all(store.sealer_pool())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Archive {
            month: row.month,
            object: row.object,
            row_count: row.row_count,
            byte_count: row.byte_count,
            sha256: hex::encode(row.sha256),
            content_hash: hex::encode(row.content_hash),
            dropped: row.dropped_at.is_some(),
        })
        .collect())
}

/// Reads every archive back; gives what is wrong with each that is damaged.
pub async fn archive_check(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
) -> Result<Vec<(Archive, Option<String>)>, AuditError> {
    let mut all = Vec::new();
    for archive in archive_list(store).await? {
        let fault = match check(objects, &archive).await {
            Ok(()) => None,
            Err(AuditError::Archive(fault)) => Some(fault),
            Err(error) => return Err(error),
        };
        all.push((archive, fault));
    }
    Ok(all)
}
