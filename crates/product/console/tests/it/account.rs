//! One's own account, in two tabs.

use axum::http::StatusCode;

use crate::support::{Answer, world};

/// The version that the page's form sends back.
fn version(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"version\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_tab_does_not_write_over_what_another_saved() {
    let world = world().await;
    let mut ada = world.owner("ada@example.org").await;
    let (first, second) = (ada.get("/account").await, ada.get("/account").await);
    let seen = version(&first);
    assert_eq!(seen, version(&second));

    let fields = [("full_name", "Ada King"), ("username", "ada"), ("version", &*seen)];
    let saved = ada.submit("/account", &fields).await;
    assert_eq!((saved.status, saved.location()), (StatusCode::SEE_OTHER, "/sessions?done=saved"));

    let fields = [("full_name", "Countess"), ("version", &*seen)];
    let refused = ada.submit("/account", &fields).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    refused.shows("was changed in the meantime");
    refused.shows("Countess");
    let now = ada.get("/account").await;
    now.shows("Ada King");
    now.shows("value=\"ada\"");

    // What the refused form holds can be saved, now that it was told.
    assert_eq!(version(&refused), version(&now));
    let again = version(&refused);
    let saved =
        ada.submit("/account", &[("full_name", "Countess"), ("version", again.as_str())]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    ada.get("/account").await.shows("Countess");
}
