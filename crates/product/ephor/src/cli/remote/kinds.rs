//! The kinds of things that a server keeps, as its API describes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    client::Client,
    document::{Described, Document},
    output,
    upload::typed,
};
use crate::exit::{Exit, UsageError};

/// The path of a kind, of what lies below a row (`models/ID/versions`), or of one row. Nothing that is typed leads out of it.
pub(super) fn path(kind: &str, id: Option<&str>) -> anyhow::Result<String> {
    let is_segment = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if !kind.split('/').all(is_segment) {
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
    // A server that does not answer is not asked once more.
    if Exit::of(&refused) != Exit::Usage {
        return Err(refused);
    }
    // When even this can't be had, the first refusal says more.
    let Ok(document) = Document::of(client).await else { return Err(refused) };
    match hint(&document, kind) {
        Some(hint) => Err(UsageError(hint).into()),
        None => Err(refused),
    }
}

/// If there is no such kind, or no such list below a row of it: what there is instead.
fn hint(document: &Document, kind: &str) -> Option<String> {
    let kinds = kinds(document);
    // What is about rows of one kind, or below a row, is known by how it begins.
    let is_known = |kind: &str| {
        kinds.contains_key(kind)
            || document.operations().iter().any(|it| it.kind == kind && it.of_row)
    };
    let (head, below) = kind.split_once('/').unwrap_or((kind, ""));
    if is_known(kind) {
        return None;
    }
    if is_known(head) {
        let there = places_below(document, head);
        let part = below.split_once('/').map_or("", |(_, part)| part);
        return match there.as_slice() {
            names if names.iter().any(|name| name == part) => None,
            [] => Some(format!("nothing lies below a row of `{head}`")),
            names => Some(format!(
                "below a row of `{head}` lie {}: {head}/ID/{}",
                names.join(", "),
                names[0]
            )),
        };
    }
    let near = kinds
        .keys()
        .map(|known| (strsim::jaro_winkler(known, head), known))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let hint = match near {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => "`ephor resource types` lists what there is".to_owned(),
    };
    Some(format!("there is no `{head}`; {hint}"))
}

/// The lists, and what takes files, below a row of a kind.
fn places_below(document: &Document, kind: &str) -> Vec<String> {
    let places = document.lists().into_iter().chain(document.uploads());
    let parts = places.filter(|it| it.kind == kind && it.of_row).map(|it| it.part);
    // One place may be both.
    parts.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The kinds of things that the server describes, and what may be done with each.
pub(super) fn kinds(document: &Document) -> BTreeMap<String, Vec<&'static str>> {
    let mut kinds = BTreeMap::<String, Vec<&'static str>>::new();
    for one in document.operations() {
        if !one.part.is_empty() {
            // A list of more than one word, such as the trail's entries.
            if one.is_list() && !one.of_row {
                kinds.entry(format!("{}/{}", one.kind, one.part)).or_default().push("list");
            }
            continue;
        }
        let verb = match (one.of_row, one.method.as_str()) {
            (true, "GET") => "get",
            (true, "PATCH") => "update",
            (true, "DELETE") => "delete",
            (false, "GET") => "list",
            (false, "POST") => "create",
            _ => continue,
        };
        kinds.entry(one.kind).or_default().push(verb);
    }
    // What cannot be listed is an action, not a kind.
    kinds.retain(|_, may| may.contains(&"list"));
    for may in kinds.values_mut() {
        may.sort_by_key(|verb| ORDER.iter().position(|it| it == verb));
    }
    kinds
}

/// The order in which verbs are told.
const ORDER: [&str; 5] = ["list", "create", "get", "update", "delete"];

pub(super) async fn types(client: &Client, json: bool) -> anyhow::Result<()> {
    let document = Document::of(client).await?;
    let uploads: Vec<String> = document.uploads().iter().map(typed).collect();
    let rows: Vec<Value> = kinds(&document)
        .into_iter()
        .map(|(kind, actions)| {
            let below = format!("{kind}/");
            let steps: Vec<String> = document.actions(&kind).iter().map(Described::name).collect();
            let lists: Vec<String> =
                document.lists().into_iter().filter(|it| it.kind == kind && it.of_row).map(|it| it.part).collect();
            let contents: Vec<String> = document.contents(&kind).iter().map(Described::name).collect();
            let files: Vec<&String> =
                uploads.iter().filter(|it| **it == kind || it.starts_with(&below)).collect();
            json!({
                "type": kind, "actions": actions, "steps": steps, "below": lists, "contents": contents,
                "uploads": files,
            })
        })
        .collect();
    output::rows(&rows, json, &["type", "actions", "steps", "below", "contents"])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::document::tests::small, *};

    #[test]
    fn kinds_are_what_can_be_listed() {
        let kinds = kinds(&small());
        assert_eq!(kinds.keys().collect::<Vec<_>>(), ["alerts", "sets"]);
        assert_eq!(
            (&kinds["alerts"][..], &kinds["sets"][..]),
            (&["list", "get"][..], &["list"][..])
        );
    }

    #[test]
    fn a_wrong_kind_or_place_is_told_with_what_there_is() {
        let document = small();
        for known in ["alerts", "alerts/7/notes", "sets"] {
            assert_eq!(hint(&document, known), None, "{known}");
        }
        let told = |kind| hint(&document, kind).unwrap();
        assert_eq!(told("alrets"), "there is no `alrets`; did you mean `alerts`?");
        assert_eq!(told("alerts/7/nots"), "below a row of `alerts` lie notes: alerts/ID/notes");
        assert_eq!(told("sets/7/x"), "nothing lies below a row of `sets`");
        assert!(told("zzz").contains("ephor resource types"));
    }

    #[test]
    fn no_address_leads_out_of_itself() {
        assert_eq!(path("models/7/versions", None).unwrap(), "/v1/models/7/versions");
        for wrong in ["", "../me", "models/", "models//7", "models?x", "a/../b"] {
            assert!(path(wrong, None).is_err(), "{wrong}");
        }
        assert!(path("models", Some("7/8")).is_err());
    }
}
