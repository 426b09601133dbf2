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
