//! Representations: CSV, NDJSON, the OpenAPI document and its page.

use serde_json::{Value, json};

use crate::support::{Caller, shelf};

#[tokio::test]
async fn a_list_is_written_as_csv_that_runs_nothing() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    caller.item(json!({"name": "=1+1", "description": "say \"hi\",\nplease", "score": 1.5, "tags": ["a", "b"]})).await;
    caller.item(json!({"name": "plain"})).await;
    let csv = caller
        .get_as("/v1/items?fields=name,description,score,tags,is_public&sort=name", "text/csv")
        .await;
    assert_eq!(csv.status, 200, "{csv:?}");
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"items.csv\"");
    assert_eq!(
        csv.text,
        "name,description,score,tags,is_public\r\n\
         \"'=1+1\",\"say \"\"hi\"\",\nplease\",1.50,\"[\"\"a\"\",\"\"b\"\"]\",false\r\n\
         plain,\"\",,[],false\r\n"
    );
}

#[tokio::test]
async fn an_export_holds_every_row_once() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    sqlx::query(
        "insert into shelf.items (organization_id, name, created_by, created_at)
         select $1, 'item ' || n, $2, now() - n % 7 * interval '1 day' from generate_series(1, 1700) n",
    )
    .bind(scope.organization().uuid())
    .bind(scope.principal().uuid())
    .execute(&db.admin())
    .await
    .unwrap();
    let caller = Caller::new(&db, &engine, scope);
    let ndjson = caller.get_as("/v1/items", "application/x-ndjson").await;
    assert_eq!((ndjson.status.as_u16(), ndjson.header("link")), (200, ""));
    let mut names: Vec<String> = ndjson
        .text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["name"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names.len(), 1700);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 1700);

    // A bounded export says where it ends, and its cursor goes on from there.
    let first = caller.get_as("/v1/items?limit=900&fields=name", "text/csv").await;
    assert_eq!(first.text.lines().count(), 901);
    let link = first.header("link").to_owned();
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let second = caller.get_as(next, "text/csv").await;
    assert_eq!((second.text.lines().count(), second.header("link")), (801, ""));
    assert!(!first.text.contains(second.text.lines().nth(1).unwrap()));
    let exact = caller.get_as("/v1/items?limit=1700", "text/csv").await;
    assert_eq!(exact.header("link"), "");
}

#[tokio::test]
async fn what_is_wrong_with_an_export_is_told_before_it_begins() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    let caller = Caller::new(&db, &engine, scope.clone());
    assert_eq!(
        caller.get_as("/v1/items?nmae=eq.a", "text/csv").await.problem(),
        "invalid query:nmae unknown_parameter"
    );
    let other = Caller::limited(&db, &engine, &scope, &["makers:read"]);
    assert_eq!(other.get_as("/v1/items", "application/x-ndjson").await.problem(), "forbidden");
    let none = caller.get_as("/v1/items", "application/x-ndjson").await;
    assert_eq!((none.status.as_u16(), none.text.as_str()), (200, ""));
}

#[tokio::test]
async fn the_document_and_its_page_are_served() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let document = caller.get("/openapi.json").await;
    assert_eq!(document.json()["openapi"], "3.1.0");
    for path in ["/v1/items", "/v1/items/{id}", "/v1/items/{id}/notes", "/v1/makers/{id}"] {
        assert!(document.json()["paths"].get(path).is_some(), "{path}");
    }
    assert_eq!(
        document.json()["components"]["schemas"]["items"]["properties"]["name"]["description"],
        "What it is called."
    );
    let page = caller.get("/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("id=\"list_items\"") && !page.text.contains("{{"), "{}", page.text);
    for asset in ["/docs/docs.js", "/docs/docs.css"] {
        assert_eq!(caller.get(asset).await.status, 200);
    }
}
