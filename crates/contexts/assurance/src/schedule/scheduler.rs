//! Starts what is due. Every server and worker looks; a row's lock lets one of them do it.

use std::{fmt::Display, sync::Arc, time::Duration};

use ephor_kernel::{Clock, OrganizationId};
use ephor_store::{Background, Pulse, Store, StoreError, jobs};

use crate::{feed, monitor};

/// How often to look: schedules are to the minute.
const EVERY: Duration = Duration::from_secs(10);
/// How many of a kind to start at a time; the rest is found at the next look.
const BATCH: i32 = 1000;

/// Starts the monitors that are due, and has what waits in row feeds stored.
#[derive(Clone)]
pub struct Scheduler {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Scheduler {
    /// A scheduler by this clock.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Looks again and again until it is shut down.
    pub fn start(self) -> Background {
        Background::every("schedules", EVERY, move || {
            let scheduler = self.clone();
            async move {
                let looked = scheduler.tick().await;
                scheduler.store.pulse().told("schedules", Pulse::SILENCE, &looked);
                if let Err(error) = looked {
                    tracing::warn!(%error, "what is due could not be looked for; it is soon");
                }
            }
        })
    }

    /// Looks once; says how many runs it started. Runs that were missed are made up for by one.
    ///
    /// # Errors
    /// When what is due cannot be read. One's failure does not hold up the others.
    pub async fn tick(&self) -> Result<usize, StoreError> {
        let (store, now) = (&self.store, self.clock.now());
        let mut started = 0;
        for (organization, id) in jobs::monitors_due(store, now, BATCH).await? {
            let outcome = monitor::start_due(store, organization, id, now).await;
            started += told(outcome, "monitor", organization, id);
        }
        for (organization, id) in jobs::row_feeds_due(store, now, BATCH).await? {
            let outcome = feed::start_due(store, organization, id, now).await;
            started += told(outcome, "row feed", organization, id);
        }
        Ok(started)
    }
}

/// How many were started: one or none.
fn told(
    outcome: Result<bool, StoreError>,
    what: &str,
    organization: OrganizationId,
    id: impl Display,
) -> usize {
    match outcome {
        Ok(started) => usize::from(started),
        Err(error) => {
            tracing::error!(%error, %organization, %id, "a {what} that is due could not be started");
            0
        }
    }
}
