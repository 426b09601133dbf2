//! Lists from the resource engine: the address's filters become a request, the rows a table.

use ephor_kernel::Problem;
use ephor_rest::ListRequest;
use ephor_store::OrgTx;
use serde_json::Value;

use crate::{
    ConsoleState,
    view::{Choice, Control, Field, Head, Html, Table, format, json},
    visit::Visit,
};

/// How many rows a page of a list shows.
const ROWS: u32 = 25;

/// A column of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<'a> {
    pub label: &'a str,
    /// What a click on its head sorts by; empty for nothing.
    pub sort: &'a str,
    /// Numbers stand on the right.
    pub right: bool,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub const fn new(label: &'a str, sort: &'a str) -> Self {
        Self { label, sort, right: false }
    }

    /// A column of numbers.
    pub const fn right(label: &'a str, sort: &'a str) -> Self {
        Self { label, sort, right: true }
    }
}

/// What is listed and how.
pub(crate) struct Listing<'a> {
    /// The resource's path in the engine.
    pub path: &'a str,
    /// The list's own address.
    pub here: &'a str,
    pub columns: &'a [Column<'a>],
    /// The columns with a vocabulary that a filter is offered for.
    pub filters: &'a [&'a str],
    /// It can be searched.
    pub search: bool,
    pub include: &'a [&'a str],
}

/// A page of a list.
pub(crate) struct Listed {
    pub table: Table,
    pub filters: Vec<Field>,
    pub filtered: bool,
    pub sort: Option<String>,
    pub total: Option<String>,
    pub first: Option<String>,
    pub next: Option<String>,
}

impl Listing<'_> {
    /// Reads the page that the visit asks for.
    pub async fn read(
        &self,
        state: &ConsoleState,
        visit: &Visit,
        row: impl Fn(&Value) -> Vec<Html>,
    ) -> Result<Listed, Problem> {
        let request = self.request(&visit.query);
        let mut tx =
            state.engine.begin_read(&state.store, &visit.scope, self.path, &request).await?;
        let page = state.engine.list(&mut tx, self.path, &request).await?;
        tx.commit().await?;
        let plural = state.engine.resource(self.path).map_or("rows", |found| found.spec().plural());
        let singular =
            state.engine.resource(self.path).map_or("row", |found| found.spec().singular());
        let asked = |name: &str| visit.query.get(name).filter(|value| !value.is_empty());
        Ok(Listed {
            table: Table {
                label: format::label(plural),
                heads: self.columns.iter().map(|column| self.head(*column, &visit.query)).collect(),
                rows: page.data.iter().map(row).collect(),
            },
            filters: self.fields(state, &visit.query),
            filtered: asked("q").is_some() || self.filters.iter().any(|name| asked(name).is_some()),
            sort: asked("sort").map(str::to_owned),
            total: page
                .count
                .and_then(|count| u64::try_from(count).ok())
                .map(|count| format::plural(count, singular, plural)),
            first: asked("cursor").map(|_| self.address(&visit.query, None)),
            next: page.next.map(|cursor| self.address(&visit.query, Some(&cursor))),
        })
    }

    /// The engine's request for what the address asks.
    fn request(&self, query: &ListRequest) -> ListRequest {
        let request = self.filtered(query).limit(ROWS).count();
        match query.get("cursor").filter(|value| !value.is_empty()) {
            Some(cursor) => request.cursor(cursor),
            None => request,
        }
    }

    /// The same without pages: what an export of the list holds.
    pub fn filtered(&self, query: &ListRequest) -> ListRequest {
        let mut request = ListRequest::new();
        if !self.include.is_empty() {
            request = request.include(self.include);
        }
        let asked = |name: &str| query.get(name).filter(|value| !value.trim().is_empty());
        if let Some(words) = asked("q").filter(|_| self.search) {
            request = request.search(words);
        }
        for name in self.filters {
            if let Some(value) = asked(name) {
                request = request.filter(name, format!("eq.{value}"));
            }
        }
        if let Some(order) = asked("sort") {
            request = request.sort(order);
        }
        request
    }

    /// The list's address with its filters and order, at another page.
    fn address(&self, query: &ListRequest, cursor: Option<&str>) -> String {
        let mut kept = ListRequest::new();
        for name in self.filters.iter().chain(&["q", "sort"]) {
            if let Some(value) = query.get(name).filter(|value| !value.is_empty()) {
                kept = kept.with(*name, value);
            }
        }
        if let Some(cursor) = cursor {
            kept = kept.cursor(cursor);
        }
        address(self.here, &kept)
    }

    fn head(&self, column: Column<'_>, query: &ListRequest) -> Head {
        let head = Head { right: column.right, ..Head::new(column.label) };
        if column.sort.is_empty() {
            return head;
        }
        let now = query.get("sort").unwrap_or_default();
        let (sorted, next) = match now.strip_prefix('-') {
            Some(name) if name == column.sort => (Some("descending"), column.sort.to_owned()),
            None if now == column.sort => (Some("ascending"), format!("-{}", column.sort)),
            _ => (None, column.sort.to_owned()),
        };
        let kept = query.clone().without("sort").without("cursor").without("done");
        Head { sort: Some(address(self.here, &kept.sort(next))), sorted, ..head }
    }

    fn fields(&self, state: &ConsoleState, query: &ListRequest) -> Vec<Field> {
        let value = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let search = self
            .search
            .then(|| Field::new("q", "Search").control(Control::Line("search")).value(value("q")));
        let choices = |name: &str| {
            let column = state.engine.resource(self.path).and_then(|resource| {
                resource.columns().find(|column| column.name == name).cloned()
            });
            let words = column.map(|column| column.bounds.vocabulary).unwrap_or_default();
            let any = Choice::new("", "Any");
            [any]
                .into_iter()
                .chain(words.iter().map(|word| Choice::new(word, word.replace('_', " "))))
                .collect()
        };
        search
            .into_iter()
            .chain(self.filters.iter().map(|name| {
                Field::new(*name, format::label(name)).select(choices(name)).value(value(name))
            }))
            .map(|field| Field { quiet: true, ..field })
            .collect()
    }
}

fn address(path: &str, request: &ListRequest) -> String {
    let query = request.to_query();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Ids and names of a resource's rows, for choosing one: the first few hundred.
pub(crate) async fn choices(
    state: &ConsoleState,
    tx: &mut OrgTx,
    path: &str,
    request: ListRequest,
) -> Result<Vec<Choice>, Problem> {
    let page = state.engine.list(tx, path, &request.limit(500)).await?;
    Ok(page
        .data
        .iter()
        .filter_map(|row| Some(Choice::new(row.get("id")?.as_str()?, json::title(row))))
        .collect())
}
