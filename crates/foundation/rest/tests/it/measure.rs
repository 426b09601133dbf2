//! The list and the point read beside the bare SQL over the same socket. The bar, p50 at most three
//! times as long, is held by `make bench` on a release build; here a looser one keeps a debug build
//! from getting out of hand unseen.

use std::time::{Duration, Instant};

use ephor_rest::ListRequest;

use crate::support::{Caller, shelf};

const ROUNDS: usize = 200;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn a_list_costs_little_more_than_its_sql() {
    let (db, engine) = shelf().await;
    let scope = db.organization("Acme").await;
    sqlx::query(
        "insert into shelf.items (organization_id, name, description, created_by, created_at)
         select $1, 'item ' || n, repeat('words ', 20), $2, now() - n * interval '1 minute' from generate_series(1, 5000) n",
    )
    .bind(scope.organization().uuid())
    .bind(scope.principal().uuid())
    .execute(&db.admin())
    .await
    .unwrap();
    sqlx::raw_sql("analyze shelf.items").execute(&db.admin()).await.unwrap();
    let caller = Caller::new(&db, &engine, scope.clone());
    let first = caller.get("/v1/items").await.json();
    let id = first["data"][0]["id"].as_str().unwrap().to_owned();
    let next = ListRequest::new().cursor(first["next"].as_str().unwrap()).to_query();

    let bare = "select id, maker_id, name, description, status, score::text, weight, count, is_public, tags, metadata, created_at
        from shelf.items where organization_id = $1 order by created_at desc, id limit 51";
    let point = "select id, name, description, status, metadata, created_at from shelf.items where organization_id = $1 and id = $2";
    let (mut list, mut page, mut sql, mut get, mut row) = (vec![], vec![], vec![], vec![], vec![]);
    let mut connection = db.admin().acquire().await.unwrap();
    let uuid: uuid::Uuid = id.parse().unwrap();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(caller.get("/v1/items").await.status, 200);
        list.push(start.elapsed());
        let start = Instant::now();
        assert_eq!(caller.get(&format!("/v1/items?{next}")).await.status, 200);
        page.push(start.elapsed());
        let start = Instant::now();
        let rows = sqlx::query(bare)
            .bind(scope.organization().uuid())
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        sql.push(start.elapsed());
        assert_eq!(rows.len(), 51);
        let start = Instant::now();
        assert_eq!(caller.get(&format!("/v1/items/{id}")).await.status, 200);
        get.push(start.elapsed());
        let start = Instant::now();
        sqlx::query(point)
            .bind(scope.organization().uuid())
            .bind(uuid)
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        row.push(start.elapsed());
    }
    let (list, page, sql, get, row) =
        (median(list), median(page), median(sql), median(get), median(row));
    println!(
        "list of 50: {list:?}, page behind a cursor: {page:?}, bare SQL: {sql:?}; point read: {get:?}, bare SQL: {row:?}"
    );
    assert!(list < sql * 8 && page < sql * 8, "list {list:?}, page {page:?}, bare {sql:?}");
}
