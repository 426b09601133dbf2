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

    // Nor by what is refused for something else, and then corrected: it still does not know.
    assert_eq!(version(&refused), seen);
    let wrong = [("full_name", ""), ("metadata", "no JSON"), ("version", &*seen)];
    let wrong = ada.submit("/account", &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(version(&wrong), seen);
    let read = version(&now);
    let fields = [("full_name", "Countess"), ("version", &*read)];
    let saved = ada.submit("/account", &fields).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.body);
    ada.get("/account").await.shows("Countess");
}
