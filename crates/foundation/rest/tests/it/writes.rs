use serde_json::json;
use tower::ServiceExt;

use crate::support::{Caller, shelf};

#[tokio::test]
async fn a_row_is_made_read_changed_and_deleted() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    let caller = Caller::new(&db, &engine, scope.clone());
    let made = caller
        .post("/v1/items", json!({"name": "a", "score": "12.50", "weight": 0.1, "metadata": {"k": {"x": 1, "y": 2}}}))
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.header("etag"), "\"1\"");
    let row = made.json();
    assert_eq!(row["created_by"], json!(scope.principal().uuid()));
    assert_eq!(row["organization_id"], json!(scope.organization()));
    assert_eq!(
        (&row["status"], &row["score"], &row["weight"]),
        (&json!("draft"), &json!(12.5), &json!(0.1))
    );
    assert!(row.get("secret").is_none());
    let address = made.header("location").to_owned();

    let read = caller.get(&address).await;
    assert_eq!((read.header("etag"), read.json()), ("\"1\"", row.clone()));

    let changed = caller
        .patch(
            &address,
            Some("\"1\""),
            json!({"score": null, "metadata": {"k": {"x": null}, "z": 3}}),
        )
        .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.json()["metadata"], json!({"k": {"y": 2}, "z": 3}));
    assert_eq!(changed.json()["score"], json!(null));

    // What changes nothing is no change.
    let same = caller.patch(&address, Some("\"2\""), json!({"metadata": {"z": 3}})).await;
    assert_eq!(same.header("etag"), "\"2\"");

    assert_eq!(caller.delete(&address).await.status, 204);
    assert_eq!(caller.get(&address).await.problem(), "not_found");
    assert_eq!(caller.delete(&address).await.problem(), "not_found");
    assert_eq!(
        caller.patch(&address, Some("*"), json!({"name": "b"})).await.problem(),
        "not_found"
    );
}

#[tokio::test]
async fn an_update_names_the_version_that_it_changes() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let address = caller.item(json!({"name": "a"})).await;
    assert_eq!(
        caller.patch(&address, None, json!({"name": "b"})).await.problem(),
        "precondition_required"
    );
    assert_eq!(caller.patch(&address, Some("\"1\""), json!({"name": "b"})).await.status, 200);
    let stale = caller.patch(&address, Some("\"1\""), json!({"name": "c"})).await;
    assert_eq!((stale.status.as_u16(), stale.problem().as_str()), (412, "stale"));
    assert!(stale.json()["detail"].as_str().unwrap().contains("version 2"));
    assert_eq!(caller.patch(&address, Some("*"), json!({"name": "c"})).await.status, 200);
    assert_eq!(
        caller.patch(&address, Some("\"x\""), json!({"name": "c"})).await.problem(),
        "invalid header:if-match type"
    );

    let request = |version: &str| {
        http::Request::delete(&address)
            .header("if-match", version)
            .body(axum::body::Body::empty())
            .unwrap()
    };
    assert_eq!(caller.send(request("\"1\"")).await.problem(), "stale");
    assert_eq!(caller.send(request("\"3\"")).await.status, 204);
}

#[tokio::test]
async fn what_one_already_has_is_not_sent_again() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let address = caller.item(json!({"name": "a"})).await;
    let request = |tag: &str| {
        http::Request::get(&address)
            .header("if-none-match", tag)
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let again = caller.send(request("\"1\"")).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(caller.send(request("\"2\"")).await.status, 200);
}

#[tokio::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let answer = caller
        .post("/v1/items", json!({"nmae": "x", "status": "actve", "score": 101, "count": 1.5, "version": 7, "maker_id": "x"}))
        .await;
    assert_eq!(answer.status, 422);
    let mut faults: Vec<_> = answer.json()["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            format!(
                "{} {} {}",
                fault["pointer"].as_str().unwrap(),
                fault["code"].as_str().unwrap(),
                fault["hint"].as_str().unwrap_or("-")
            )
        })
        .collect();
    faults.sort();
    assert_eq!(
        faults,
        [
            "/count type -",
            "/maker_id type -",
            "/name required What it is called.",
            "/nmae unknown_field did you mean `name`?",
            "/score out_of_range -",
            "/status vocabulary did you mean `active`?",
            "/version read_only -",
        ]
    );
    let checked = caller.post("/v1/items", json!({"name": "gold", "score": 0})).await;
    assert_eq!(checked.problem(), "invalid /score free_gold");
}

