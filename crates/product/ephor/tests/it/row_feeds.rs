//! Row feeds: rows that programs push with a token become data sets, and are analysed when there are enough.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, ephor, within_async,
};

const NDJSON: &str = "application/x-ndjson";
/// Where a token's secret begins: behind `eph_`, the organization and the row feed.
const SECRET_AT: usize = 4 + 33 + 33;

fn parameters() -> Value {
    json!({ "target": "y", "prediction": "p", "protected": ["sex"], "min_group_size": 0 })
}

/// So many rows, as lines.
fn lines(count: usize) -> String {
    let row = |n: usize| {
        let sex = if n.is_multiple_of(2) { "f" } else { "m" };
        format!("{{\"y\":{},\"p\":{},\"sex\":\"{sex}\"}}\n", n % 3 % 2, n % 5 % 2)
    };
    (0..count).map(row).collect::<Vec<_>>().concat()
}

async fn made(ada: &Person, settings: Value) -> (String, String) {
    let made = answered(ada.post("/v1/row_feeds").json(&settings)).await;
    (made["id"].as_str().unwrap().to_owned(), made["token"].as_str().unwrap().to_owned())
}

async fn push(
    server: &Server,
    token: &str,
    media_type: &str,
    body: impl Into<String>,
) -> (StatusCode, Value) {
    let nobody = Person::nobody(&server.url);
    let request = nobody.post("/in/rows").bearer_auth(token).header("content-type", media_type);
    told(request.body(body.into())).await
}

async fn told(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    assert!(answer.headers().get("access-control-allow-origin").is_none());
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// Waits until nothing waits; answers the row feed.
async fn stored(ada: &Person, id: &str) -> Value {
    within_async("the rows are stored", async || {
        let feed = ada.json(&format!("/v1/row_feeds/{id}")).await;
        (feed["rows_waiting"] == 0 && !feed["dataset_id"].is_null()).then_some(feed)
    })
    .await
}

#[tokio::test]
async fn rows_are_analysed_once_when_there_are_enough() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let (id, token) = made(
        &ada,
        json!({ "name": "Decisions", "analyse_after": 100, "parameters": parameters() }),
    )
    .await;
    let (status, first) = push(&server, &token, NDJSON, lines(30)).await;
    assert_eq!(
        (status, &first["accepted"], &first["job"]),
        (StatusCode::ACCEPTED, &json!(30), &Value::Null)
    );

    // Two at a time: both are in, and one job is asked for.
    let (one, two) = tokio::join!(
        push(&server, &token, NDJSON, lines(40)),
        push(
            &server,
            &token,
            "text/csv",
            format!("sex,p,y\nf,1,0\nm,0,1\n{}", "f,1,1\n".repeat(38))
        ),
    );
    assert_eq!((one.0, two.0), (StatusCode::ACCEPTED, StatusCode::ACCEPTED), "{one:?} {two:?}");
    let totals = [&one.1, &two.1].map(|answer| answer["total"].as_i64().unwrap());
    assert!(totals == [70, 110] || totals == [110, 70], "{totals:?}");

    let feed = stored(&ada, &id).await;
    assert_eq!(
        (&feed["rows_received"], &feed["rows_stored"]),
        (&json!(110), &json!(110)),
        "{feed}"
    );
    assert_eq!(feed["columns"][0], json!({ "name": "y", "type": "number" }));
    let analyses = ada.json("/v1/bias_analyses").await;
    let analyses = analyses["data"].as_array().unwrap();
    assert_eq!(analyses.len(), 1, "{analyses:?}");
    let ended = ada.ended(&analyses[0]).await;
    assert_eq!(
        (&ended["status"], &ended["row_count"]),
        (&json!("completed"), &json!(110)),
        "{ended}"
    );
    assert_eq!((&feed["analysis_id"], &feed["dataset_id"]), (&ended["id"], &ended["dataset_id"]));

    // The next data set holds the rows before as well.
    push(&server, &token, "application/json", r#"[{"y":1,"p":1,"sex":"f"}]"#).await;
    let asked = answered(ada.post(&format!("/v1/row_feeds/{id}/flush"))).await;
    assert_eq!(asked["waiting"], 1);
    let again = stored(&ada, &id).await;
    assert_ne!(again["dataset_id"], feed["dataset_id"]);
    assert_eq!(again["rows_stored"], 111);
    let nothing = ada.post(&format!("/v1/row_feeds/{id}/flush")).send().await.unwrap();
    assert_eq!(nothing.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn rows_of_every_task_are_analysed_by_it() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    // Everything that does not fit the task, at once: fields, and columns that hold something else.
    let wrong = json!({
        "name": "Prices", "columns": [
            { "name": "price", "type": "number" }, { "name": "estimate", "type": "text" },
            { "name": "sex", "type": "text" },
        ],
        "parameters": { "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sec"], "loss_bound": -1 },
    });
    let refused = ada.post("/v1/row_feeds").json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = refused.json().await.unwrap();
    let mut pointers: Vec<_> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        ["/parameters/loss_bound", "/parameters/prediction", "/parameters/protected/0"],
        "{problem}"
    );

    let row = |n: usize| {
        let sex = if n.is_multiple_of(2) { "f" } else { "m" };
        let grade = ["a", "b", "c"][n % 3];
        let (price, list, place) = (n % 7, n / 10, n % 10);
        format!(
            "{{\"price\":{price},\"estimate\":{},\"grade\":\"{grade}\",\"given\":\"b\",\"list\":{list},\"place\":{place},\"sex\":\"{sex}\"}}\n",
            price + n % 2
        )
    };
    let rows: String = (0..120).map(row).collect();
    for parameters in [
        json!({ "task": "regression", "target": "price", "prediction": "estimate", "protected": ["sex"] }),
        json!({ "task": "multiclass", "target": "grade", "prediction": "given", "protected": ["sex"] }),
        json!({ "task": "ranking", "list": "list", "position": "place", "protected": ["sex"] }),
    ] {
        let task = parameters["task"].as_str().unwrap();
        let settings = json!({ "name": task, "analyse_after": 100, "parameters": parameters });
        let (id, token) = made(&ada, settings).await;
        // What the first batch fixes has to suit the task too.
        let texts = rows
            .replace("\"price\":", "\"price\":\"x\",\"cost\":")
            .replace("\"place\":", "\"place\":\"x\",\"at\":");
        let (status, problem) = push(&server, &token, NDJSON, texts).await;
        let fits = task == "multiclass";
        assert_eq!(status == StatusCode::ACCEPTED, fits, "{task}: {problem}");
        if !fits {
            let place =
                if task == "ranking" { "/parameters/position" } else { "/parameters/target" };
            assert_eq!(problem["faults"][0]["pointer"], place, "{problem}");
            assert_eq!(push(&server, &token, NDJSON, rows.clone()).await.0, StatusCode::ACCEPTED);
        }
        let feed = stored(&ada, &id).await;
        let analysis =
            ada.json(&format!("/v1/bias_analyses/{}", feed["analysis_id"].as_str().unwrap())).await;
        let ended = ada.ended(&analysis).await;
        assert_eq!(
            (&ended["status"], &ended["task"], &ended["row_count"]),
            (&json!("completed"), &json!(task), &json!(120)),
            "{ended}"
        );
    }
}

