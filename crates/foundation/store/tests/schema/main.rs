//! The schema's own rules, read from the catalog: what keeps tenants apart beyond policies, what lets
//! tables be spread over machines, and what the API's descriptions are made from.
//!
//! Each rule is one query in `rules/`, which returns the objects that break it. A rule that cannot fail
//! is worth nothing: `breaking` makes something that breaks each, and sees it named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod breaking;
mod exceptions;
mod personal;
mod rules;

use ephor_store::testing;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use exceptions::EXCEPTIONS;
use rules::{COMMON, RULES};

/// Rule and object of everything that breaks a rule, exceptions and all.
async fn broken(admin: &mut PgConnection) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (rule, query) in RULES {
        let sql = format!("{COMMON} {query}");
        let objects: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut *admin)
            .await
            .unwrap_or_else(|error| panic!("the rule {rule} cannot be asked: {error}"));
        found.extend(objects.into_iter().map(|object| (*rule, object)));
    }
    found
}

#[tokio::test]
async fn the_schema_keeps_its_rules() {
    let db = testing::database().await;
    let found = broken(&mut db.admin().acquire().await.unwrap()).await;
    let unexcused: Vec<String> = found
        .iter()
        .filter(|(rule, object)| {
            !EXCEPTIONS.iter().any(|(of, name, _)| of == rule && name == object)
        })
        .map(|(rule, object)| format!("{rule}: {object}"))
        .collect();
    assert!(
        unexcused.is_empty(),
        "the schema breaks its rules (put it right, or say in tests/schema/exceptions.rs why it is right):\n  {}",
        unexcused.join("\n  ")
    );
    let stale: Vec<String> = EXCEPTIONS
        .iter()
        .filter(|(rule, name, _)| !found.iter().any(|(of, object)| of == rule && object == name))
        .map(|(rule, name, _)| format!("{rule}: {name}"))
        .collect();
    assert!(stale.is_empty(), "exceptions that nothing needs any more:\n  {}", stale.join("\n  "));
}

#[tokio::test]
async fn every_rule_can_be_broken() {
    let db = testing::database().await;
    let mut admin = db.admin().acquire().await.unwrap();
    let before = broken(&mut admin).await;
    let mut tx = admin.begin().await.unwrap();
    sqlx::raw_sql(breaking::DDL).execute(&mut *tx).await.unwrap();
    let after = broken(&mut tx).await;
    tx.rollback().await.unwrap();
    let unbroken: Vec<&str> = RULES
        .iter()
        .map(|(rule, _)| *rule)
        .filter(|rule| !after.iter().any(|one| one.0 == *rule && !before.contains(one)))
        .collect();
    assert!(
        unbroken.is_empty(),
        "nothing in tests/schema/breaking.rs breaks the rules {unbroken:#?}"
    );
}
