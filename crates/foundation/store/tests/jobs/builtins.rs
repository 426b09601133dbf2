//! Built-in data follows new versions, unless somebody changed or deleted it.

use ephor_kernel::Scope;
use ephor_store::{
    Store,
    builtins::{
        BuiltinEntry, BuiltinTable, Followed, builtin_edition_note, builtin_offer,
        builtin_offer_accept, builtin_offer_decline, builtin_offers_open, builtins_follow,
    },
    testing,
};
use serde_json::{Value, json};
use sqlx::PgPool;

/// Two frameworks' worth of requirements at one version of the binary.
fn tables(version: i32, wording: &str) -> Vec<BuiltinTable> {
    let entry = |code: &str, values: Value| BuiltinEntry::new(code, version, &values).unwrap();
    let requirement = |code: &str, framework: &str, parent: Option<&str>| {
        entry(code, json!({"code": code, "title": wording}))
            .referring("framework_id", Some(framework))
            .referring("parent_id", parent)
    };
    vec![
        BuiltinTable {
            entity: "compliance.frameworks",
            references: &[],
            initial: json!({"is_active": false}),
            entries: vec![entry("law", json!({"code": "law", "name": wording}))],
        },
        BuiltinTable {
            entity: "compliance.requirements",
            references: &[
                ("framework_id", "compliance.frameworks"),
                ("parent_id", "compliance.requirements"),
            ],
            initial: json!({}),
            // A part stands before its whole; the third one's framework is not there.
            entries: vec![
                requirement("law:1-a", "law", Some("law:1")),
                requirement("law:1", "law", None),
                requirement("other:1", "other", None),
            ],
        },
    ]
}

async fn follow(store: &Store, scope: &Scope, tables: &[BuiltinTable]) -> Vec<Followed> {
    let mut tx = store.begin_system(scope).await.unwrap();
    let mut followed = Vec::new();
    for table in tables {
        followed.push(builtins_follow(&mut tx, table).await.unwrap());
    }
    tx.commit().await.unwrap();
    followed
}

async fn titles(admin: &PgPool, scope: &Scope) -> Vec<(String, String, i32)> {
    sqlx::query_as(
        "select code, title, builtin_version from compliance.requirements
         where organization_id = $1 order by code",
    )
    .bind(scope.organization().uuid())
    .fetch_all(admin)
    .await
    .unwrap()
}

fn sums(created: i64, followed: i64, kept: i64) -> Followed {
    Followed { created, followed, kept }
}

