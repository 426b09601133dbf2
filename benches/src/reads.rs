//! What row-level security costs a read: the statement that the engine sends, bound by the policies as the server
//! is; beside it the same with the organization named in its `WHERE`, by the tables' owner, whom no policy binds here. (A superuser
//! would not do: it isn't asked for its privileges either, which is no part of what row-level security costs.)

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use ephor_kernel::{OrganizationId, Scope};
use ephor_rest::{
    Bound, Cursors, ListRequest, MAX_ROWS, PAGE_ROWS, Plan, Resource, Statement, count_statement,
    list_of_large_statement, list_statement, plan,
};
use sqlx::{Connection as _, PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    plans::{
        self,
        data::{Size, fill},
        queries::bound,
    },
    postgres::{Postgres, scope},
    report::{Bar, Report, say},
    times::median_micros,
};

/// What is read; the largest organization has a fifth of it.
pub const SIZE: Size = Size { organizations: 1_000, rows: 1_000_000, largest: 200_000 };

/// How many connections each side has.
const PAIRS: usize = 5;

/// Rounds that are not counted: PostgreSQL plans a statement anew five times before it keeps a plan.
const WARMING: usize = 10 * PAIRS;

/// A read, how the owner says it, and how many times it is measured.
struct Read {
    name: &'static str,
    bound: Statement,
    explicit: Statement,
    rounds: usize,
    /// Does PostgreSQL keep its plan?
    kept: bool,
}

impl Read {
    /// Both say the same: the engine names the organization in the `WHERE`.
    fn same(name: &'static str, statement: Statement, rounds: usize) -> Self {
        Self { name, explicit: statement.clone(), bound: statement, rounds, kept: true }
    }

    fn other(name: &'static str, bound: Statement, explicit: &str, rounds: usize) -> Self {
        let explicit = Statement { sql: explicit.to_owned(), values: bound.values.clone() };
        Self { name, bound, explicit, rounds, kept: true }
    }
}

