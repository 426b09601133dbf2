//! How the parts of Ephor are: one record for each, of the whole installation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{OrgTx, Store, StoreError};

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Healthy,
    /// It works, but something went wrong.
    Degraded,
    /// It does not work.
    Unhealthy,
}

impl Health {
    /// The word that PostgreSQL stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What is known of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthRecord {
    /// The part, such as `relay`.
    #[serde(rename = "service_name")]
    pub service: String,
    /// healthy, degraded or unhealthy, as which a part counts that is silent.
    pub status: String,
    /// It gave no sign of life for longer than it should.
    pub silent: bool,
    /// What is known beyond that.
    #[serde(rename = "health_data")]
    pub details: serde_json::Value,
    /// When it was looked at last: its last sign of life.
    #[serde(rename = "last_check")]
    pub checked_at: DateTime<Utc>,
    /// When it was found to have become what it is.
    pub changed_at: DateTime<Utc>,
}

/// Records how a part is, if that is news: a part that stays as it is costs nothing and leaves no trail.
pub(crate) async fn health_record(
    connection: &mut PgConnection,
    service: &str,
    health: Health,
    details: serde_json::Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into ops.system_health as known (service_name, status, health_data) values ($1, $2, $3)
         on conflict (service_name) do update
            set status = excluded.status, health_data = excluded.health_data, last_check = now()
          where known.status <> excluded.status",
        service,
        health.as_str(),
        details,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// How far an organization's own background work is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrganizationHealth {
    /// Jobs that wait.
    pub queued: i64,
    /// Jobs that are being done.
    pub running: i64,
    /// Jobs that failed within the last day.
    pub failed: i64,
    /// For how many seconds the job waits that waits longest and is due.
    pub waiting_seconds: Option<f64>,
    /// Messages of the outbox that have yet to be handed over.
    pub outbox: i64,
    /// For how many seconds the oldest of them waits.
    pub outbox_seconds: Option<f64>,
}

/// How far the background work of the transaction's organization is.
pub async fn organization_health(tx: &mut OrgTx) -> Result<OrganizationHealth, StoreError> {
    let health = sqlx::query_as!(
        OrganizationHealth,
        r#"select j.queued as "queued!", j.running as "running!", j.failed as "failed!", j.waiting_seconds,
                  o.waiting as "outbox!", o.seconds as outbox_seconds
             from (select count(*) filter (where state = 'queued') as queued,
                          count(*) filter (where state = 'running') as running,
                          count(*) filter (where state = 'failed' and finished_at > now() - interval '1 day') as failed,
                          extract(epoch from now() - min(greatest(created_at, run_after))
                              filter (where state = 'queued' and run_after <= now()))::double precision as waiting_seconds
                     from ops.jobs where organization_id = $1) as j
            cross join (
                   select count(*) as waiting, extract(epoch from now() - min(created_at))::double precision as seconds
                     from ops.outbox where organization_id = $1 and handed_at is null) as o"#,
        tx.organization().uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(health)
}

/// How every part is, by name: as it told by its last sign of life, or silent.
pub async fn health_list(store: &Store) -> Result<Vec<HealthRecord>, StoreError> {
    let records = sqlx::query_as!(
        HealthRecord,
        r#"select s.service_name as "service!",
                  case when b.beat_at + b.silence < now() then 'unhealthy' else s.status end as "status!",
                  coalesce(b.beat_at + b.silence < now(), false) as "silent!",
                  s.health_data as "details!",
                  greatest(s.last_check, b.beat_at) as "checked_at!",
                  s.last_check as "changed_at!"
             from ops.system_health s left join ops.heartbeats b on b.service_name = s.service_name
            order by s.service_name"#
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(records)
}
