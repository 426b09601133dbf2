//! Pages of long rows: bounded by what they hold, and walked without loss.

use ephor_kernel::Scope;
use ephor_store::testing::TestDatabase;

use crate::support::{Caller, shelf};

/// What a page's rows may have in all.
const PAGE_BYTES: usize = 8 << 20;

/// Rows whose metadata have so many bytes each, named by their place.
async fn long_rows(db: &TestDatabase, scope: &Scope, rows: std::ops::Range<i32>, bytes: i32) {
    sqlx::query(
        "insert into shelf.items (organization_id, name, metadata, created_by)
         select $1, 'item ' || lpad(n::text, 2, '0'), jsonb_build_object('text', repeat('x', $5)), $2
         from generate_series($3, $4) as n",
    )
    .bind(scope.organization().uuid())
    .bind(scope.principal().uuid())
    .bind(rows.start)
    .bind(rows.end - 1)
    .bind(bytes)
    .execute(&db.admin())
    .await
    .unwrap();
}

/// The names on every page, from the first to the last.
async fn walked(caller: &Caller, query: &str) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut address = format!("/v1/items?{query}");
    loop {
        let page = caller.get(&address).await;
        assert_eq!(page.status, 200);
        let names = page.names();
        // The brackets, the cursor and the count are no rows.
        assert!(page.text.len() <= PAGE_BYTES + 4096 || names.len() == 1, "{}", page.text.len());
        pages.push(names);
        match page.json()["next"].as_str() {
            Some(next) => address = format!("/v1/items?{query}&cursor={next}"),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_page_of_long_rows_ends_sooner_and_the_next_goes_on() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    long_rows(&db, &caller.scope, 0..40, 250 * 1024).await;
    let all: Vec<String> = (0..40).map(|n| format!("item {n:02}")).collect();
    let backwards: Vec<String> = all.iter().rev().cloned().collect();

    // 32 rows of 250 KiB and their names are less than 8 MiB; 33 are more.
    for (query, expected, sizes) in [
        ("sort=name&limit=500", &all, vec![32, 8]),
        ("sort=-name&limit=500", &backwards, vec![32, 8]),
        ("sort=name&limit=40", &all, vec![32, 8]),
        ("sort=name&limit=32", &all, vec![32, 8]),
        ("sort=name&limit=20", &all, vec![20, 20]),
        ("sort=name&limit=500&fields=id,name", &all, vec![40]),
    ] {
        let pages = walked(&caller, query).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{query}");
        assert_eq!(&pages.concat(), expected, "{query}");
    }

    // A page that ended sooner does not pass for all there is.
    let counted = caller.get("/v1/items?sort=name&limit=500&count=exact").await.json();
    assert_eq!(counted["count"], 40);
    assert_eq!(counted["data"].as_array().unwrap().len(), 32);

    // The connection is ready for others, though PostgreSQL had more to send.
    assert_eq!(caller.get("/v1/items?sort=name&limit=1").await.names(), ["item 00"]);

    for kind in ["application/x-ndjson", "text/csv"] {
        let export = caller.get_as("/v1/items?sort=name", kind).await;
        assert_eq!((export.status.as_u16(), export.header("link")), (200, ""));
        for name in &all {
            assert_eq!(export.text.matches(name.as_str()).count(), 1, "{kind} {name}");
        }
    }
}

#[tokio::test]
async fn a_row_longer_than_a_page_is_given_alone() {
    let (db, engine) = shelf().await;
    let caller = Caller::new(&db, &engine, db.organization("Acme").await);
    long_rows(&db, &caller.scope, 0..1, 10).await;
    long_rows(&db, &caller.scope, 1..3, 9 << 20).await;
    long_rows(&db, &caller.scope, 3..4, 10).await;
    let pages = walked(&caller, "sort=name&limit=500").await;
    assert_eq!(pages, [vec!["item 00"], vec!["item 01"], vec!["item 02"], vec!["item 03"]]);
    let export = caller.get_as("/v1/items?sort=name&fields=name,metadata", "application/x-ndjson");
    assert_eq!(export.await.text.lines().count(), 4);
}
