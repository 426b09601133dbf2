//! The chooser of organizations: several of one's own, and a holding's subsidiaries, which are only read.

use axum::http::StatusCode;

use crate::support::{Answer, Browser, PASSWORD, World, world};

/// The id that the menu of organizations has for this name.
fn offered(page: &Answer, name: &str) -> Option<String> {
    page.body
        .split("name=\"organization\" value=\"")
        .skip(1)
        .find(|part| {
            let form = part.split("</form>").next().unwrap_or_default();
            form.contains(&format!("<span class=\"grow\">{name}</span>"))
        })
        .and_then(|part| part.split('"').next())
        .map(str::to_owned)
}

/// What the header says.
fn header(name: &str) -> String {
    format!("aria-label=\"Organization: {name}. Switch\"")
}

async fn goes(browser: &mut Browser, name: &str) -> Answer {
    let id = offered(&browser.get("/sessions").await, name).expect("it is offered");
    browser.submit("/organization/switch", &[("organization", &id), ("next", "/models")]).await
}

async fn opens(owner: &mut Browser, name: &str) {
    let opened = owner.submit("/organization/new", &[("name", name)]).await;
    assert_eq!(opened.location(), "/?done=switched", "{}", opened.body);
}

/// Registers a model; gives its address.
async fn registers(owner: &mut Browser, name: &str) -> String {
    let made = owner
        .submit(
            "/models",
            &[("name", name), ("model_type", "regression"), ("semantic_version", "1.0.0")],
        )
        .await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    made.location().split('?').next().unwrap().to_owned()
}

/// Somebody joins the organization in which `owner` works.
async fn joins(world: &World, owner: &mut Browser, email: &str, role: &str) -> Browser {
    let form = owner.get("/members/new").await;
    let role = form
        .body
        .split("<option value=\"")
        .find(|option| option.contains(&format!(">{role}<")))
        .and_then(|option| option.split('"').next())
        .expect("the role")
        .to_owned();
    let fields = [("email", email), ("full_name", "Grace Hopper"), ("role_id", &role)];
    let added = owner.submit("/members", &fields).await;
    let token = added.body.split("value=\"/join?token=").nth(1).expect("a link");
    let token = token.split('"').next().unwrap();
    let mut browser = world.browser();
    let fields = [
        ("token", token),
        ("password", PASSWORD),
        ("full_name", "Grace Hopper"),
        ("consent", "true"),
    ];
    let joined = browser.submit("/join", &fields).await;
    assert_eq!(joined.location(), "/", "{}", joined.body);
    browser
}

#[tokio::test]
async fn who_belongs_to_several_organizations_sees_which_and_goes_to_another() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    ada.get("/").await.shows(&header("Analytical Engines"));
    registers(&mut ada, "Old engine").await;
    let token = ada.token().await;
    opens(&mut ada, "North").await;
    let page = ada.get("/models").await;
    page.shows(&header("North"));
    assert!(!page.body.contains("Old engine"), "one organization at a time");

    // A form of the page before is not sent into another organization.
    let stale = [("name", "Stray"), ("model_type", "regression"), ("semantic_version", "1.0.0")];
    let stale: Vec<(String, String)> = [("_csrf", token.as_str())]
        .into_iter()
        .chain(stale)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(ada.post("/models", &stale).await.status, StatusCode::FORBIDDEN);

    let back = goes(&mut ada, "Analytical Engines").await;
    assert_eq!(back.location(), "/models?done=switched");
    let page = ada.get(back.location()).await;
    page.shows("You now work in this organization.");
    page.shows("Old engine");
    page.shows(&header("Analytical Engines"));
    // As a member of both, she works in North as what she is there.
    assert!(!page.body.contains("Subsidiaries that you read"));

    // A link to the other one asks before it goes there.
    let north = offered(&page, "North").unwrap();
    let asked = ada.get(&format!("/organization/open?organization={north}&next=/models")).await;
    asked.shows("Go to North");
    ada.get("/").await.shows(&header("Analytical Engines"));
}

