//! Saved views: kept, picked, changed and deleted, by the API and on the page; shared with colleagues and
//! with nobody else.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Server,
    api::{Person, answered},
    data_folder,
};

fn view(name: &str) -> Value {
    json!({
        "resource": "models", "name": name, "filters": { "status": "eq.draft" }, "search": "credit",
        "sort": "-name", "columns": ["status", "updated_at"],
    })
}

#[tokio::test]
async fn a_view_is_kept_and_shared_and_is_its_makers_alone_to_change() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let bob = colleague(&ada, &server.url).await;
    let stranger = Person::sign_up(&server.url, "eve@example.org").await;

    let mine = answered(ada.post("/v1/saved_views").json(&view("Mine"))).await;
    let mut shared = view("Drafts");
    shared["is_shared"] = json!(true);
    let shared = answered(ada.post("/v1/saved_views").json(&shared)).await;

    // Everything that is wrong is said; a name is one's own once for a list.
    let mut wrong = view("Wrong");
    wrong["filters"] = json!({ "status": 1, "kind": "draft" });
    let refused = ada.post("/v1/saved_views").json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["faults"].as_array().unwrap().len(), 2, "{problem}");
    let twice = ada.post("/v1/saved_views").json(&view("Mine")).send().await.unwrap();
    assert_eq!(twice.status(), StatusCode::CONFLICT);
    answered(bob.post("/v1/saved_views").json(&view("Mine"))).await;

    // What becomes the default takes that from what was it.
    for id in [&mine["id"], &shared["id"]] {
        let path = format!("{}/v1/saved_views/{}", server.url, id.as_str().unwrap());
        let patch = ada.client.patch(path).header("if-match", "*");
        answered(patch.json(&json!({ "is_default": true }))).await;
    }
    let listed = ada.json("/v1/saved_views?is_default=is.true").await;
    assert_eq!(listed["data"][0]["name"], "Drafts");
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);

    let seen = bob.json("/v1/saved_views?resource=eq.models").await;
    let names: Vec<_> = seen["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|view| view["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Drafts", "Mine"], "a colleague sees what is shared, and their own");
    let none = stranger.json("/v1/saved_views").await;
    assert!(none["data"].as_array().unwrap().is_empty(), "{none}");
    for (person, id) in [(&bob, &mine["id"]), (&bob, &shared["id"]), (&stranger, &shared["id"])] {
        let path = format!("{}/v1/saved_views/{}", server.url, id.as_str().unwrap());
        let patch =
            person.client.patch(&path).header("if-match", "*").json(&json!({ "name": "x" }));
        assert_eq!(patch.send().await.unwrap().status(), StatusCode::NOT_FOUND);
        let gone = person.client.delete(&path).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_list_opens_with_its_default_view_and_keeps_what_it_shows() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    for (name, kind) in [("Credit", "classification"), ("Prices", "regression")] {
        let model = json!({ "name": name, "model_type": kind });
        answered(ada.post("/v1/models").json(&model)).await;
    }
    let page = async |path: &str| {
        let answer = ada.get(path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    let token = async || {
        let page = page("/sessions").await;
        page.split("data-csrf=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let mut form = fields.to_vec();
        let csrf = token().await;
        form.push(("_csrf", &csrf));
        let body =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        let kind = "application/x-www-form-urlencoded";
        let request = ada.post(path).header("accept", "text/html").header("content-type", kind);
        request.body(body).send().await.unwrap()
    };

    assert!(!page("/models").await.contains("Saved views"), "nothing to keep: no bar");
    let filtered = page("/models?model_type=regression&columns=status").await;
    assert!(filtered.contains("Save view") && !filtered.contains(">Credit<"), "{filtered}");
    assert!(!filtered.contains(">Changed<"), "only the chosen columns are heads");

    let state = r#"{"filters":{"model_type":"eq.regression"},"search":null,"sort":null,"columns":["status"]}"#;
    let form =
        [("resource", "models"), ("here", "/models"), ("state", state), ("is_default", "true")];
    let refused = send("/views", &form).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "a view has a name");
    assert!(refused.text().await.unwrap().contains("aria-invalid"));
    let mut named = form.to_vec();
    named.push(("name", "Prices only"));
    let kept = send("/views", &named).await;
    assert!(kept.url().query().unwrap().contains("model_type=regression"), "{}", kept.url());
    let kept = kept.text().await.unwrap();
    assert!(kept.contains("The view is saved.") && kept.contains("Prices only"), "{kept}");

    // Without anything asked for, the list opens with it; another view, or none, is a click away.
    let opened = page("/models").await;
    assert!(opened.contains("Prices") && !opened.contains(">Credit<"), "{opened}");
    assert!(page("/models?view=none").await.contains(">Credit<"));
    assert!(page("/resources/models").await.contains("Prices only"));

    // What it shows by now is kept under the same name.
    let views = ada.json("/v1/saved_views").await;
    let id = views["data"][0]["id"].as_str().unwrap();
    let changed = page(&format!("/models?view={id}&model_type=classification")).await;
    assert!(changed.contains("Update “Prices only”"), "{changed}");
    let state = r#"{"filters":{"model_type":"eq.classification"},"search":null,"sort":"-name","columns":[]}"#;
    let form = [("resource", "models"), ("here", "/models"), ("state", state)];
    send(&format!("/views/{id}"), &form).await;
    let now = ada.json(&format!("/v1/saved_views/{id}")).await;
    assert_eq!((&now["sort"], &now["name"]), (&json!("-name"), &json!("Prices only")));
    let rename = [("resource", "models"), ("here", "https://evil.example/"), ("name", "Classes")];
    let renamed = send(&format!("/views/{id}"), &rename).await;
    assert_eq!(renamed.url().path(), "/resources/models", "a form cannot lead elsewhere");
    let now = ada.json(&format!("/v1/saved_views/{id}")).await;
    assert_eq!((&now["is_default"], &now["name"]), (&json!(false), &json!("Classes")));
    let gone = send(&format!("/views/{id}/delete"), &rename).await;
    assert!(gone.text().await.unwrap().contains("The view is deleted."));
    assert!(ada.json("/v1/saved_views").await["data"].as_array().unwrap().is_empty());
}

/// Bob, whom Ada adds as a viewer.
async fn colleague(ada: &Person, url: &str) -> Person {
    let roles = ada.json("/v1/roles?builtin_code=eq.viewer").await;
    let bob = json!({
        "email": "bob@example.org", "full_name": "Bob", "role_id": roles["data"][0]["id"],
    });
    let added = answered(ada.post("/v1/members").json(&bob)).await;
    let person = Person::nobody(url);
    let join = json!({ "token": added["join"]["token"], "password": "correct horse battery", "consent": true });
    let joined = person.post("/v1/auth/join").json(&join).send().await.unwrap();
    assert!(joined.status().is_success(), "{}", joined.text().await.unwrap());
    Person::log_in(url, "bob@example.org", "correct horse battery").await
}
