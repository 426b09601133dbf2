//! What auditing costs: the same insert with no trail, with a plain log row (same trigger, same
//! indexes and partitions, but no salt, no hash, no queue), and audited with the sealer at work; at
//! 1, 8 and 32 writers, on one organization and on 32. Then: how fast the trail is verified, in the
//! database and from an export, beside a bare COPY.
//!
//!     DATABASE_URL=postgres://superuser@host/postgres cargo run --release -p ephor-benches --bin audit
//!
//! `--seconds N` for each measurement (4), `--rounds N` (3), `--entries N` to verify (300000). The
//! server should have fsync on; the program says what it found. It makes a database of its own and
//! drops it.
#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark reads its arguments, its environment and the clock"
)]

use std::{
    io::Write,
    num::NonZero,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ephor_kernel::{
    OrganizationId, PermissionSet, Principal, RequestContext, RequestId, Scope, SystemClock, UserId,
};
use ephor_seal::{KeyRing, SealKey, Trust, verify_export};
use ephor_store::{DatabaseConfig, Store, audit};
use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use uuid::Uuid;

/// The bar: audited writes at no less than this share of the plain log row's.
const BAR: f64 = 0.8;

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

struct Options {
    seconds: u64,
    rounds: usize,
    entries: i64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = options()?;
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL names a superuser's login")?;
    let mut admin = PgConnection::connect(&url).await?;
    let name = format!("ephor_bench_audit_{}", std::process::id());
    admin.execute(AssertSqlSafe(format!("create database {name}"))).await?;
    let outcome = run(&url, &name, &options).await;
    admin.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await?;
    outcome
}

fn options() -> Result<Options> {
    let mut options = Options { seconds: 4, rounds: 3, entries: 300_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|text| text.parse::<u32>().ok());
        let number = number.with_context(|| format!("{argument} takes a number"))?;
        match argument.as_str() {
            "--seconds" => options.seconds = number.max(1).into(),
            "--rounds" => options.rounds = number.max(1) as usize,
            "--entries" => options.entries = number.into(),
            other => anyhow::bail!(
                "there is no option {other}; there are --seconds, --rounds, --entries"
            ),
        }
    }
    Ok(options)
}

fn say(line: impl AsRef<str>) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{}", line.as_ref())?)
}

async fn run(url: &str, name: &str, options: &Options) -> Result<()> {
    let options_here = url.parse::<sqlx::postgres::PgConnectOptions>()?.database(name);
    let pool = PgPool::connect_with(options_here).await?;
    migrate(&pool).await?;
    pool.execute(TABLES).await?;
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let head = base.rfind('/').map_or(base, |slash| &base[..slash]);
    let config = DatabaseConfig {
        url: format!("{head}/{name}?{query}").into(),
        connections: 40,
        ..DatabaseConfig::default()
    };
    let store = Store::connect(&config).await?;
    let (version, fsync, commit): (String, String, String) = sqlx::query_as(
        "select current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')",
    )
    .fetch_one(&pool)
    .await?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    say(format!(
        "PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}; {cores} cores for server, writers and sealer together; {} s, median of {} rounds",
        options.seconds, options.rounds
    ))?;
    writes(&pool, &store, options).await?;
    verification(&pool, &store, options).await
}

/// The migrations that auditing stands on.
async fn migrate(pool: &PgPool) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    for (file, role) in
        [("0000_bootstrap", "none"), ("0001_kernel", "ephor_owner"), ("0002_audit", "ephor_owner")]
    {
        let sql = std::fs::read_to_string(folder.join(format!("{file}.sql")))?;
        pool.execute(AssertSqlSafe(format!("begin; set local role {role}; {sql}; commit")))
            .await
            .context(file)?;
    }
    Ok(())
}

