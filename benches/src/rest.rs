//! A list and a point read over HTTP, signed in, beside the bare SQL that they come down to.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use ephor_store::embedded::Urls;
use http::{Method, StatusCode};
use sqlx::{Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use crate::{
    Options,
    postgres::data_folder,
    report::{Bar, Report, say},
    server::{Connection, Server},
    times::median_micros,
};

const ROUNDS: usize = 2_000;
const MODELS: i32 = 5_000;

const LIST: &str = "
    select id, name, description, model_type, status, semantic_version, schema, metadata, created_by, created_at, updated_at, version
    from registry.models where organization_id = $1 order by created_at desc, id desc limit 51";
const POINT: &str = "
    select id, name, description, model_type, status, semantic_version, schema, metadata, created_by, created_at, updated_at, version
    from registry.models where organization_id = $1 and id = $2";

pub async fn run(options: &Options, report: &mut Report) -> Result<()> {
    let folder = data_folder()?;
    let server = Server::start(&options.ephor, folder.path()).await?;
    let mut http = Connection::open(&server.address).await?;
    let cookies = http.sign_up("ada@example.org").await?;
    let headers = [("cookie", cookies.as_str())];

    let mut sql = PgConnection::connect(&Urls::of_folder(folder.path())?.superuser()).await?;
    let organization: Uuid =
        sqlx::query_scalar("select id from identity.organizations where name = 'Bench'")
            .fetch_one(&mut sql)
            .await?;
    sqlx::query(
        "insert into registry.models (organization_id, name, description, model_type, schema, created_by, created_at)
         select $1, 'model ' || n, repeat('words ', 20), 'classification', '{\"inputs\": [\"age\", \"income\"]}',
                kernel.uuidv7(), now() - n * interval '1 minute'
         from generate_series(1, $2) as n",
    )
    .bind(organization)
    .bind(MODELS)
    .execute(&mut sql)
    .await?;
    sqlx::query("analyze registry.models").execute(&mut sql).await?;
    let id: Uuid = sqlx::query_scalar(
        "select id from registry.models where organization_id = $1 and name = 'model 7'",
    )
    .bind(organization)
    .fetch_one(&mut sql)
    .await?;
    let point_path = format!("/v1/models/{id}");

    let [mut list, mut bare_list, mut point, mut bare_point, mut alive] =
        [const { Vec::<Duration>::new() }; 5];
    for round in 0..ROUNDS + ROUNDS / 10 {
        let begun = Instant::now();
        let (status, body) =
            http.send(Method::GET, "/v1/models?limit=50", &headers, Bytes::new()).await?;
        let listed = begun.elapsed();
        ensure!(status == StatusCode::OK, "the list answered {status}");

        let begun = Instant::now();
        let rows = sqlx::query(LIST).bind(organization).fetch_all(&mut sql).await?;
        let bare_listed = begun.elapsed();
        if round == 0 {
            same(&body, &rows)?;
        }

        let begun = Instant::now();
        let (status, body) = http.send(Method::GET, &point_path, &headers, Bytes::new()).await?;
        let pointed = begun.elapsed();
        ensure!(status == StatusCode::OK && !body.is_empty(), "the point read answered {status}");

        let begun = Instant::now();
        sqlx::query(POINT).bind(organization).bind(id).fetch_one(&mut sql).await?;
        let bare_pointed = begun.elapsed();

        let begun = Instant::now();
        http.send(Method::GET, "/healthz", &[], Bytes::new()).await?;
        let answered = begun.elapsed();
        // Plans and caches first.
        if round >= ROUNDS / 10 {
            list.push(listed);
            bare_list.push(bare_listed);
            point.push(pointed);
            bare_point.push(bare_pointed);
            alive.push(answered);
        }
    }
    sql.close().await?;
    server.stop().await?;

    say(format!("\nREST: {MODELS} models; p50 of {ROUNDS}, one connection each, in µs"))?;
    say("                       over HTTP    bare SQL   ratio")?;
    for (work, http, sql) in
        [("list of 50", &list, &bare_list), ("point read", &point, &bare_point)]
    {
        let (http, sql) = (median_micros(http), median_micros(sql));
        let ratio = http / sql;
        say(format!("{work:<20}  {http:>10.0}  {sql:>10.0}  {ratio:>6.2}"))?;
        report.judge(format!("REST {work} beside the bare SQL"), ratio, "x", Bar::AtMost(3.0));
    }
    say(format!("/healthz (HTTP alone)  {:>9.0}", median_micros(&alive)))
}

/// The list holds what the bare SQL found, in its order.
fn same(body: &[u8], rows: &[sqlx::postgres::PgRow]) -> Result<()> {
    let page: serde_json::Value = serde_json::from_slice(body)?;
    let listed = page["data"].as_array().context("the list has no data")?;
    ensure!(listed.len() == 50 && rows.len() == 51, "{} and {} rows", listed.len(), rows.len());
    for (listed, row) in listed.iter().zip(rows) {
        let id: Uuid = row.try_get("id")?;
        ensure!(listed["id"] == id.to_string(), "{} is not {id}", listed["id"]);
    }
    Ok(())
}
