//! `ephor resource act` and `ephor resource actions`: the steps of a row's life, as the server describes them.

use std::io::Write as _;

use reqwest::{Method, Response, header};
use serde_json::{Value, json};

use super::{
    call::Call,
    client::Client,
    document::{Described, Document, Field, Place},
    input::{of_file, pairs},
    kinds::path,
    list::columns,
    output,
    resource::Of,
};
use crate::exit::UsageError;

/// Stands in place of an id where an action is about no single row.
const NONE: &str = "-";

/// Do to a row what is more than storing it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor resource actions monitors                            what there is to do, and what it takes
  ephor resource act monitors 01930b2e-… run
  ephor resource act monitoring_alerts 01930b2e-… close reason='The model was replaced.'
  ephor resource act models 01930b2e-… roll_back version:=3
  ephor resource act bias_analyses 01930b2e-… mitigations --file mitigation.json --json")]
pub struct Act {
    #[command(flatten)]
    pub(super) of: Of,
    /// The row's id; - for an action that is about no single row
    id: String,
    /// What to do: a name that `ephor resource actions TYPE` lists
    action: String,
    /// name=text, or name:=JSON for numbers, booleans, null, lists and objects
    #[arg(value_name = "FIELD")]
    fields: Vec<String>,
    /// The same as a FIELD
    #[arg(long, value_name = "FIELD")]
    set: Vec<String>,
    /// A JSON document to send, from a file or from standard input with -; fields are laid over it
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Only if the row still has this etag; without it, the version that there is now. For actions that ask for one
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Act {
    pub(super) async fn act(mut self, client: &Client) -> anyhow::Result<()> {
        let id = (self.id != NONE).then_some(self.id.as_str());
        let row = path(&self.of.kind, id)?;
        self.fields.append(&mut self.set);
        let given = pairs(&self.fields)?;
        let body = self.file.as_deref().map(of_file).transpose()?;

        let document = Document::of(client).await?;
        let actions = document.actions(&self.of.kind);
        let found = actions.iter().find(|it| it.of_row == id.is_some() && it.name() == self.action);
        let Some(action) = found else {
            return Err(unknown(&self.of.kind, &self.action, &actions).into());
        };
        let call = Call::new(action, id, given, body)?;
        let mut request = client.request_with(action.method.clone(), &call.path, &call.query)?;
        if action.takes_version() {
            let etag = match self.if_match {
                Some(etag) => Some(etag),
                None => etag(client, &row).await?,
            };
            if let Some(etag) = etag {
                request = request.header(header::IF_MATCH, etag);
            }
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        answered(client.send(request).await?, &self.action, self.of.json).await
    }
}

/// The version that there is now, where the kind has versions.
pub(super) async fn etag(client: &Client, row: &str) -> anyhow::Result<Option<String>> {
    let now = client.send(client.request(Method::GET, row)?).await?;
    let etag = now.headers().get(header::ETAG);
    Ok(etag.and_then(|etag| etag.to_str().ok()).map(str::to_owned))
}

/// Prints what came of it.
async fn answered(answer: Response, action: &str, json: bool) -> anyhow::Result<()> {
    let text = answer.text().await?;
    if text.is_empty() {
        return if json {
            output::row(&json!({ "done": action }), true)
        } else {
            writeln!(std::io::stdout(), "Done.")?;
            Ok(())
        };
    }
    let came: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    match &came {
        Value::Object(fields) => match fields.get("data").and_then(Value::as_array) {
            Some(rows) => output::rows(rows, json, &columns(rows)),
            None => output::row(&came, json),
        },
        other => output::row(&json!({ "answer": other }), json),
    }
}

/// There is no such action: with what there is.
fn unknown(kind: &str, action: &str, actions: &[Described<'_>]) -> UsageError {
    let names: Vec<String> = actions
        .iter()
        .map(|it| if it.of_row { it.name() } else { format!("{NONE} {}", it.name()) })
        .collect();
    if names.is_empty() {
        return UsageError(format!("`{kind}` has no actions"));
    }
    let near = actions
        .iter()
        .map(|it| (strsim::jaro_winkler(&it.name(), action), it.name()))
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let meant = near.map(|(_, name)| format!(" Did you mean `{name}`?")).unwrap_or_default();
    UsageError(format!("`{kind}` has no action `{action}`; it has {}.{meant}", names.join(", ")))
}

/// Prints what may be done with rows of a kind, and what each step takes.
pub(super) async fn actions(client: &Client, of: &Of) -> anyhow::Result<()> {
    path(&of.kind, None)?;
    let document = Document::of(client).await?;
    if !document.lists().iter().any(|list| list.kind == of.kind)
        && document.actions(&of.kind).is_empty()
    {
        return Err(UsageError(format!("there is no `{}`", of.kind)).into());
    }
    let actions = document.actions(&of.kind);
    let rows: Vec<Value> =
        actions.iter().map(|action| if of.json { whole(action) } else { line(action) }).collect();
    output::rows(&rows, of.json, &["id", "action", "takes", "does", "permission"])
}

/// For people: `close`, `reason [note]`.
fn line(action: &Described<'_>) -> Value {
    let word = |it: &Field| if it.required { it.name.clone() } else { format!("[{}]", it.name) };
    let takes: Vec<String> = action.fields().iter().map(word).collect();
    json!({
        "id": if action.of_row { "ID" } else { NONE },
        "action": action.name(),
        "takes": takes.join(" "),
        "does": action.summary(),
        "permission": action.permission(),
    })
}

/// For programs.
fn whole(action: &Described<'_>) -> Value {
    let field = |it: &Field| {
        let place = match it.place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Body => "body",
        };
        json!({
            "name": it.name, "in": place, "required": it.required, "schema": it.schema, "about": it.about,
        })
    };
    json!({
        "action": action.name(),
        "of_row": action.of_row,
        "method": action.method.as_str(),
        "address": action.address(),
        "takes": action.fields().iter().map(field).collect::<Vec<_>>(),
        "does": action.summary(),
        "permission": action.permission(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::document::tests::small, *};

    #[test]
    fn an_unknown_action_is_told_with_what_there_is() {
        let document = small();
        let told = unknown("alerts", "clsoe", &document.actions("alerts")).0;
        assert_eq!(
            told,
            "`alerts` has no action `clsoe`; it has close, roll_back. Did you mean `close`?"
        );
        assert_eq!(unknown("sets", "close", &document.actions("sets")).0, "`sets` has no actions");
    }

    #[test]
    fn an_action_says_what_it_takes() {
        let document = small();
        let actions = document.actions("alerts");
        let close = line(&actions[0]);
        assert_eq!((&close["takes"], &close["id"]), (&json!("reason [note]"), &json!("ID")));
        let whole = whole(&actions[1]);
        assert_eq!(whole["takes"][0]["in"], "path");
        assert_eq!(whole["address"], "alerts/ID/roll_back/{version}");
    }
}
