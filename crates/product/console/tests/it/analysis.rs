//! The main job: a file comes in, is analysed for bias, and the trail of it verifies.

use axum::http::{StatusCode, header};

use crate::support::{Browser, World, until, world};

/// Two groups, of whom one is selected far less often: 400 rows.
fn csv() -> Vec<u8> {
    let mut text = String::from("label,prediction,score,sex\n");
    for index in 0..400 {
        let female = index % 2 == 0;
        let label = index % 5 < 2;
        let selected = if female { index % 20 < 2 } else { index % 20 < 12 };
        let score = if selected { 0.75 } else { 0.25 };
        let sex = if female { "Female" } else { "Male" };
        text.push_str(&format!("{},{},{score},{sex}\n", u8::from(label), u8::from(selected)));
    }
    text.into_bytes()
}

async fn uploaded(browser: &mut Browser, name: &str) -> String {
    let answer = browser.upload(name, &csv()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.body.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn from_a_file_to_a_finding_and_a_verified_trail() {
    let world = world().await;
    let workers = world.workers();
    let mut owner = world.owner("ada@example.org").await;
    let dataset = uploaded(&mut owner, "hiring").await;

    let page = owner.get(&format!("/datasets/{dataset}")).await;
    page.shows("hiring");
    page.shows("prediction");
    page.shows("Female");
    let form = owner.get(&format!("/analyses/new?dataset={dataset}")).await;
    form.shows("name=\"protected\" value=\"sex\" checked");
    form.shows("<option value=\"label\" selected>");

    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "label"),
        ("prediction", "prediction"),
        ("score", "score"),
        ("protected", "sex"),
        ("reference.sex", "Male"),
        ("analysis_type", "comprehensive"),
        ("difference_threshold", "0.1"),
        ("ratio_threshold", "0.2"),
        ("confidence", "0.95"),
        ("min_group_size", "30"),
    ];
    let asked = owner.submit("/analyses", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();

    // Events tell how far it is, and end when it has ended.
    let events = owner.get(&format!("{place}/events")).await;
    events.shows("event: ended");

    let page = owner.get(&place).await;
    assert_eq!(page.status, StatusCode::OK);
    page.shows("Compliance score");
    page.shows("Disparities against thresholds");
    page.shows("data-plot=\"plot-selection-sex\"");
    page.shows("fail</span>");

    let report = owner.get(&format!("{place}/report.html")).await;
    assert!(
        report.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment")
    );
    report.shows("Content-Security-Policy");
    let json = owner.get(&format!("{place}/result.json")).await;
    json.shows("\"compliance_score\"");
    owner.get("/").await.shows("Open failures");

    ephor_store::audit::seal_pending(&world.state.store, &world.seal_key).await.unwrap();
    let verified = owner.submit("/audit/verify", &[]).await;
    verified.shows("Verified just now");
    let export = owner.get("/audit/export").await;
    assert!(export.body.starts_with("ephor-audit-export 1"));
    workers.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_all_at_once_and_kept() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let dataset = uploaded(&mut owner, "hiring").await;
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", ""),
        ("confidence", "2"),
        ("difference_threshold", "many"),
        ("name", "Kept"),
    ];
    let refused = owner.submit("/analyses", &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for wanted in [
        "field-target-fault-0",
        "field-confidence-fault-0",
        "field-difference_threshold-fault-0",
        "protected-faults",
        "value=\"Kept\"",
    ] {
        refused.shows(wanted);
    }
}

#[tokio::test]
async fn an_analysis_that_waits_is_cancelled() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let dataset = uploaded(&mut owner, "hiring").await;
    // There is no worker: it waits.
    let fields = [
        ("dataset_id", dataset.as_str()),
        ("target", "label"),
        ("prediction", "prediction"),
        ("protected", "sex"),
    ];
    let asked = owner.submit("/analyses", &fields).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    let place = asked.location().to_owned();
    let page = owner.get(&place).await;
    page.shows("Waiting for a worker");
    page.shows("sse-connect");
    let cancelled = owner.submit(&format!("{place}/cancel"), &[]).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
    until("the cancellation", async || {
        let page = owner.get(&place).await;
        page.body.contains("The analysis was cancelled").then_some(())
    })
    .await;
    let again = owner.submit(&format!("{place}/cancel"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(owner.get(&format!("{place}/result.json")).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_broken_file_is_refused_with_its_place() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let answer = owner.upload("broken", b"a,b\n1,2\n3\n").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    answer.shows("line 3");
    owner.get("/datasets").await.shows("No data set yet");
}

#[tokio::test]
async fn a_tampered_trail_is_told() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    ephor_store::audit::seal_pending(&world.state.store, &world.seal_key).await.unwrap();
    tamper(&world).await;
    let found = owner.submit("/audit/verify", &[]).await;
    found.shows("not as it was written");
    found.shows("altered");
}

/// Changes the body of a sealed entry behind Ephor's back.
async fn tamper(world: &World) {
    let admin = world.db.admin();
    let mut conn = admin.acquire().await.unwrap();
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *conn).await.unwrap();
    let changed = sqlx::raw_sql(
        "update audit.audit_logs set body = replace(body, 'Analytical', 'Anarchical') where body like '%Analytical%'",
    )
    .execute(&mut *conn)
    .await
    .unwrap();
    assert!(changed.rows_affected() > 0, "there is an entry to tamper with");
}
