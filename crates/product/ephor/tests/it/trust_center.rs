//! The trust centre: posts drafted, published, taken back, and what anybody sees of them.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    billing::operator,
    support::{
        Server,
        api::{Person, answered},
        data_folder, within_async,
    },
};

async fn draft(person: &Person, title: &str, content: &str) -> Value {
    let body = json!({ "title": title, "content": content, "tags": ["fairness", "a&b"] });
    answered(person.post("/v1/posts").json(&body)).await
}

async fn publish(person: &Person, post: &Value) -> Value {
    let path = format!("/v1/posts/{}/publish", post["id"].as_str().unwrap());
    answered(person.post(&path)).await
}

async fn slug(person: &Person) -> String {
    let row = person.json("/v1/organizations").await["data"][0].clone();
    row["slug"].as_str().unwrap().to_owned()
}

/// Status, headers and text of what anybody gets.
async fn seen(url: &str, path: &str) -> (StatusCode, reqwest::header::HeaderMap, String) {
    let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_post_is_for_everybody_from_when_it_is_published_until_it_is_taken_back() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let (ours, theirs) = (slug(&ada).await, slug(&eve).await);
    let post = draft(
        &ada,
        "Über fair AI: 2026",
        "# Why\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold** secretword",
    )
    .await;
    assert_eq!((&post["status"], &post["slug"]), (&json!("draft"), &Value::Null));
    let hidden = draft(&ada, "Hidden plans", "a draft").await;

    // Nothing is published: the page is as little there as that of nobody.
    let (none, _, text) = seen(&server.url, &format!("/p/{ours}")).await;
    let (nobody, _, other) = seen(&server.url, "/p/nobody-at-all").await;
    assert_eq!((none, nobody), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND));
    let bare = |text: &str| {
        let mut value: Value = serde_json::from_str(text).unwrap();
        value.as_object_mut().unwrap().remove("request_id");
        value
    };
    assert_eq!(bare(&text), bare(&other));

    let published = publish(&ada, &post).await;
    assert_eq!(published["slug"], "uber-fair-ai-2026", "{published}");
    assert!(published["published_at"].is_string());
    let path = format!("/p/{ours}/uber-fair-ai-2026");
    let (status, headers, page) = seen(&server.url, &path).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    for part in
        ["<h1>Über fair AI: 2026</h1>", "<h2>Why</h2>", "<strong>bold</strong>", "&lt;script&gt;"]
    {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(!page.contains("<script") && !page.contains("javascript:"), "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "public, max-age=60");
    assert!(!headers.contains_key("set-cookie"));

    // Not under another's name, nor what is a draft, nor by its id.
    let id = hidden["id"].as_str().unwrap();
    for path in [
        format!("/p/{theirs}/uber-fair-ai-2026"),
        format!("/p/{ours}/hidden-plans"),
        format!("/p/{ours}/{id}"),
        format!("/p/{theirs}/feed.atom"),
        format!("/p/{ours}?tag=nothing"),
    ] {
        let (status, _, text) = seen(&server.url, &path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(bare(&text), bare(&other), "{path}");
    }
    let (status, _, list) = seen(&server.url, &format!("/p/{ours}?tag=a%26b")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(list.contains("uber-fair-ai-2026") && !list.contains("Hidden"), "{list}");

    // Two posts of one title have two addresses.
    let twin = publish(&ada, &draft(&ada, "Uber fair AI 2026", "b").await).await;
    let twin_slug = twin["slug"].as_str().unwrap();
    assert!(twin_slug.starts_with("uber-fair-ai-2026-"), "{twin}");
    let taken = json!({ "title": "t", "content": "c", "slug": "uber-fair-ai-2026" });
    let taken = ada.post("/v1/posts").json(&taken).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::CONFLICT);
    // The same address is free in another organization.
    publish(&eve, &draft(&eve, "Über fair AI: 2026", "Eve's").await).await;
    let (_, _, page) = seen(&server.url, &format!("/p/{theirs}/uber-fair-ai-2026")).await;
    assert!(page.contains("Eve&#39;s") || page.contains("Eve's"), "{page}");
    assert!(!page.contains("secretword"), "{page}");

    // Taken back.
    let path_of = format!("/v1/posts/{}/unpublish", post["id"].as_str().unwrap());
    let row = answered(ada.post(&path_of)).await;
    assert_eq!((&row["status"], &row["slug"]), (&json!("draft"), &json!("uber-fair-ai-2026")));
    assert_eq!(seen(&server.url, &path).await.0, StatusCode::NOT_FOUND);
    let foreign = eve.post(&path_of).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);

    // Who may only read does not publish.
    let key = json!({ "name": "k", "permissions": ["posts:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let refused = Person::nobody(&server.url)
        .post(&format!("/v1/posts/{id}/publish"))
        .bearer_auth(key["key"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);

    // Who may make posts, but not change them, makes drafts.
    let key = json!({ "name": "w", "permissions": ["posts:create", "posts:read"] });
    let key = answered(ada.post("/v1/api-keys").json(&key)).await;
    let key = key["key"].as_str().unwrap();
    let writer = Person::nobody(&server.url);
    for status in ["published", "archived", "draft"] {
        let body = json!({ "title": "Mine", "content": "c", "status": status });
        let refused = writer.post("/v1/posts").bearer_auth(key).json(&body).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{status}");
    }
    let body = json!({ "title": "Mine", "content": "c", "slug": "mine" });
    let made = answered(writer.post("/v1/posts").bearer_auth(key).json(&body)).await;
    assert_eq!(made["status"], "draft");
    let path = format!("/v1/posts/{}/publish", made["id"].as_str().unwrap());
    let refused = writer.post(&path).bearer_auth(key).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(seen(&server.url, &format!("/p/{ours}/mine")).await.0, StatusCode::NOT_FOUND);

    // A tier without a trust centre has none.
    let mut operator = operator(data.path()).await;
    sqlx::Executor::execute(
        &mut operator,
        "update identity.organizations set subscription_tier_id =
             (select id from billing.subscription_tiers where code = 'free')",
    )
    .await
    .unwrap();
    assert_eq!(seen(&server.url, &format!("/p/{ours}/{twin_slug}")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_post_is_published_and_taken_back_by_a_button() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let eve = Person::sign_up(&server.url, "eve@example.org").await;
    let ours = slug(&ada).await;
    let post = draft(&ada, "Fair by default", "How we test").await;
    let place = format!("/resources/posts/{}", post["id"].as_str().unwrap());
    let public = format!("/p/{ours}/fair-by-default");

    let page = ada.page(&place).await;
    page.hides("Unpublish");
    let published = ada.press(&page, &format!("{place}/publish")).await;
    published.shows("Published. Anybody may read it.");
    assert_eq!(seen(&server.url, &public).await.0, StatusCode::OK);
    // The button was on the page of a version that is no more.
    let stale = ada.press(&page, &format!("{place}/publish")).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let back = ada.press(&published, &format!("{place}/unpublish")).await;
    back.shows("Taken back.");
    assert_eq!(seen(&server.url, &public).await.0, StatusCode::NOT_FOUND);
    back.shows(&format!("action=\"{place}/publish\""));

    // Another's post has no page and no step; other things have none either.
    assert_eq!(eve.page(&place).await.status, StatusCode::NOT_FOUND);
    let own = draft(&eve, "Mine", "x").await;
    let own = format!("/resources/posts/{}", own["id"].as_str().unwrap());
    let mut foreign = eve.page(&own).await;
    foreign.body = foreign.body.replace(&own, &place);
    let refused = eve.press(&foreign, &format!("{place}/publish")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let model = place.replace("/posts/", "/models/");
    foreign.body = foreign.body.replace(&place, &model);
    let refused = eve.press(&foreign, &format!("{model}/publish")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);

    // What is archived is taken up again.
    let patch =
        ada.client.patch(format!("{}/v1/posts/{}", server.url, post["id"].as_str().unwrap()));
    answered(patch.header("if-match", "*").json(&json!({ "status": "archived" }))).await;
    let page = ada.page(&place).await;
    ada.press(&page, &format!("{place}/publish")).await.shows("Published.");
}

#[tokio::test]
async fn the_feed_is_atom_is_cached_and_readings_are_counted() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let ada = Person::sign_up(&server.url, "ada@example.org").await;
    let ours = slug(&ada).await;
    let post = publish(&ada, &draft(&ada, "Fair & <square>", "First words.\n\nMore").await).await;
    let feed = format!("/p/{ours}/feed.atom");
    let (status, headers, text) = seen(&server.url, &feed).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(headers["content-type"], "application/atom+xml; charset=utf-8");
    let id = post["id"].as_str().unwrap();
    for part in [
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"",
        "<title>Fair &amp; &lt;square&gt;</title>",
        "<summary>First words. More</summary>",
        "term=\"a&amp;b\"",
        "rel=\"self\"",
        "<author>",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(text.contains(&format!("<id>urn:uuid:{id}</id>")), "{text}");

    let path = format!("/p/{ours}/fair-square");
    let client = reqwest::Client::new();
    for address in [&feed, &path, &format!("/p/{ours}")] {
        let url = format!("{}{address}", server.url);
        let head = client.request(Method::HEAD, &url).send().await.unwrap();
        assert_eq!(head.status(), StatusCode::OK, "{address}");
        for (condition, name) in [("if-none-match", "etag"), ("if-modified-since", "last-modified")]
        {
            let known = head.headers()[name].clone();
            let answer = client.get(&url).header(condition, known.clone()).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{address} {condition}");
            assert_eq!(answer.headers()[name], known);
            assert!(answer.bytes().await.unwrap().is_empty());
        }
        let answer = client.get(&url).header("if-none-match", "\"x\"").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{address}");
    }

    // Read once above, and twice here; heads and what was not sent do not count.
    for _ in 0..2 {
        assert_eq!(seen(&server.url, &path).await.0, StatusCode::OK);
    }
    let row = format!("/v1/posts/{id}?include=views");
    let counted = within_async("the readings are written", async || {
        let row = ada.json(&row).await;
        (row["views"]["view_count"] == 3).then_some(row)
    })
    .await;
    assert_eq!(counted["version"], post["version"], "reading is no change");

    // What was counted last is there after a stop.
    assert_eq!(seen(&server.url, &path).await.0, StatusCode::OK);
    assert!(server.interrupt().success());
    let server = Server::serve(data.path());
    let ada = Person::log_in(&server.url, "ada@example.org", "correct horse battery").await;
    assert_eq!(ada.json(&row).await["views"]["view_count"], 4);
}
