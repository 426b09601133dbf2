//! Every column of every required table has a home, and what is carried there can be carried back.
//!
//! `lineage/columns.json` lists the columns of the systems that Ephor unites; `lineage/<system>.toml`
//! says where each lives and how it is converted; `lineage/fixtures/<system>.sql` is the system's own
//! schema, with a row in each table. `ephor import` stands on the same files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod carry;
mod expression;
mod home;
mod map;

use std::collections::BTreeSet;

use ephor_store::testing;

#[test]
fn the_map_names_every_required_column_and_nothing_else() {
    let required = map::required();
    let mut wrong = Vec::new();
    for (system, tables) in &required {
        let map = map::of(system);
        for (table, columns) in tables {
            let homes = map.get(table);
            for column in columns {
                if homes.is_none_or(|homes| !homes.contains_key(column)) {
                    wrong.push(format!("{system}: {table}.{column} has no home"));
                }
            }
        }
        for (table, homes) in &map {
            for column in homes.keys() {
                if tables.get(table).is_none_or(|columns| !columns.contains(column)) {
                    wrong.push(format!("{system}: {table}.{column} is no required column"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let columns: usize = required.values().flat_map(|tables| tables.values()).map(Vec::len).sum();
    assert_eq!(columns, 731);
}

#[tokio::test]
async fn every_home_exists() {
    let db = testing::database().await;
    let live: BTreeSet<String> = sqlx::query_scalar(
        "select n.nspname || '.' || c.relname || '.' || a.attname
           from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
          where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')",
    )
    .fetch_all(&db.admin())
    .await
    .unwrap()
    .into_iter()
    .collect();
    let mut missing = Vec::new();
    for system in map::required().keys() {
        for (table, homes) in map::of(system) {
            for (column, home) in homes {
                missing.extend(
                    home.targets().filter(|target| !live.contains(*target)).map(|target| {
                        format!("{system}: {table}.{column}: {target} does not exist")
                    }),
                );
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Each value of each system goes to its home, and comes back as it was.
#[tokio::test]
async fn every_value_is_carried_to_its_home_and_back() {
    let mut wrong = Vec::new();
    let mut carried = 0;
    for system in map::required().keys() {
        let db = testing::database().await;
        let outcome = carry::carry(&db.admin(), system).await;
        carried += outcome.carried;
        wrong.extend(outcome.wrong);
    }
    assert!(wrong.is_empty(), "{} of 731 values came back\n{}", carried, wrong.join("\n"));
    assert_eq!(carried, 731);
}
