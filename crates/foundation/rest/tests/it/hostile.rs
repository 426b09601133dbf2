use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::support::{Caller, shelf};

/// Texts that mean something to somebody on the way.
const HOSTILE: &[&str] = &[
    "'; drop table shelf.items; --",
    "\" or 1=1 --",
    "$1",
    "\\",
    "%00",
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://x\")",
    "{{7*7}}",
    "../../etc/passwd",
    "a\u{202e}b\u{0}c",
    "İ\u{1f4a9}",
    "null",
    "(((((",
    "eq.eq.eq",
];

#[tokio::test]
async fn hostile_texts_come_back_as_they_were_or_are_refused() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    for text in HOSTILE {
        let made = caller
            .post("/v1/items", json!({"name": text, "metadata": {*text: text}, "tags": [text]}))
            .await;
        if text.contains('\0') {
            assert_eq!(made.problem(), "invalid /metadata nul /name nul /tags nul");
            continue;
        }
        assert_eq!(made.status, 201, "{made:?}");
        assert_eq!(
            (&made.json()["name"], &made.json()["metadata"][*text]),
            (&json!(text), &json!(text))
        );
        let found = caller.send(query(&[("name", &format!("eq.{text}"))])).await;
        assert_eq!(found.names(), [*text]);
        let listed = caller.send(query(&[("tags", &format!("has.{text}"))])).await;
        assert_eq!(listed.names(), [*text]);
    }
    assert_eq!(caller.get("/v1/items?count=exact").await.json()["count"], HOSTILE.len() - 1);
}

fn query(pairs: &[(&str, &str)]) -> Request<Body> {
    let mut request = ephor_rest::ListRequest::new();
    for (name, value) in pairs {
        request = request.with(*name, *value);
    }
    Request::get(format!("/v1/items?{}", request.to_query())).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn hostile_parameters_are_refused_or_find_nothing() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    caller.item(json!({"name": "a"})).await;
    for name in [
        "q",
        "sort",
        "fields",
        "include",
        "limit",
        "cursor",
        "count",
        "organizations",
        "or",
        "and",
        "name",
        "score",
        "metadata->>k",
        "id",
        "created_at",
    ] {
        for text in HOSTILE {
            for value in [
                (*text).to_owned(),
                format!("eq.{text}"),
                format!("like.{text}"),
                format!("(name.eq.{text})"),
                format!("in.({text})"),
            ] {
                let answer = caller.send(query(&[(name, &value)])).await;
                assert!(matches!(answer.status.as_u16(), 200 | 422), "{name}={value}: {answer:?}");
            }
        }
    }
    for text in HOSTILE {
        let answer = caller.send(query(&[(text, "eq.1")])).await;
        assert_eq!(answer.status, 422, "{text}");
    }
    assert_eq!(caller.get("/v1/items").await.names(), ["a"]);
}

#[tokio::test]
async fn bodies_are_bounded_in_size_and_depth() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let long = format!("{{\"name\":\"{}\"}}", "a".repeat(9 << 20));
    assert_eq!(caller.post_text("/v1/items", long).await.problem(), "too_large");
    let deep = format!(
        "{{\"name\":\"a\",\"metadata\":{}1{}}}",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000)
    );
    assert_eq!(caller.post_text("/v1/items", deep).await.problem(), "malformed");
    let many = json!(vec![json!({"name": "a"}); 1001]);
    assert_eq!(caller.post("/v1/items", many).await.problem(), "too_large");
    for broken in
        ["", "{", "{\"name\":}", "\u{feff}{}", "{\"name\":\"\\ud800\"}", "nul", "{\"score\":1e999}"]
    {
        assert_eq!(caller.post_text("/v1/items", broken).await.problem(), "malformed", "{broken}");
    }
    for wrong in ["null", "1", "\"text\"", "true"] {
        assert_eq!(
            caller.post_text("/v1/items", wrong).await.problem(),
            "invalid  type",
            "{wrong}"
        );
    }
    let bytes = Request::post("/v1/items")
        .header("content-type", "application/json")
        .body(Body::from(vec![b'"', 0xff, b'"']));
    assert_eq!(caller.send(bytes.unwrap()).await.problem(), "malformed");
    let form = Request::post("/v1/items")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("name=a"));
    assert_eq!(caller.send(form.unwrap()).await.problem(), "unsupported_media_type");
}

#[tokio::test]
async fn addresses_that_lead_nowhere_are_problems_too() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    assert_eq!(caller.get("/v1/nothing").await.problem(), "not_found");
    assert_eq!(caller.get("/v1/items/12").await.problem(), "invalid path:id type");
    assert_eq!(caller.get("/v1/items/..%2f..%2fetc").await.problem(), "invalid path:id type");
    let put = Request::put("/v1/items").body(Body::empty()).unwrap();
    let refused = caller.send(put).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (405, "method_not_allowed"));
    assert!(refused.header("allow").contains("POST"), "{refused:?}");
    assert_eq!(caller.get_as("/v1/items", "image/png").await.problem(), "not_acceptable");
    let limits = caller.get(&format!("/v1/items?{}", "name=eq.a&".repeat(201))).await;
    assert_eq!(limits.problem(), "invalid query:* too_many query:* too_many");
}

#[tokio::test]
async fn a_database_that_is_gone_is_said_to_be() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    db.store().close().await;
    let answer = caller.get("/v1/items").await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "unavailable"));
    assert!(!answer.header("retry-after").is_empty());
}