/// The reads of an organization; the engine has the counts of a very large one planned for their values, and its lists kept for
/// it alone; `year_ago` is where the page behind a cursor begins.
fn reads(
    models: &Resource,
    organization: OrganizationId,
    large: bool,
    year_ago: &str,
) -> Result<Vec<Read>> {
    let scope = scope(organization);
    let planned = |query: &str| planned(models, &scope, query);
    let list_of = if large { list_of_large_statement } else { list_statement };
    let list = |query: &str| Ok::<_, anyhow::Error>(list_of(models, &planned(query)?));
    let mut behind = planned("")?;
    behind.after = Some(vec![Some(year_ago.to_owned()), Some(Uuid::nil().to_string())]);
    let own = |sql: &str| Statement {
        sql: sql.to_owned(),
        values: vec![Bound::Uuid(organization.uuid())],
    };
    Ok(vec![
        Read::same("ordered list of 50", list("")?, 1_000),
        Read::same("filtered, ordered list of 50", list("status=eq.active")?, 1_000),
        Read::same("page behind a cursor", list_of(models, &behind), 1_000),
        Read {
            kept: !large,
            ..Read::other(
                "count",
                count_statement(models, &planned("")?),
                "select count(*) from registry.models where organization_id = $1",
                100,
            )
        },
        Read {
            kept: !large,
            ..Read::other(
                "count of a filtered list",
                count_statement(models, &planned("status=eq.active")?),
                "select count(*) from registry.models where organization_id = $1 and status = $2",
                100,
            )
        },
        Read::other(
            "search of a rare word, by its index",
            own("select id, name from registry.models
             where organization_id = $1 and id = any (search.ids('registry.models', '''batch777'':*', 2000))
               and to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(description, '')) @@ to_tsquery('simple', '''batch777'':*')
             order by created_at desc, id limit 51"),
            // The owner may use the index itself.
            "select id, name from registry.models
             where organization_id = $1
               and search.document(organization_id, coalesce(name, '') || ' ' || coalesce(description, ''))
                   @@ ('''' || search.mark($1) || 'batch777'':*')::tsquery
               and to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(description, '')) @@ to_tsquery('simple', '''batch777'':*')
             order by created_at desc, id limit 51",
            200,
        ),
        Read::same("search of a common word", list("q=credit")?, 200),
    ])
}

fn planned(models: &Resource, scope: &Scope, query: &str) -> Result<Plan> {
    let request = ListRequest::from_query(query);
    plan(models, &request, scope, &Cursors::new([7; 32]), (PAGE_ROWS, MAX_ROWS))
        .map_err(|problem| anyhow!("{problem:?}"))
}

pub async fn run(postgres: &Postgres, plans: Option<&Path>, report: &mut Report) -> Result<()> {
    let mut superuser = postgres.superuser.acquire().await?;
    let ids = fill(&mut superuser, SIZE).await?;
    let engine = plans::engine(&mut superuser).await?;
    if let Some(file) = plans {
        plans::run(postgres, &engine, &ids, SIZE, file).await?;
    }
    sqlx::query("alter role ephor_owner bypassrls").execute(&mut *superuser).await?;
    let year_ago: String = sqlx::query_scalar("select (now() - interval '1 year')::text")
        .fetch_one(&mut *superuser)
        .await?;
    drop(superuser);
    let models = engine.resource("models").context("models")?;
    let Size { organizations, rows, largest: most } = SIZE;
    say(format!(
        "\nReads: {}; {rows} models of {organizations} organizations, the largest with {most}; p50 in µs",
        postgres.describe().await?
    ))?;
    say("statement                             organization    under RLS    explicit   ratio")?;
    for (which, id, large) in [("largest", ids[0], true), ("middle", ids[499], false)] {
        let organization = OrganizationId::from(id);
        for mut read in reads(models, organization, large, &year_ago)? {
            // A statement of its own for each organization: PostgreSQL keeps the plan that suited the first
            // few, and would keep the largest organization's for the others, on one side or on both. The engine
            // tells counts apart by their size.
            for statement in [&mut read.bound, &mut read.explicit] {
                statement.sql.push_str(&format!(" -- {which}"));
            }
            let (bound, explicit) = beside(postgres, organization, &read).await?;
            let (name, ratio) = (read.name, bound / explicit);
            say(format!("{name:<36}  {which:<12}  {bound:>11.0}  {explicit:>10.0}  {ratio:>6.3}"))?;
            let work = format!("read under row-level security, {name}, {which} organization");
            report.judge(work, ratio, "x", Bar::AtMost(1.05));
        }
    }
    Ok(())
}

/// Gives the other side the server's limits of time: PostgreSQL sets a clock for each of them at every statement, which is no
/// part of what row-level security costs.
async fn limit_alike(
    postgres: &Postgres,
    organization: OrganizationId,
    bare: &mut PgConnection,
) -> Result<()> {
    let mut tx = postgres.store.begin(&scope(organization)).await?;
    for limit in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        let kept: String = sqlx::query_scalar("select current_setting($1)")
            .bind(limit)
            .fetch_one(tx.conn())
            .await?;
        sqlx::query("select set_config($1, $2, false)")
            .bind(limit)
            .bind(kept)
            .execute(&mut *bare)
            .await?;
    }
    Ok(())
}

/// Both times in turn, so that what else the machine does befalls both; each by several connections, as the system
/// leaves a connection's process on the processor where it happened to start, near to whoever asks or far from it.
async fn beside(
    postgres: &Postgres,
    organization: OrganizationId,
    read: &Read,
) -> Result<(f64, f64)> {
    let scope = scope(organization);
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let mut bare = PgConnection::connect_with(&postgres.superuser.connect_options()).await?;
        limit_alike(postgres, organization, &mut bare).await?;
        sqlx::query("set role ephor_owner").execute(&mut bare).await?;
        sqlx::query("begin").execute(&mut bare).await?;
        pairs.push((postgres.store.begin(&scope).await?, bare));
    }
    let (mut bound, mut explicit) = (Vec::new(), Vec::new());
    for round in 0..WARMING + read.rounds {
        let (tx, bare) = &mut pairs[round % PAIRS];
        // Each is the first every other time: whoever reads first brings the rows into the processor's caches for
        // the other, too.
        let (mine, first, all, second);
        if (round / PAIRS).is_multiple_of(2) {
            (mine, first) = timed(&read.bound, read.kept, tx.conn()).await?;
            (all, second) = timed(&read.explicit, read.kept, bare).await?;
        } else {
            (all, second) = timed(&read.explicit, read.kept, bare).await?;
            (mine, first) = timed(&read.bound, read.kept, tx.conn()).await?;
        }
        let name = read.name;
        ensure!(mine.len() == all.len(), "{} and {} rows: {name}", mine.len(), all.len());
        for (mine, all) in mine.iter().zip(&all) {
            ensure!(
                mine.try_get_raw(0)?.as_bytes().ok() == all.try_get_raw(0)?.as_bytes().ok(),
                "{name}"
            );
        }
        if round >= WARMING {
            bound.push(first);
            explicit.push(second);
        }
    }
    for (_, bare) in pairs {
        bare.close().await?;
    }
    Ok((median_micros(&bound), median_micros(&explicit)))
}

/// The rows of a statement, and how long they took.
async fn timed(
    statement: &Statement,
    kept: bool,
    connection: &mut PgConnection,
) -> Result<(Vec<PgRow>, Duration)> {
    let begun = Instant::now();
    let Statement { sql, values } = statement.clone();
    let rows = bound(sql, values).persistent(kept).fetch_all(connection).await?;
    Ok((rows, begun.elapsed()))
}
