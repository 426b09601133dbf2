//! The kinds of things that a server keeps, as its API describes them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::{client::Client, output};
use crate::exit::UsageError;

/// The path of a kind, or of one row of it. Both are one segment of a path, whatever was typed.
pub(super) fn path(kind: &str, id: Option<&str>) -> anyhow::Result<String> {
    let is_segment = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if !is_segment(kind) {
        return Err(UsageError(format!(
            "`{kind}` is no type; `ephor resource types` lists what there is"
        ))
        .into());
    }
    match id {
        None => Ok(format!("/v1/{kind}")),
        Some(id) if is_segment(id) => Ok(format!("/v1/{kind}/{id}")),
        Some(id) => Err(UsageError(format!("`{id}` is no id")).into()),
    }
}

/// What was refused because there is no such kind is told with the nearest that there is.
pub(super) async fn of_kind<T>(
    client: &Client,
    kind: &str,
    outcome: anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Err(refused) = outcome else { return outcome };
    // When even this can't be had, the first refusal says more.
    let Ok(kinds) = kinds(client).await else { return Err(refused) };
    if !refused.is::<UsageError>() || kinds.contains_key(kind) {
        return Err(refused);
    }
    let near = kinds
        .keys()
        .map(|known| (strsim::jaro_winkler(known, kind), known))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let hint = match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => "`ephor resource types` lists what there is".to_owned(),
    };
    Err(UsageError(format!("there is no `{kind}`; {hint}")).into())
}

/// The kinds of things that the server describes, and what may be done with each.
pub(super) async fn kinds(client: &Client) -> anyhow::Result<BTreeMap<String, Vec<&'static str>>> {
    let document: Value =
        client.send(client.request(Method::GET, "/openapi.json")?).await?.json().await?;
    let mut kinds = BTreeMap::<String, Vec<&'static str>>::new();
    let paths =
        document["paths"].as_object().context("the server describes nothing; is it an Ephor?")?;
    for (path, operations) in paths {
        let Some(rest) = path.strip_prefix("/v1/") else { continue };
        let (kind, one) = match rest.split_once('/') {
            None => (rest, false),
            Some((kind, "{id}")) => (kind, true),
            Some(_) => continue,
        };
        let verbs: &[(&str, &str)] = if one {
            &[("get", "get"), ("patch", "update"), ("delete", "delete")]
        } else {
            &[("get", "list"), ("post", "create")]
        };
        let may = verbs
            .iter()
            .filter(|(method, _)| !operations[*method].is_null())
            .map(|(_, verb)| *verb);
        kinds.entry(kind.to_owned()).or_default().extend(may);
    }
    // What cannot be listed is an action, not a kind.
    kinds.retain(|_, may| may.contains(&"list"));
    Ok(kinds)
}

pub(super) async fn types(client: &Client, json: bool) -> anyhow::Result<()> {
    let rows: Vec<Value> = kinds(client)
        .await?
        .into_iter()
        .map(|(kind, actions)| json!({ "type": kind, "actions": actions }))
        .collect();
    output::rows(&rows, json, &["type", "actions"])
}
