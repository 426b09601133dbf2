//! Archiving a month, and dropping it.

use std::sync::Arc;

use chrono::NaiveDate;
use ephor_kernel::{ArchiveId, OrganizationId, Scope};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};
use serde::Serialize;

use super::{
    Archive, RetentionError,
    archive::check,
    columns::{Columns, columns},
    file, month_list, scope,
};
use crate::{Store, StoreError, object_file};

/// A month that was archived and dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthArchived {
    /// The table, with its schema.
    pub table: String,
    /// The month's first day.
    pub month: NaiveDate,
    /// One for each organization that had rows of it.
    pub archives: Vec<Archive>,
}

impl MonthArchived {
    /// How many rows went.
    pub fn rows(&self) -> i64 {
        self.archives.iter().map(|archive| archive.row_count).sum()
    }

    /// How long the files are, in bytes.
    pub fn bytes(&self) -> i64 {
        self.archives.iter().map(|archive| archive.byte_count).sum()
    }
}

/// Archives and drops every month of a table that is older than the `keep` months before the present
/// one, the oldest first. Another process that is at it leaves nothing to do.
pub async fn archive_due(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    table: &str,
    keep: u32,
    today: NaiveDate,
) -> Result<Vec<MonthArchived>, RetentionError> {
    let mut done = Vec::new();
    for month in month_list(store, table, keep, today).await? {
        done.extend(archive_month(store, objects, table, month).await?);
    }
    Ok(done)
}

/// Archives and drops one month, which must be past; `None` when another process is at the table.
pub async fn archive_month(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    table: &str,
    month: NaiveDate,
) -> Result<Option<MonthArchived>, RetentionError> {
    let mut conn = store.system_pool().acquire().await?.detach();
    let mine = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('ephor archive of ' || $1, 0)) as "mine!""#,
        table,
    )
    .fetch_one(&mut conn)
    .await?;
    if !mine {
        return Ok(None);
    }
    let archives = archive_write(store, objects, table, month).await?;
    object_file::settle().await?;
    drop_month(store, table, month).await?;
    // By name: that a connection is gone, the server notices later than the next month asks. Whatever fails before, the
    // lock goes with the connection.
    sqlx::query_scalar!(
        "select pg_advisory_unlock(hashtextextended('ephor archive of ' || $1, 0))",
        table,
    )
    .fetch_one(&mut conn)
    .await?;
    drop(conn);
    let month = MonthArchived { table: table.to_owned(), month, archives };
    tracing::info!(table, month = %month.month, rows = month.rows(), "a month was archived and dropped");
    Ok(Some(month))
}

/// Rows that an organization has of a month.
struct Tenant {
    organization: OrganizationId,
    rows: i64,
    digest: String,
}

/// Writes a month's archives, reads them back, and records them. Nothing is dropped.
pub async fn archive_write(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    table: &str,
    month: NaiveDate,
) -> Result<Vec<Archive>, RetentionError> {
    let columns = columns(store, table).await?;
    let tenants = sqlx::query_as!(
        Tenant,
        r#"select organization_id as "organization!", row_count as "rows!", row_digest as "digest!"
             from ops.month_tenants($1::text::regclass, $2)"#,
        table,
        month,
    )
    .fetch_all(store.system_pool())
    .await?;
    let mut all = Vec::with_capacity(tenants.len());
    for tenant in tenants {
        let of = Of { store, objects, columns: &columns, table, month };
        all.extend(of.archive(&tenant).await?);
    }
    Ok(all)
}