#[tokio::test]
async fn constraints_speak_in_the_words_of_their_comments() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let address = caller.item(json!({"name": "a"})).await;
    let twice = caller.post("/v1/items", json!({"name": "a"})).await;
    assert_eq!((twice.status.as_u16(), twice.problem().as_str()), (409, "conflict /name conflict"));
    let blank = caller.post("/v1/items", json!({"name": " a "})).await;
    assert_eq!(blank.problem(), "invalid /name check_failed");
    assert_eq!(blank.json()["detail"], "A name has 1 to 50 characters and no blanks at its ends.");

    assert_eq!(caller.patch(&address, Some("*"), json!({"status": "retired"})).await.status, 200);
    let back = caller.patch(&address, Some("*"), json!({"status": "draft"})).await;
    assert_eq!(
        (back.status.as_u16(), back.problem().as_str()),
        (409, "invalid_transition /status invalid_transition")
    );
    assert_eq!(back.json()["detail"], "an item that is retired stays so");

    let maker = caller.post("/v1/makers", json!({"name": "m"})).await.json()["id"].clone();
    caller.item(json!({"name": "b", "maker_id": maker})).await;
    let used = caller.delete(&format!("/v1/makers/{}", maker.as_str().unwrap())).await;
    assert_eq!((used.status.as_u16(), used.problem().as_str()), (409, "conflict"));
    assert!(used.json()["detail"].as_str().unwrap().contains("items refer to it"), "{used:?}");
}

#[tokio::test]
async fn another_tenants_row_looks_like_none_at_all() {
    let (db, engine) = shelf().await;
    let here = Caller::new(&db, &engine, db.organization("Acme").await);
    let there = Caller::new(&db, &engine, db.organization("Other").await);
    let maker = there.post("/v1/makers", json!({"name": "m"})).await.json()["id"].clone();
    let none = json!(uuid::Uuid::now_v7());
    let strip = |text: &str, id: &serde_json::Value| text.replace(id.as_str().unwrap(), "ID");
    let mut answers = Vec::new();
    for id in [&maker, &none] {
        let mut answer = here.post("/v1/items", json!({"name": "a", "maker_id": id})).await.json();
        answer["request_id"].take();
        answers.push(strip(&answer.to_string(), id));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].contains("unknown_reference"), "{}", answers[0]);
    // The same name is no conflict across tenants, so a conflict says nothing of others.
    here.item(json!({"name": "a"})).await;
    there.item(json!({"name": "a"})).await;

    let item = there.item(json!({"name": "b"})).await;
    assert_eq!(here.get(&item).await.problem(), "not_found");
    assert_eq!(here.patch(&item, Some("*"), json!({"name": "c"})).await.problem(), "not_found");
    assert_eq!(here.delete(&item).await.problem(), "not_found");
    assert_eq!(here.get(&format!("{item}/notes")).await.problem(), "not_found");
    assert_eq!(
        here.post(&format!("{item}/notes"), json!({"body": "x"})).await.problem(),
        "not_found"
    );
    assert_eq!(there.get(&item).await.json()["name"], "b");
}

#[tokio::test]
async fn a_bulk_is_made_whole_or_not_at_all() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let made = caller
        .post(
            "/v1/items",
            json!([{"name": "a", "tags": ["x"]}, {"name": "b", "status": "active"}, {"name": "c"}]),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.names(), ["a", "b", "c"]);
    // A column that others name keeps its default in the rows that don't.
    let rows = made.json()["data"].clone();
    assert_eq!(
        (&rows[1]["tags"], &rows[0]["status"], &rows[2]["metadata"]),
        (&json!([]), &json!("draft"), &json!({}))
    );

    let typed =
        caller.post("/v1/items", json!([{"name": "d"}, {"name": 1}, 7, {"title": "e"}])).await;
    assert_eq!(
        typed.problem(),
        "invalid /1/name type /2 type /3/title unknown_field /3/name required"
    );
    let clashing = caller
        .post("/v1/items", json!([{"name": "d"}, {"name": "b"}, {"name": " e"}, {"name": "d"}]))
        .await;
    assert_eq!(
        clashing.problem(),
        "invalid /1/name conflict /2/name check_failed /3/name conflict"
    );
    assert_eq!(clashing.status, 422);
    let twice = caller.post("/v1/items", json!([{"name": "d"}, {"name": "d"}])).await;
    assert_eq!(
        (twice.status.as_u16(), twice.problem().as_str()),
        (409, "conflict /1/name conflict")
    );
    assert_eq!(caller.get("/v1/items?count=exact").await.json()["count"], 3);
    assert_eq!(caller.post("/v1/items", json!([])).await.json(), json!({"data": []}));
}

