//! Every page of the navigation, the forms, and the walls between organizations.

use axum::http::StatusCode;

use crate::support::world;

#[tokio::test]
async fn every_page_of_the_navigation_opens() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    for (path, title) in [
        ("/", "Good to see you"),
        ("/datasets", "No data set yet"),
        ("/datasets/new", "Upload a data set"),
        ("/models", "No model yet"),
        ("/models/new", "Register a model"),
        ("/analyses", "No analysis yet"),
        ("/analyses/new", "Analyse for bias"),
        ("/audit", "Audit trail"),
        ("/members", "Ada Lovelace"),
        ("/members/new", "Add somebody"),
        ("/invitations", "Nobody is invited"),
        ("/invitations/new", "Mail is not set up in this Ephor"),
        ("/forgot-password", "Mail is not set up in this Ephor"),
        ("/roles", "Owner"),
        ("/roles/new", "New role"),
        ("/api-keys", "No key yet"),
        ("/api-keys/new", "New key"),
        ("/sessions", "this one"),
        ("/account", "Edit your account"),
        ("/password", "Change password"),
        ("/organization", "Analytical Engines"),
        ("/organization/edit", "Edit the organization"),
        ("/organization/new", "Open a subsidiary"),
        ("/resources/models", "Models"),
        ("/resources/models/new", "New model"),
    ] {
        let page = owner.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        page.shows(title);
    }
}

#[tokio::test]
async fn one_edits_ones_own_account() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let wrong = [("full_name", ""), ("username", "No Body"), ("metadata", "{}")];
    let refused = owner.submit("/account", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["full_name", "username"] {
        refused.shows(&format!("id=\"field-{field}-fault-0\""));
    }
    let oops = [("full_name", "Ada King"), ("metadata", "{oops")];
    let refused = owner.submit("/account", &oops).await;
    refused.shows("field-metadata-fault-0");
    refused.shows("{oops");

    let fields =
        [("full_name", "Ada King"), ("username", "ada.king"), ("metadata", "{\"desk\": \"<12>\"}")];
    let saved = owner.submit("/account", &fields).await;
    assert_eq!(saved.location(), "/sessions?done=saved");
    let page = owner.get("/sessions").await;
    page.shows("ada.king");
    page.shows("&lt;12&gt;");
    page.shows("Ada King");
    assert!(!page.body.contains("Customer at Stripe"));
    owner.get("/account").await.shows("value=\"ada.king\"");
}

#[tokio::test]
async fn whoever_is_let_in_begins_as_a_member() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    for form in ["/members/new", "/invitations/new"] {
        let page = owner.get(form).await;
        let role = page.body.split("name=\"role_id\"").nth(1).unwrap();
        let role = role.split("</select>").next().unwrap();
        assert_eq!(role.matches(" selected").count(), 1, "{role}");
        assert!(role.contains(" selected>Member</option>"), "{form}: {role}");
        assert!(role.contains(">Admin</option>"), "{form}: {role}");
    }
    // One who is there keeps the role that they have.
    let list = owner.get("/members").await;
    let own =
        list.body.split("href=\"/members/").skip(1).find(|part| part.contains("Ada Lovelace"));
    let own = own.unwrap().split('"').next().unwrap();
    owner.get(&format!("/members/{own}/edit")).await.shows(" selected>Owner</option>");
}

