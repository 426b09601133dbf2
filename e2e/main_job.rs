//! What a newcomer does: sign in, look at the data set, analyse it, look at the trail.

use crate::{
    browser::{Browser, DESKTOP, PHONE},
    support::{Server, data_folder},
};

#[tokio::test]
async fn a_newcomer_finds_the_bias_and_the_trail_of_it() {
    let data = data_folder();
    let server = Server::demo(data.path());
    let browser = Browser::open().await;
    let mut faults = Vec::new();
    browser.goto(&server.url).await;
    browser.fill("input[name=email]", "demo@ephor.example").await;
    browser.fill("input[name=password]", &password(&server)).await;
    browser.click("main button[type=submit]").await;
    browser.wait_for_text("Demo organization").await;
    faults.extend(looks(&browser, "dashboard").await);

    browser.goto(&format!("{}/datasets", server.url)).await;
    browser.wait_for_text("UCI Adult").await;
    browser.click("tbody a").await;
    browser.wait_for_text("Analyse for bias").await;
    faults.extend(looks(&browser, "data-set").await);

    browser.click("a[href*='/analyses/new']").await;
    browser.wait_for_text("What is compared").await;
    faults.extend(looks(&browser, "new-analysis").await);
    browser.click("form .button.primary").await;
    browser.wait_for_text("Compliance score").await;
    faults.extend(looks(&browser, "analysis").await);

    browser.goto(&format!("{}/audit", server.url)).await;
    browser.wait_for_text("Audit trail").await;
    faults.extend(looks(&browser, "audit").await);
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "the browser complains:\n{}", complaints.join("\n"));
    assert!(faults.is_empty(), "pages shut people out:\n{}", faults.join("\n"));
}

/// Pictures at both widths and in both colours; answers what is wrong with the page at any of them.
async fn looks(browser: &Browser, name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (width, size) in [("desktop", DESKTOP), ("phone", PHONE)] {
        browser.size(size).await;
        for (colours, dark) in [("light", false), ("dark", true)] {
            browser.dark(dark).await;
            browser.screenshot(&format!("{name}-{width}-{colours}")).await;
        }
        let over = browser
            .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth", vec![])
            .await;
        if over.as_i64() != Some(0) {
            faults.push(format!("{name} is wider than a {width}"));
        }
    }
    browser.dark(false).await;
    browser.size(DESKTOP).await;
    faults.extend(
        browser.accessibility_faults().await.into_iter().map(|fault| format!("{name}: {fault}")),
    );
    faults
}

/// The password that the demo printed.
fn password(server: &Server) -> String {
    crate::support::within(
        std::time::Duration::from_secs(30),
        "the demo prints its password",
        || {
            let printed = format!("{}{}", server.greeting, server.log());
            Some(printed.split_once("password")?.1.split_whitespace().next()?.to_owned())
        },
    )
}
