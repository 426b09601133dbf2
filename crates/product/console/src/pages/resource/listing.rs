//! Lists from the resource engine: the address's filters become a request, the rows a table.

use ephor_kernel::Problem;
use ephor_rest::{ListRequest, Resource};
use ephor_store::OrgTx;
use serde_json::Value;

use super::views::{self, Looked, ViewBar};
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
    /// By what it is chosen to be shown; empty for one that is not chosen.
    pub name: &'a str,
    /// Numbers stand on the right.
    pub right: bool,
    /// It is shown only when it is asked for.
    pub extra: bool,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub const fn new(label: &'a str, sort: &'a str) -> Self {
        Self { label, sort, name: sort, right: false, extra: false }
    }

    /// A column of numbers.
    pub const fn right(label: &'a str, sort: &'a str) -> Self {
        Self { right: true, ..Self::new(label, sort) }
    }

    /// Chosen by a name, though nothing sorts by it.
    pub const fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }
}

/// A column that may be shown or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnChoice {
    pub name: String,
    pub label: String,
    pub shown: bool,
}

/// What stands around a list's table beside its filters.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListTools {
    /// The saved views of the list.
    pub views: Option<ViewBar>,
    /// The saved view that the filters go on from.
    pub view: String,
    /// The columns that may be chosen.
    pub columns: Vec<ColumnChoice>,
}

/// What is listed and how.
pub(crate) struct Listing<'a> {
    /// The resource's path in the engine.
    pub path: &'a str,
    /// The list's own address.
    pub here: &'a str,
    pub columns: &'a [Column<'a>],
    /// The columns with a vocabulary, or of yes and no, that a filter is offered for.
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
    pub tools: ListTools,
    /// What was asked for, by the address or by the view that the list opens with.
    pub query: ListRequest,
}

/// What an address of a list says beside its filters.
const SAID: [&str; 6] = ["q", "sort", "columns", "cursor", "view", "done"];

