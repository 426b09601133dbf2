//! Publishing checkpoints by web hook: the signed note is posted as text.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use ephor_store::{
    Store,
    audit::{Deliver, PublishConfig, Publisher},
};
use futures::future::BoxFuture;
use reqwest::{Client, Url, redirect::Policy};

/// How long the destination may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts publishing to the URL, when there is one.
pub fn start(store: &Store, url: &str) -> anyhow::Result<Option<Publisher>> {
    if url.is_empty() {
        return Ok(None);
    }
    let url: Url = url.parse().context("seal.checkpoint_url is not a URL")?;
    // The path may hold a secret: the destination is named by its host.
    let host = url.host_str().unwrap_or_default();
    let destination = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let deliver = deliver(url)?;
    Ok(Some(Publisher::start(store, destination, deliver, PublishConfig::default())))
}

/// Posts notes: no redirect is followed, and no more of the answer is read than its status.
#[allow(
    clippy::disallowed_methods,
    reason = "made once; the operator's own address may be a private one"
)]
fn deliver(url: Url) -> anyhow::Result<Deliver> {
    let client = Client::builder()
        .redirect(Policy::none())
        .timeout(PATIENCE)
        .user_agent(concat!("ephor/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let deliver = move |note: String| -> BoxFuture<'static, Result<(), String>> {
        let request =
            client.post(url.clone()).header("content-type", "text/plain; charset=utf-8").body(note);
        Box::pin(async move {
            let answer = request.send().await.map_err(|error| failure(&error))?;
            let status = answer.status();
            if status.is_success() { Ok(()) } else { Err(format!("it answered {status}")) }
        })
    };
    Ok(Arc::new(deliver))
}

/// Why it failed, without the URL.
fn failure(error: &reqwest::Error) -> String {
    let why = if error.is_timeout() {
        "it did not answer in time"
    } else if error.is_connect() {
        "it can't be connected to"
    } else {
        "the request failed"
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    // The innermost cause names no URL; the outermost does.
    if std::ptr::addr_eq(cause, error) { why.to_owned() } else { format!("{why}: {cause}") }
}