/// Drops a month, if it is as its archives have it.
async fn drop_month(store: &Store, table: &str, month: NaiveDate) -> Result<(), RetentionError> {
    let mut tx = store.begin_system(&scope(OrganizationId::PLATFORM)).await?;
    let dropped =
        sqlx::query_scalar!("select kernel.drop_month($1::text::regclass, $2)", table, month)
            .fetch_one(tx.conn())
            .await
            .map_err(StoreError::from);
    match dropped {
        Ok(_) => Ok(tx.commit().await?),
        Err(StoreError::Database(sqlx::Error::Database(refusal)))
            if refusal.code().as_deref() == Some("55000") =>
        {
            Err(RetentionError::Changed(refusal.message().to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// What is archived.
struct Of<'a> {
    store: &'a Store,
    objects: &'a Arc<dyn ObjectStore>,
    columns: &'a Columns,
    table: &'a str,
    month: NaiveDate,
}

impl Of<'_> {
    /// Archives an organization's rows; `None` when there are none any more.
    async fn archive(&self, tenant: &Tenant) -> Result<Option<Archive>, RetentionError> {
        let scope = scope(tenant.organization);
        let (found, part) = self.found(&scope).await?;
        // One that was written before a run was killed will do, if it is whole and still all there is.
        if let Some(archive) = &found
            && (archive.row_count, &archive.row_digest) == (tenant.rows, &tenant.digest)
            && check(self.objects, archive).await.is_ok()
        {
            return Ok(found);
        }
        let written = file::write(self.store, &scope, self.table, self.month, self.columns).await?;
        let suffix = if part > 1 { format!("-{part}") } else { String::new() };
        let (month, organization) = (self.month.format("%Y-%m"), tenant.organization);
        let object = format!("archive/{}/{month}/{organization}{suffix}.parquet", self.table);
        if written.rows == 0 {
            // What was deleted here must not live on there.
            match self.objects.delete(&Path::from(object.as_str())).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(RetentionError::archive(&object, error)),
            }
            self.record(&scope, None).await?;
            return Ok(None);
        }
        object_file::upload(self.objects, &object, written.file)
            .await
            .map_err(|error| RetentionError::archive(&object, error))?;
        let archive = Archive {
            id: ArchiveId::new(),
            organization,
            table: self.table.to_owned(),
            month: self.month,
            part,
            object,
            sha256: hex::encode(written.sha256),
            byte_count: written.bytes,
            row_count: written.rows,
            row_digest: written.digest,
            dropped_at: None,
        };
        check(self.objects, &archive).await?;
        self.record(&scope, Some(&archive)).await?;
        Ok(Some(archive))
    }

    /// The archive that was written and not yet followed by dropping, and the number of the next one.
    async fn found(&self, scope: &Scope) -> Result<(Option<Archive>, i32), RetentionError> {
        let mut tx = self.store.begin_system(scope).await?;
        let all = sqlx::query_as!(
            Archive,
            r#"select id, organization_id as "organization", source_table as "table", month, part, object, sha256,
                      byte_count, row_count, row_digest, dropped_at
                 from ops.archives where organization_id = $1 and source_table = $2 and month = $3
                order by part"#,
            scope.organization().uuid(),
            self.table,
            self.month,
        )
        .fetch_all(tx.conn())
        .await?;
        tx.commit().await?;
        let (dropped, kept): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|archive| archive.dropped_at.is_some());
        let part = dropped.last().map_or(1, |last| last.part + 1);
        Ok((kept.into_iter().next(), part))
    }

    /// Records an archive in place of one that was not followed by dropping.
    async fn record(&self, scope: &Scope, archive: Option<&Archive>) -> Result<(), RetentionError> {
        let mut tx = self.store.begin_system(scope).await?;
        let organization = scope.organization().uuid();
        sqlx::query!(
            "delete from ops.archives
              where organization_id = $1 and source_table = $2 and month = $3 and dropped_at is null",
            organization,
            self.table,
            self.month,
        )
        .execute(tx.conn())
        .await?;
        if let Some(archive) = archive {
            sqlx::query!(
                "insert into ops.archives (organization_id, id, source_table, month, part, object, sha256, byte_count,
                     row_count, row_digest, left_out)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                organization,
                archive.id.uuid(),
                archive.table,
                archive.month,
                archive.part,
                archive.object,
                archive.sha256,
                archive.byte_count,
                archive.row_count,
                archive.row_digest,
                &self.columns.left_out[..],
            )
            .execute(tx.conn())
            .await?;
        }
        Ok(tx.commit().await?)
    }
}
