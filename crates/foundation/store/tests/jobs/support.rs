//! A handler that does as it is told, and a way to wait for something.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use ephor_kernel::{JobId, Scope};
use ephor_store::{
    DatabaseConfig, Store,
    jobs::{
        Job, JobContext, JobFailure, JobHandler, JobState, NewJob, Workers, WorkersConfig,
        WorkersHandle, job_get,
    },
};
use futures::future::BoxFuture;

type Act = dyn Fn(JobContext) -> BoxFuture<'static, Result<(), JobFailure>> + Send + Sync;

/// Does what the closure says, and remembers of which failures it was told.
pub struct Acting {
    act: Box<Act>,
    pub told: Arc<Mutex<Vec<String>>>,
}

pub const KIND: &str = "test.act";

#[async_trait]
impl JobHandler for Acting {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        (self.act)(job).await
    }

    async fn failed(&self, _job: JobContext, reason: &str) -> Result<(), JobFailure> {
        self.told.lock().unwrap().push(reason.to_owned());
        Ok(())
    }
}

pub fn acting<F, R>(act: F) -> Arc<Acting>
where
    F: Fn(JobContext) -> R + Send + Sync + 'static,
    R: Future<Output = Result<(), JobFailure>> + Send + 'static,
{
    Arc::new(Acting { act: Box::new(move |job| Box::pin(act(job))), told: Arc::default() })
}

/// Quick to notice everything.
pub fn quick() -> WorkersConfig {
    WorkersConfig {
        concurrency: 4,
        drain: Duration::from_secs(5),
        cancel_grace: Duration::from_secs(2),
        heartbeat: Duration::from_millis(200),
        dead_after: Duration::from_secs(2),
        recovery_interval: Duration::from_millis(200),
        lost_after: Duration::from_mins(10),
        retry_after: Duration::from_millis(50),
        progress_every: Duration::from_millis(50),
    }
}

pub fn start(store: Store, handler: &Arc<Acting>) -> WorkersHandle {
    Workers::start(store, vec![Arc::clone(handler) as Arc<dyn JobHandler>], quick())
}

/// Workers as in a process of their own, which can be killed.
pub struct Process(tokio::runtime::Runtime);

impl Process {
    pub async fn start(config: DatabaseConfig, handler: &Arc<Acting>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handler = Arc::clone(handler);
        let started = runtime.spawn(async move {
            let store = Store::connect(&config).await.unwrap();
            drop(start(store, &handler));
        });
        started.await.unwrap();
        Self(runtime)
    }

    /// Ends everything where it stands: nothing is handed back, and nothing recorded.
    pub fn kill(self) {
        self.0.shutdown_background();
    }
}

pub async fn enqueue(store: &Store, scope: &Scope) -> JobId {
    let mut tx = store.begin(scope).await.unwrap();
    let id = tx
        .enqueue(NewJob { kind: KIND, payload: serde_json::json!({"n": 1}), subject: None })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

pub async fn get(store: &Store, scope: &Scope, id: JobId) -> Job {
    let mut tx = store.begin(scope).await.unwrap();
    job_get(&mut tx, id).await.unwrap()
}

/// Waits until the job is in that state.
pub async fn until(store: &Store, scope: &Scope, id: JobId, state: JobState) -> Job {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let job = get(store, scope, id).await;
        if job.state == state {
            return job;
        }
        assert!(Instant::now() < deadline, "the job did not become {state:?}: {job:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the condition holds.
pub async fn until_true(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