#[tokio::test]
async fn what_nobody_changed_follows_and_what_somebody_changed_is_kept() {
    let db = testing::database().await;
    let (store, admin) = (db.store(), db.admin());
    let (scope, other) = (db.organization("A").await, db.organization("B").await);

    assert_eq!(follow(&store, &scope, &tables(1, "one")).await, [sums(1, 0, 0), sums(2, 0, 0)]);
    assert_eq!(follow(&store, &scope, &tables(1, "one")).await, [sums(0, 0, 0); 2]);
    assert!(titles(&admin, &other).await.is_empty(), "it is one organization's business");

    // Its own choice is no change of the entry; another title is.
    let mut tx = store.begin(&scope).await.unwrap();
    for change in [
        "update compliance.frameworks set is_active = true where organization_id = $1",
        "update compliance.requirements set title = 'ours' where organization_id = $1 and code = 'law:1-a'",
    ] {
        sqlx::query(change).bind(scope.organization().uuid()).execute(tx.conn()).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(follow(&store, &scope, &tables(2, "two")).await, [sums(0, 1, 0), sums(0, 1, 1)]);
    let expected = [("law:1", "two", 2), ("law:1-a", "ours", 1)];
    let expected = expected.map(|(code, title, version)| (code.into(), title.into(), version));
    assert_eq!(titles(&admin, &scope).await, expected);
    let offered: Vec<(String, i32, Value)> = sqlx::query_as(
        "select builtin_code, offered_version, offered from ops.builtin_copies
         where organization_id = $1 and offered is not null",
    )
    .bind(scope.organization().uuid())
    .fetch_all(&admin)
    .await
    .unwrap();
    assert_eq!(offered.len(), 1);
    assert_eq!((offered[0].0.as_str(), offered[0].1), ("law:1-a", 2));
    assert_eq!(offered[0].2["title"], "two");
}

#[tokio::test]
async fn what_was_deleted_stays_so_and_an_own_code_is_not_taken() {
    let db = testing::database().await;
    let (store, admin) = (db.store(), db.admin());
    let scope = db.organization("A").await;
    let organization = scope.organization().uuid();
    let mut tx = store.begin(&scope).await.unwrap();
    let own: uuid::Uuid = sqlx::query_scalar(
        "insert into compliance.frameworks (organization_id, code, name) values ($1, 'own', 'Ours') returning id",
    )
    .bind(organization)
    .fetch_one(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();

    follow(&store, &scope, &tables(1, "one")).await;
    let mut tx = store.begin(&scope).await.unwrap();
    sqlx::query(
        "delete from compliance.requirements where organization_id = $1 and code = 'law:1'",
    )
    .bind(organization)
    .execute(tx.conn())
    .await
    .unwrap();
    tx.commit().await.unwrap();
    // Its part went with it; a newer version brings back neither.
    assert_eq!(follow(&store, &scope, &tables(2, "two")).await, [sums(0, 1, 0), sums(0, 0, 0)]);
    assert!(titles(&admin, &scope).await.is_empty());

    let mut clash = tables(2, "two");
    clash[0]
        .entries
        .push(BuiltinEntry::new("own", 2, &json!({"code": "own", "name": "Theirs"})).unwrap());
    assert_eq!(follow(&store, &scope, &clash[..1]).await, [sums(0, 0, 0)]);
    let name: String = sqlx::query_scalar("select name from compliance.frameworks where id = $1")
        .bind(own)
        .fetch_one(&admin)
        .await
        .unwrap();
    assert_eq!(name, "Ours");
}

#[tokio::test]
async fn an_offer_is_answered_within_its_organization_by_the_system_alone() {
    let db = testing::database().await;
    let (store, admin) = (db.store(), db.admin());
    let (scope, other) = (db.organization("A").await, db.organization("B").await);
    let entity = "compliance.requirements";
    for organization in [&scope, &other] {
        follow(&store, organization, &tables(1, "one")).await;
        let mut tx = store.begin(organization).await.unwrap();
        let change = "update compliance.requirements set title = 'ours' where organization_id = $1";
        let id = organization.organization().uuid();
        sqlx::query(change).bind(id).execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            follow(&store, organization, &tables(2, "two")).await,
            [sums(0, 1, 0), sums(0, 0, 2)]
        );
    }
    let row: uuid::Uuid = sqlx::query_scalar(
        "select id from compliance.requirements where organization_id = $1 and code = 'law:1-a'",
    )
    .bind(scope.organization().uuid())
    .fetch_one(&admin)
    .await
    .unwrap();

    let mut tx = store.begin_system(&other).await.unwrap();
    assert_eq!(builtin_offer(&mut tx, entity, row).await.unwrap(), None);
    assert!(!builtin_offer_accept(&mut tx, entity, row, 2).await.unwrap());
    assert!(!builtin_offer_decline(&mut tx, entity, row, 2).await.unwrap());
    tx.commit().await.unwrap();
    let mut tx = store.begin(&scope).await.unwrap();
    assert_eq!(builtin_offers_open(&mut tx, entity).await.unwrap().len(), 2);
    // What differs, references too, though nothing of these does here.
    let offer = builtin_offer(&mut tx, entity, row).await.unwrap().unwrap();
    let fields: Vec<&str> = offer.differences.iter().map(|it| it.field.as_str()).collect();
    assert_eq!((fields, offer.is_open()), (vec!["title"], true));
    builtin_offer_accept(&mut tx, entity, row, 2).await.unwrap_err();
    drop(tx);

    let mut tx = store.begin_system(&scope).await.unwrap();
    assert!(!builtin_offer_accept(&mut tx, entity, row, 1).await.unwrap(), "it is another version");
    assert!(builtin_offer_accept(&mut tx, entity, row, 2).await.unwrap());
    assert_eq!(builtin_offer(&mut tx, entity, row).await.unwrap(), None);
    assert_eq!(builtin_offers_open(&mut tx, entity).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    // The one follows again; the other goes on to wait.
    assert_eq!(follow(&store, &scope, &tables(3, "three")).await, [sums(0, 1, 0), sums(0, 1, 1)]);
}

#[tokio::test]
async fn an_organization_is_due_until_it_has_followed() {
    let db = testing::database().await;
    let (store, admin) = (db.store(), db.admin());
    let scope = db.organization("A").await;
    let digest = "a".repeat(64);
    let due = async || -> i64 {
        let mut connection = db.connect_as("ephor_owner").await;
        sqlx::query_scalar("select ops.builtins_due($1)")
            .bind(json!({"digest": digest}))
            .fetch_one(&mut connection)
            .await
            .unwrap()
    };
    let organizations: i64 =
        sqlx::query_scalar("select count(*) from identity.organizations where is_active")
            .fetch_one(&admin)
            .await
            .unwrap();
    assert_eq!(due().await, organizations);
    assert_eq!(due().await, 0, "what is queued is not asked for again");
    let mut tx = store.begin_system(&scope).await.unwrap();
    builtin_edition_note(&mut tx, &digest).await.unwrap();
    tx.commit().await.unwrap();
    sqlx::query("update ops.jobs set state = 'cancelled', finished_at = now()")
        .execute(&admin)
        .await
        .unwrap();
    assert_eq!(due().await, organizations - 1);
}
