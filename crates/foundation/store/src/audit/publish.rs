//! Publishing: the instance log's newest checkpoint is handed to somebody outside, who thereby can
//! tell whether the log was ever set back. Beside the sealer, which never waits for it.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use serde::Serialize;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{AuditError, INSTANCE_LOG};
use crate::{
    Store,
    health::{Health, health_record},
};

/// Hands a signed note to its destination; the text of a failure is for the operator.
pub type Deliver = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// How often checkpoints are published.
#[derive(Debug, Clone)]
pub struct PublishConfig {
    /// How often to look for a new checkpoint.
    pub poll: Duration,
    /// How often to publish, at most.
    pub interval: Duration,
    /// How long to wait after the first failure; doubled with each that follows.
    pub retry: Duration,
    /// The longest wait after failures.
    pub longest_retry: Duration,
}

impl Default for PublishConfig {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            interval: Duration::from_mins(1),
            retry: Duration::from_secs(5),
            longest_retry: Duration::from_mins(10),
        }
    }
}

/// Publishes while it is held; dropped, it stops.
#[derive(Debug)]
pub struct Publisher {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Starts publishing to a destination of that name. One process of an installation does it at a
    /// time.
    pub fn start(
        store: &Store,
        destination: impl Into<String>,
        deliver: Deliver,
        config: PublishConfig,
    ) -> Self {
        let stop = CancellationToken::new();
        let work = Work { store: store.clone(), destination: destination.into(), deliver, config };
        let told = stop.clone();
        let task = tokio::spawn(async move {
            while told.run_until_cancelled(work.run()).await.is_some() {
                if told.run_until_cancelled(tokio::time::sleep(work.config.poll)).await.is_none() {
                    break;
                }
            }
        });
        Self { stop, task }
    }

    /// Stops, and breaks off what is under way: it is published by the next one.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "publishing checkpoints died");
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Work {
    store: Store,
    destination: String,
    deliver: Deliver,
    config: PublishConfig,
}

impl Work {
    async fn run(&self) {
        if let Err(error) = self.lead().await {
            tracing::warn!(%error, "publishing checkpoints lost the database and will try again");
        }
    }

    /// Publishes for as long as this connection holds the lock.
    async fn lead(&self) -> Result<(), AuditError> {
        let mut conn = self.store.sealer_pool().acquire().await?.detach();
        let mine = sqlx::query_scalar!(
            r#"select pg_try_advisory_lock(hashtextextended('ephor checkpoint publisher', 0)) as "mine!""#
        )
        .fetch_one(&mut conn)
        .await?;
        if !mine {
            conn.close().await?;
            return Ok(());
        }
        let mut failures = 0;
        let silence = Some(3 * self.config.interval.max(self.config.longest_retry));
        loop {
            // How it goes is recorded after each try.
            self.store.pulse().alive("checkpoint publishing", silence);
            let wait = match newest(&mut conn, &self.destination).await? {
                None => self.config.poll,
                Some((size, note)) => {
                    // Between statements: no transaction waits for the destination.
                    let told = (self.deliver)(note).await;
                    self.record(&mut conn, size, told.as_ref().err()).await?;
                    match told {
                        Ok(()) => {
                            failures = 0;
                            self.config.interval
                        }
                        Err(fault) => {
                            tracing::warn!(fault, size, "the checkpoint was not published");
                            failures += 1;
                            let doubled = self.config.retry * 2_u32.saturating_pow(failures - 1);
                            doubled.min(self.config.longest_retry)
                        }
                    }
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn record(
        &self,
        conn: &mut PgConnection,
        size: u64,
        fault: Option<&String>,
    ) -> Result<(), AuditError> {
        let fault = fault.map(|text| text.chars().take(1000).collect::<String>());
        sqlx::query!(
            "insert into audit.publications as p (destination, published_size, published_at, attempted_at, attempts, fault)
             values ($1, case when $3::text is null then $2::bigint end, case when $3::text is null then now() end, now(),
                     case when $3::text is null then 0 else 1 end, $3)
             on conflict (destination) do update
             set published_size = coalesce(excluded.published_size, p.published_size),
                 published_at = coalesce(excluded.published_at, p.published_at),
                 attempted_at = excluded.attempted_at, fault = excluded.fault,
                 attempts = case when excluded.fault is null then 0 else p.attempts + 1 end",
            self.destination,
            size as i64,
            fault.as_deref(),
        )
        .execute(conn)
        .await?;
        // Only when it becomes better or worse: it leaves a trail, which is sealed, which is published.
        let health = if fault.is_none() { Health::Healthy } else { Health::Degraded };
        let details = serde_json::json!({ "destination": self.destination, "fault": fault });
        let mut system = self.store.system_pool().acquire().await?;
        health_record(&mut system, "checkpoint publishing", health, details).await?;
        Ok(())
    }
}

/// The instance log's newest checkpoint, unless it was published there already.
async fn newest(
    conn: &mut PgConnection,
    destination: &str,
) -> Result<Option<(u64, String)>, AuditError> {
    let row = sqlx::query!(
        "select c.last_sequence_number, c.note from audit.audit_checkpoints c
         where c.organization_id = $1
           and c.last_sequence_number > coalesce((select p.published_size from audit.publications p where p.destination = $2), 0)
         order by c.last_sequence_number desc limit 1",
        INSTANCE_LOG,
        destination,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.last_sequence_number as u64, row.note)))
}

/// How far checkpoints were published to a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Publication {
    /// Where to.
    pub destination: String,
    /// The size of the newest checkpoint that was taken there.
    pub published_size: Option<i64>,
    /// When that was.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub attempted_at: DateTime<Utc>,
    /// How often it was tried in vain since.
    pub attempts: i32,
    /// Why it failed.
    pub fault: Option<String>,
}

/// How far checkpoints were published, by destination.
pub async fn publication_list(store: &Store) -> Result<Vec<Publication>, AuditError> {
    let rows = sqlx::query_as!(
        Publication,
        "select destination, published_size, published_at, attempted_at, attempts, fault
         from audit.publications order by destination"
    )
    .fetch_all(store.sealer_pool())
    .await?;
    Ok(rows)
}
