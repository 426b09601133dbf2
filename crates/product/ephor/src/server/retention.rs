//! Retention: once a day, months of the audit trail that are older than is to be kept go to the
//! object store, and then from the database. Servers and workers all look; an advisory lock lets one of
//! them at a time do it, and the others find nothing left.

use std::time::Duration;

use ephor_kernel::{Clock as _, SystemClock};
use ephor_registry::ObjectStoreConfig;
use ephor_seal::{KeyRing, PublicKey};
use ephor_store::{Store, audit};
use tokio::task::JoinHandle;

/// How often to look.
const EVERY: Duration = Duration::from_hours(24);

/// Looks daily until it is dropped.
pub struct Retention(Option<JoinHandle<()>>);

impl Retention {
    /// Starts looking, unless everything is to be kept.
    pub fn start(
        store: &Store,
        objects: &ObjectStoreConfig,
        key: PublicKey,
        config: &crate::config::Retention,
    ) -> anyhow::Result<Self> {
        let (months, first) = (config.audit_months, config.first_look_minutes);
        if months == 0 {
            return Ok(Self(None));
        }
        let (store, objects) = (store.clone(), objects.open()?);
        let keys = KeyRing::new([key]);
        Ok(Self(Some(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_mins(first.into())).await;
            loop {
                let today = SystemClock.now().date_naive();
                // Whatever breaks it off, nothing is lost: the next day goes on.
                match audit::archive_due(&store, &objects, &keys, months, today).await {
                    Ok(done) if done.is_empty() => {}
                    Ok(done) => tracing::info!(months = done.len(), "the audit trail was archived"),
                    Err(error) => tracing::error!(%error, "the audit trail was not archived"),
                }
                tokio::time::sleep(EVERY).await;
            }
        }))))
    }
}

impl Drop for Retention {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}
