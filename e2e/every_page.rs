//! Every page of the console and of the API's description, empty, filled and refused.

use crate::{
    browser::Browser,
    looks::Looks,
    support::{Server, adult, data_folder},
};

/// What somebody sees who has just opened an organization: path, words on it, name of the picture.
const OF_A_NEWCOMER: [(&str, &str, &str); 28] = [
    ("/", "Good to see you", "empty-dashboard"),
    ("/datasets", "No data set yet", "empty-datasets"),
    ("/datasets/new", "What is taken", "dataset-new"),
    ("/models", "No model yet", "empty-models"),
    ("/models/new", "Register a model", "model-new"),
    ("/analyses", "No analysis yet", "empty-analyses"),
    ("/analyses/new", "Analyse for bias", "empty-analysis-new"),
    ("/analyses/new?dataset=", "Load its columns", "empty-analysis-new-none"),
    ("/audit", "Audit trail", "first-audit"),
    ("/audit?q=Analytical", "created", "audit-search"),
    ("/archives", "Everything is still in the database", "empty-archives"),
    ("/health", "Of Analytical Engines", "health"),
    ("/members", "Ada Lovelace", "members"),
    ("/members/new", "Add somebody", "member-new"),
    ("/invitations", "Nobody is invited", "empty-invitations"),
    ("/invitations/new", "Invite somebody", "invitation-new"),
    ("/roles", "Owner", "roles"),
    ("/roles/new", "New role", "role-new"),
    ("/api-keys", "No key yet", "empty-keys"),
    ("/api-keys/new", "New key", "key-new"),
    ("/sessions", "this one", "sessions"),
    ("/account", "Edit your account", "account"),
    ("/password", "Change password", "password"),
    ("/organization", "Analytical Engines", "organization"),
    ("/organization/edit", "Edit the organization", "organization-edit"),
    ("/organization/new", "Open a subsidiary", "organization-new"),
    ("/resources/models", "Models", "resource-list"),
    ("/resources/models/new", "New model", "resource-new"),
];

#[tokio::test]
async fn every_page_is_fit_to_be_seen_before_and_after_signing_up() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);

    browser.goto(&format!("{}/sign-in", server.url)).await;
    looks.at("sign-in").await;
    browser.fill("input[name=email]", "nobody@example.org").await;
    browser.fill("input[name=password]", "not the password").await;
    browser.click("main button[type=submit]").await;
    browser.find("main .notice.fail").await;
    looks.at_refusal("sign-in-refused").await;

    browser.goto(&format!("{}/sign-up", server.url)).await;
    looks.at("sign-up").await;
    browser.fill("input[name=email]", "ada").await;
    browser.fill("input[name=password]", "short").await;
    browser.click("main button[type=submit]").await;
    browser.find("[aria-invalid=true]").await;
    looks.at_refusal("sign-up-refused").await;
    browser.goto(&format!("{}/forgot-password", server.url)).await;
    looks.at("forgot-password").await;
    browser.goto(&format!("{}/invitation?token=rubbish", server.url)).await;
    looks.at_refusal("invitation-refused").await;
    browser.goto(&format!("{}/join?token=rubbish", server.url)).await;
    looks.at_refusal("join-refused").await;

    sign_up(&browser, &server).await;
    for (path, words, name) in OF_A_NEWCOMER {
        browser.goto(&format!("{}{path}", server.url)).await;
        browser.wait_for_text(words).await;
        looks.at(name).await;
    }
    browser.goto(&format!("{}/no-such-page", server.url)).await;
    looks.at_refusal("not-found").await;
    looks.end();
}