#[tokio::test]
async fn what_is_acknowledged_outlives_a_server_that_is_killed() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let (id, token) = made(&ada, json!({ "name": "Decisions", "analyse_after": 1000 })).await;
    for _ in 0..3 {
        assert_eq!(push(&server, &token, NDJSON, lines(10)).await.0, StatusCode::ACCEPTED);
    }
    server.kill();

    let server = Server::serve(data.path());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let feed = ada.json(&format!("/v1/row_feeds/{id}")).await;
    assert_eq!((&feed["rows_waiting"], &feed["rows_received"]), (&json!(30), &json!(30)));
    answered(ada.post(&format!("/v1/row_feeds/{id}/flush"))).await;
    let feed = stored(&ada, &id).await;
    let dataset = ada.json(&format!("/v1/datasets/{}", feed["dataset_id"].as_str().unwrap())).await;
    assert_eq!((&dataset["row_count"], &dataset["status"]), (&json!(30), &json!("ready")));
    assert_eq!(dataset["metadata"]["row_feed"], json!(id));
    assert_eq!(
        ada.json("/v1/bias_analyses").await["data"],
        json!([]),
        "no specification was given"
    );
}

#[tokio::test]
async fn a_batch_is_taken_in_as_a_whole_and_once_or_refused_with_every_fault() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let (id, token) = made(&ada, json!({ "name": "Decisions" })).await;

    let keyed = |body: &str| {
        let nobody = Person::nobody(&server.url);
        let request = nobody.post("/in/rows").bearer_auth(&token).header("content-type", NDJSON);
        told(request.header("idempotency-key", "one").body(body.to_owned()))
    };
    let rows = lines(3);
    let (first, second) = (keyed(&rows).await, keyed(&rows).await);
    assert_eq!(first.0, StatusCode::ACCEPTED, "{first:?}");
    assert_eq!(first, second, "the same batch gets the same answer");
    let other = keyed(&lines(4)).await;
    assert_eq!((other.0, &other.1["code"]), (StatusCode::CONFLICT, &json!("conflict")));

    let wrong = "{\"y\":1,\"p\":\"x\",\"sex\":\"f\"}\n{\"y\":1,\"p\":1,\"sex\":\"f\"}\n{\"y\":1,\"age\":3,\"sex\":\"f\"}\n";
    let (status, problem) = push(&server, &token, NDJSON, wrong).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let pointers: Vec<_> = problem["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["/2/age", "/2/p", "/0/p"], "{problem}");

    for (media_type, body, status) in [
        ("text/plain", "x".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/json", "x".repeat(5 << 20), StatusCode::PAYLOAD_TOO_LARGE),
        (NDJSON, lines(20_001), StatusCode::PAYLOAD_TOO_LARGE),
        (NDJSON, String::new(), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(push(&server, &token, media_type, body).await.0, status, "{media_type}");
    }
    let feed = ada.json(&format!("/v1/row_feeds/{id}")).await;
    assert_eq!((&feed["rows_received"], &feed["rows_rejected"]), (&json!(3), &json!(2)), "{feed}");
}

#[tokio::test]
async fn a_token_is_for_its_row_feed_alone_until_it_is_replaced() {
    let data = data_folder();
    let server = Server::start(
        ephor()
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .env("EPHOR_LOG_FILTER", "trace"),
    );
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let (id, token) = made(&ada, json!({ "name": "Decisions" })).await;
    let path = format!("/v1/row_feeds/{id}");
    let nobody = Person::nobody(&server.url);

    // In the address as well.
    let request = nobody.post(&format!("/in/rows/{token}")).header("content-type", NDJSON);
    assert_eq!(told(request.body(lines(1))).await.0, StatusCode::ACCEPTED);

    // What is unknown is refused in one and the same way.
    let (_, of_eve) = made(&eve, json!({ "name": "Decisions" })).await;
    let (head, tail) = token.split_at(SECRET_AT);
    let mut foreign = of_eve.clone();
    foreign.replace_range(4..36, &token[4..36]);
    let unknown = format!("{head}{}", "A".repeat(tail.len()));
    let mut refusals = Vec::new();
    for wrong in [unknown.as_str(), &foreign, "eph_x", "x"] {
        let (status, mut problem) = push(&server, wrong, NDJSON, lines(1)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");
        problem.as_object_mut().unwrap().remove("request_id");
        refusals.push(problem);
    }
    refusals.dedup();
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
    for action in ["rotate_token", "revoke_token", "flush"] {
        let answer = eve.post(&format!("{path}/{action}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{action}");
    }
    assert_eq!(
        nobody.get("/v1/row_feeds").bearer_auth(&token).send().await.unwrap().status(),
        StatusCode::UNAUTHORIZED,
        "it is no API key"
    );

    // The row shows nothing of it but its beginning.
    let row = ada.json(&path).await;
    assert!(row.get("token_hash").is_none(), "{row}");
    assert!(token.contains(&row["token_prefix"].as_str().unwrap()[4..]));

    let paused = ada.client.patch(format!("{}{path}", server.url));
    let paused = paused
        .header("if-match", format!("\"{}\"", row["version"]))
        .json(&json!({ "status": "paused" }));
    answered(paused).await;
    assert_eq!(push(&server, &token, NDJSON, lines(1)).await.0, StatusCode::CONFLICT);

    let newer = answered(ada.post(&format!("{path}/rotate_token"))).await;
    let newer = newer["token"].as_str().unwrap().to_owned();
    assert_eq!(push(&server, &token, NDJSON, lines(1)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(push(&server, &newer, NDJSON, lines(1)).await.0, StatusCode::CONFLICT);
    let revoked = ada.post(&format!("{path}/revoke_token")).send().await.unwrap();
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    assert_eq!(push(&server, &newer, NDJSON, lines(1)).await.0, StatusCode::NOT_FOUND);

    let log = server.log();
    assert!(log.contains("/in/rows/"), "the log tells of the request");
    for secret in [&token, &newer, &of_eve] {
        assert!(!log.contains(&secret[SECRET_AT..]), "a token is in the log");
    }
}

#[tokio::test]
async fn a_token_that_pushes_too_often_is_told_when_to_go_on() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let (_, token) = made(&ada, json!({ "name": "Decisions" })).await;
    let nobody = Person::nobody(&server.url);
    let mut refused = None;
    for _ in 0..400 {
        let request = nobody.post("/in/rows").bearer_auth(&token).header("content-type", NDJSON);
        let answer = request.body(lines(1)).send().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("no batch was refused");
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
}
