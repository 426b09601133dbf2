use ephor_rest::ListRequest;
use serde_json::json;

use crate::support::{Caller, shelf};

async fn names(caller: &Caller, query: &str) -> Vec<String> {
    let address = query.replace('>', "%3E").replace('"', "%22");
    let answer = caller.get(&format!("/v1/items?{address}")).await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer.names()
}

#[tokio::test]
async fn filters_keep_what_they_say() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let made = caller
        .post(
            "/v1/items",
            json!([
                {"name": "apple", "score": 10, "status": "active", "tags": ["red", "round"], "metadata": {"team": "risk", "limit": {"max": 5}}},
                {"name": "banana", "score": 20.5, "weight": 0.1, "is_public": true, "due_on": "2026-01-31", "metadata": {"team": "100%_risk"}},
                {"name": "cherry", "description": "red as credit risk", "tags": ["red"], "metadata": {"limit": {"max": 7}}},
                {"name": "50%_date", "count": 3, "status": "retired"},
            ]),
        )
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    for (query, expected) in [
        ("status=eq.active", vec!["apple"]),
        ("status=in.(active,retired)", vec!["50%_date", "apple"]),
        ("status=not.in.(active,retired)", vec!["banana", "cherry"]),
        ("score=gt.10", vec!["banana"]),
        ("score=gte.10.00&score=lt.20.5", vec!["apple"]),
        ("score=is.null", vec!["50%_date", "cherry"]),
        ("score=not.is.null", vec!["apple", "banana"]),
        ("weight=eq.0.1", vec!["banana"]),
        ("is_public=is.true", vec!["banana"]),
        ("is_public=eq.false", vec!["50%_date", "apple", "cherry"]),
        ("due_on=lte.2026-01-31", vec!["banana"]),
        ("name=like.*an*", vec!["banana"]),
        ("name=ilike.*AN*", vec!["banana"]),
        ("name=like.50%25_*", vec!["50%_date"]),
        ("name=like.b%25", vec![]),
        ("tags=has.red", vec!["apple", "cherry"]),
        ("metadata->>team=eq.risk", vec!["apple"]),
        ("metadata->>team=like.*%25_risk", vec!["banana"]),
        ("metadata->limit->max=gte.6", vec!["cherry"]),
        ("metadata->limit->>max=eq.5", vec!["apple"]),
        ("or=(name.eq.apple,and(score.gt.20,is_public.is.true))", vec!["apple", "banana"]),
        ("not.or=(name.eq.apple,score.gt.20)&status=eq.draft", vec![]),
        ("and=(count.eq.3)", vec!["50%_date"]),
        ("q=red", vec!["cherry"]),
        ("q=cred%20-banana", vec!["cherry"]),
        ("q=%22credit%20risk%22", vec!["cherry"]),
        ("q=%22risk%20credit%22", vec![]),
        ("q=ban", vec!["banana"]),
        ("created_at=gte.2000-01-01T00:00:00+00:00&name=eq.apple", vec!["apple"]),
        ("created_at=lt.2000-01-01", vec![]),
    ] {
        assert_eq!(names(&caller, &format!("{query}&sort=name")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn every_order_is_walked_page_by_page_without_loss() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let rows: Vec<_> = (0..23)
        .map(|n| {
            let score = if n % 4 == 0 { json!(null) } else { json!(f64::from(n % 5)) };
            json!({"name": format!("item {n:02}"), "score": score, "weight": f64::from(n % 3) / 3.0})
        })
        .collect();
    assert_eq!(caller.post("/v1/items", json!(rows)).await.status, 201);
    for order in [
        "",
        "name",
        "-name",
        "score",
        "-score",
        "score,-weight",
        "-score,name",
        "weight,-score,-name",
        "id",
        "-id",
    ] {
        let whole = names(&caller, &format!("sort={order}&limit=500").replace("sort=&", "")).await;
        assert_eq!(whole.len(), 23);
        let mut walked = Vec::new();
        let mut request = ListRequest::from_query(
            &format!("sort={order}&limit=4&fields=name").replace("sort=&", ""),
        );
        loop {
            let page = caller.get(&format!("/v1/items?{}", request.to_query())).await;
            walked.extend(page.names());
            let body = page.json();
            match body["next"].as_str() {
                Some(next) => request = request.without("cursor").cursor(next),
                None => break,
            }
        }
        assert_eq!(walked, whole, "{order}");
    }
}

#[tokio::test]
async fn rows_that_come_and_go_do_not_shift_the_pages() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    for name in ["a", "c", "e", "g"] {
        caller.item(json!({"name": name})).await;
    }
    let first = caller.get("/v1/items?sort=name&limit=2").await;
    caller.item(json!({"name": "b"})).await;
    caller.item(json!({"name": "f"})).await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(names(&caller, &format!("sort=name&limit=2&cursor={next}")).await, ["e", "f"]);
}

#[tokio::test]
async fn counts_are_told_when_asked_for_also_for_an_empty_page() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    for name in ["a", "b", "c"] {
        caller.item(json!({"name": name})).await;
    }
    let page = caller.get("/v1/items?count=exact&limit=2&sort=name").await;
    assert_eq!(
        (page.json()["count"].as_i64(), page.names()),
        (Some(3), vec!["a".to_owned(), "b".to_owned()])
    );
    let empty = caller.get("/v1/items?count=exact&name=eq.x").await.json();
    assert_eq!(empty, json!({"data": [], "next": null, "count": 0}));
    assert!(caller.get("/v1/items").await.json().get("count").is_none());
}