fn scopes(count: usize) -> Vec<Scope> {
    let request = RequestContext::new(
        Some(std::net::IpAddr::from([192, 0, 2, 7])),
        Some("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        RequestId::new(),
    );
    (0..count)
        .map(|_| {
            let user = Principal::User(UserId::new());
            Scope::new(user, OrganizationId::new(), PermissionSet::all(), request.clone())
        })
        .collect()
}

async fn writes(pool: &PgPool, store: &Store, options: &Options) -> Result<()> {
    say(
        "\nwriters  organizations      none     plain   audited   audited/plain   queued after   sealed after",
    )?;
    let mut missed = Vec::new();
    for writers in [1, 8, 32] {
        for organizations in [1, 32] {
            let scopes = scopes(organizations);
            let mut rates = [const { Vec::new() }; 3];
            let (mut queued, mut drained) = (0_i64, Duration::ZERO);
            for _ in 0..options.rounds {
                for (kind, table) in ["none", "plain", "audited"].into_iter().enumerate() {
                    pool.execute("checkpoint").await?;
                    let sealer = (table == "audited")
                        .then(|| audit::Sealer::start(store, SealKey::from_seed(&[1; 32])));
                    rates[kind].push(write(store, table, &scopes, writers, options.seconds).await?);
                    if let Some(sealer) = sealer {
                        queued = sqlx::query_scalar("select count(*) from audit.seal_queue")
                            .fetch_one(pool)
                            .await?;
                        let begun = Instant::now();
                        sealer.shutdown().await;
                        drained = begun.elapsed();
                    }
                }
            }
            let [none, plain, audited] = rates.map(median);
            let ratio = audited / plain;
            if ratio < BAR {
                missed.push(format!("{writers} writers on {organizations}: {ratio:.2}"));
            }
            say(format!(
                "{writers:>7}  {organizations:>13}  {none:>8.0}  {plain:>8.0}  {audited:>8.0}  {ratio:>14.2}  {queued:>13}  {:>9.2} s",
                drained.as_secs_f64()
            ))?;
        }
    }
    if missed.is_empty() {
        say(format!("bar >= {BAR}: met"))
    } else {
        say(format!("bar >= {BAR}: missed ({})", missed.join("; ")))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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

async fn verification(pool: &PgPool, store: &Store, options: &Options) -> Result<()> {
    let scope = scopes(1).remove(0);
    let key = SealKey::from_seed(&[1; 32]);
    let mut left = options.entries;
    while left > 0 {
        let some = left.min(20_000);
        let mut tx = store.begin(&scope).await?;
        sqlx::query(
            "insert into bench.audited (organization_id, id, name, description, kind, settings, score)
             select $1, gen_random_uuid(), 'model', 'A credit model of the second generation', 'classifier',
                    '{\"threshold\": 0.5, \"features\": [\"age\", \"income\"]}', 0.75
             from generate_series(1, $2)",
        )
        .bind(scope.organization().uuid())
        .bind(some)
        .execute(tx.conn())
        .await?;
        tx.commit().await?;
        left -= some;
    }
    let begun = Instant::now();
    audit::seal_pending(store, &key).await?;
    let entries = options.entries as f64;
    let rate = |time: Duration| entries / time.as_secs_f64() / 1e3;
    say(format!(
        "\n{entries} entries\nsealing               {:>8.0} k entries/s",
        rate(begun.elapsed())
    ))?;

    let begun = Instant::now();
    let mut copied = 0;
    let mut conn = pool.acquire().await?;
    let mut rows = conn
        .copy_out_raw("copy (select * from audit.audit_logs) to stdout (format binary)")
        .await?;
    while let Some(part) = rows.try_next().await? {
        copied += part.len();
    }
    drop(rows);
    let all: i64 =
        sqlx::query_scalar("select count(*) from audit.audit_logs").fetch_one(pool).await?;
    let seconds = begun.elapsed().as_secs_f64();
    say(format!(
        "bare COPY             {:>8.0} k entries/s  ({copied} bytes)",
        all as f64 / seconds / 1e3
    ))?;

    let keys = KeyRing::new([key.public()]);
    let begun = Instant::now();
    let said = audit::verify(store, scope.organization(), &keys).await?;
    ensure!(said.verified() && said.sealed == options.entries as u64, "{said}");
    say(format!("live verification     {:>8.0} k entries/s", rate(begun.elapsed())))?;

    let begun = Instant::now();
    let mut file = Vec::new();
    audit::export(store, &scope, &SystemClock, &mut file).await?;
    say(format!(
        "export                {:>8.0} k entries/s  ({} bytes)",
        rate(begun.elapsed()),
        file.len()
    ))?;
    for threads in 1..=std::thread::available_parallelism().map_or(1, NonZero::get) {
        let begun = Instant::now();
        let said = verify_export(&*file, &Trust::Keys(keys.clone()), NonZero::new(threads))?;
        ensure!(said.len() == 1 && said[0].verified(), "{}", said[0]);
        say(format!(
            "offline verification  {:>8.0} k entries/s with {threads} hashing thread(s); bar >= 300 for each core",
            rate(begun.elapsed())
        ))?;
    }
    Ok(())
}
