//! What new rows may be: AI systems and posts.

use ephor_kernel::Scope;
use ephor_store::testing::{self, TestDatabase};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acting::{act, actor, behind, id, now};

async fn system(
    db: &TestDatabase,
    who: &Scope,
    status: &str,
    level: &str,
) -> Result<Value, String> {
    let sql = format!(
        "insert into registry.ai_systems (organization_id, name, status, risk_level, created_by)
         values ($1, 's{}', '{status}', {level}, '{}')",
        Uuid::now_v7().simple(),
        actor(who)
    );
    act(db, who, &sql).await
}

#[tokio::test]
async fn a_prohibited_ai_system_is_put_into_use_in_no_way() {
    const REFUSED: &str = "ai_systems_status_step";
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    assert_eq!(system(&db, &ada, "active", "'prohibited'").await.unwrap_err(), REFUSED);
    // It can be written down, and stays out of use.
    let planned = system(&db, &ada, "planned", "'prohibited'").await.unwrap();
    assert_eq!(planned["classified_by"], actor(&ada).to_string());
    let step = format!(
        "update registry.ai_systems set status = 'active' where organization_id = $1 and id = '{}'",
        id(&planned)
    );
    assert_eq!(act(&db, &ada, &step).await.unwrap_err(), REFUSED);

    // A new one is what one step from planned leads to.
    for status in ["planned", "development", "testing", "active", "retired"] {
        let made = system(&db, &ada, status, "'high'").await.unwrap();
        assert_eq!(made["status"], status);
        assert_eq!(made["retired_at"].is_string(), status == "retired");
        assert_eq!(made["deployed_at"], Value::Null, "nobody said when");
    }
    assert_eq!(system(&db, &ada, "suspended", "null").await.unwrap_err(), REFUSED);
    // One in use that turns out to be prohibited is recorded as what it is.
    let used = system(&db, &ada, "active", "'minimal'").await.unwrap();
    let found = format!(
        "update registry.ai_systems set risk_level = 'prohibited' where organization_id = $1 and id = '{}'",
        id(&used)
    );
    assert_eq!(act(&db, &ada, &found).await.unwrap()["status"], "active");

    // What is brought over is taken as it is.
    behind(
        &db,
        format!(
            "insert into registry.ai_systems (organization_id, name, status, risk_level, classified_at, created_by)
             values ('{}', 'old', 'active', 'prohibited', now(), '{}')",
            ada.organization().uuid(),
            actor(&ada)
        ),
    )
    .await;
}

#[tokio::test]
async fn a_new_post_is_a_draft() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let post = |more: &str, value: &str| {
        format!(
            "insert into content.posts (organization_id, title, content, created_by{more})
             values ($1, 'Fair', 'It is.', '{}'{value})",
            actor(&ada)
        )
    };
    for status in ["published", "archived", "draft"] {
        let refused = act(&db, &ada, &post(", status", &format!(", '{status}'"))).await;
        assert_eq!(refused.unwrap_err(), "42501", "{status}: the application sets no state");
    }
    let made = act(&db, &ada, &post("", "")).await.unwrap();
    assert_eq!((&made["status"], &made["published_at"]), (&json!("draft"), &Value::Null));
    let publish = format!(
        "update content.posts set status = 'published' where organization_id = $1 and id = '{}'",
        id(&made)
    );
    act(&db, &ada, &publish).await.unwrap();
    assert!(now(&db, "content.posts", id(&made), "published_at").await.is_some());
}
