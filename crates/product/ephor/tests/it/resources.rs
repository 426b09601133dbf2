//! Every resource of every context, over a real server: its pages and its empty list.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Server, data_folder, sign_up};

#[tokio::test]
async fn every_resource_has_its_list_its_pages_and_its_export() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let client = reqwest::Client::builder().cookie_store(true).build().unwrap();
    let signed = sign_up(&client, &server.url, "ada@example.org").await;
    assert_eq!(signed.status(), StatusCode::CREATED);
    let get = async |path: &str| {
        let answer = client.get(format!("{}{path}", server.url)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };

    for path in ephor_console::addresses() {
        let (status, body) = get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        assert!(body.contains("aria-current=\"page\""), "{path} is not marked as where one is");
    }

    let document: Value = serde_json::from_str(&get("/openapi.json").await.1).unwrap();
    let mut resources = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(name) = path.strip_prefix("/v1/").filter(|name| !name.contains('/')) else {
            continue;
        };
        // What the engine lists takes a cursor; sessions, permissions and the like do not.
        let parameters = operations["get"]["parameters"].to_string();
        if !parameters.contains("cursor") {
            continue;
        }
        resources += 1;
        let (status, body) = get(&format!("/v1/{name}?count=exact")).await;
        assert_eq!(status, StatusCode::OK, "{name}: {body}");
        let (status, body) = get(&format!("/resources/{name}")).await;
        assert_eq!(status, StatusCode::OK, "{name}: {body}");
        let (status, body) = get(&format!("/resources/{name}/export")).await;
        assert_eq!(status, StatusCode::OK, "{name}: {body}");
        assert!(body.contains("id"), "{name}: the export has a head: {body}");
        if !operations["post"]["requestBody"].is_null() && !HAND_MADE.contains(&name) {
            let (status, body) = get(&format!("/resources/{name}/new")).await;
            assert_eq!(status, StatusCode::OK, "{name}: {body}");
        }
    }
    assert!(resources >= 45, "only {resources} resources were found");
}

/// Made by operations of their own, on pages of their own.
const HAND_MADE: [&str; 6] =
    ["members", "roles", "api-keys", "organizations", "team_invitations", "row_feeds"];
