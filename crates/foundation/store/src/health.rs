//! How the parts of Ephor are: one record for each, of the whole installation.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{Store, StoreError};

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
    pub service: String,
    /// healthy, degraded or unhealthy.
    pub status: String,
    /// What is known beyond that.
    pub details: serde_json::Value,
    /// When it was found to be so.
    pub checked_at: DateTime<Utc>,
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

/// How every part was when it last changed for better or worse, by name.
pub async fn health_list(store: &Store) -> Result<Vec<HealthRecord>, StoreError> {
    let records = sqlx::query_as!(
        HealthRecord,
        "select service_name as service, status, health_data as details, last_check as checked_at
           from ops.system_health order by service_name"
    )
    .fetch_all(store.system_pool())
    .await?;
    Ok(records)
}