#[tokio::test]
async fn a_model_is_registered_changed_activated_and_rolled_back() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let refused = owner.submit("/models", &[("name", ""), ("schema", "{oops")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("field-schema-fault-0");
    refused.shows("{oops");

    let made = owner
        .submit(
            "/models",
            &[
                ("name", "Income <model>"),
                ("model_type", "classification"),
                ("semantic_version", "1.0.0"),
                ("schema", "{}"),
                ("metadata", "{\"features\": 3}"),
            ],
        )
        .await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let place = made.location().split('?').next().unwrap().to_owned();
    let page = owner.get(made.location()).await;
    page.shows("Created.");
    page.shows("Income &#60;model&#62;");
    page.shows("1.0.0");

    // The form says which version it shows; a change of what the model is needs another number.
    let edit = [
        ("name", "Income <model>"),
        ("model_type", "regression"),
        ("semantic_version", "1.0.0"),
        ("schema", "{}"),
        ("metadata", "{}"),
        ("version", "1"),
    ];
    let same = owner.submit(&place, &edit).await;
    assert_eq!(same.status, StatusCode::UNPROCESSABLE_ENTITY);
    same.shows("field-semantic_version-fault-0");
    let mut edit = edit.to_vec();
    edit[2].1 = "2.0.0";
    assert_eq!(owner.submit(&place, &edit).await.status, StatusCode::SEE_OTHER);
    let stale = owner.submit(&place, &edit).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    stale.shows("It was changed in the meantime");

    assert_eq!(
        owner.submit(&format!("{place}/step"), &[("to", "active")]).await.status,
        StatusCode::SEE_OTHER
    );
    let page = owner.get(&place).await;
    page.shows("Deprecate");
    let version = page
        .body
        .split("name=\"version\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let back = owner.submit(&format!("{place}/roll-back"), &[("version", &version)]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    owner.get(&place).await.shows("2.0.1");

    // All of it is in the trail, with what it changed.
    let trail = owner.get("/audit?entity=registry.models").await;
    trail.shows("changed");
    trail.shows("model Income &#60;model&#62;");
}

#[tokio::test]
async fn another_organizations_things_are_not_there() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let mut eve = world.owner("eve@example.org").await;
    let made = ada
        .submit(
            "/models",
            &[("name", "Secret"), ("model_type", "regression"), ("semantic_version", "1.0.0")],
        )
        .await;
    let place = made.location().split('?').next().unwrap().to_owned();
    assert_eq!(ada.get(&place).await.status, StatusCode::OK);
    let hidden = eve.get(&place).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert!(!hidden.body.contains("Secret"));
    assert_eq!(eve.submit(&place, &[("name", "Mine")]).await.status, StatusCode::NOT_FOUND);
    assert!(!eve.get("/models").await.body.contains("Secret"));
    assert!(!eve.get("/audit").await.body.contains("Secret"));
}

#[tokio::test]
async fn a_key_is_shown_once_and_revoked() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let refused = owner.submit("/api-keys", &[("name", "CI"), ("permissions", "moles:read")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("field-permissions-fault-0");
    let made = owner.submit("/api-keys", &[("name", "CI"), ("permissions", "models:read")]).await;
    made.shows("value=\"eph_");
    let list = owner.get("/api-keys").await;
    assert!(list.body.contains("CI") && !list.body.contains("value=\"eph_"));
    let revoke = list
        .body
        .split("action=\"/api-keys/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(
        owner.submit(&format!("/api-keys/{revoke}"), &[]).await.status,
        StatusCode::SEE_OTHER
    );
    owner.get("/api-keys").await.shows("revoked");
}

#[tokio::test]
async fn lists_are_filtered_searched_and_paged() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    for number in 0..30 {
        let name = format!("Model {number:02}");
        let made = owner
            .submit(
                "/models",
                &[("name", &name), ("model_type", "regression"), ("semantic_version", "1.0.0")],
            )
            .await;
        assert_eq!(made.status, StatusCode::SEE_OTHER);
    }
    let first = owner.get("/models?sort=name").await;
    first.shows("30 models");
    first.shows("aria-sort=\"ascending\"");
    assert!(first.body.contains("Model 24") && !first.body.contains("Model 25"));
    let next = first.body.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let next = next.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&");
    let second = owner.get(&next).await;
    assert!(second.body.contains("Model 25") && !second.body.contains("Model 24"));
    let found = owner.get("/models?q=Model+07").await;
    assert!(found.body.contains("Model 07") && !found.body.contains("Model 08"));
    owner.get("/models?status=archived").await.shows("Nothing fits");
    let broken = owner.get("/models?cursor=rubbish").await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_generic_page_shows_all_of_a_row_and_leads_to_all_of_its_parts() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let long = "A sentence that goes on. ".repeat(20);
    let made = owner
        .submit(
            "/models",
            &[
                ("name", "Income"),
                ("description", &long),
                ("model_type", "regression"),
                ("semantic_version", "1.0.0"),
                ("schema", "{}"),
                ("metadata", "{\"features\": 3}"),
            ],
        )
        .await;
    let place = made.location().split('?').next().unwrap().to_owned();
    let id = place.rsplit('/').next().unwrap().to_owned();
    let page = owner.get(&format!("/resources/models/{id}")).await;
    page.shows("<details class=\"whole\" open><summary>1 field</summary>");
    page.shows("&quot;features&quot;: 3");
    page.shows("<div class=\"lines\">A sentence");
    let all = format!("/resources/model_versions?model_id=eq.{id}");
    assert!(!page.body.contains(&all), "one version is all of them");

    for number in 1..=20 {
        let (semantic, version) = (format!("1.{number}.0"), number.to_string());
        let edit = [
            ("name", "Income"),
            ("model_type", "regression"),
            ("semantic_version", &semantic),
            ("schema", "{}"),
            ("metadata", "{}"),
            ("version", &version),
        ];
        let saved = owner.submit(&place, &edit).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    }
    let page = owner.get(&format!("/resources/models/{id}")).await;
    page.shows(&format!("<a href=\"{all}\">All model versions of it</a>"));
    owner.get(&all).await.shows("21 model versions");
}

/// Browsers end every line of a form's text by two characters.
#[tokio::test]
async fn texts_keep_their_lines_through_forms() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let form = |semantic: &'static str| {
        [
            ("name", "Income"),
            ("description", "one\r\ntwo\r\n"),
            ("model_type", "regression"),
            ("semantic_version", semantic),
            ("schema", "{}"),
            ("metadata", "{}"),
            ("version", "1"),
        ]
    };
    let made = owner.submit("/models", &form("1.0.0")[..6]).await;
    let place = made.location().split('?').next().unwrap().to_owned();
    let page = place.replace("/models/", "/resources/models/");
    let lines = "<div class=\"lines\">one\ntwo</div>";
    owner.get(&page).await.shows(lines);
    let saved = owner.submit(&place, &form("1.1.0")).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    owner.get(&page).await.shows(lines);
}

#[tokio::test]
async fn a_list_is_filtered_by_yes_and_no() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let active = owner.get("/resources/members?is_active=true").await;
    active.shows("Ada Lovelace");
    active.shows("<option value=\"true\" selected>Yes</option>");
    owner.get("/resources/members?is_active=false").await.shows("Nothing fits");
    // A test of the API says the same.
    owner.get("/resources/members?is_active=is.true").await.shows("Ada Lovelace");
}

#[tokio::test]
async fn a_page_says_in_its_title_where_it_is() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    owner.get("/models").await.shows("<title>Models · Analytical Engines · Ephor</title>");
    world.browser().get("/sign-in").await.shows("<title>Sign in · Ephor</title>");
}
