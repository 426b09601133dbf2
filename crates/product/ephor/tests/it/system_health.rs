//! How the parts of Ephor are, for those who may look.

use reqwest::StatusCode;
use serde_json::json;

use crate::{
    approvals::colleague,
    support::{Server, api::Person, data_folder, within_async},
};

#[tokio::test]
async fn the_parts_are_told_to_who_may_inspect_the_system() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let relay = within_async("the relay tells that it is there", async || {
        let found = ada.json("/v1/system_health").await;
        let parts = found["data"].as_array().unwrap();
        parts.iter().find(|part| part["service_name"] == "relay").cloned()
    })
    .await;
    assert_eq!((&relay["status"], &relay["silent"]), (&json!("healthy"), &json!(false)), "{relay}");
    assert_eq!(relay["health_data"], json!({}));
    let times = ["last_check", "changed_at"].map(|time| relay[time].as_str().unwrap().to_owned());
    assert!(times[0] >= times[1], "{relay}");

    let (bob, _) = colleague(&ada, &server.url, "bob", "manager").await;
    let refused = bob.get("/v1/system_health").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}
