//! A transaction within one organization: the only way to a tenant's rows.

use std::sync::Arc;

use ephor_kernel::{DomainEvent, JobId, OrganizationId, Scope};
use sqlx::{Executor, PgConnection, Postgres, Transaction};
use tokio::sync::Notify;

use crate::{
    StoreError,
    jobs::{self, NewJob},
    outbox,
};

/// A transaction that row-level security confines to a scope. Dropped without [`OrgTx::commit`], it
/// is rolled back.
pub struct OrgTx {
    tx: Transaction<'static, Postgres>,
    scope: Scope,
    nudge: Arc<Notify>,
    has_news: bool,
}

impl OrgTx {
    pub(crate) fn new(
        tx: Transaction<'static, Postgres>,
        scope: &Scope,
        nudge: Arc<Notify>,
    ) -> Self {
        Self { tx, scope: scope.clone(), nudge, has_news: false }
    }

    /// The connection, to run statements on. Each names the organization itself too:
    /// `where organization_id = $1`.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// The organization that the transaction is confined to.
    pub fn organization(&self) -> OrganizationId {
        self.scope.organization()
    }

    /// On whose behalf it runs.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Says what happened, to those whom it concerns, once the transaction is committed.
    pub async fn emit(&mut self, event: &DomainEvent) -> Result<(), StoreError> {
        self.has_news = true;
        outbox::event_append(self, event).await
    }

    /// Creates a job, which begins once the transaction is committed.
    pub async fn enqueue(&mut self, job: NewJob) -> Result<JobId, StoreError> {
        self.enqueue_patiently(job, jobs::ATTEMPTS).await
    }

    /// Creates a job that is tried so often at most, for what others may keep from being done for
    /// long: the waits between the tries double, up to five minutes.
    pub async fn enqueue_patiently(
        &mut self,
        job: NewJob,
        attempts: i32,
    ) -> Result<JobId, StoreError> {
        self.has_news = true;
        jobs::job_create(self, job, attempts).await
    }

    /// The relay is to look as soon as this is committed.
    pub(crate) fn has_news(&mut self) {
        self.has_news = true;
    }

    /// Makes it lasting.
    ///
    /// # Errors
    /// Also when a statement had failed before and its error was not heeded: PostgreSQL would roll back
    /// at `COMMIT` and call that a success.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { mut tx, scope: _, nudge, has_news } = self;
        tx.execute("select").await?;
        tx.commit().await?;
        if has_news {
            nudge.notify_one();
        }
        Ok(())
    }
}
