//! Tenant isolation, exhaustively: every table of the catalog x select, insert, update, delete x other
//! tenant, sibling subsidiary, holding, no scope x each role that acts for a tenant.
//!
//! Nothing here names a table: a new one is covered by being there. Rows are made up from the catalog
//! (`sample`); what a check constraint needs beyond that is said there, once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod attempts;
mod catalog;
mod personal;
mod plans;
mod sample;
mod suite;
mod world;

use ephor_store::testing;
use sqlx::{AssertSqlSafe, Executor};

use suite::violations;
use world::World;

#[tokio::test]
async fn no_tenant_reaches_what_is_anothers() {
    let db = testing::database().await;
    let world = World::make(&db.admin()).await;
    let found = violations(&db.admin(), &world).await;
    assert!(found.is_empty(), "tenants are not isolated:\n  {}", found.join("\n  "));
}

#[tokio::test]
async fn policies_cost_nothing_where_the_query_names_its_organization() {
    let db = testing::database().await;
    let found = plans::slow_tables(&db.admin()).await;
    assert!(found.is_empty(), "policies that the planner does not fold:\n{}", found.join("\n"));
}

/// Makes one table and says what the suite finds wrong with it.
async fn found_with(ddl: &str) -> Vec<String> {
    let db = testing::database().await;
    let admin = db.admin();
    admin
        .execute(AssertSqlSafe(format!(
            "create table registry.leaks (
                 organization_id uuid not null, id uuid not null, name text not null,
                 primary key (organization_id, id));
             grant select, insert, update, delete on registry.leaks to ephor_app, ephor_system;
             grant select on registry.leaks to ephor_reach;
             {ddl}"
        )))
        .await
        .unwrap();
    let world = World::make(&admin).await;
    let mut found = violations(&admin, &world).await;
    found.retain(|violation| violation.contains("registry.leaks"));
    found
}

#[tokio::test]
async fn a_table_without_a_policy_is_found() {
    let found = found_with("").await;
    for operation in ["select", "insert", "update", "delete"] {
        assert!(found.iter().any(|line| line.contains(operation)), "{operation}: {found:#?}");
    }
}

#[tokio::test]
async fn a_policy_that_lets_everybody_through_is_found() {
    let found = found_with(
        "alter table registry.leaks enable row level security;
         create policy all_of_it on registry.leaks using (true) with check (true);",
    )
    .await;
    assert!(!found.is_empty());
}

#[tokio::test]
async fn a_policy_that_lets_a_tenant_write_into_another_is_found() {
    let found = found_with(
        "alter table registry.leaks enable row level security;
         create policy one_way on registry.leaks
             using (organization_id = nullif(current_setting('ephor.organization_id', true), '')::uuid)
             with check (true);",
    )
    .await;
    assert!(found.iter().any(|line| line.contains("insert")), "{found:#?}");
}

#[tokio::test]
async fn a_table_made_by_the_one_template_is_sound() {
    let found = found_with("select kernel.tenant_table('registry.leaks', audited => false);").await;
    assert!(found.is_empty(), "{found:#?}");
}
