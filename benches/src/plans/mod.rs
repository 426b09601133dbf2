//! `docs/queries.md`: how PostgreSQL runs the ten statements that a server runs most.

pub mod data;
pub mod queries;

use std::{fmt::Write as _, path::Path};

use anyhow::{Result, ensure};
use ephor_rest::{Catalog, Engine};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{postgres::Postgres, report::say};

/// More of an array than this says nothing more.
const SHOWN: usize = 160;

/// The engine over the resources that the statements are of.
pub async fn engine(connection: &mut PgConnection) -> Result<Engine> {
    let catalog = Catalog::read(connection).await?;
    Ok(Engine::new(&catalog, [queries::MODELS, queries::VERSIONS], [7; 32])?)
}

/// Writes the plans to `file`; fails when one of them reads a whole table.
pub async fn run(
    postgres: &Postgres,
    engine: &Engine,
    organizations: &[Uuid],
    data: data::Size,
    file: &Path,
) -> Result<()> {
    let mut superuser = postgres.superuser.acquire().await?;
    let explained =
        queries::explain(&postgres.store, &mut superuser, engine, organizations).await?;
    let data::Size { organizations, rows, largest } = data;
    let mut text = format!(
        "# The ten most used queries\n\n\
         How PostgreSQL runs them: {rows} models of {organizations} organizations, asked in the largest, which has {largest}. \
         Written by `ephor-benches --only reads --plans docs/queries.md`, on {}; each ran once before, so that what it reads \
         is in memory. Lists run as `ephor_app` under row-level security. A test explains the same statements over fewer rows, \
         and fails when one of them reads a whole table.\n",
        postgres.describe().await?
    );
    for (place, query) in explained.iter().enumerate() {
        ensure!(
            !queries::reads_a_whole_table(&query.plan),
            "{} reads a whole table:\n{}",
            query.name,
            query.plan
        );
        write!(
            text,
            "\n## {}. {}\n\n{}\n\n```sql\n{}\n```\n\n```\n{}\n```\n",
            place + 1,
            query.name,
            query.about,
            query.sql,
            shortened(&query.plan)
        )?;
    }
    std::fs::write(file, text)?;
    say(format!("\nThe plans of {} queries are in {}", explained.len(), file.display()))
}

/// Without the middle of long lines, such as those of two hundred ids.
fn shortened(plan: &str) -> String {
    let line = |line: &str| match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    plan.lines().map(line).collect::<Vec<_>>().join("\n")
}
