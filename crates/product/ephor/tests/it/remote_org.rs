//! A holding and its subsidiary by command: the tree, going from one to the other, and reading both.

use serde_json::{Value, json};

use super::remote::run;
use crate::support::{
    Server,
    api::{Person, answered},
    data_folder, sign_up,
};

#[tokio::test]
async fn one_goes_from_a_holding_to_its_subsidiary_and_back() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let signed = sign_up(&reqwest::Client::new(), &server.url, "ada@example.org").await;
    assert!(signed.status().is_success());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let token = ada.json("/v1/me").await["csrf_token"].as_str().unwrap().to_owned();
    let north = ada.post("/v1/organizations").header("x-csrf-token", token);
    answered(north.json(&json!({ "name": "North" }))).await;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    let as_ada = ["login", &server.url, "--email", "ada@example.org", "--password-stdin", "--json"];
    let told = run(&file, "correct horse battery\n", &as_ada).await;
    let login: Value = serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{}", told.err));
    assert_eq!(login["email"], "ada@example.org");

    let told = run(&file, "", &["org", "list", "--json"]).await;
    let tree: Value = serde_json::from_str(&told.out).unwrap();
    let holding = &tree[0];
    assert_eq!(holding["kind"], "holding");
    assert!(tree[1]["name"] == "North" && tree[1]["parent_id"] == holding["id"], "{tree}");
    assert!(tree[1]["depth"] == 1 && tree[1]["access"] == "member", "{tree}");
    let here: Vec<&Value> =
        tree.as_array().unwrap().iter().filter(|it| it["current"] == true).collect();
    assert_eq!((here.len(), &here[0]["id"]), (1, &login["organization_id"]));
    let told = run(&file, "", &["org", "list"]).await;
    assert!(told.out.contains("└ North"), "{}", told.out);

    // A new key the first time, and none to ask for afterwards.
    let holding = holding["slug"].as_str().unwrap();
    let there = if tree[0]["current"] == true { "north" } else { holding };
    let told = run(&file, "", &["org", "use", there]).await;
    assert!(told.code == 2 && told.err.contains("--password-stdin"), "{}", told.err);
    let told =
        run(&file, "correct horse battery\n", &["org", "use", there, "--password-stdin"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let told = run(&file, "", &["org", "show", "--json"]).await;
    let shown: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(shown["slug"], there);
    for slug in [holding, "north", holding] {
        let told = run(&file, "", &["org", "use", slug, "--json"]).await;
        let gone: Value =
            serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{}", told.err));
        assert_eq!(gone["slug"], slug);
    }
    let told = run(&file, "", &["org", "use", "nowhere"]).await;
    assert!(told.code == 2 && told.err.contains("north"), "{}", told.err);
    let told = run(&file, "", &["org", "use", "north", "--api-key", "eph_x"]).await;
    assert!(told.code == 2 && told.err.contains("ephor login"), "{}", told.err);

    // What the holding reads.
    let list = ["resource", "list", "organizations", "--organizations", "north", "--json"];
    let told = run(&file, "", &list).await;
    let read: Value = serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{}", told.err));
    assert!(read[0]["slug"] == "north" && read[1].is_null(), "{read}");
    let list = ["resource", "list", "organizations", "--organizations", "all", "--json"];
    let read: Value = serde_json::from_str(&run(&file, "", &list).await.out).unwrap();
    assert_eq!(read.as_array().unwrap().len(), 2, "{read}");
}

/// Every key in a credentials file.
fn keys(file: &std::path::Path) -> Vec<String> {
    let kept: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let others = kept["others"].as_array().into_iter().flatten();
    let all = std::iter::once(&kept).chain(others);
    all.map(|one| one["api_key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_log_in_revokes_the_keys_of_the_one_that_it_replaces() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let signed = sign_up(&reqwest::Client::new(), &server.url, "ada@example.org").await;
    assert!(signed.status().is_success());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    let me = ada.json("/v1/me").await;
    let token = me["csrf_token"].as_str().unwrap().to_owned();
    let north = ada.post("/v1/organizations").header("x-csrf-token", &token);
    let north = answered(north.json(&json!({ "name": "North" }))).await;
    let own = ada.post("/v1/api-keys").header("x-csrf-token", &token);
    let own = answered(own.json(&json!({ "name": "own", "permissions": ["*"] }))).await;
    let own = own["key"].as_str().unwrap();
    let nobody = Person::nobody(&server.url);
    let is_good = async |key: &str| {
        let answer = nobody.get("/v1/me").bearer_auth(key).send().await.unwrap();
        answer.status().is_success()
    };

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials.json");
    let as_ada = ["login", &server.url, "--email", "ada@example.org", "--password-stdin"];
    let password = "correct horse battery\n";
    let log_in = async || {
        let told = run(&file, password, &as_ada).await;
        assert!(told.code == 0 && !told.err.contains("still good"), "{}", told.err);
    };
    log_in().await;
    // Wherever the log-in was, there is another organization to go to.
    let here = run(&file, "", &["org", "show", "--json"]).await;
    let here: Value = serde_json::from_str(&here.out).unwrap();
    let north = north["id"].as_str().unwrap();
    let there = if here["id"] == north { me["organization_id"].as_str().unwrap() } else { north };
    let told = run(&file, password, &["org", "use", there, "--password-stdin"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    let before = keys(&file);
    assert_eq!(before.len(), 2);
    for key in &before {
        assert!(is_good(key).await);
    }

    log_in().await;
    let now = keys(&file);
    assert!(now.len() == 1 && is_good(&now[0]).await);
    for key in &before {
        assert!(!is_good(key).await, "it is revoked");
    }

    // A key that somebody brings along is theirs: it replaces one that is revoked, and is not.
    let given = ["login", &server.url, "--api-key-stdin"];
    for _ in 0..2 {
        let told = run(&file, &format!("{own}\n"), &given).await;
        assert_eq!(told.code, 0, "{}", told.err);
        assert!(!is_good(&now[0]).await && is_good(own).await);
    }
    log_in().await;
    assert!(is_good(own).await);
}
