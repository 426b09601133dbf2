//! Saved views as somebody keeps, picks, changes and deletes them.

use crate::{
    browser::Browser,
    every_page::sign_up,
    looks::Looks,
    support::{Server, data_folder},
};

#[tokio::test]
async fn a_view_is_saved_picked_changed_and_deleted() {
    let data = data_folder();
    let server = Server::serve(data.path());
    let browser = Browser::open().await;
    let mut looks = Looks::new(&browser);
    sign_up(&browser, &server).await;
    for (name, kind) in [("Credit", "classification"), ("Prices", "regression")] {
        browser.goto(&format!("{}/models/new", server.url)).await;
        browser.fill("[name=name]", name).await;
        browser.click(&format!("[name=model_type] option[value={kind}]")).await;
        browser.click("form .button.primary").await;
        browser.wait_for_text("Created.").await;
    }

    // Filter, choose columns, and keep that; by keyboard from the name on.
    browser.goto(&format!("{}/models", server.url)).await;
    browser.click("[name=model_type] option[value=regression]").await;
    browser.click(".filters details.menu summary").await;
    browser.click(".filters input[name=columns][value=updated_at]").await;
    looks.at("list-columns").await;
    browser.click(".filters button[type=submit]").await;
    browser.find("main a[href*='model_type=regression']").await;
    assert!(!browser.text().await.contains("Credit"));
    browser.click(".views details.menu summary").await;
    looks.at("view-save").await;
    browser.fill("#view-save-name", "Prices only").await;
    browser.press("Tab").await;
    browser.press(" ").await;
    browser.press("Tab").await;
    browser.press(" ").await;
    browser.press("Enter").await;
    browser.wait_for_text("The view is saved.").await;
    looks.at("view-saved").await;

    // The list opens with it; All is a click away, and so is it again.
    browser.goto(&format!("{}/models", server.url)).await;
    browser.find(".views a[aria-current=true]").await;
    assert!(!browser.text().await.contains("Credit"));
    browser.click(".views li:first-child a").await;
    browser.wait_for_text("Credit").await;
    browser.click(".views li:nth-child(2) a").await;
    browser.find(".views li:nth-child(2) a[aria-current=true]").await;

    // What is shown now is kept under the same name.
    browser.click("[name=model_type] option[value=classification]").await;
    browser.click(".filters button[type=submit]").await;
    browser.wait_for_text("Update “Prices only”").await;
    looks.at("view-changed").await;
    browser.click(".views form[action^='/views/'] button").await;
    browser.wait_for_text("The view is saved.").await;
    browser.click(".views details.menu summary").await;
    browser.fill("#view-edit-name", "Classes").await;
    looks.at("view-edit").await;
    browser.click(".views .sheet form .button.primary").await;
    browser.wait_for_text("Classes").await;

    // Its end is asked for.
    browser.click(".views details.menu summary").await;
    browser.click(".views .sheet .button.danger").await;
    browser.click("#confirm[open] [data-yes]").await;
    browser.wait_for_text("The view is deleted.").await;
    looks.end();
}