#[tokio::test]
async fn parts_are_made_under_their_whole() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let item = caller.item(json!({"name": "a"})).await;
    let other = caller.item(json!({"name": "b"})).await;
    let notes = format!("{item}/notes");
    assert_eq!(caller.post(&notes, json!([{"body": "1"}, {"body": "2"}])).await.status, 201);
    let other_id = other.rsplit('/').next().unwrap();
    let clash =
        caller.post(&notes, json!([{"body": "3"}, {"body": "4", "item_id": other_id}])).await;
    assert_eq!(clash.problem(), "invalid /1/item_id conflict");
    assert_eq!(caller.get(&notes).await.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(caller.get(&format!("{other}/notes")).await.json()["data"], json!([]));
    let nobody = format!("/v1/items/{}/notes", uuid::Uuid::now_v7());
    assert_eq!(caller.get(&nobody).await.problem(), "not_found");
}

#[tokio::test]
async fn permissions_are_asked_before_anything_else() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    let owner = Caller::new(&db, &engine, scope.clone());
    let item = owner.item(json!({"name": "a"})).await;
    let reader = Caller::limited(&db, &engine, &scope, &["items:read"]);
    assert_eq!(reader.get(&item).await.status, 200);
    assert_eq!(reader.get("/v1/makers").await.problem(), "forbidden");
    assert_eq!(reader.post_text("/v1/items", "not even JSON").await.problem(), "forbidden");
    assert_eq!(reader.patch(&item, None, json!({})).await.problem(), "forbidden");
    assert_eq!(reader.delete(&item).await.problem(), "forbidden");
    assert_eq!(
        reader.get(&format!("{item}?include=notes")).await.problem(),
        "invalid query:include forbidden"
    );
    // Without the permission to read, what exists and what does not look the same.
    let nobody = Caller::limited(&db, &engine, &scope, &["makers:read"]);
    let missing = format!("/v1/items/{}", uuid::Uuid::now_v7());
    assert_eq!(nobody.get(&item).await.problem(), nobody.get(&missing).await.problem());

    let anonymous = Caller::anonymous(&db, &engine);
    for address in ["/v1/items", item.as_str()] {
        let request = http::Request::get(address).body(axum::body::Body::empty()).unwrap();
        let answer = crate::support::read(anonymous.clone().oneshot(request).await.unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn every_write_is_audited() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let item = caller.item(json!({"name": "a"})).await;
    caller.patch(&item, Some("*"), json!({"name": "b"})).await;
    caller.delete(&item).await;
    let id: uuid::Uuid = item.rsplit('/').next().unwrap().parse().unwrap();
    let entries: i64 =
        sqlx::query_scalar("select count(*) from audit.audit_logs where entity_id = $1")
            .bind(id)
            .fetch_one(&db.admin())
            .await
            .unwrap();
    assert_eq!(entries, 3);
}

#[tokio::test]
async fn json_is_what_the_specification_says_after_a_change_too() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let metadata = json!({"size": "big", "labels": {"a": 1, "b": "123456"}, "other": [{}]});
    let refused = caller.post("/v1/items", json!({"name": "a", "metadata": metadata})).await;
    assert_eq!(
        refused.problem(),
        "invalid /metadata/size type /metadata/labels/a type /metadata/labels/b too_long"
    );
    let several = json!([{"name": "a"}, {"name": "b", "metadata": {"size": null}}]);
    let refused = caller.post("/v1/items", several).await;
    assert_eq!(refused.problem(), "invalid /1/metadata/size type");

    let metadata = json!({"size": 1, "labels": {"a": "x", "b": "y"}});
    let address = caller.item(json!({"name": "a", "metadata": metadata})).await;
    // What a patch says is right; what it leads to is not.
    let patch = json!({"metadata": {"labels": {"c": "z"}}});
    let refused = caller.patch(&address, Some("*"), patch).await;
    assert_eq!(refused.problem(), "invalid /metadata/labels too_many");
    let patch = json!({"metadata": {"size": null, "labels": {"a": null, "c": "z"}}});
    let changed = caller.patch(&address, Some("*"), patch).await;
    assert_eq!(changed.json()["metadata"], json!({"labels": {"b": "y", "c": "z"}}));

    let deep = (0..16).fold(json!(1), |inner, _| json!([inner]));
    let refused = caller.patch(&address, Some("*"), json!({"metadata": {"deep": deep}})).await;
    assert_eq!(refused.problem(), "invalid /metadata too_deep");
    let large = json!({"metadata": {"text": "x".repeat(256 * 1024)}});
    assert_eq!(
        caller.patch(&address, Some("*"), large).await.problem(),
        "invalid /metadata too_large"
    );
}
