//! What changes, as it changes: one LISTEN per process, one channel per organization.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use ephor_kernel::OrganizationId;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, postgres::PgListener};
use tokio::{sync::broadcast, task::AbortHandle};
use uuid::Uuid;

/// The channel on which the relay notifies.
const CHANNEL: &str = "ephor_live";
/// How many updates a subscriber may be behind before it misses some.
const BACKLOG: usize = 256;

/// News of an organization. It holds ids alone: whoever is told reads the rest in a scope of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveUpdate {
    /// Whose news it is.
    pub organization: OrganizationId,
    /// `job` (its state or progress changed), `job_cancel`, the kind of a domain event, or `resync`:
    /// updates may have been missed, so read again what is shown.
    pub kind: String,
    /// The job, or the event's message.
    pub id: Uuid,
    /// What the job is about, such as the bias analysis.
    pub subject: Option<Uuid>,
}

impl LiveUpdate {
    /// The kind of an update that says that others may have been missed.
    pub const RESYNC: &'static str = "resync";
    /// The kind of an update of a job: its state, its progress.
    pub const JOB: &'static str = "job";
    /// The kind of an update that tells a job's worker to stop.
    pub(crate) const JOB_CANCEL: &'static str = "job_cancel";

    fn resync(organization: OrganizationId) -> Self {
        Self { organization, kind: Self::RESYNC.to_owned(), id: Uuid::nil(), subject: None }
    }
}

/// Hands what the relay notifies to those who subscribed in this process.
pub struct Live {
    channels: Arc<Channels>,
    pool: PgPool,
    listener: OnceLock<AbortHandle>,
}

struct Channels {
    all: broadcast::Sender<LiveUpdate>,
    by_organization: Mutex<HashMap<OrganizationId, broadcast::Sender<LiveUpdate>>>,
}

impl Live {
    pub(crate) fn new(pool: PgPool) -> Self {
        let (all, _) = broadcast::channel(4 * BACKLOG);
        let channels = Arc::new(Channels { all, by_organization: Mutex::default() });
        Self { channels, pool, listener: OnceLock::new() }
    }

    /// The news of one organization from now on. A receiver that lags is told how many it missed: it
    /// should then read again what it shows.
    pub fn subscribe(&self, organization: OrganizationId) -> broadcast::Receiver<LiveUpdate> {
        self.listen();
        let mut channels = self.channels.lock();
        channels.entry(organization).or_insert_with(|| broadcast::channel(BACKLOG).0).subscribe()
    }

    /// The news of all organizations: for workers, which may run anybody's jobs.
    pub(crate) fn subscribe_all(&self) -> broadcast::Receiver<LiveUpdate> {
        self.listen();
        self.channels.all.subscribe()
    }

    /// Starts the one listener, at the first subscription.
    fn listen(&self) {
        self.listener.get_or_init(|| {
            let (channels, pool) = (Arc::clone(&self.channels), self.pool.clone());
            tokio::spawn(async move {
                while !pool.is_closed() {
                    if let Err(error) = listen(&channels, &pool).await
                        && !pool.is_closed()
                    {
                        tracing::warn!(%error, "live updates are interrupted; trying again");
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            })
            .abort_handle()
        });
    }

    pub(crate) fn stop(&self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Channels {
    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<OrganizationId, broadcast::Sender<LiveUpdate>>> {
        self.by_organization.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, update: LiveUpdate) {
        let mut channels = self.lock();
        if let Some(channel) = channels.get(&update.organization)
            && channel.send(update.clone()).is_err()
        {
            // Nobody is left.
            channels.remove(&update.organization);
        }
        drop(channels);
        // An error means that no worker runs here.
        let _ = self.all.send(update);
    }

    /// After a gap everybody reads again.
    fn resync(&self) {
        let organizations: Vec<_> = self.lock().keys().copied().collect();
        for organization in organizations {
            self.send(LiveUpdate::resync(organization));
        }
    }
}

/// Listens until the connection is lost.
async fn listen(channels: &Channels, pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // What happened before this moment was heard by nobody.
    channels.resync();
    while let Some(notification) = listener.try_recv().await? {
        match serde_json::from_str::<Vec<LiveUpdate>>(notification.payload()) {
            Ok(updates) => updates.into_iter().for_each(|update| channels.send(update)),
            Err(error) => {
                tracing::warn!(%error, "a live update could not be read; is another version running?");
            }
        }
    }
    Ok(())
}
