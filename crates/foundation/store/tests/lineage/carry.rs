//! Carries the one row of each table of a system to its homes and back.
//!
//! A home is a shadow of its table: the same columns, types, defaults and check constraints, without
//! keys, triggers and what the map does not fill. So every vocabulary and every range is met.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};
use uuid::Uuid;

use crate::{
    expression::{Assignment, Table},
    home::{Conversion, Converted, Home, split},
    map,
};

/// What came of it.
#[derive(Default)]
pub struct Outcome {
    /// Values that came back.
    pub carried: usize,
    /// What did not, and why.
    pub wrong: Vec<String>,
}

/// Checks of a table that its triggers see to, by looking other rows up.
const KEPT_BY_TRIGGERS: &[(&str, &str)] =
    &[("gateway.hallucination_flags", "hallucination_flags_conversation_log_check")];

/// Carries a system.
pub async fn carry(admin: &PgPool, system: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let mut connection = admin.acquire().await.unwrap();
    run(&mut connection, &map::fixture(system)).await.unwrap();
    // Keys are given without the rows that they refer to: those are carried on their own.
    run(&mut connection, "set session_replication_role = replica").await.unwrap();
    let source = format!("source_{}", system.replace('-', "_"));
    let map = map::of(system);
    identify(&mut connection, system, &source, &map).await;
    for (name, homes) in &map {
        let table = Table { system, name };
        match carry_row(&mut connection, &source, table, homes).await {
            Ok(came) => {
                outcome.carried += came.carried;
                outcome.wrong.extend(came.wrong);
            }
            Err(error) => outcome.wrong.push(format!("{system}: {name}: {error}")),
        }
    }
    outcome
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

/// The row that is carried: where a table must hold others for it to refer to, the last.
fn row_of(source: &str, table: &str) -> String {
    format!("(select * from {source}.\"{table}\" order by ctid desc limit 1)")
}

/// Gives every identifier of the source a UUID, and every organization its built-in roles.
async fn identify(connection: &mut PgConnection, system: &str, source: &str, map: &map::Map) {
    let mut organizations = BTreeSet::from([Uuid::now_v7()]);
    for (of, value) in identifiers(connection, source, map).await {
        let target = value.parse().unwrap_or_else(|_| Uuid::now_v7());
        if matches!(of.as_str(), "organizations" | "tenants") {
            organizations.insert(target);
        }
        sqlx::query(
            "insert into ops.imported_ids (organization_id, system, source_table, source_id, target)
             values (gen_random_uuid(), $1, $2, $3, $4)",
        )
        .bind(system)
        .bind(of)
        .bind(value)
        .bind(target)
        .execute(&mut *connection)
        .await
        .unwrap();
    }
    for organization in organizations {
        sqlx::query(
            "insert into identity.roles (organization_id, name, permissions, builtin_code, builtin_version)
             select $1, word, '{*}', word, 1 from unnest(array['owner', 'admin', 'manager', 'operator', 'member', 'viewer']) as word",
        )
        .bind(organization)
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}

/// Table and value of every identifier that the source holds, also those that only refer.
async fn identifiers(
    connection: &mut PgConnection,
    source: &str,
    map: &map::Map,
) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (table, homes) in map {
        for (column, home) in homes {
            let of = match home {
                Home::Converted(Converted { how: Conversion::Id, .. }) => table,
                Home::Converted(Converted { how: Conversion::Reference { of }, .. }) => of,
                _ => continue,
            };
            let sql = format!(
                "select \"{column}\"::text from {source}.\"{table}\" where \"{column}\" is not null"
            );
            let values: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.unwrap();
            found.extend(values.into_iter().map(|value| (of.clone(), value)));
        }
    }
    found
}

async fn carry_row(
    connection: &mut PgConnection,
    source: &str,
    table: Table<'_>,
    homes: &BTreeMap<String, Home>,
) -> Result<Outcome, sqlx::Error> {
    run(connection, "drop schema if exists shadow cascade; create schema shadow").await?;
    let mut targets = BTreeMap::<String, Vec<Assignment>>::new();
    for assignment in homes.iter().flat_map(|(column, home)| table.there(column, home)) {
        targets.entry(assignment.table.clone()).or_default().push(assignment);
    }
    for (target, assignments) in targets {
        fill(connection, &row_of(source, table.name), &target, assignments).await?;
    }
    let mut outcome = Outcome::default();
    for (column, home) in homes {
        let wrong = match comes_back(connection, source, table, column, home).await {
            Ok(None) => {
                outcome.carried += 1;
                continue;
            }
            Ok(Some(difference)) => difference,
            Err(error) => error.to_string(),
        };
        outcome.wrong.push(format!("{}: {}.{column}: {wrong}", table.system, table.name));
    }
    Ok(outcome)
}

/// Makes the shadow of a target table, and puts the row into it.
async fn fill(
    connection: &mut PgConnection,
    row: &str,
    target: &str,
    assignments: Vec<Assignment>,
) -> Result<(), sqlx::Error> {
    let shadow = shadow(target);
    run(
        connection,
        &format!("create table {shadow} (like {target} including defaults including constraints)"),
    )
    .await?;
    let columns: Vec<(String, String, bool)> = sqlx::query_as(
        "select attname::text, format_type(atttypid, atttypmod), attnotnull and not atthasdef
           from pg_attribute where attrelid = $1::regclass and attnum > 0",
    )
    .bind(&shadow)
    .fetch_all(&mut *connection)
    .await?;
    let mut values = BTreeMap::<String, String>::new();
    for Assignment { column, expression, part, .. } in assignments {
        let kind = columns.iter().find(|(name, ..)| *name == column);
        let kind = kind.map_or_else(|| panic!("{target} has no {column}"), |(_, kind, _)| kind);
        let value = cast(&expression, kind);
        let whole = match values.remove(&column) {
            None => value,
            Some(others) if part || kind == "jsonb" => {
                format!("coalesce({others}, '{{}}') || coalesce({value}, '{{}}')")
            }
            Some(first) => first,
        };
        values.insert(column, whole);
    }
    for (name, _, required) in &columns {
        if *required && !values.contains_key(name) {
            run(connection, &format!("alter table {shadow} alter \"{name}\" drop not null"))
                .await?;
        }
    }
    for (_, constraint) in KEPT_BY_TRIGGERS.iter().filter(|(of, _)| *of == target) {
        run(connection, &format!("alter table {shadow} drop constraint \"{constraint}\"")).await?;
    }
    let names: Vec<String> = values.keys().map(|name| format!("\"{name}\"")).collect();
    let values: Vec<String> = values.into_values().collect();
    let (names, values) = (names.join(", "), values.join(", "));
    run(connection, &format!("insert into {shadow} ({names}) select {values} from {row} as s"))
        .await
}

/// The shadow of a table.
fn shadow(target: &str) -> String {
    format!("shadow.\"{}\"", target.replace('.', "_"))
}

/// Through text, because sources keep numbers, JSON and lists as text, and the other way round.
fn cast(expression: &str, kind: &str) -> String {
    match kind {
        "bytea" => format!("({expression})"),
        "jsonb" => format!(
            "(case when pg_typeof({expression}) in ('text', 'character varying') then ({expression})::text::jsonb else to_jsonb({expression}) end)"
        ),
        kind => format!("({expression})::text::{kind}"),
    }
}

/// Compares a value with what comes back; a difference is told.
async fn comes_back(
    connection: &mut PgConnection,
    source: &str,
    table: Table<'_>,
    column: &str,
    home: &Home,
) -> Result<Option<String>, sqlx::Error> {
    let (target, _) = split(home.targets().next().expect("a home"));
    let (back, lossless) = table.back(home);
    let kind: String = sqlx::query_scalar(
        "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass and attname = $2",
    )
    .bind(format!("{source}.\"{}\"", table.name))
    .bind(column)
    .fetch_one(&mut *connection)
    .await?;
    // JSON is compared as JSON; a text within JSON without its quotes.
    let alike = |value: &str| match kind.as_str() {
        "json" | "jsonb" => format!("to_jsonb({value})::text"),
        kind => format!(
            "(case when pg_typeof({value}) = 'jsonb'::regtype then to_jsonb({value}) #>> '{{}}' else ({value})::text end)::{kind}::text"
        ),
    };
    let row = sqlx::query(AssertSqlSafe(format!(
        "select {}, {} from {} as s, {} as t",
        alike(&format!("s.\"{column}\"")),
        alike(&format!("({back})")),
        row_of(source, table.name),
        shadow(target)
    )))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(Some("nothing came back".to_owned())) };
    let (was, is): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match (was, is) {
        (None, _) => Some("the fixture has no value here".to_owned()),
        (Some(was), Some(is)) if was == is || !lossless => None,
        (was, is) => Some(format!("{was:?} came back as {is:?}")),
    })
}
