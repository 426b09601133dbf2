//! The workers of a process: its relay, its share of the queue, its ear for cancellations.

use std::{sync::Arc, time::Duration};

use ephor_kernel::{JobId, OrganizationId};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions};
use serde::{Deserialize, Serialize};
use tokio::{sync::broadcast, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    EventHandler, JobHandler, WorkersConfig, event::event_handle, relay::relay, run::Runner,
};
use crate::{LiveUpdate, Pulse, Store, queue};

/// How often workers tell that they are there. One that cannot reach its queue ends before the first time.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// Starts workers.
pub struct Workers;

impl Workers {
    /// Starts to run jobs in this process, and to be the relay if no other process is. Call it within a
    /// tokio runtime. It survives the loss of the database.
    pub fn start(
        store: Store,
        handlers: Vec<Arc<dyn JobHandler>>,
        config: WorkersConfig,
    ) -> WorkersHandle {
        Self::start_with_events(store, handlers, None, config)
    }

    /// As [`Workers::start`], and tells `events` what happens in the domain.
    pub fn start_with_events(
        store: Store,
        handlers: Vec<Arc<dyn JobHandler>>,
        events: Option<Arc<dyn EventHandler>>,
        config: WorkersConfig,
    ) -> WorkersHandle {
        let (stop_relay, stop_queue) = (CancellationToken::new(), CancellationToken::new());
        let drain = config.drain;
        let relay = tokio::spawn(relay(store.clone(), config.clone(), stop_relay.clone()));
        let news = store.live().subscribe_all();
        let runner = Arc::new(Runner::new(store, handlers, events, config));
        let ear = tokio::spawn(hear_cancellations(news, Arc::clone(&runner)));
        let queue = tokio::spawn(work(Arc::clone(&runner), stop_queue.clone()));
        WorkersHandle { runner, stop_relay, stop_queue, relay, ear, queue, drain }
    }
}

/// Running workers. Dropped without [`WorkersHandle::shutdown`], they go on until the runtime ends.
pub struct WorkersHandle {
    runner: Arc<Runner>,
    stop_relay: CancellationToken,
    stop_queue: CancellationToken,
    relay: JoinHandle<()>,
    ear: JoinHandle<()>,
    queue: JoinHandle<()>,
    drain: Duration,
}

impl WorkersHandle {
    /// Takes no more jobs, and waits for those that run. What has not ended after
    /// [`WorkersConfig::drain`] is handed back, for another worker or the next start.
    pub async fn shutdown(self) {
        let Self { runner, stop_relay, stop_queue, relay, ear, mut queue, drain } = self;
        stop_queue.cancel();
        if tokio::time::timeout(drain, &mut queue).await.is_err() {
            runner.hand_back.cancel();
            if tokio::time::timeout(Duration::from_secs(5), &mut queue).await.is_err() {
                tracing::warn!("jobs could not be handed back; they are recovered later");
                queue.abort();
            }
        }
        ear.abort();
        stop_relay.cancel();
        let _ = relay.await;
    }
}

/// Takes jobs from the queue until stopped, through losses of the database.
async fn work(runner: Arc<Runner>, stop: CancellationToken) {
    if runner.config.concurrency == 0 {
        // Other processes work; this one hands over to them what its own requests ask for.
        return stop.cancelled().await;
    }
    let mut wait = Duration::from_millis(200);
    loop {
        let working = work_connected(&runner, &stop);
        tokio::pin!(working);
        let first = tokio::time::Instant::now() + SIGN_OF_LIFE;
        let mut signs = tokio::time::interval_at(first, SIGN_OF_LIFE);
        let ended = loop {
            tokio::select! {
                ended = &mut working => break ended,
                // What jobs of theirs died is the relay's to tell.
                _ = signs.tick() => runner.store.pulse().alive("workers", Pulse::SILENCE),
            }
        };
        match ended {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "the queue is interrupted; trying again"),
        }
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

async fn work_connected(runner: &Arc<Runner>, stop: &CancellationToken) -> Result<(), String> {
    let worker = WorkerOptions::default()
        .pg_pool(runner.store.system_pool().clone())
        .schema(queue::SCHEMA)
        .concurrency(runner.config.concurrency)
        .poll_interval(Duration::from_millis(500))
        .listen_os_shutdown_signals(false)
        .shutdown_signal(stop.clone().cancelled_owned())
        // Draining is the runner's; the queue waits for it.
        .shutdown_grace_period(runner.config.drain + Duration::from_secs(10))
        .heartbeat_interval(Duration::from_secs(30))
        .add_extension(Shared(Arc::clone(runner)))
        .define_job::<HandedJob>()
        .define_job::<HandedEvent>()
        .init()
        .await
        .map_err(|error| error.to_string())?;
    worker.run().await.map_err(|error| error.to_string())
}

/// Stops what is to be stopped, in whichever process it was asked.
async fn hear_cancellations(mut news: broadcast::Receiver<LiveUpdate>, runner: Arc<Runner>) {
    loop {
        match news.recv().await {
            Ok(update) if update.kind == LiveUpdate::JOB_CANCEL => {
                runner.cancel(update.organization, JobId::from(update.id));
            }
            // Missed some: each job learns it from its next sign of life.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// The runner, as the queue hands it to its tasks.
#[derive(Clone)]
struct Shared(Arc<Runner>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

fn runner(context: &WorkerContext) -> Result<Arc<Runner>, String> {
    let shared = context.get_ext::<Shared>().ok_or("the worker was built without its runner")?;
    Ok(Arc::clone(&shared.0))
}

/// A job, as the relay hands it to the queue.
#[derive(Serialize, Deserialize)]
struct HandedJob {
    organization_id: Uuid,
    id: Uuid,
}

impl TaskHandler for HandedJob {
    const IDENTIFIER: &'static str = "ephor.job";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let organization = OrganizationId::from(self.organization_id);
        runner(&context)?.run(organization, JobId::from(self.id)).await
    }
}

/// An event, as the relay hands it to the queue.
#[derive(Serialize, Deserialize)]
struct HandedEvent {
    organization_id: Uuid,
    id: Uuid,
}

impl TaskHandler for HandedEvent {
    const IDENTIFIER: &'static str = "ephor.event";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let runner = runner(&context)?;
        let organization = OrganizationId::from(self.organization_id);
        event_handle(&runner.store, runner.events.as_deref(), organization, self.id)
            .await
            .map_err(|failure| failure.to_string())
    }
}
