//! Saved views: what somebody looks for in a list again and again, under a name of theirs.

mod bar;
mod write;

use axum::{Router, routing::post};
use ephor_kernel::Problem;
use ephor_rest::{Kind, ListRequest, Resource};
use serde_json::{Map, Value, json};

pub(crate) use bar::ViewBar;
#[cfg(test)]
pub(crate) use bar::{OwnView, ViewLink};

use super::listing::address;
use crate::{ConsoleState, view::json, visit::Visit};

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/views", post(write::create))
        .route("/views/{id}", post(write::update))
        .route("/views/{id}/delete", post(write::delete))
}

/// More views of one list than this are not offered.
const MOST: u32 = 100;

/// What a list shows at the moment, as a view keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Looked {
    /// Column and test.
    pub filters: Vec<(String, String)>,
    pub search: Option<String>,
    pub sort: Option<String>,
    pub columns: Vec<String>,
}

impl Looked {
    /// As the resource `saved_views` takes it.
    fn body(&self) -> Map<String, Value> {
        let mut filters = Map::new();
        for (name, test) in &self.filters {
            // A column may have to pass several tests: from, and to.
            let several = match filters.remove(name) {
                None => json!(test),
                Some(Value::Array(mut tests)) => {
                    tests.push(json!(test));
                    Value::Array(tests)
                }
                Some(one) => json!([one, test]),
            };
            filters.insert(name.clone(), several);
        }
        let members = json!({
            "filters": filters, "search": self.search, "sort": self.sort, "columns": self.columns,
        });
        members.as_object().cloned().unwrap_or_default()
    }

    /// Nothing in particular: all of it, as it comes.
    fn is_plain(&self) -> bool {
        self.filters.is_empty()
            && self.search.is_none()
            && self.sort.is_none()
            && self.columns.is_empty()
    }

    /// Does a stored view keep the same?
    fn is_kept_by(&self, view: &Value) -> bool {
        self.body().iter().all(|(name, value)| view.get(name) == Some(value))
    }
}

/// The closed words of a column: its vocabulary, or yes and no.
pub(super) fn vocabulary<'a>(resource: &'a Resource, name: &str) -> Vec<&'a str> {
    if is_yes_or_no(resource, name) {
        return vec!["true", "false"];
    }
    let column = resource.columns().find(|column| column.name == name);
    column.into_iter().flat_map(|column| &column.bounds.vocabulary).map(String::as_str).collect()
}

/// Does the column hold yes or no?
pub(super) fn is_yes_or_no(resource: &Resource, name: &str) -> bool {
    resource.columns().any(|column| column.name == name && column.kind == Kind::Bool)
}

/// How the API asks for a word of the column.
fn operator(resource: &Resource, name: &str) -> &'static str {
    if is_yes_or_no(resource, name) { "is." } else { "eq." }
}

/// The test that a value in an address asks for: a word of the column's own is that word, and all
/// else is a test already.
pub(super) fn test(resource: &Resource, name: &str, value: &str) -> String {
    if vocabulary(resource, name).contains(&value) {
        format!("{}{value}", operator(resource, name))
    } else {
        value.to_owned()
    }
}

/// The other way round.
fn value(resource: &Resource, name: &str, test: &str) -> String {
    match test.strip_prefix(operator(resource, name)) {
        Some(word) if vocabulary(resource, name).contains(&word) => word.to_owned(),
        _ => test.to_owned(),
    }
}

/// What a stored view asks a list for.
fn query(resource: &Resource, view: &Value) -> ListRequest {
    let mut query = ListRequest::new().with("view", json::text(view, "id"));
    for (name, kept) in view.get("filters").and_then(Value::as_object).into_iter().flatten() {
        let tests = kept.as_array().map_or(std::slice::from_ref(kept), Vec::as_slice);
        for test in tests.iter().filter_map(Value::as_str) {
            query = query.with(name, value(resource, name, test));
        }
    }
    for (name, from) in [("q", "search"), ("sort", "sort")] {
        let kept = json::text(view, from);
        if !kept.is_empty() {
            query = query.with(name, kept);
        }
    }
    let columns: Vec<&str> = view
        .get("columns")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if columns.is_empty() { query } else { query.with("columns", columns.join(",")) }
}

/// The views of a list that somebody sees: their own, and what is shared.
pub(super) struct Saved {
    rows: Vec<Value>,
    /// Who looks.
    actor: String,
    /// They may see views at all.
    allowed: bool,
}

/// Reads them.
pub(super) async fn saved(
    state: &ConsoleState,
    visit: &Visit,
    path: &str,
) -> Result<Saved, Problem> {
    let actor = visit.scope.principal().uuid().to_string();
    // Views are one's own organization's, and kept there.
    if visit.looks() || !visit.may("saved_views", "read") {
        return Ok(Saved { rows: Vec::new(), actor, allowed: false });
    }
    let request =
        ListRequest::new().filter("resource", format!("eq.{path}")).sort("name").limit(MOST);
    let mut tx = state.store.begin(&visit.scope).await?;
    let page = state.engine.list(&mut tx, "saved_views", &request).await?;
    tx.commit().await?;
    Ok(Saved { rows: page.data, actor, allowed: true })
}

impl Saved {
    /// What the list shows when its address asks for nothing: one's own default view, if there is one.
    pub(super) fn opens_with(
        &self,
        resource: &Resource,
        asked: &ListRequest,
    ) -> Option<ListRequest> {
        if asked.pairs().iter().any(|(name, value)| name != "done" && !value.is_empty()) {
            return None;
        }
        let is_default = |view: &&Value| view.get("is_default") == Some(&Value::Bool(true));
        self.rows
            .iter()
            .filter(is_default)
            .find(|view| self.is_own(view))
            .map(|view| query(resource, view))
    }

    fn is_own(&self, view: &Value) -> bool {
        json::text(view, "created_by") == self.actor
    }
}

/// Where a list of the resource stands: its own page, or the generic one.
fn place(path: &str, sent: &str) -> String {
    let own = match path {
        "models" | "datasets" | "members" => format!("/{path}"),
        "bias_analyses" => "/analyses".to_owned(),
        _ => String::new(),
    };
    if !own.is_empty() && sent == own { own } else { format!("/resources/{path}") }
}

/// The address of a list as a view shows it.
fn shown(resource: &Resource, here: &str, view: &Value) -> String {
    address(here, &query(resource, view))
}