#[tokio::test]
async fn every_page_is_fit_to_be_seen_once_there_is_something_on_it() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);
    sign_up(&browser, &server).await;

    // A file goes up as people send it, and a damaged one is refused where it was chosen.
    let damaged = data.path().join("damaged.csv");
    std::fs::write(&damaged, "a,b\n1,2\n3\n").unwrap();
    browser.goto(&format!("{}/datasets/new", server.url)).await;
    browser.fill("input[name=name]", "Hiring").await;
    browser.choose("input[type=file]", &damaged).await;
    browser.click("[data-upload] [type=submit]").await;
    browser.wait_for_text("line 3").await;
    looks.at_refusal("dataset-refused").await;
    browser.choose("input[type=file]", &adult()).await;
    browser.click("[data-upload] [type=submit]").await;
    browser.wait_for_text("age_band").await;
    let dataset = browser.url().await.split('?').next().unwrap().to_owned();
    looks.at("dataset-created").await;
    browser.goto(&format!("{dataset}/edit")).await;
    looks.at("dataset-edit").await;

    let id = dataset.rsplit('/').next().unwrap();
    browser.goto(&format!("{}/analyses/new?dataset={id}", server.url)).await;
    browser.click("main details summary").await;
    browser.fill("input[name=confidence]", "2").await;
    browser.click("form .button.primary").await;
    browser.find("[aria-invalid=true]").await;
    looks.at_refusal("analysis-refused").await;

    browser.goto(&format!("{}/models/new", server.url)).await;
    browser
        .fill("[name=name]", "A model of incomes with a name that is longer than any list")
        .await;
    browser.click("form .button.primary").await;
    browser.find("[aria-invalid=true]").await;
    looks.at_refusal("model-refused").await;
    browser.click("[name=model_type] option[value=classification]").await;
    browser.fill("[name=semantic_version]", "1.0.0").await;
    browser.click("form .button.primary").await;
    browser.wait_for_text("Created.").await;
    let model = browser.url().await.split('?').next().unwrap().to_owned();
    looks.at("model-created").await;
    browser.goto(&format!("{model}/edit")).await;
    looks.at("model-edit").await;

    browser.goto(&format!("{}/api-keys/new", server.url)).await;
    browser.fill("[name=name]", "CI").await;
    browser.click("[name=permissions][value='models:read']").await;
    browser.click("form .button.primary").await;
    browser.find("input[value^=eph_]").await;
    looks.at("key-created").await;

    for (path, name) in [
        ("/", "filled-dashboard"),
        ("/datasets", "datasets"),
        ("/models", "models"),
        ("/api-keys", "keys"),
        ("/audit", "filled-audit"),
    ] {
        browser.goto(&format!("{}{path}", server.url)).await;
        browser.find("main h1").await;
        looks.at(name).await;
    }
    browser.goto(&format!("{}/audit?entity=registry.models", server.url)).await;
    browser.click(".trail details summary").await;
    looks.at("audit-open").await;
    browser.click(".trail a[href^='/audit/entries/']").await;
    browser.wait_for_text("Before and after").await;
    looks.at("audit-entry").await;
    for list in ["members", "roles"] {
        browser.goto(&format!("{}/{list}", server.url)).await;
        browser.click("tbody a").await;
        browser.find("main h1").await;
        looks.at(&format!("{list}-one")).await;
    }
    looks.end();
}

#[tokio::test]
async fn the_api_is_found_opened_and_tried_on_its_page() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);
    sign_up(&browser, &server).await;
    browser.goto(&format!("{}/docs", server.url)).await;
    looks.at("docs").await;

    browser.press("/").await;
    let found = browser.run("return document.activeElement.id", vec![]).await;
    assert_eq!(found, "find", "the key / leads to the search");
    browser.fill("#find", "get /v1/models").await;
    browser.wait_for_text("operations").await;
    let shown = browser
        .run("return [...document.querySelectorAll('.operation:not([hidden]) summary')].filter(s => s.checkVisibility()).map(s => s.textContent)", vec![])
        .await;
    let shown: Vec<String> = serde_json::from_value(shown).unwrap();
    assert!(!shown.is_empty(), "nothing is found");
    for line in &shown {
        let line = line.to_lowercase();
        assert!(line.contains("get") && line.contains("/v1/models"), "{line} was not looked for");
    }
    browser.click("#list_models > summary").await;
    browser.click("#list_models[open] .send button").await;
    browser.wait_for_text("200 OK").await;
    looks.at("docs-tried").await;
    looks.end();
}

/// Opens an organization, as people do.
pub async fn sign_up(browser: &Browser, server: &Server) {
    browser.goto(&format!("{}/sign-up", server.url)).await;
    browser.fill("input[name=full_name]", "Ada Lovelace").await;
    browser.fill("input[name=organization_name]", "Analytical Engines").await;
    browser.fill("input[name=email]", "ada@example.org").await;
    browser.fill("input[name=password]", "correct horse battery").await;
    browser.click("input[name=consent]").await;
    browser.click("main button[type=submit]").await;
    browser.wait_for_text("Good to see you").await;
}
