//! How often API keys are used: counted in memory, added up in the database in batches.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use ephor_kernel::{ApiKeyId, OrganizationId, Problem};

use crate::identity::{Identity, database};

/// Uses since the last batch.
#[derive(Default)]
pub(crate) struct KeyUsage(Mutex<Uses>);

type Uses = HashMap<(OrganizationId, ApiKeyId), (i64, DateTime<Utc>)>;

impl KeyUsage {
    pub fn count(&self, organization: OrganizationId, key: ApiKeyId, now: DateTime<Utc>) {
        self.add((organization, key), 1, now);
    }

    fn add(&self, key: (OrganizationId, ApiKeyId), count: i64, last: DateTime<Utc>) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = uses.entry(key).or_insert((0, last));
        *entry = (entry.0 + count, entry.1.max(last));
    }

    fn take(&self) -> Uses {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Identity {
    /// Writes the uses that were counted since the last time; keeps them when that fails.
    pub async fn flush_key_usage(&self) -> Result<(), Problem> {
        let parts = self.parts();
        let uses = parts.key_usage.take();
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.write_key_usage(&uses).await;
        if written.is_err() {
            for (key, (count, last)) in uses {
                parts.key_usage.add(key, count, last);
            }
        }
        written
    }

    async fn write_key_usage(&self, uses: &Uses) -> Result<(), Problem> {
        let organizations: Vec<_> = uses.keys().map(|(id, _)| id.uuid()).collect();
        let keys: Vec<_> = uses.keys().map(|(_, id)| id.uuid()).collect();
        let counts: Vec<_> = uses.values().map(|(count, _)| *count).collect();
        let lasts: Vec<_> = uses.values().map(|(_, last)| *last).collect();
        let mut door = self.store().door().await?;
        sqlx::query!(
            "select door.api_keys_used($1, $2, $3, $4)",
            &organizations,
            &keys,
            &counts,
            &lasts
        )
        .execute(door.conn())
        .await
        .map_err(database)?;
        Ok(())
    }
}
