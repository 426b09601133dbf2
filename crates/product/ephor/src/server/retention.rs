//! Retention: once a day, months of the tables of high rate that are older than is to be kept go to the
//! object store, and then from the database. Servers and workers all look; advisory locks let one of
//! them at a time do it, and the others find nothing left.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use ephor_kernel::{Clock as _, SystemClock};
use ephor_registry::ObjectStoreConfig;
use ephor_seal::{KeyRing, PublicKey};
use ephor_store::{Pulse, Store, audit, retention};
use object_store::ObjectStore;
use tokio::task::JoinHandle;

use crate::config;

/// How often to look.
const EVERY: Duration = Duration::from_hours(24);

/// Looks daily until it is dropped.
pub struct Retention(Option<JoinHandle<()>>);

impl Retention {
    /// Starts looking, unless everything is to be kept.
    pub async fn start(
        store: &Store,
        objects: &ObjectStoreConfig,
        key: PublicKey,
        config: &config::Retention,
    ) -> anyhow::Result<Self> {
        let first = Duration::from_mins(config.first_look_minutes.into());
        let tables = config
            .of_tables(&retention::table_list(store).await?)
            .map_err(|faults| anyhow!("retention.tables: {}", faults.join("; ")))?;
        let work = Work {
            store: store.clone(),
            objects: objects.open()?,
            keys: KeyRing::new([key]),
            audit_months: config.audit_months,
            tables: tables.into_iter().filter(|(_, months)| *months > 0).collect(),
        };
        if work.audit_months == 0 && work.tables.is_empty() {
            return Ok(Self(None));
        }
        Ok(Self(Some(tokio::spawn(async move {
            tokio::time::sleep(first).await;
            loop {
                work.look().await;
                tokio::time::sleep(EVERY).await;
            }
        }))))
    }
}

/// What is done each day.
struct Work {
    store: Store,
    objects: Arc<dyn ObjectStore>,
    keys: KeyRing,
    audit_months: u32,
    /// Table, and how many months of it stay.
    tables: Vec<(String, u32)>,
}

impl Work {
    /// Whatever breaks it off, nothing is lost: the next day goes on. One table does not hold up the others.
    async fn look(&self) {
        let today = SystemClock.now().date_naive();
        let Self { store, objects, keys, audit_months, tables } = self;
        // Told once: of what is done once a day, the last word counts.
        let mut is_well = true;
        for (table, months) in tables {
            if let Err(error) = retention::archive_due(store, objects, table, *months, today).await
            {
                tracing::error!(%error, table, "a month was not archived");
                store.pulse().fault("retention", Pulse::DAILY_SILENCE, &error);
                is_well = false;
            }
        }
        if *audit_months == 0 {
            if is_well {
                store.pulse().fine("retention", Pulse::DAILY_SILENCE);
            }
            return;
        }
        let done = audit::archive_due(store, objects, keys, *audit_months, today).await;
        if is_well || done.is_err() {
            store.pulse().told("retention", Pulse::DAILY_SILENCE, &done);
        }
        match done {
            Ok(done) if done.is_empty() => {}
            Ok(done) => tracing::info!(months = done.len(), "the audit trail was archived"),
            Err(error) => tracing::error!(%error, "the audit trail was not archived"),
        }
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