#[tokio::test]
async fn a_holdings_member_looks_into_a_subsidiary_and_changes_nothing_there() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    registers(&mut ada, "Old engine").await;
    let mut grace = joins(&world, &mut ada, "grace@example.org", "Admin").await;
    opens(&mut ada, "North").await;
    let northern = registers(&mut ada, "Northern engine").await;

    let home = grace.get("/").await;
    home.shows(&header("Analytical Engines"));
    home.shows("Subsidiaries that you read");
    let looked = goes(&mut grace, "North").await;
    assert_eq!(looked.location(), "/models?done=looking");
    let page = grace.get(looked.location()).await;
    page.shows(&header("North"));
    page.shows("You read <strong>North</strong> from Analytical Engines");
    page.shows("Northern engine");
    assert!(!page.body.contains("Old engine"));

    // The choice stays, page by page, and no page offers what would be refused.
    let links: Vec<String> = page
        .body
        .split("<nav class=\"nav\"")
        .nth(1)
        .and_then(|rest| rest.split("</nav>").next())
        .unwrap()
        .split("href=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        // The others are the icons' places in their file.
        .filter(|link| link.starts_with('/'))
        .map(str::to_owned)
        .collect();
    assert!(links.iter().any(|link| link == "/audit"), "{links:?}");
    assert!(!links.iter().any(|link| link == "/api-keys"), "{links:?}");
    let generic = northern.replace("/models/", "/resources/models/");
    let others = [northern.as_str(), "/resources/models?q=engine", &generic, "/models?view=none"];
    for link in links.iter().map(String::as_str).chain(others) {
        let page = grace.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{link}: {}", page.body);
        page.shows(&header("North"));
        for offer in ["/new\"", "/edit\"", "/delete\"", "Save view", "/v1/"] {
            assert!(!page.body.contains(offer), "{link} offers {offer}");
        }
    }
    let file = grace.get("/resources/models/export").await;
    assert_eq!(file.status, StatusCode::OK);
    assert!(file.body.contains("Northern engine") && !file.body.contains("Old engine"));

    // What is asked for nevertheless is refused.
    for path in ["/models/new", "/resources/models/new", &format!("{northern}/edit"), "/api-keys"] {
        assert_eq!(grace.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let model = [("name", "Mine"), ("model_type", "regression"), ("semantic_version", "1.0.0")];
    for path in ["/models", "/resources/models", northern.as_str()] {
        assert_eq!(grace.submit(path, &model).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!ada.get("/models").await.body.contains("Mine"));

    // Oneself is where one works, and back there one writes again.
    grace.get("/sessions").await.shows(&header("Analytical Engines"));
    let back = goes(&mut grace, "Analytical Engines").await;
    assert_eq!(back.location(), "/models?done=switched");
    let page = grace.get("/models").await;
    page.shows("Old engine");
    assert!(!page.body.contains("Northern engine") && page.body.contains("/models/new"));
    assert_eq!(grace.get(&northern).await.status, StatusCode::NOT_FOUND);

    // A link says in which organization its page is.
    let north = offered(&page, "North").unwrap();
    let link = format!("/organization/open?organization={north}&next={northern}");
    let opened = grace.get(&link).await;
    assert_eq!((opened.status, opened.location()), (StatusCode::SEE_OTHER, northern.as_str()));
    grace.get(&northern).await.shows("Northern engine");
    let out = grace.submit("/sign-out", &[]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    let fields = [("email", "grace@example.org"), ("password", PASSWORD)];
    grace.submit("/sign-in", &fields).await;
    grace.get("/").await.shows(&header("Analytical Engines"));
}

#[tokio::test]
async fn a_viewer_of_the_holding_reads_what_a_viewer_reads() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let mut vi = joins(&world, &mut ada, "vi@example.org", "Viewer").await;
    opens(&mut ada, "North").await;
    goes(&mut vi, "North").await;
    // Keys are for those who may read them: there as here, nobody from outside.
    let page = vi.get("/").await;
    page.shows("(Viewer)");
    assert!(!page.body.contains("href=\"/api-keys\""));
}

#[tokio::test]
async fn nobody_looks_sideways_or_upwards() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let holding = offered(&ada.get("/").await, "Analytical Engines").unwrap();
    opens(&mut ada, "South").await;
    let south = offered(&ada.get("/").await, "South").unwrap();
    let southern = registers(&mut ada, "Southern engine").await;
    goes(&mut ada, "Analytical Engines").await;
    opens(&mut ada, "North").await;
    registers(&mut ada, "Northern engine").await;
    let mut eve = joins(&world, &mut ada, "eve@example.org", "Admin").await;

    let page = eve.get("/models").await;
    page.shows("Northern engine");
    page.shows("Organization: </span><span class=\"grow\">North");
    assert!(!page.body.contains("South") && !page.body.contains("Analytical Engines"));
    for elsewhere in [&south, &holding] {
        let switched = eve.submit("/organization/switch", &[("organization", elsewhere)]).await;
        assert_eq!(switched.status, StatusCode::NOT_FOUND);
        let link = format!("/organization/open?organization={elsewhere}&next=/models");
        assert_eq!(eve.get(&link).await.status, StatusCode::NOT_FOUND);
        // A choice is no right.
        eve.keep("ephor_looks_at", elsewhere);
        let page = eve.get("/models").await;
        page.shows("Northern engine");
        assert!(!page.body.contains("Southern engine"));
        assert_eq!(eve.get(&southern).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn rows_of_people_are_shown_in_ones_own_organization_alone() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let mut grace = joins(&world, &mut ada, "grace@example.org", "Admin").await;
    opens(&mut ada, "North").await;
    let uploaded = ada.upload("people", b"name,age\nZaphod,42\nTrillian,38\n").await;
    assert_eq!(uploaded.status, StatusCode::CREATED, "{}", uploaded.body);
    let id = uploaded.body.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
    let page = format!("/datasets/{}", id.unwrap());
    ada.get(&page).await.shows("First rows");

    goes(&mut grace, "North").await;
    let looked = grace.get(&page).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.body);
    looked.shows(&header("North"));
    assert!(!looked.body.contains("First rows"), "{}", looked.body);
    for file in ["values.csv", "values.parquet"] {
        let path = format!("/explanations/01930b2e-7c1a-7def-8000-1b2c3d4e5f60/{file}");
        assert_eq!(grace.get(&path).await.status, StatusCode::NOT_FOUND, "{file}");
    }
    // One's own account is there, wherever one looks.
    let account = grace.get("/account").await;
    assert_eq!(account.status, StatusCode::OK, "{}", account.body);
    account.shows(&header("Analytical Engines"));
}