impl Listing<'_> {
    /// Reads the page that the visit asks for.
    pub async fn read(
        &self,
        state: &ConsoleState,
        visit: &Visit,
        row: impl Fn(&Value) -> Vec<Html>,
    ) -> Result<Listed, Problem> {
        let resource =
            state.engine.resource(self.path).ok_or_else(|| Problem::not_found("resource"))?;
        let known = views::saved(state, visit, self.path).await?;
        let query = match known.opens_with(resource, &visit.query) {
            Some(opened) => opened,
            None => visit.query.clone(),
        };
        let request = self.request(resource, &query);
        let mut tx =
            state.engine.begin_read(&state.store, &visit.scope, self.path, &request).await?;
        let page = state.engine.list(&mut tx, self.path, &request).await?;
        tx.commit().await?;
        let (singular, plural) = (resource.spec().singular(), resource.spec().plural());
        let asked = |name: &str| query.get(name).filter(|value| !value.is_empty());
        let shown = self.shown(&query);
        let pick = |mut cells: Vec<Html>| -> Vec<Html> {
            shown
                .iter()
                .map(|index| cells.get_mut(*index).map(std::mem::take).unwrap_or_default())
                .collect()
        };
        let filters = self.filtering(resource, &query);
        let looked = Looked {
            filters: filters.clone(),
            search: asked("q").filter(|_| self.search).map(str::to_owned),
            sort: asked("sort").map(str::to_owned),
            columns: self.chosen(&query),
        };
        let filtered = asked("q").is_some() || !filters.is_empty();
        Ok(Listed {
            table: Table {
                label: format::label(plural),
                heads: shown
                    .iter()
                    .filter_map(|index| self.columns.get(*index))
                    .map(|column| self.head(*column, &query))
                    .collect(),
                rows: page.data.iter().map(|data| pick(row(data))).collect(),
            },
            filters: self.fields(resource, &query),
            filtered,
            sort: asked("sort").map(str::to_owned),
            total: page
                .count
                .and_then(|count| u64::try_from(count).ok())
                .map(|count| format::plural(count, singular, plural)),
            first: asked("cursor").map(|_| self.address(resource, &query, None)),
            next: page.next.map(|cursor| self.address(resource, &query, Some(&cursor))),
            tools: ListTools {
                views: known.bar(resource, visit, self.here, &query, &looked),
                view: query.get("view").unwrap_or_default().to_owned(),
                columns: self.choices(&shown),
            },
            query,
        })
    }

    /// The columns that the address chooses by their names, in its order.
    pub fn chosen(&self, query: &ListRequest) -> Vec<String> {
        let mut chosen: Vec<String> = Vec::new();
        let asked = query.pairs().iter().filter(|(name, _)| name == "columns");
        for name in asked.flat_map(|(_, names)| names.split(',')).map(str::trim) {
            let known = self.columns.iter().skip(1).any(|column| column.name == name);
            if known && !name.is_empty() && chosen.iter().all(|other| other != name) {
                chosen.push(name.to_owned());
            }
        }
        let usual =
            self.columns.iter().skip(1).filter(|column| !column.extra).map(|column| column.name);
        // The boxes of a form say so too when nobody changed any.
        if usual.eq(chosen.iter().map(String::as_str)) { Vec::new() } else { chosen }
    }

    /// The places of the columns to show: the first, which names the row, and those that are chosen,
    /// else the usual ones.
    fn shown(&self, query: &ListRequest) -> Vec<usize> {
        let chosen = self.chosen(query);
        if chosen.is_empty() {
            return (0..self.columns.len()).filter(|index| !self.columns[*index].extra).collect();
        }
        let place =
            |name: &String| self.columns.iter().skip(1).position(|column| column.name == name);
        std::iter::once(0).chain(chosen.iter().filter_map(place).map(|place| place + 1)).collect()
    }

    fn choices(&self, shown: &[usize]) -> Vec<ColumnChoice> {
        let choosable = self.columns.iter().enumerate().skip(1);
        choosable
            .filter(|(_, column)| !column.name.is_empty())
            .map(|(index, column)| ColumnChoice {
                name: column.name.to_owned(),
                label: column.label.to_owned(),
                shown: shown.contains(&index),
            })
            .collect()
    }

    /// The filters that the address holds: column and test.
    fn filtering(&self, resource: &Resource, query: &ListRequest) -> Vec<(String, String)> {
        query
            .pairs()
            .iter()
            .filter(|(name, value)| {
                !value.trim().is_empty()
                    && !SAID.contains(&name.as_str())
                    && (self.filters.contains(&name.as_str())
                        || resource.columns().any(|column| column.name == *name))
            })
            .map(|(name, value)| (name.clone(), views::test(resource, name, value.trim())))
            .collect()
    }

    /// The engine's request for what the address asks.
    fn request(&self, resource: &Resource, query: &ListRequest) -> ListRequest {
        let request = self.filtered(resource, query).limit(ROWS).count();
        match query.get("cursor").filter(|value| !value.is_empty()) {
            Some(cursor) => request.cursor(cursor),
            None => request,
        }
    }

    /// The same without pages: what an export of the list holds.
    pub fn filtered(&self, resource: &Resource, query: &ListRequest) -> ListRequest {
        let mut request = ListRequest::new();
        if !self.include.is_empty() {
            request = request.include(self.include);
        }
        let asked = |name: &str| query.get(name).filter(|value| !value.trim().is_empty());
        if let Some(words) = asked("q").filter(|_| self.search) {
            request = request.search(words);
        }
        for (name, test) in self.filtering(resource, query) {
            request = request.filter(&name, test);
        }
        if let Some(order) = asked("sort") {
            request = request.sort(order);
        }
        request
    }

    /// The list's address with its filters, order and columns, at another page.
    fn address(&self, resource: &Resource, query: &ListRequest, cursor: Option<&str>) -> String {
        let mut kept = ListRequest::new();
        for (name, value) in query.pairs() {
            let filters = resource.columns().any(|column| column.name == *name);
            if !value.is_empty()
                && (filters || ["q", "sort", "columns", "view"].contains(&name.as_str()))
            {
                kept = kept.with(name, value);
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

    fn fields(&self, resource: &Resource, query: &ListRequest) -> Vec<Field> {
        let value = |name: &str| query.get(name).unwrap_or_default().to_owned();
        let search = self
            .search
            .then(|| Field::new("q", "Search").control(Control::Line("search")).value(value("q")));
        let choices = |name: &str| {
            let words = views::vocabulary(resource, name);
            let yes_or_no = views::is_yes_or_no(resource, name);
            let said = |word: &str| match word {
                "true" if yes_or_no => "Yes".to_owned(),
                "false" if yes_or_no => "No".to_owned(),
                word => word.replace('_', " "),
            };
            let now = value(name);
            let any = Choice::new("", "Any");
            // A view may ask for more than one word: `in.(draft,active)`.
            let known = words.contains(&now.as_str());
            let other = (!now.is_empty() && !known).then(|| Choice::plain(&now));
            [any]
                .into_iter()
                .chain(words.iter().map(|word| Choice::new(*word, said(word))))
                .chain(other)
                .collect()
        };
        let mut others: Vec<Field> = Vec::new();
        for (name, test) in query.pairs() {
            let offered = self.filters.contains(&name.as_str()) || SAID.contains(&name.as_str());
            let known = resource.columns().any(|column| column.name == *name);
            if known && !offered && !test.is_empty() {
                others.push(Field::new(name, format::label(name)).value(test));
            }
        }
        search
            .into_iter()
            .chain(self.filters.iter().map(|name| {
                Field::new(*name, format::label(name)).select(choices(name)).value(value(name))
            }))
            .chain(others)
            .map(|field| Field { quiet: true, ..field })
            .collect()
    }
}

pub(super) fn address(path: &str, request: &ListRequest) -> String {
    let query = request.to_query();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Ids and names of a resource's rows, for choosing one: the first few hundred. Nothing else of them is
/// read: rows may be long, and a page of them end before it has so many.
pub(crate) async fn choices(
    state: &ConsoleState,
    tx: &mut OrgTx,
    path: &str,
    request: ListRequest,
) -> Result<Vec<Choice>, Problem> {
    let called = |name: &&str| ["id", "description"].contains(name) || json::NAMES.contains(name);
    let columns = state.engine.resource(path).into_iter().flat_map(Resource::columns);
    let told: Vec<&str> = columns.map(|column| column.name.as_str()).filter(called).collect();
    let request = request.fields(&told).limit(500);
    let page = state.engine.list(tx, path, &request).await?;
    Ok(page
        .data
        .iter()
        .filter_map(|row| Some(Choice::new(row.get("id")?.as_str()?, json::title(row))))
        .collect())
}
