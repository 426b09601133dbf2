//! A month's limits count what was made, whether or not it is still there.

use ephor_kernel::Scope;
use ephor_store::testing::{self, TestDatabase};
use uuid::Uuid;

use crate::acting::{act, actor, behind, id};

const REACHED: &str = "EPL01";

/// Each kind of thing with its table, an insert of one, and the column that counts it.
fn kinds(who: &Scope) -> [(&'static str, String, &'static str); 2] {
    let actor = actor(who);
    [
        (
            "deliberation.deliberations",
            format!(
                "insert into deliberation.deliberations (organization_id, user_id, problem_statement)
                 values ($1, '{actor}', 'Shall we?')"
            ),
            "deliberation_count",
        ),
        (
            "assurance.bias_analyses",
            format!(
                "insert into assurance.bias_analyses (organization_id, name, data_source, analysis_type, created_by)
                 values ($1, 'Fair?', 'upload', 'comprehensive', '{actor}')"
            ),
            "bias_analysis_count",
        ),
    ]
}

async fn counted(db: &TestDatabase, scope: &Scope, column: &str) -> i64 {
    let sql = format!(
        "select coalesce(sum({column}), 0)::bigint from billing.usage_counts where organization_id = $1"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(scope.organization().uuid())
        .fetch_one(&db.admin())
        .await
        .unwrap()
}

async fn delete(db: &TestDatabase, scope: &Scope, table: &str, id: Uuid) {
    let sql = format!("delete from {table} where organization_id = $1 and id = '{id}'");
    act(db, scope, &sql).await.unwrap();
}

#[tokio::test]
async fn what_is_deleted_was_used() {
    let db = testing::database().await;
    let (ada, eve) = (db.organization("Acme").await, db.organization("Other").await);
    behind(
        &db,
        r#"update billing.subscription_tiers set is_default = true,
               limits = limits || '{"deliberations_per_month": 2, "bias_analyses_per_month": 2}' where code = 'free'"#
            .to_owned(),
    )
    .await;
    for (table, insert, column) in kinds(&ada) {
        for turn in 1..=2 {
            let made = act(&db, &ada, &insert).await.unwrap();
            delete(&db, &ada, table, id(&made)).await;
            assert_eq!(counted(&db, &ada, column).await, turn, "{table}");
        }
        assert_eq!(act(&db, &ada, &insert).await.unwrap_err(), REACHED, "{table}");
        assert_eq!(counted(&db, &ada, column).await, 2, "what was refused was not used: {table}");
    }
    // Each organization has its own.
    for (table, insert, column) in kinds(&eve) {
        act(&db, &eve, &insert).await.unwrap();
        assert_eq!(counted(&db, &eve, column).await, 1, "{table}");
    }
}

#[tokio::test]
async fn a_month_counts_what_was_made_in_it_limit_or_none() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    for (table, insert, column) in kinds(&ada) {
        act(&db, &ada, &insert).await.unwrap();
        // Brought over from an earlier year.
        let old = insert.replace("(organization_id,", "(created_at, organization_id,").replace(
            "($1,",
            &format!("(now() - interval '1 year', '{}',", ada.organization().uuid()),
        );
        behind(&db, old).await;
        assert_eq!(counted(&db, &ada, column).await, 1, "{table}");
    }
    // Another month begins at nothing.
    behind(
        &db,
        r#"update billing.usage_counts set month = month - interval '1 month';
           update billing.subscription_tiers set is_default = true,
               limits = limits || '{"deliberations_per_month": 1, "bias_analyses_per_month": 1}' where code = 'free'"#
            .to_owned(),
    )
    .await;
    for (table, insert, _) in kinds(&ada) {
        act(&db, &ada, &insert).await.unwrap();
        assert_eq!(act(&db, &ada, &insert).await.unwrap_err(), REACHED, "{table}");
    }
}

#[tokio::test]
async fn two_at_the_same_moment_count_one_another() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    behind(
        &db,
        r#"update billing.subscription_tiers set is_default = true,
               limits = limits || '{"deliberations_per_month": 3}' where code = 'free'"#
            .to_owned(),
    )
    .await;
    let [(_, insert, column), _] = kinds(&ada);
    let tries = futures::future::join_all((0..8).map(|_| act(&db, &ada, &insert))).await;
    let refused: Vec<_> = tries.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused, [REACHED; 5]);
    assert_eq!(counted(&db, &ada, column).await, 3);
}
