//! Monitors over HTTP: made, run, their alerts acknowledged and closed; nobody else's.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server, adult,
    api::{Person, answered},
    data_folder, within_async,
};

async fn status(person: &Person, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = person.post(path).json(&body).send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn a_monitor_is_run_and_its_alerts_are_looked_after() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let dataset = ada.upload("adult", std::fs::read(adult()).unwrap()).await;

    // Everything that is wrong, at once.
    let wrong = json!({
        "name": "Income", "kind": "compliance_violation", "schedule": "61 * * * *",
        "parameters": { "time_colum": "x" },
    });
    let (refused, problem) = status(&ada, "/v1/monitors", wrong).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    let pointers: Vec<_> =
        problem["faults"].as_array().unwrap().iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/schedule", "/parameters"]);

    let body = json!({
        "name": "Income", "kind": "compliance_violation", "schedule": "0 6 1 1 *", "severity": "critical",
        "current_dataset_id": dataset["id"], "metric": "demographic_parity_difference",
        "parameters": { "analysis": { "target": "y_true", "prediction": "y_pred", "protected": ["sex"] } },
    });
    let monitor = answered(ada.post("/v1/monitors").json(&body)).await;
    let id = monitor["id"].as_str().unwrap();
    let path = format!("/v1/monitors/{id}");
    let run = format!("{path}/run");
    // The server's own scheduler works out when it runs.
    within_async("the next run is worked out", async || {
        ada.json(&path).await["next_run_at"].is_string().then_some(())
    })
    .await;

    let (accepted, asked) = status(&ada, &run, json!(null)).await;
    assert_eq!((accepted, &asked["monitor_id"]), (StatusCode::ACCEPTED, &json!(id)));
    let row = within_async("the run ends", async || {
        let row = ada.json(&path).await;
        row["last_outcome"].is_string().then_some(row)
    })
    .await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    let alerts = ada.json("/v1/monitoring_alerts?status=eq.open").await;
    let [alert] = alerts["data"].as_array().unwrap().as_slice() else { panic!("{alerts}") };
    assert_eq!(alert["severity"], "critical");
    let one = format!("/v1/monitoring_alerts/{}", alert["id"].as_str().unwrap());

    // Pages.
    let page = async |path: &str| ada.get(path).send().await.unwrap().text().await.unwrap();
    let shown = page(&format!("/resources/monitors/{id}")).await;
    for words in
        ["Run now", "What the last run found", "runs next within", "Selection rate is 7.9 %"]
    {
        assert!(shown.contains(words), "{words} is missing in {shown}");
    }
    let alerts = format!("/resources/monitoring_alerts?monitor_id=eq.{id}");
    assert!(shown.contains(&alerts), "{alerts} is missing in {shown}");
    let listed = page(&alerts).await;
    assert!(listed.contains(alert["id"].as_str().unwrap()), "{listed}");
    let none = alerts.replace(id, &uuid::Uuid::nil().to_string());
    assert!(!page(&none).await.contains(alert["id"].as_str().unwrap()));
    assert!(page("/").await.contains("Open alerts"));
    let shown = page(&one.replace("/v1/", "/resources/")).await;
    assert!(shown.contains("Acknowledge") && shown.contains("Close"), "{shown}");

    // A stranger reaches none of it.
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let acknowledge = format!("{one}/acknowledge");
    let close = format!("{one}/close");
    let reason = json!({ "reason": "The model was replaced." });
    for (path, body) in [(&run, json!(null)), (&acknowledge, json!(null)), (&close, reason.clone())]
    {
        assert_eq!(status(&eve, path, body).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let nobody = Person::nobody(&server.url);
    assert_eq!(status(&nobody, &run, json!(null)).await.0, StatusCode::UNAUTHORIZED);

    // Its states, with who and when.
    let (done, row) = status(&ada, &acknowledge, json!(null)).await;
    assert_eq!((done, &row["status"]), (StatusCode::OK, &json!("acknowledged")));
    assert!(row["acknowledged_at"].is_string() && row["acknowledged_by"].is_string(), "{row}");
    let (again, problem) = status(&ada, &acknowledge, json!(null)).await;
    assert_eq!((again, &problem["code"]), (StatusCode::CONFLICT, &json!("invalid_transition")));
    for wrong in [json!({}), json!({ "reason": "" }), json!({ "reason": "x", "why": 1 })] {
        let (refused, _) = status(&ada, &close, wrong).await;
        assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let (done, row) = status(&ada, &close, reason.clone()).await;
    assert_eq!((done, &row["close_reason"]), (StatusCode::OK, &reason["reason"]));
    assert!(row["closed_at"].is_string() && row["closed_by"] == row["acknowledged_by"], "{row}");
    assert_eq!(status(&ada, &close, reason).await.0, StatusCode::CONFLICT);

    // Paused, it does not run.
    let pause = ada.client.patch(format!("{}{path}", server.url)).header("if-match", "*");
    let paused = pause.json(&json!({ "status": "paused" })).send().await.unwrap();
    assert_eq!(paused.status(), StatusCode::OK);
    assert_eq!(status(&ada, &run, json!(null)).await.0, StatusCode::CONFLICT);

    let openapi = ada.json("/openapi.json").await;
    for path in [
        "/v1/monitors/{id}/run",
        "/v1/monitoring_alerts/{id}/acknowledge",
        "/v1/monitoring_alerts/{id}/close",
    ] {
        assert!(openapi["paths"][path]["post"].is_object(), "{path}");
    }
}

#[tokio::test]
async fn a_monitor_of_predicted_numbers_is_checked_and_raises_alerts() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let mut rows = "price,estimate,sex\n".to_owned();
    for n in 0..400_u32 {
        let (sex, off) = if n.is_multiple_of(2) { ("f", 9) } else { ("m", 0) };
        let price = 50 + n * 7 % 40;
        rows.push_str(&format!("{price},{},{sex}\n", price + n % 5 + off));
    }
    let dataset = ada.upload("prices", rows.into_bytes()).await;
    let with = |metric: &str, threshold: f64, analysis: Value| {
        json!({
            "name": metric, "kind": "bias_drift", "current_dataset_id": dataset["id"], "metric": metric,
            "threshold": threshold, "parameters": { "analysis": analysis },
        })
    };
    let analysis = |prediction: &str| json!({ "task": "regression", "target": "price", "prediction": prediction, "protected": ["sex"] });
    let pointers = |problem: &Value| -> Vec<String> {
        let faults = problem["faults"].as_array().unwrap();
        faults.iter().map(|fault| fault["pointer"].as_str().unwrap().to_owned()).collect()
    };

    // The metric is none of the task, the analysis has what means nothing to it, at once; and what can never be reached.
    let mut wrong = analysis("estimate");
    wrong["top"] = json!(3);
    let (refused, problem) =
        status(&ada, "/v1/monitors", with("equal_opportunity_difference", 0.1, wrong)).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(pointers(&problem), ["/parameters/analysis/top", "/metric"]);
    let never = with("prediction_distance", 2.0, analysis("estimate"));
    let (refused, problem) = status(&ada, "/v1/monitors", never).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(pointers(&problem), ["/threshold"]);

    // A column that is not there is told to whoever has it run.
    let asked = with("rmse_difference", 2.0, analysis("guess"));
    let monitor = answered(ada.post("/v1/monitors").json(&asked)).await;
    let run = format!("/v1/monitors/{}/run", monitor["id"].as_str().unwrap());
    let (refused, problem) = status(&ada, &run, json!(null)).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(pointers(&problem), ["/parameters/analysis/prediction"]);

    let asked = with("mae_difference", 2.0, analysis("estimate"));
    let monitor = answered(ada.post("/v1/monitors").json(&asked)).await;
    let path = format!("/v1/monitors/{}", monitor["id"].as_str().unwrap());
    let (accepted, _) = status(&ada, &format!("{path}/run"), json!(null)).await;
    assert_eq!(accepted, StatusCode::ACCEPTED);
    let row = within_async("the run ends", async || {
        let row = ada.json(&path).await;
        row["last_outcome"].is_string().then_some(row)
    })
    .await;
    assert_eq!(row["last_outcome"], "fail", "{row}");
    let alerts = ada.json("/v1/monitoring_alerts?status=eq.open").await;
    let [alert] = alerts["data"].as_array().unwrap().as_slice() else { panic!("{alerts}") };
    assert_eq!(
        (&alert["details"]["metric"], &alert["details"]["attribute"]),
        (&json!("mae_difference"), &json!("sex"))
    );
}
