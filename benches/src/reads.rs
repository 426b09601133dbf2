//! What row-level security costs a read: the same statement with the organization named, once bound
//! by the policies as the server is, once as a superuser whom no policy binds.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use ephor_kernel::OrganizationId;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::{
    postgres::{Postgres, scope},
    report::{Bar, Report, say},
    times::median_micros,
};

const ORGANIZATIONS: i32 = 1_000;
const ROWS: i32 = 1_000_000;
/// What the largest organization holds; the others share the rest, ever smaller.
const LARGEST: i32 = 200_000;

/// The work of a page: its name, its statement, how many times it is measured.
const QUERIES: [(&str, &str, usize); 4] = [
    (
        "ordered list of 50",
        "select id, name, description, model_type, status, created_at from registry.models
         where organization_id = $1 order by created_at desc, id limit 51",
        1_000,
    ),
    (
        "filtered, ordered list of 50",
        "select id, name, description, model_type, status, created_at from registry.models
         where organization_id = $1 and status = 'active' order by created_at desc, id limit 51",
        1_000,
    ),
    (
        "count by status",
        "select status as name, count(*) as n from registry.models where organization_id = $1 group by status order by 1",
        25,
    ),
    (
        "search in name and description",
        "select id, name from registry.models
         where organization_id = $1 and description ilike '%nowhere%' order by created_at desc, id limit 51",
        15,
    ),
];

pub async fn run(postgres: &Postgres, report: &mut Report) -> Result<()> {
    let (largest, middle) = fill(postgres).await?;
    say(format!(
        "\nReads: {}; {ROWS} models of {ORGANIZATIONS} organizations, the largest with {LARGEST}; p50 in µs",
        postgres.describe().await?
    ))?;
    say("statement                       organization    under RLS    explicit   ratio")?;
    let mut bare = PgConnection::connect_with(&postgres.superuser.connect_options()).await?;
    for (name, sql, rounds) in QUERIES {
        for (which, organization) in [("largest", largest), ("middle", middle)] {
            // A statement of its own for each organization: PostgreSQL keeps the plan that suited the first
            // few, and would keep the largest organization's for the others, on one side or on both.
            let sql = format!("{sql} -- {which}");
            let (bound, explicit) = beside(postgres, &mut bare, organization, &sql, rounds).await?;
            let ratio = bound / explicit;
            say(format!("{name:<30}  {which:<12}  {bound:>11.0}  {explicit:>10.0}  {ratio:>6.3}"))?;
            let work = format!("read under row-level security, {name}, {which} organization");
            report.judge(work, ratio, "x", Bar::AtMost(1.05));
        }
    }
    Ok(bare.close().await?)
}

/// Both times in turn, so that what else the machine does befalls both.
async fn beside(
    postgres: &Postgres,
    bare: &mut PgConnection,
    organization: OrganizationId,
    sql: &str,
    rounds: usize,
) -> Result<(f64, f64)> {
    let query = |sql: &str| sqlx::query(AssertSqlSafe(sql.to_owned()));
    let scope = scope(organization);
    let mut tx = postgres.store.begin(&scope).await?;
    let mut open = bare.begin().await?;
    let (mut bound, mut explicit) = (Vec::new(), Vec::new());
    for round in 0..rounds + rounds / 5 {
        let begun = Instant::now();
        let mine = query(sql).bind(organization.uuid()).fetch_all(tx.conn()).await?;
        let first = begun.elapsed();
        let begun = Instant::now();
        let all = query(sql).bind(organization.uuid()).fetch_all(&mut *open).await?;
        let second = begun.elapsed();
        ensure!(mine.len() == all.len(), "{} and {} rows: {sql}", mine.len(), all.len());
        for (mine, all) in mine.iter().zip(&all) {
            ensure!(
                mine.try_get_raw(0)?.as_bytes().ok() == all.try_get_raw(0)?.as_bytes().ok(),
                "{sql}"
            );
        }
        if round >= rounds / 5 {
            bound.push(first);
            explicit.push(second);
        }
    }
    let told = |times: &[Duration]| median_micros(times);
    Ok((told(&bound), told(&explicit)))
}

/// The rows, straight into the table: neither trail nor versions are what is measured.
async fn fill(postgres: &Postgres) -> Result<(OrganizationId, OrganizationId)> {
    let mut connection = postgres.superuser.acquire().await?;
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *connection).await?;
    sqlx::query(
        "create temporary table sizes (id uuid default kernel.uuidv7(), n integer, size integer)",
    )
    .execute(&mut *connection)
    .await?;
    // The others share the rest as 1 : 1/2 : 1/3 … do.
    sqlx::query(
        "insert into sizes (n, size)
         select n, case n when 1 then $2
             else ceil(($3 - $2) / (n + 10.0) / sum(1 / (n + 10.0)) filter (where n > 1) over ()) end
         from generate_series(1, $1) as n",
    )
    .bind(ORGANIZATIONS)
    .bind(LARGEST)
    .bind(ROWS)
    .execute(&mut *connection)
    .await?;
    // Shuffled, as rows come in over the years.
    sqlx::query(
        "insert into registry.models (organization_id, name, description, model_type, status, created_by, created_at)
         select sizes.id, 'model ' || number, repeat('a credit model of the second generation ', 3), 'classification',
                case when random() < 0.3 then 'active' else 'draft' end, sizes.id, now() - random() * interval '3 years'
         from sizes, generate_series(1, sizes.size) as number order by random()",
    )
    .execute(&mut *connection)
    .await?;
    // One by one: VACUUM takes no transaction, and statements sent together are one.
    for statement in ["set session_replication_role = origin", "vacuum analyze registry.models"] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    let ids: Vec<(Uuid, i32)> =
        sqlx::query_as("select id, n from sizes where n in (1, 500) order by n")
            .fetch_all(&mut *connection)
            .await?;
    ensure!(ids.len() == 2, "{} organizations", ids.len());
    Ok((ids[0].0.into(), ids[1].0.into()))
}
