//! What a newer version of Ephor offers beside a row that was changed here, and the answer.

use std::io::Write as _;

use reqwest::{Method, header};
use serde_json::Value;

use super::{super::ask::agreed, client::Client, output};
use crate::exit::Exit;

/// Prints the offer beside the row at `path`.
pub async fn show(client: &Client, path: &str, json: bool) -> anyhow::Result<()> {
    let offer: Value = look(client, path).await?;
    if json {
        return output::row(&offer, true);
    }
    writeln!(
        std::io::stdout(),
        "Version {} is offered ({}); what stands here was made from version {}.",
        offer["offered_version"],
        offer["status"].as_str().unwrap_or_default(),
        offer["held_version"],
    )?;
    let differences = offer["differences"].as_array().map(Vec::as_slice).unwrap_or_default();
    output::rows(differences, false, &["field", "copied", "here", "offered"])
}

/// Takes what is offered, once somebody agreed to what it replaces.
pub async fn accept(client: &Client, path: &str, yes: bool, json: bool) -> anyhow::Result<Exit> {
    let offer = look(client, path).await?;
    // What is agreed to is what stands there now, and what is offered now.
    let row = client.send(client.request(Method::GET, path)?).await?;
    let etag = row.headers().get(header::ETAG).cloned();
    let fields: Vec<&str> = offer["differences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|difference| difference["field"].as_str())
        .collect();
    let version = &offer["offered_version"];
    let what = if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") };
    if !agreed(&format!("Replace {what} by version {version}?"), yes)? {
        return Ok(Exit::Finding);
    }
    let address = format!("{path}/accept-offer?offered_version={version}");
    let mut request = client.request(Method::POST, &address)?;
    if let Some(etag) = etag {
        request = request.header(header::IF_MATCH, etag);
    }
    output::row(&client.send(request).await?.json().await?, json)?;
    Ok(Exit::Ok)
}

/// Keeps what stands here, and silences what is offered now, and nothing that comes meanwhile.
pub async fn decline(client: &Client, path: &str, json: bool) -> anyhow::Result<()> {
    let version = &look(client, path).await?["offered_version"];
    let address = format!("{path}/decline-offer?offered_version={version}");
    let request = client.request(Method::POST, &address)?;
    output::row(&client.send(request).await?.json().await?, json)
}

async fn look(client: &Client, path: &str) -> anyhow::Result<Value> {
    let request = client.request(Method::GET, &format!("{path}/offer"))?;
    Ok(client.send(request).await?.json().await?)
}
