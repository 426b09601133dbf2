//! Retention: once a day, months of the audit trail that are older than is to be kept go to the
//! object store, and then from the database.

use std::time::Duration;

use ephor_kernel::{Clock as _, SystemClock};
use ephor_registry::ObjectStoreConfig;
use ephor_seal::{KeyRing, PublicKey};
use ephor_store::{Store, audit};
use tokio::task::JoinHandle;

/// How long after the start to look for the first time: a start has other work to do.
const FIRST: Duration = Duration::from_mins(10);
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
        months: u32,
    ) -> anyhow::Result<Self> {
        if months == 0 {
            return Ok(Self(None));
        }
        let (store, objects) = (store.clone(), objects.open()?);
        let keys = KeyRing::new([key]);
        Ok(Self(Some(tokio::spawn(async move {
            tokio::time::sleep(FIRST).await;
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
