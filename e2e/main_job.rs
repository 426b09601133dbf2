//! What a newcomer does: sign in, look at the data set, analyse it, mitigate what was found, look
//! at the trail.

use crate::{
    browser::Browser,
    looks::Looks,
    support::{Server, data_folder},
};

#[tokio::test]
async fn a_newcomer_finds_the_bias_and_the_trail_of_it() {
    let data = data_folder();
    let server = Server::demo(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);
    browser.goto(&server.url).await;
    browser.fill("input[name=email]", "demo@ephor.example").await;
    browser.fill("input[name=password]", &password(&server)).await;
    browser.click("main button[type=submit]").await;
    browser.wait_for_text("Demo organization").await;
    looks.at("dashboard").await;

    browser.goto(&format!("{}/datasets", server.url)).await;
    browser.wait_for_text("UCI Adult").await;
    browser.click("tbody a").await;
    browser.wait_for_text("Analyse for bias").await;
    looks.at("data-set").await;

    browser.click("a[href*='/analyses/new']").await;
    browser.wait_for_text("What is compared").await;
    looks.at("new-analysis").await;
    browser.click("form .button.primary").await;
    browser.wait_for_text("Compliance score").await;
    looks.at("analysis").await;

    // What it recommends is computed and applied, without leaving the pages.
    browser.click("#recommendations a[href*='method=threshold']").await;
    browser.wait_for_text("Compute it").await;
    looks.at("mitigate").await;
    browser.click("form .button.primary").await;
    browser.wait_for_text("What it is expected to do").await;
    looks.at("mitigation").await;
    browser.click("[name=dataset_id] option:not([value=''])").await;
    browser.click("#apply form .button.primary").await;
    browser.wait_for_text("Compare").await;
    looks.at("mitigation-applied").await;

    browser.goto(&format!("{}/audit", server.url)).await;
    browser.wait_for_text("Audit trail").await;
    looks.at("audit").await;
    looks.end();
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
