//! What row-level security costs a read: the same statement with the organization named, once bound
//! by the policies as the server is, once as a superuser whom no policy binds.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use ephor_kernel::OrganizationId;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, postgres::PgRow};

use crate::{
    plans::{
        self,
        data::{Size, fill},
    },
    postgres::{Postgres, scope},
    report::{Bar, Report, say},
    times::median_micros,
};

/// What is read; the largest organization has a fifth of it.
pub const SIZE: Size = Size { organizations: 1_000, rows: 1_000_000, largest: 200_000 };

/// The work of a page: its name, its statement, the owner's where it is another, how many times it is measured.
const QUERIES: [(&str, &str, Option<&str>, usize); 6] = [
    (
        "ordered list of 50",
        "select id, name, description, model_type, status, created_at from registry.models
         where organization_id = $1 order by created_at desc, id limit 51",
        None,
        1_000,
    ),
    (
        "filtered, ordered list of 50",
        "select id, name, description, model_type, status, created_at from registry.models
         where organization_id = $1 and status = 'active' order by created_at desc, id limit 51",
        None,
        1_000,
    ),
    (
        "count by status",
        "select status as name, count(*) as n from registry.models where organization_id = $1 group by status order by 1",
        None,
        25,
    ),
    (
        "page behind a cursor",
        "select id, name, description, model_type, status, created_at from registry.models
         where organization_id = $1 and created_at <= now() - interval '1 year' order by created_at desc, id limit 51",
        None,
        1_000,
    ),
    (
        "search of a rare word, by its index",
        "select id, name from registry.models
         where organization_id = $1 and id = any (search.ids('registry.models', '''batch777'':*', 2000))
           and to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(description, '')) @@ to_tsquery('simple', '''batch777'':*')
         order by created_at desc, id limit 51",
        // The owner may use the index itself.
        Some(
            "select id, name from registry.models
             where organization_id = $1
               and search.document(organization_id, coalesce(name, '') || ' ' || coalesce(description, ''))
                   @@ ('''' || search.mark($1) || 'batch777'':*')::tsquery
               and to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(description, '')) @@ to_tsquery('simple', '''batch777'':*')
             order by created_at desc, id limit 51",
        ),
        200,
    ),
    (
        "search of a common word",
        "select id, name from registry.models
         where organization_id = $1
           and to_tsvector('simple', coalesce(name, '') || ' ' || coalesce(description, '')) @@ to_tsquery('simple', '''credit'':*')
         order by created_at desc, id limit 51",
        None,
        200,
    ),
];

pub async fn run(postgres: &Postgres, plans: Option<&Path>, report: &mut Report) -> Result<()> {
    let ids = fill(&mut *postgres.superuser.acquire().await?, SIZE).await?;
    if let Some(file) = plans {
        plans::run(postgres, &ids, SIZE, file).await?;
    }
    let (largest, middle) = (OrganizationId::from(ids[0]), OrganizationId::from(ids[499]));
    let Size { organizations, rows, largest: most } = SIZE;
    say(format!(
        "\nReads: {}; {rows} models of {organizations} organizations, the largest with {most}; p50 in µs",
        postgres.describe().await?
    ))?;
    say("statement                             organization    under RLS    explicit   ratio")?;
    let mut bare = PgConnection::connect_with(&postgres.superuser.connect_options()).await?;
    for (name, sql, owners, rounds) in QUERIES {
        for (which, organization) in [("largest", largest), ("middle", middle)] {
            // A statement of its own for each organization: PostgreSQL keeps the plan that suited the first
            // few, and would keep the largest organization's for the others, on one side or on both.
            let both = [sql, owners.unwrap_or(sql)].map(|sql| format!("{sql} -- {which}"));
            let (bound, explicit) =
                beside(postgres, &mut bare, organization, &both, rounds).await?;
            let ratio = bound / explicit;
            say(format!("{name:<36}  {which:<12}  {bound:>11.0}  {explicit:>10.0}  {ratio:>6.3}"))?;
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
    [sql, owners]: &[String; 2],
    rounds: usize,
) -> Result<(f64, f64)> {
    let scope = scope(organization);
    let mut tx = postgres.store.begin(&scope).await?;
    let mut open = bare.begin().await?;
    let (mut bound, mut explicit) = (Vec::new(), Vec::new());
    for round in 0..rounds + rounds / 5 {
        // Each is the first every other time: whoever reads first brings the rows into the processor's caches for
        // the other, too.
        let (mine, first, all, second);
        if round % 2 == 0 {
            (mine, first) = timed(sql, organization, tx.conn()).await?;
            (all, second) = timed(owners, organization, &mut open).await?;
        } else {
            (all, second) = timed(owners, organization, &mut open).await?;
            (mine, first) = timed(sql, organization, tx.conn()).await?;
        }
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

/// The rows of a statement of the bench's own, and how long they took.
async fn timed(
    sql: &str,
    organization: OrganizationId,
    connection: &mut PgConnection,
) -> Result<(Vec<PgRow>, Duration)> {
    let begun = Instant::now();
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(organization.uuid());
    let rows = query.fetch_all(connection).await?;
    Ok((rows, begun.elapsed()))
}
