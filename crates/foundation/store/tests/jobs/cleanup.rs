//! What ended long ago goes, in every organization, and nothing else.

use ephor_store::testing;
use sqlx::Connection as _;

#[tokio::test]
async fn jobs_that_ended_long_ago_go_and_others_stay() {
    let db = testing::database().await;
    let (one, two) = (db.organization("One").await, db.organization("Two").await);
    for scope in [&one, &two] {
        for (state, days) in [("completed", 31), ("failed", 40), ("completed", 29)] {
            sqlx::query(
                "insert into ops.jobs (organization_id, id, kind, state, created_by, created_at, finished_at)
                 values ($1, kernel.uuidv7(), 'test.act', $2, kernel.uuidv7(), now() - interval '50 days', now() - make_interval(days => $3))",
            )
            .bind(scope.organization().uuid())
            .bind(state)
            .bind(days)
            .execute(&db.admin())
            .await
            .unwrap();
        }
        sqlx::query(
            "insert into ops.jobs (organization_id, id, kind, created_by, created_at)
             values ($1, kernel.uuidv7(), 'test.act', kernel.uuidv7(), now() - interval '50 days')",
        )
        .bind(scope.organization().uuid())
        .execute(&db.admin())
        .await
        .unwrap();
    }

    let mut system = db.connect_as("ephor_system").await;
    let (organizations, deleted): (i64, i64) =
        sqlx::query_as("select organizations, deleted from ops.cleanup_all()")
            .fetch_one(&mut system)
            .await
            .unwrap();
    assert!(organizations >= 2, "{organizations}");
    assert_eq!(deleted, 4);
    // It leaves no scope behind.
    let seen: i64 =
        sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(&mut system).await.unwrap();
    assert_eq!(seen, 0);
    system.close().await.unwrap();
    let left: i64 =
        sqlx::query_scalar("select count(*) from ops.jobs").fetch_one(&db.admin()).await.unwrap();
    assert_eq!(left, 4, "one that ended lately and one that is queued, in each");

    let mut app = db.connect_as("ephor_app").await;
    assert!(
        sqlx::query("select ops.cleanup_all()").execute(&mut app).await.is_err(),
        "requests clean nothing up"
    );
}
