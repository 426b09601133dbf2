//! What keeps row-level security free: with an equality in policy and query, the planner folds the two
//! into a filter that is evaluated once, instead of one for each row.

use sqlx::{AssertSqlSafe, Connection, Executor, PgPool};
use uuid::Uuid;

use super::catalog::tenant_tables;

/// Tables whose plan still asks the setting for each row.
pub async fn slow_tables(admin: &PgPool) -> Vec<String> {
    let organization = Uuid::now_v7();
    let mut found = Vec::new();
    let mut planned = 0;
    for table in tenant_tables(admin).await {
        for role in ["ephor_app", "ephor_system"] {
            let mut connection = admin.acquire().await.unwrap();
            let mut tx = connection.begin().await.unwrap();
            let context = format!(
                "set local role {role}; set local ephor.organization_id = '{organization}'; set local plan_cache_mode = force_generic_plan"
            );
            tx.execute(AssertSqlSafe(context)).await.unwrap();
            let explain = format!(
                "explain (costs off) select organization_id from {} where organization_id = '{organization}'",
                table.name
            );
            // What is not granted has no plan.
            let Ok(lines) =
                sqlx::query_scalar::<_, String>(AssertSqlSafe(explain)).fetch_all(&mut *tx).await
            else {
                continue;
            };
            tx.rollback().await.unwrap();
            planned += 1;
            let is_folded = lines.iter().any(|line| line.contains("One-Time Filter"));
            let per_row = lines.iter().any(|line| {
                line.trim_start().starts_with("Filter:") && line.contains("ephor.organization_id")
            });
            if !is_folded || per_row {
                found.push(format!("{} as {role}:\n{}", table.name, lines.join("\n")));
            }
        }
    }
    assert!(planned > 15, "only {planned} plans could be looked at");
    found
}
