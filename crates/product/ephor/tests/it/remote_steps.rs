//! The steps of a row's life by command, as the server describes them.

use serde_json::Value;

use super::remote::{ada_logs_in, run};
use crate::support::{Server, data_folder};

#[tokio::test]
async fn every_step_that_the_server_describes_is_a_command() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let (folder, file) = ada_logs_in(&server).await;

    let made =
        ["resource", "create", "models", "name=Credit", "model_type=classification", "--json"];
    let made: Value = serde_json::from_str(&run(&file, "", &made).await.out).unwrap();
    let id = made["id"].as_str().unwrap();

    // What there is to do, for people and for programs.
    let told = run(&file, "", &["resource", "actions", "models"]).await;
    assert!(told.code == 0 && told.out.contains("roll_back"), "{}{}", told.out, told.err);
    let told = run(&file, "", &["resource", "actions", "monitoring_alerts", "--json"]).await;
    let steps: Value = serde_json::from_str(&told.out).unwrap();
    let close = steps.as_array().unwrap().iter().find(|step| step["action"] == "close").unwrap();
    let taken = &close["takes"][0];
    assert!(taken["name"] == "reason" && taken["required"] == true, "{close}");
    assert_eq!(close["permission"], "monitoring_alerts:update");

    let told = run(&file, "", &["resource", "act", "models", id, "activate"]).await;
    assert_eq!((told.code, told.out.trim()), (0, "Done."), "{}", told.err);
    let told = run(&file, "", &["resource", "get", "models", id, "--json"]).await;
    let now: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(now["status"], "active");

    // One that answers something.
    let feed = ["resource", "create", "row_feeds", "name=Pushed", "--json"];
    let feed: Value = serde_json::from_str(&run(&file, "", &feed).await.out).unwrap();
    let rotate =
        ["resource", "act", "row_feeds", feed["id"].as_str().unwrap(), "rotate_token", "--json"];
    let told = run(&file, "", &rotate).await;
    let rotated: Value = serde_json::from_str(&told.out).unwrap();
    assert!(rotated["token"].is_string() && rotated["token"] != feed["token"], "{rotated}");

    // What is not there is told with what is, and costs nothing.
    let told = run(&file, "", &["resource", "act", "models", id, "activte"]).await;
    assert_eq!(told.code, 2);
    assert!(
        told.err.contains("archive") && told.err.contains("Did you mean `activate`"),
        "{}",
        told.err
    );
    let told = run(&file, "", &["resource", "act", "modles", id, "activate"]).await;
    assert!(told.code == 2 && told.err.contains("did you mean `models`"), "{}", told.err);
    let told =
        run(&file, "", &["resource", "act", "models", id, "archive", "--set", "why=x"]).await;
    assert!(told.code == 2 && told.err.contains("`why` is not taken"), "{}", told.err);
    let told = run(&file, "", &["resource", "act", "models", id, "roll_back"]).await;
    assert!(told.code == 2 && told.err.contains("version=…"), "{}", told.err);
    let none = "01930b2e-7c1a-7def-8000-1b2c3d4e5f60";
    let body = folder.path().join("close.json");
    std::fs::write(&body, r#"{"reason": "Over"}"#).unwrap();
    let close =
        ["resource", "act", "monitoring_alerts", none, "close", "--file", body.to_str().unwrap()];
    let told = run(&file, "", &close).await;
    assert!(told.code == 2 && told.err.contains("not_found"), "{}", told.err);

    // A program is told the server's own problem.
    let told = run(&file, "", &["resource", "get", "models", none, "--json"]).await;
    let problem: Value = serde_json::from_str(told.err.trim()).unwrap();
    assert_eq!(told.code, 2);
    assert!(problem["code"] == "not_found" && problem["status"] == 404, "{problem}");
    assert!(problem["exit_code"] == 2 && problem["request_id"].is_string(), "{problem}");
}
