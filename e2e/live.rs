//! An analysis as it is watched: it waits, is cancelled, and shows its result by itself.

use serde_json::json;

use crate::{
    browser::Browser,
    every_page::sign_up,
    looks::Looks,
    support::{Server, adult, data_folder},
};

#[tokio::test]
async fn an_analysis_is_cancelled_by_hand_and_another_shows_its_result_by_itself() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);
    sign_up(&browser, &server).await;
    browser.goto(&format!("{}/datasets/new", server.url)).await;
    browser.fill("input[name=name]", "Adult").await;
    browser.choose("input[type=file]", &adult()).await;
    browser.click("[data-upload] [type=submit]").await;
    browser.wait_for_text("age_band").await;
    let dataset = browser.url().await.split('?').next().unwrap().to_owned();
    let form = dataset.replace("/datasets/", "/analyses/new?dataset=");

    browser.goto(&form).await;
    queue(&browser, 24).await;
    browser.click("form .button.primary").await;
    browser.wait_for_text("Waiting for a worker").await;
    browser.screenshot("analysis-waiting-desktop-light").await;
    let cancel = "form[action$='/cancel'] button";
    browser.click(cancel).await;
    browser.find("#confirm[open]").await;
    browser.press("Escape").await;
    browser.find("#confirm:not([open])").await;
    browser.click(cancel).await;
    browser.click("#confirm[open] [data-yes]").await;
    browser.wait_for_text("The analysis was cancelled").await;
    let cancelled = browser.url().await;

    browser.goto(&form).await;
    queue(&browser, 8).await;
    browser.click("form .button.primary").await;
    browser.wait_for_text("Waiting for a worker").await;
    // Noted on the page itself: if it were loaded anew, the note would be gone.
    browser
        .run(
            "addEventListener('htmx:sseMessage', () => sessionStorage.said = (sessionStorage.said || '')
                 + document.querySelector('[sse-swap=progress]').innerText)",
            vec![],
        )
        .await;
    browser.wait_for_text("Compliance score").await;
    let said = browser.run("return sessionStorage.said", vec![]).await;
    let said = said.as_str().unwrap();
    assert!(said.contains('%'), "the page followed nothing: {said}");

    browser.goto(&cancelled).await;
    looks.at("analysis-cancelled").await;
    browser.goto(&format!("{}/analyses", server.url)).await;
    looks.at("analyses").await;
    looks.end();
}

/// Asks for so many analyses as the form on the page would, so that the next one waits a while.
async fn queue(browser: &Browser, ahead: usize) {
    let asked = browser
        .run(
            "const form = document.querySelector('form[action=\"/analyses\"]');
             const ask = () => fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
             return Promise.all(Array.from({ length: arguments[0] }, ask)).then(all => all.every(one => one.ok))",
            vec![ahead.into()],
        )
        .await;
    assert_eq!(asked, json!(true), "the analyses ahead are asked for");
}
