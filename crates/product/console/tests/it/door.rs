//! In and out, and what stands in the way of those who should not.

use axum::http::{StatusCode, header};

use crate::support::{PASSWORD, world};

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_door_and_back() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let out = owner.submit("/sign-out", &[]).await;
    assert_eq!((out.status, out.location()), (StatusCode::SEE_OTHER, "/sign-in"));

    let answer = owner.get("/analyses?status=failed").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/sign-in?next=%2Fanalyses%3Fstatus%3Dfailed");
    let door = owner.get(answer.location()).await;
    door.shows("value=\"/analyses?status=failed\"");

    let wrong = [("email", "ada@example.org"), ("password", "not this one")];
    let refused = owner.submit("/sign-in", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    refused.shows("Wrong e-mail or password");
    refused.shows("ada@example.org");
    assert!(!refused.body.contains("not this one"), "a password is never sent back");

    let right =
        [("email", "ada@example.org"), ("password", PASSWORD), ("next", "/analyses?status=failed")];
    let inside = owner.submit("/sign-in", &right).await;
    assert_eq!(inside.location(), "/analyses?status=failed");
    owner.get("/").await.shows("Good to see you, Ada");
}

#[tokio::test]
async fn every_fault_of_a_sign_up_stands_beside_its_field() {
    let world = world().await;
    let mut browser = world.browser();
    let answer = browser.submit("/sign-up", &[("email", "nobody"), ("password", "short")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["email", "password", "full_name", "organization_name"] {
        answer.shows(&format!("id=\"field-{field}-fault-0\""));
    }
}

#[tokio::test]
async fn a_form_without_its_token_and_one_of_another_site_change_nothing() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let fields = [("name".to_owned(), "Forged".to_owned())];
    let refused = owner.post("/models", &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    assert!(!owner.get("/models").await.body.contains("Forged"));
}

#[tokio::test]
async fn every_page_carries_the_policy_and_assets_are_kept_for_ever() {
    let world = world().await;
    let mut browser = world.browser();
    let door = browser.get("/sign-in").await;
    let policy = door.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    for rule in [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(rule), "{rule}");
    }
    assert_eq!(door.headers[header::CACHE_CONTROL], "no-store");

    let sheet =
        door.body.split("rel=\"stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let asset = browser.get(sheet).await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(asset.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert_eq!(
        browser.get("/assets/console.0000000000000000.css").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn an_invited_person_joins_by_the_link_that_is_shown_once() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let form = owner.get("/members/new").await;
    let viewer = form
        .body
        .split("<option value=\"")
        .find(|option| option.contains(">Viewer"))
        .and_then(|option| option.split('"').next())
        .expect("the role of viewers")
        .to_owned();
    let added = owner
        .submit(
            "/members",
            &[("email", "grace@example.org"), ("full_name", "Grace Hopper"), ("role_id", &viewer)],
        )
        .await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.body);
    let path = added.body.split("value=\"/join?token=").nth(1).unwrap().split('"').next().unwrap();

    let mut grace = world.browser();
    grace.get(&format!("/join?token={path}")).await.shows("Join Analytical Engines");
    let joined = grace
        .submit(
            "/join",
            &[
                ("token", path),
                ("password", PASSWORD),
                ("full_name", "Grace Hopper"),
                ("consent", "true"),
            ],
        )
        .await;
    assert_eq!(joined.location(), "/", "{}", joined.body);
    let home = grace.get("/").await;
    home.shows("Good to see you, Grace");
    // A viewer is offered nothing that a viewer may not do.
    assert!(!home.body.contains("/datasets/new"));
    assert_eq!(grace.get("/models/new").await.status, StatusCode::NOT_FOUND);
    // What one may not do looks like what is not there.
    assert_eq!(owner.get("/nothing/here").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_invitation_that_is_handed_over_is_accepted_by_somebody_new_and_by_an_account() {
    let world = world().await;
    let mut owner = world.owner("ada@example.org").await;
    let mut bob = world.owner("bob@example.org").await;
    let form = owner.get("/invitations/new").await;
    let viewer = form
        .body
        .split("<option value=\"")
        .find(|option| option.contains(">Viewer"))
        .and_then(|option| option.split('"').next())
        .expect("the role of viewers")
        .to_owned();
    let refused = owner.submit("/invitations", &[("email", "nobody")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("id=\"field-email-fault-0\"");
    let mut invite = async |email: &str| {
        let told = owner.submit("/invitations", &[("email", email), ("role_id", &viewer)]).await;
        assert_eq!(told.status, StatusCode::OK, "{}", told.body);
        let rest = told.body.split("value=\"/invitation?token=").nth(1).expect("the link");
        rest.split('"').next().unwrap().to_owned()
    };

    let token = invite("grace@example.org").await;
    let mut grace = world.browser();
    grace.get(&format!("/invitation?token={token}")).await.shows("Join Analytical Engines");
    let short = [("token", token.as_str()), ("full_name", "Grace Hopper"), ("password", "short")];
    let refused = grace.submit("/invitation", &short).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("Grace Hopper");
    let fields = [("token", token.as_str()), ("full_name", "Grace Hopper"), ("password", PASSWORD)];
    let joined = grace.submit("/invitation", &fields).await;
    assert_eq!(joined.location(), "/", "{}", joined.body);
    grace.get("/").await.shows("Good to see you, Grace");

    let token = invite("bob@example.org").await;
    let mut stranger = world.browser();
    let link = format!("/invitation?token={token}");
    stranger.get(&link).await.shows("You have an account.");
    let led = stranger.submit("/invitation", &[("token", &token)]).await;
    assert!(led.location().starts_with("/sign-in?next=%2Finvitation"), "{}", led.location());
    bob.get(&link).await.shows(">Accept<");
    let accepted = bob.submit("/invitation", &[("token", &token)]).await;
    assert_eq!(accepted.location(), "/?done=switched", "{}", accepted.body);
    let list = owner.get("/invitations").await;
    list.shows("accepted");
    list.shows("handed over");
    // What is accepted is neither sent again nor revoked.
    assert!(!list.body.contains("/resend") && !list.body.contains("/revoke"));
}
