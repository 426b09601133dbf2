//! Start, serve, drain, stop.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use axum::serve::ListenerExt as _;
use ephor_assurance::schedule::Scheduler;
use ephor_kernel::SystemClock;
use ephor_store::{
    Heartbeats, Store,
    audit::{SealConfig, Sealer},
    jobs::{Workers, WorkersConfig, WorkersHandle},
};
use secrecy::ExposeSecret as _;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{App, Database, key, metrics, objects, publish, retention::Retention, router::router};
use crate::{config::Config, governance_loop::GovernanceLoop};

/// A server that listens, not yet stopped.
pub struct Serving {
    /// Everything that serves.
    pub app: App,
    /// Where it really listens: `server.bind` may leave the port to the system.
    pub address: SocketAddr,
}

/// Runs a server until it is told to stop. `ready` is called once it listens, and may prepare
/// something (the demo does) before it says so to the user.
pub async fn run<F>(
    config: &Config,
    data: &Path,
    ready: impl FnOnce(Serving) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let metrics = metrics::install()?;
    // Listen first: if the port is taken, nothing else needs to begin.
    let listener = TcpListener::bind(&config.server.bind).await.with_context(|| {
        format!(
            "nothing can listen on {}; is another Ephor running? --bind takes another address",
            config.server.bind
        )
    })?;
    let address = listener.local_addr()?;
    let stopping = stop_signal()?;
    let database = Database::open(config, data).await?;
    let outcome = serve(config, data, &database, metrics, listener, address, stopping, ready).await;
    let stopped = database.stop().await;
    outcome.and(stopped)
}

#[allow(clippy::too_many_arguments, reason = "the one place where all of it comes together")]
async fn serve<F>(
    config: &Config,
    data: &Path,
    database: &Database,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    listener: TcpListener,
    address: SocketAddr,
    mut stopping: watch::Receiver<bool>,
    ready: impl FnOnce(Serving) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let store = database.connect().await?;
    let seal_key = key::load(&config.seal, data)?;
    let anchor = &config.seal.checkpoint_file;
    let sealing =
        SealConfig { anchor: (!anchor.is_empty()).then(|| anchor.into()), ..SealConfig::default() };
    let heartbeats = Heartbeats::start(&store);
    let sealer = Sealer::start_with(&store, seal_key.clone(), sealing);
    let publisher = publish::start(&store, config.seal.checkpoint_url.expose_secret())?;
    let retention =
        Retention::start(&store, &objects(config, data), seal_key.public(), &config.retention)
            .await?;
    let app = App::new(config, data, store.clone(), seal_key, metrics).await?;
    app.billing
        .default_tier_set(&config.billing.default_tier)
        .await
        .context("billing.default_tier")?;
    let identity = app.identity.start();
    let billing = app.billing.start();
    let content = app.content.start();
    let workers = workers(config, &app, store.clone());
    let monitors = Scheduler::new(store.clone(), Arc::new(SystemClock)).start();

    let drain = Duration::from_secs(config.server.shutdown_seconds);
    let service = router(&app, Duration::from_secs(config.server.request_timeout_seconds))
        .into_make_service_with_connect_info::<SocketAddr>();
    let mut told = stopping.clone();
    let nodelay = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection's small packets are held back");
        }
    });
    let mut server = tokio::spawn(
        axum::serve(nodelay, service)
            .with_graceful_shutdown(async move {
                let _ = told.wait_for(|stop| *stop).await;
            })
            .into_future(),
    );
    let prepared = ready(Serving { app: app.clone(), address });
    // `None`: somebody said stop before it was ready.
    let prepared = tokio::select! {
        outcome = prepared => Some(outcome),
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    let outcome = match prepared {
        Some(Ok(())) => until_told(&mut stopping, database, &mut server).await,
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    if !server.is_finished() && tokio::time::timeout(drain, &mut server).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
        server.abort();
    }
    // It may be in the middle of a month, on connections that the store waits for when it closes.
    drop(retention);
    monitors.shutdown().await;
    workers.shutdown().await;
    identity.shutdown().await;
    billing.shutdown().await;
    content.shutdown().await;
    if let Some(publisher) = publisher {
        publisher.shutdown().await;
    }
    // Before the sealer, which seals what is audited of it.
    heartbeats.shutdown().await;
    sealer.shutdown().await;
    store.close().await;
    outcome
}

/// Serves until somebody says stop, or the ground is gone.
async fn until_told(
    stopping: &mut watch::Receiver<bool>,
    database: &Database,
    server: &mut tokio::task::JoinHandle<std::io::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => Ok(()),
        why = database.given_up() => bail!("the private PostgreSQL has died too often: {why}"),
        ended = server => match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error).context("the server failed"),
            Err(error) => Err(error).context("the server died"),
        },
    }
}

fn workers(config: &Config, app: &App, store: Store) -> WorkersHandle {
    let workers = WorkersConfig {
        concurrency: config.jobs.concurrency,
        drain: Duration::from_secs(config.server.shutdown_seconds),
        ..WorkersConfig::default()
    };
    let events = std::sync::Arc::new(GovernanceLoop {
        registry: app.registry.clone(),
        assurance: app.assurance.clone(),
    });
    Workers::start_with_events(store, app.handlers(), Some(events), workers)
}

/// Works on jobs, and serves nothing, until it is told to stop.
pub async fn work(config: &Config, data: &Path) -> anyhow::Result<()> {
    let metrics = metrics::install()?;
    let mut stopping = stop_signal()?;
    let database = Database::open(config, data).await?;
    let store = database.connect().await?;
    let heartbeats = Heartbeats::start(&store);
    let seal_key = key::load(&config.seal, data)?;
    let app = App::new(config, data, store.clone(), seal_key, metrics).await?;
    let workers = workers(config, &app, store.clone());
    let monitors = Scheduler::new(store.clone(), Arc::new(SystemClock)).start();
    let retention =
        Retention::start(&store, &objects(config, data), app.seal_key.public(), &config.retention)
            .await?;
    tracing::info!(jobs = config.jobs.concurrency, "working");
    let outcome = tokio::select! {
        _ = stopping.wait_for(|stop| *stop) => Ok(()),
        why = database.given_up() => Err(anyhow::anyhow!("the private PostgreSQL has died too often: {why}")),
    };
    // It may be in the middle of a month, on connections that the store waits for when it closes.
    drop(retention);
    monitors.shutdown().await;
    workers.shutdown().await;
    heartbeats.shutdown().await;
    store.close().await;
    outcome.and(database.stop().await)
}

/// True once Ctrl-C or SIGTERM came. A second one ends the process at once.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let (tell, told) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if *tell.borrow() {
                #[allow(clippy::disallowed_methods, reason = "somebody asked twice")]
                std::process::exit(130);
            }
            tracing::info!(
                "stopping: running requests and jobs may finish; once more to stop at once"
            );
            tell.send_replace(true);
        }
    });
    Ok(told)
}
