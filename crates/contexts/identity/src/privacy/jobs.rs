//! The jobs: making the archive, and erasing.

use std::sync::Arc;

use async_trait::async_trait;
use ephor_kernel::{PermissionSet, Principal, RequestContext, Scope, UserId};
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use uuid::Uuid;

use super::archive::{Archive, Row};

pub(super) const EXPORT: &str = "identity.data_export";
pub(super) const ERASURE: &str = "identity.erasure";

/// How long a piece of an archive is, in bytes.
const PIECE: usize = 1 << 20;

/// Whom a job is about.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) user: UserId,
}

/// What does identity's background work.
pub(crate) fn handlers() -> Vec<Arc<dyn JobHandler>> {
    vec![Arc::new(Exporter), Arc::new(Eraser)]
}

/// The scope of a job that acts for a person, with no word on where they were when they asked.
fn acting_for(job: &JobContext) -> Result<Scope, JobFailure> {
    let Person { user } = job.payload()?;
    Ok(Scope::new(
        Principal::User(user),
        job.scope().organization(),
        PermissionSet::default(),
        RequestContext::default(),
    ))
}

struct Exporter;

#[async_trait]
impl JobHandler for Exporter {
    fn kind(&self) -> &'static str {
        EXPORT
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let (scope, export) = (acting_for(&job)?, subject(&job)?);
        job.progress(0.1, "reading every table").await;
        let (file, rows) = collect(&job, &scope).await?;
        job.progress(0.8, "keeping the archive").await;
        keep(&job, &scope, export, file, rows).await
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        let (scope, export) = (acting_for(&job)?, subject(&job)?);
        let fault: String = reason.chars().take(1000).collect();
        let mut tx = job.store().begin_system(&scope).await?;
        sqlx::query!(
            "update identity.data_exports set state = 'failed', fault = $3, completed_at = now()
             where user_id = $1 and id = $2 and state = 'pending'",
            scope.principal().uuid(),
            export,
            fault,
        )
        .execute(tx.conn())
        .await?;
        Ok(tx.commit().await?)
    }
}

fn subject(job: &JobContext) -> Result<Uuid, JobFailure> {
    job.subject().ok_or_else(|| JobFailure::fatal("the job names no archive"))
}

/// Writes everything that is held into a file that nobody else can open; answers how many rows.
async fn collect(job: &JobContext, scope: &Scope) -> Result<(std::fs::File, u64), JobFailure> {
    let mut tx = job.store().begin_system(scope).await?;
    let about = sqlx::query!(
        r#"select name as "name!", coalesce(obj_description(place), '') as "about!" from identity.user_columns()"#
    )
    .fetch_all(tx.conn())
    .await?;
    let about = about.into_iter().map(|table| (table.name, table.about)).collect();
    let (sender, receiver) = tokio::sync::mpsc::channel(256);
    let writing = tokio::task::spawn_blocking(move || Archive::write(receiver, &about));
    let mut held =
        sqlx::query!(r#"select place as "place!", data as "data!" from identity.held()"#)
            .fetch(tx.conn());
    while let Some(row) = held.try_next().await? {
        // Nobody takes it any more when the writer failed, which is told below.
        if sender.send(Row { place: row.place, data: row.data }).await.is_err() {
            break;
        }
    }
    drop((held, sender));
    tx.commit().await?;
    let written = writing.await.map_err(|error| JobFailure::retry(error.to_string()))?;
    written.map_err(|error| JobFailure::retry(format!("The archive can't be written: {error}")))
}

async fn keep(
    job: &JobContext,
    scope: &Scope,
    export: Uuid,
    file: std::fs::File,
    rows: u64,
) -> Result<(), JobFailure> {
    let unread = |error: std::io::Error| JobFailure::retry(format!("The archive: {error}"));
    let user = scope.principal().uuid();
    let mut file = tokio::fs::File::from_std(file);
    file.rewind().await.map_err(unread)?;
    let mut tx = job.store().begin_system(scope).await?;
    // Of an attempt that died before it was done.
    sqlx::query!(
        "delete from identity.data_export_parts where user_id = $1 and export_id = $2",
        user,
        export,
    )
    .execute(tx.conn())
    .await?;
    let (mut hasher, mut length, mut number) = (Sha256::new(), 0_i64, 0_i32);
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        (&mut file).take(PIECE as u64).read_to_end(&mut piece).await.map_err(unread)?;
        if piece.is_empty() {
            break;
        }
        hasher.update(&piece);
        length += piece.len() as i64;
        sqlx::query!(
            "insert into identity.data_export_parts (export_id, user_id, number, content) values ($1, $2, $3, $4)",
            export,
            user,
            number,
            piece,
        )
        .execute(tx.conn())
        .await?;
        number += 1;
    }
    let ready = sqlx::query!(
        "update identity.data_exports
         set state = 'ready', row_count = $3, byte_count = $4, sha256 = $5, completed_at = now()
         where user_id = $1 and id = $2 and state = 'pending'",
        user,
        export,
        rows as i64,
        length,
        &hasher.finalize()[..],
    )
    .execute(tx.conn())
    .await?;
    if ready.rows_affected() == 0 {
        // Another was asked for meanwhile, or the person is gone: it is nobody's.
        return Ok(());
    }
    Ok(tx.commit().await?)
}

struct Eraser;

#[async_trait]
impl JobHandler for Eraser {
    fn kind(&self) -> &'static str {
        ERASURE
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let scope = acting_for(&job)?;
        let mut tx = job.store().begin_system(&scope).await?;
        let erased = sqlx::query!(
            r#"select entries as "entries!", organizations as "organizations!" from identity.erase_actor()"#
        )
        .fetch_one(tx.conn())
        .await?;
        let gone = sqlx::query_scalar!(
            r#"select deleted_at is not null as "gone!" from identity.users where id = $1"#,
            scope.principal().uuid(),
        )
        .fetch_one(tx.conn())
        .await?;
        if !gone {
            return Err(JobFailure::fatal(
                "the account is in use again: disable it (`ephor admin user disable`), then try again",
            ));
        }
        sqlx::query!(
            "update identity.erasures set state = 'done', fault = null, ended_at = now()
             where user_id = $1 and state <> 'done'",
            scope.principal().uuid(),
        )
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        tracing::info!(
            entries = erased.entries,
            organizations = erased.organizations,
            "a person was erased"
        );
        Ok(())
    }

    async fn failed(&self, job: JobContext, reason: &str) -> Result<(), JobFailure> {
        tracing::error!(
            job = %job.id(),
            reason,
            "a person asked to be erased: the account is closed, but what it held is not erased; see `ephor admin erasure list`"
        );
        let scope = acting_for(&job)?;
        let fault: String = reason.chars().take(1000).collect();
        let mut tx = job.store().begin_system(&scope).await?;
        sqlx::query!(
            "update identity.erasures set state = 'failed', fault = $2, ended_at = now()
             where user_id = $1 and state = 'pending'",
            scope.principal().uuid(),
            fault,
        )
        .execute(tx.conn())
        .await?;
        Ok(tx.commit().await?)
    }
}
