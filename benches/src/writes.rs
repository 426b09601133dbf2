//! What auditing costs: the same insert with no trail, with a plain log row (same trigger, same
//! indexes and partitions, but no salt, no hash, no queue), and audited with the sealer at work; at
//! 1, 8 and 32 writers, on one organization and on 32.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use ephor_kernel::Scope;
use ephor_seal::SealKey;
use ephor_store::{Store, audit};
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

use crate::{
    Options,
    postgres::{Postgres, scopes},
    report::{Bar, Report, say},
    times::median,
};

const TABLES: &str = r#"
create schema bench;
grant usage on schema bench to ephor_app, ephor_owner;
grant create on schema bench to ephor_owner;
set role ephor_owner;
create table bench.none (
    organization_id uuid not null, id uuid not null, name text not null, description text, kind text not null,
    status text not null default 'active', owner_id uuid, settings jsonb not null default '{}',
    score double precision, created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(), version integer not null default 1,
    primary key (organization_id, id));
create table bench.plain (like bench.none including all);
create table bench.audited (like bench.none including all);
select kernel.tenant_table('bench.none', audited => false);
select kernel.tenant_table('bench.plain', audited => false);
select kernel.tenant_table('bench.audited');
create table bench.logs (
    organization_id uuid not null, id uuid not null, created_at timestamptz not null, actor_type text not null,
    actor_id uuid not null, action text not null, entity_type text not null, entity_id uuid, body text,
    primary key (organization_id, id, created_at)) partition by range (created_at);
create index on bench.logs (organization_id, entity_id, id);
create index on bench.logs (organization_id, entity_type, id);
create index on bench.logs (organization_id, actor_id, id);
create index on bench.logs (organization_id, action, id);
create table bench.logs_default partition of bench.logs default;
do $$ begin
    for i in 0..3 loop
        execute format('create table bench.logs_%s partition of bench.logs for values from (%L) to (%L)', i,
            date_trunc('month', now()) + make_interval(months => i), date_trunc('month', now()) + make_interval(months => i + 1));
    end loop;
end $$;
alter table bench.logs enable row level security;
alter table bench.logs force row level security;
create policy owner_all on bench.logs to ephor_owner using (true) with check (true);
create function bench.log() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp set timezone = 'UTC' set extra_float_digits = 1 as $$
<<ours>>
declare
    table_name constant text := tg_argv[0];
    action_word constant text := tg_argv[1];
    written_at constant timestamptz := clock_timestamp();
    micros constant bigint := extract(epoch from written_at) * 1000000;
    half_id constant text := lpad(to_hex(micros / 1000 * 65536 + 28672 + micros % 1000 * 4096 / 1000), 16, '0');
    actor_word constant text := coalesce(nullif(current_setting('ephor.actor_type', true), ''), 'platform');
    actor constant uuid := coalesce(nullif(current_setting('ephor.actor_id', true), ''), '00000000-0000-7000-8000-000000000003');
    ending constant text := concat(',"request":' || audit.request_text(), '}');
begin
    insert into bench.logs (organization_id, id, created_at, actor_type, actor_id, action, entity_type, entity_id, body)
    select n.organization_id, (ours.half_id || substr(gen_random_uuid()::text, 20))::uuid, written_at, actor_word, actor,
           action_word, table_name, n.id, concat('{"new":', row_to_json(n.*), ours.ending)
    from new_rows as n;
    return null;
end $$;
create trigger log after insert on bench.plain referencing new table as new_rows
    for each statement execute function bench.log('bench.plain', 'insert');
reset role;
"#;

/// Makes the tables that are written to.
pub async fn prepare(postgres: &Postgres) -> Result<()> {
    postgres.superuser.execute(TABLES).await?;
    Ok(())
}

pub async fn run(postgres: &Postgres, options: &Options, report: &mut Report) -> Result<()> {
    say(format!(
        "\nWrites: {}; {} s, median of {} rounds; server, writers and sealer share the cores",
        postgres.describe().await?,
        options.seconds,
        options.rounds
    ))?;
    say(
        "writers  organizations      none     plain   audited   audited/plain   queued after   sealed after",
    )?;
    for writers in [1, 8, 32] {
        for organizations in [1, 32] {
            let scopes = scopes(organizations);
            let mut rates = [const { Vec::new() }; 3];
            let (mut queued, mut drained) = (0_i64, Duration::ZERO);
            for _ in 0..options.rounds {
                for (kind, table) in ["none", "plain", "audited"].into_iter().enumerate() {
                    postgres.superuser.execute("checkpoint").await?;
                    let sealer = (table == "audited").then(|| {
                        audit::Sealer::start(&postgres.store, SealKey::from_seed(&[1; 32]))
                    });
                    rates[kind].push(
                        write(&postgres.store, table, &scopes, writers, options.seconds).await?,
                    );
                    if let Some(sealer) = sealer {
                        queued = sqlx::query_scalar("select count(*) from audit.seal_queue")
                            .fetch_one(&postgres.superuser)
                            .await?;
                        let begun = Instant::now();
                        sealer.shutdown().await;
                        drained = begun.elapsed();
                    }
                }
            }
            let [none, plain, audited] = rates.map(median);
            let ratio = audited / plain;
            say(format!(
                "{writers:>7}  {organizations:>13}  {none:>8.0}  {plain:>8.0}  {audited:>8.0}  {ratio:>14.2}  {queued:>13}  {:>9.2} s",
                drained.as_secs_f64()
            ))?;
            let work = format!(
                "audited write beside a plain log row, {writers} writers on {organizations} organizations"
            );
            report.judge(work, ratio, "x", Bar::AtLeast(0.8));
        }
    }
    Ok(())
}

/// Transactions a second: each as a request makes it, with its context, one insert and a commit.
async fn write(
    store: &Store,
    table: &str,
    scopes: &[Scope],
    writers: usize,
    seconds: u64,
) -> Result<f64> {
    let sql: Arc<str> = format!(
        "insert into bench.{table} (organization_id, id, name, description, kind, owner_id, settings, score)
         values ($1, $2, 'model', 'A credit model of the second generation', 'classifier', $3,
                 '{{\"threshold\": 0.5, \"features\": [\"age\", \"income\"]}}', 0.75)"
    )
    .into();
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = (0..writers)
        .map(|number| {
            let (store, sql) = (store.clone(), Arc::clone(&sql));
            let scope = scopes[number % scopes.len()].clone();
            let (done, stop) = (Arc::clone(&done), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let mut tx = store.begin(&scope).await?;
                    sqlx::query(AssertSqlSafe(Arc::clone(&sql)))
                        .bind(scope.organization().uuid())
                        .bind(Uuid::now_v7())
                        .bind(scope.principal().uuid())
                        .execute(tx.conn())
                        .await?;
                    tx.commit().await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    // Plans and caches first.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (before, begun) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (count, time) = (done.load(Ordering::Relaxed) - before, begun.elapsed());
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    Ok(count as f64 / time.as_secs_f64())
}
