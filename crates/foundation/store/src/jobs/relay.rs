//! Hand over what is committed: one relay per database, whichever process gets the lock.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use serde_json::json;
use sqlx::{ConnectOptions, Executor, PgConnection};
use tokio_util::sync::CancellationToken;

use super::WorkersConfig;
use crate::{
    Pulse, Store, StoreError,
    health::{Health, health_record},
};

/// How often to look when nobody in this process says that there is something.
const POLL: Duration = Duration::from_millis(100);
/// How often to try to become the relay, while another is.
const CANDIDACY: Duration = Duration::from_secs(1);
/// How long a process is the relay before it cleans up for the first time: a start has other work to do.
const FIRST_CLEANUP: Duration = Duration::from_mins(5);
/// How often what has ended is cleaned up.
const CLEANUP: Duration = Duration::from_hours(24);
/// How much to hand over in one transaction.
const BATCH: i32 = 500;

/// Relays until stopped, through losses of the database.
pub(super) async fn relay(store: Store, config: WorkersConfig, stop: CancellationToken) {
    let first_wait = Duration::from_millis(200);
    let mut wait = first_wait;
    loop {
        let began = Instant::now();
        match stop.run_until_cancelled(relay_connected(&store, &config)).await {
            None => return,
            Some(Ok(never)) => match never {},
            Some(Err(error)) => {
                tracing::warn!(%error, "the relay lost the database; trying again");
                store.pulse().fault("relay", Pulse::SILENCE, &error);
            }
        }
        if began.elapsed() > Duration::from_secs(30) {
            wait = first_wait;
        }
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return;
        }
        wait = (wait * 2).min(Duration::from_secs(5));
    }
}

/// Waits to be the relay, then relays until the connection is lost.
async fn relay_connected(store: &Store, config: &WorkersConfig) -> Result<Infallible, StoreError> {
    let options = store.system_pool().connect_options();
    // A connection of its own: the lock is the session's, and goes when the process does.
    let mut connection: PgConnection = options.connect().await?;
    if options.get_username() != "ephor_system" {
        connection.execute("set role ephor_system").await?;
    }
    while !lock(&mut connection).await? {
        tokio::time::sleep(CANDIDACY).await;
    }
    tracing::debug!("this process is the relay now");
    health_record(&mut connection, "relay", Health::Healthy, json!({})).await?;
    let mut recovered: Option<Instant> = None;
    let mut cleanup_due = Instant::now() + FIRST_CLEANUP;
    loop {
        if Instant::now() >= cleanup_due {
            cleanup_due = Instant::now() + CLEANUP;
            // Beside the relay: it may take a while, and nothing waits for it.
            tokio::spawn(cleanup(store.clone()));
        }
        if recovered.is_none_or(|when| when.elapsed() >= config.recovery_interval) {
            recover(&mut connection, config).await?;
            recovered = Some(Instant::now());
        }
        let handed = sqlx::query_scalar!(r#"select ops.relay($1) as "handed!""#, BATCH)
            .fetch_one(&mut connection)
            .await?;
        store.pulse().fine("relay", Pulse::SILENCE);
        if handed < BATCH {
            // A nudge that comes in between is kept: it is one permit.
            let _ = tokio::time::timeout(POLL, store.nudge().notified()).await;
        }
    }
}

async fn lock(connection: &mut PgConnection) -> Result<bool, StoreError> {
    let taken = sqlx::query_scalar!(
        r#"select pg_try_advisory_lock(hashtextextended('ephor relay', 0)) as "taken!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(taken)
}

/// Puts back the jobs of workers that died.
async fn recover(connection: &mut PgConnection, config: &WorkersConfig) -> Result<(), StoreError> {
    let recovered = sqlx::query_scalar!(
        r#"select ops.recover(make_interval(secs => $1), make_interval(secs => $2)) as "recovered!""#,
        config.dead_after.as_secs_f64(),
        config.lost_after.as_secs_f64(),
    )
    .fetch_one(&mut *connection)
    .await?;
    let health = if recovered > 0 {
        tracing::warn!(recovered, "jobs were recovered whose workers died");
        Health::Degraded
    } else {
        Health::Healthy
    };
    health_record(connection, "workers", health, json!({"jobs_recovered": recovered})).await
}

/// Deletes what has ended long ago, for each organization; see `ops.cleanup_expired()`.
async fn cleanup(store: Store) {
    let cleaned = sqlx::query!(
        r#"select organizations as "organizations!", deleted as "deleted!" from ops.cleanup_all()"#
    )
    .fetch_one(store.system_pool())
    .await;
    store.pulse().told("clean-up", Pulse::DAILY_SILENCE, &cleaned);
    match cleaned {
        Ok(cleaned) => {
            let (organizations, deleted) = (cleaned.organizations, cleaned.deleted);
            tracing::info!(organizations, deleted, "what had ended long ago was cleaned up");
        }
        Err(error) => {
            tracing::warn!(%error, "the daily clean-up failed; it is tried again tomorrow");
        }
    }
}
