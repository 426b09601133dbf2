//! The console by keyboard, on a phone, and in the colours that somebody chose.

use serde_json::json;

use crate::{
    browser::{Browser, PHONE},
    every_page::sign_up,
    support::{Server, data_folder},
};

#[tokio::test]
async fn hands_on_the_keyboard_reach_everything_that_is_promised() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;

    // The first stop skips to the form; every stop can be seen.
    browser.goto(&format!("{}/sign-in", server.url)).await;
    browser.press("Tab").await;
    assert!(stop(&browser).await.contains("Skip to content"));
    browser.press("Enter").await;
    for wanted in ["email", "password"] {
        browser.press("Tab").await;
        assert_eq!(stop(&browser).await, wanted);
    }
    sign_up(&browser, &server).await;

    browser.press("?").await;
    browser.find("#keys[open]").await;
    browser.press("Escape").await;
    browser.find("#keys:not([open])").await;
    for (key, path) in [("s", "/datasets"), ("m", "/models"), ("b", "/analyses"), ("d", "/")] {
        browser.press("g").await;
        browser.press(key).await;
        browser.find(&format!(".nav a[aria-current=page][href='{path}']")).await;
    }
    browser.goto(&format!("{}/audit", server.url)).await;
    for _ in 0..12 {
        browser.press("Tab").await;
        stop(&browser).await;
    }
}

#[tokio::test]
async fn the_menu_of_a_phone_and_the_chosen_colours_hold() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    sign_up(&browser, &server).await;

    browser.size(PHONE).await;
    browser.find("[data-menu][aria-expanded=false]").await;
    browser.click("[data-menu]").await;
    browser.find("#side.open").await;
    browser.find("[data-menu][aria-expanded=true]").await;
    browser.screenshot("menu-phone-light").await;
    browser.press("Escape").await;
    browser.find("[data-menu][aria-expanded=false]").await;
    assert_eq!(stop(&browser).await, "Menu", "the keyboard is back where it came from");
    browser.click("[data-menu]").await;
    browser.click("#side a[href='/models']").await;
    browser.wait_for_text("No model yet").await;

    browser.click("[data-theme-toggle]").await;
    browser.find("html[data-theme=dark]").await;
    browser.goto(&format!("{}/datasets", server.url)).await;
    browser.find("html[data-theme=dark] [data-theme-toggle][aria-pressed=true]").await;
    browser.click("[data-theme-toggle]").await;
    browser.find("html[data-theme=light]").await;
}

/// What has the focus, by its name or words; it is on the screen and has a ring around it.
async fn stop(browser: &Browser) -> String {
    let stop = browser
        .run(
            "const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
             return { name: at.name || at.textContent.trim() || at.tagName,
                      ring: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none',
                      seen: box.bottom > 0 && box.right > 0 && box.width > 0 && box.top < innerHeight }",
            vec![],
        )
        .await;
    assert_eq!(
        (&stop["ring"], &stop["seen"]),
        (&json!(true), &json!(true)),
        "the focus is not to be seen: {stop}"
    );
    stop["name"].as_str().unwrap().to_owned()
}