#[tokio::test]
async fn related_rows_stand_in_place() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    let maker = caller.post("/v1/makers", json!({"name": "Smith"})).await.json();
    let item = caller.item(json!({"name": "a", "maker_id": maker["id"]})).await;
    caller.item(json!({"name": "b"})).await;
    assert_eq!(caller.post(&format!("{item}/notes"), json!({"body": "hello"})).await.status, 201);

    let rows = caller.get("/v1/items?include=maker,notes&fields=name&sort=name").await.json();
    assert_eq!(rows["data"][0]["maker"]["name"], "Smith");
    assert_eq!(rows["data"][0]["notes"][0]["body"], "hello");
    assert_eq!(rows["data"][1], json!({"name": "b", "maker": null, "notes": []}));
    let one = caller
        .get(&format!("/v1/makers/{}?include=items", maker["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(one["items"][0]["name"], "a");
    assert!(one["items"][0].get("secret").is_none());

    // A note is its writer's alone, in place too.
    let colleague = ephor_kernel::Principal::User(ephor_kernel::UserId::new());
    let colleague = ephor_kernel::Scope::new(
        colleague,
        caller.scope.organization(),
        ephor_kernel::PermissionSet::all(),
        ephor_kernel::RequestContext::default(),
    );
    let colleague = Caller::new(&db, &engine, colleague);
    assert_eq!(colleague.get("/v1/notes").await.json()["data"], json!([]));
    let seen = colleague.get(&format!("{item}?include=notes")).await.json();
    assert_eq!((&seen["name"], &seen["notes"]), (&json!("a"), &json!([])));
    let note = caller.get("/v1/notes").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(colleague.get(&format!("/v1/notes/{note}")).await.status, 404);
    assert_eq!(colleague.delete(&format!("/v1/notes/{note}")).await.status, 404);
    assert_eq!(caller.delete(&format!("/v1/notes/{note}")).await.status, 204);
}

#[tokio::test]
async fn a_holding_reads_its_subsidiaries_and_nobody_else() {
    let (db, engine) = shelf().await;
    let holding = db.holding("Holding").await;
    let one = db.subsidiary(&holding, "One").await;
    let two = db.subsidiary(&holding, "Two").await;
    let stranger = db.organization("Stranger").await;
    for (scope, names) in [
        (&holding, ["h1", "h2"]),
        (&one, ["a1", "a2"]),
        (&two, ["b1", "b2"]),
        (&stranger, ["s1", "s2"]),
    ] {
        let caller = Caller::new(&db, &engine, scope.clone());
        for name in names {
            caller.item(json!({"name": name})).await;
        }
    }
    let scope = holding.clone().reading([one.organization(), two.organization()]);
    let caller = Caller::new(&db, &engine, scope);
    assert_eq!(names(&caller, "sort=name").await, ["h1", "h2"]);
    assert_eq!(
        names(&caller, "organizations=all&sort=name").await,
        ["a1", "a2", "b1", "b2", "h1", "h2"]
    );
    let only = one.organization();
    assert_eq!(names(&caller, &format!("organizations={only}&sort=-name")).await, ["a2", "a1"]);

    let mut walked = Vec::new();
    let mut address = "/v1/items?organizations=all&limit=2&count=exact".to_owned();
    loop {
        let page = caller.get(&address).await;
        walked.extend(page.names());
        assert_eq!(page.json()["count"], 6);
        let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
        address = format!("/v1/items?organizations=all&limit=2&count=exact&cursor={next}");
    }
    assert_eq!(walked, ["b2", "b1", "a2", "a1", "h2", "h1"]);

    let foreign = caller.get(&format!("/v1/items?organizations={}", stranger.organization())).await;
    assert_eq!(foreign.problem(), "invalid query:organizations unknown_reference");

    // Reading is all that reach allows.
    let item = caller.get("/v1/items?organizations=all&name=eq.a1").await.json()["data"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(caller.get(&format!("/v1/items/{item}")).await.status, 404);
    assert_eq!(caller.get(&format!("/v1/items/{item}?organizations=all")).await.status, 200);
    assert_eq!(
        caller.patch(&format!("/v1/items/{item}"), Some("*"), json!({"name": "x"})).await.status,
        404
    );
    assert_eq!(caller.delete(&format!("/v1/items/{item}")).await.status, 404);
}

#[tokio::test]
async fn a_cursor_is_worth_nothing_elsewhere() {
    let (db, engine) = shelf().await;
    let here = Caller::new(&db, &engine, db.organization("Acme").await);
    let there = Caller::new(&db, &engine, db.organization("Other").await);
    for caller in [&here, &there] {
        for name in ["a", "b", "c"] {
            caller.item(json!({"name": name})).await;
            caller.post("/v1/makers", json!({"name": name})).await;
        }
    }
    let next = here.get("/v1/items?limit=1").await.json()["next"].as_str().unwrap().to_owned();
    assert_eq!(here.get(&format!("/v1/items?limit=1&cursor={next}")).await.names(), ["b"]);
    for (caller, address) in
        [(&there, "/v1/items?"), (&here, "/v1/makers?"), (&here, "/v1/items?sort=name&")]
    {
        let answer = caller.get(&format!("{address}limit=1&cursor={next}")).await;
        assert_eq!(answer.problem(), "invalid query:cursor cursor", "{address}");
    }
}

#[tokio::test]
async fn the_console_takes_the_same_way() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    let mut tx = db.store().begin(&scope).await.unwrap();
    let made = engine.create(&mut tx, "items", &json!({"name": "a"})).await.unwrap();
    let id = made["id"].as_str().unwrap().parse().unwrap();
    let changed =
        engine.update(&mut tx, "items", id, &json!({"name": "b"}), Some(1)).await.unwrap();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("b"), &json!(2)));
    let page = engine
        .list(&mut tx, "items", &ListRequest::new().filter("name", "eq.b").count())
        .await
        .unwrap();
    assert_eq!((page.data.len(), page.next, page.count), (1, None, Some(1)));
    engine.delete(&mut tx, "items", id, Some(2)).await.unwrap();
    let gone = engine.get(&mut tx, "items", id, &ListRequest::new()).await.unwrap_err();
    assert_eq!(gone.code, ephor_kernel::Code::NotFound);
    tx.commit().await.unwrap();
}
