//! The console's page of what is held on oneself.

use reqwest::StatusCode;

use crate::support::{Server, api::Person, data_folder, within_async};

async fn page(person: &Person, path: &str) -> String {
    let answer = person.get(path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.text().await.unwrap()
}

async fn send(person: &Person, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    person
        .post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_for_their_data_and_downloads_it() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let csrf = ada.json("/v1/me").await["csrf_token"].as_str().unwrap().to_owned();
    assert!(page(&ada, "/sessions").await.contains("/my-data"));
    assert!(page(&ada, "/my-data").await.contains("None. An archive is made"));

    let asked = send(&ada, "/my-data/export", &[("_csrf", &csrf)]).await;
    assert_eq!(asked.status(), StatusCode::OK, "after the redirect");
    let shown = within_async("the archive is ready", async || {
        let shown = page(&ada, "/my-data").await;
        shown.contains("Download</a>").then_some(shown)
    })
    .await;
    let at = shown.find("/v1/me/exports/").unwrap();
    let path: String = shown[at..].chars().take_while(|c| *c != '"').collect();
    let archive = ada.get(&path).send().await.unwrap();
    assert_eq!(archive.headers()["cache-control"], "no-store");
    let length = archive.content_length();
    let bytes = archive.bytes().await.unwrap();
    assert!(bytes.starts_with(b"PK") && length == Some(bytes.len() as u64));
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    assert_eq!(eve.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND);

    // Nobody is erased by a wrong password, nor the last owner by the right one.
    page(&ada, "/my-data/erase").await;
    for (password, told) in [
        ("wrong password", "password is wrong"),
        ("correct horse battery", "You are the last owner"),
    ] {
        let form = [("_csrf", csrf.as_str()), ("password", password)];
        let refused = send(&ada, "/my-data/erase", &form).await;
        assert!(refused.status().is_client_error(), "{}", refused.status());
        let text = refused.text().await.unwrap();
        assert!(text.contains(told), "{told} is not told: {text}");
    }
    server.interrupt();
}
