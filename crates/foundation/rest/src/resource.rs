//! A specification held against the catalog.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use ephor_kernel::PermissionSet;

use crate::{
    Actions, Catalog, Column, Kind, ResourceSpec, Table,
    nearest::hint,
    spec::{Below, Include, Parent, Personal},
};

/// A resource whose every column is known to exist.
#[derive(Debug, Clone)]
pub struct Resource {
    pub(crate) spec: ResourceSpec,
    pub(crate) table: Arc<Table>,
    pub(crate) visible: Vec<Arc<Column>>,
    pub(crate) order: Vec<Order>,
    pub(crate) related: Vec<Related>,
}

/// One key of an order.
#[derive(Debug, Clone)]
pub struct Order {
    pub(crate) column: Arc<Column>,
    pub(crate) descending: bool,
}

/// An [`Include`] with its table.
#[derive(Debug, Clone)]
pub(crate) struct Related {
    pub(crate) include: Include,
    pub(crate) table: Arc<Table>,
    pub(crate) columns: Vec<Arc<Column>>,
    pub(crate) order: Vec<Order>,
    pub(crate) spec: ResourceSpec,
}

/// Specifications that don't fit the database. All that is wrong is listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SpecError(pub Vec<String>);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resources do not fit the database: {}", self.0.join("; "))
    }
}

impl Resource {
    /// The specification.
    pub fn spec(&self) -> &ResourceSpec {
        &self.spec
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The columns that callers see, in the table's order.
    pub fn columns(&self) -> impl Iterator<Item = &Column> + Clone {
        self.visible.iter().map(AsRef::as_ref)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Arc<Column>> {
        self.visible.iter().find(|column| column.name == name)
    }

    /// The resource as it is to whoever has these permissions: without the columns that tell of what they
    /// may not read.
    pub fn seen_with(&self, permissions: &PermissionSet) -> Cow<'_, Self> {
        let is_kept = |column: &Column| {
            self.spec
                .guarded
                .iter()
                .any(|(name, word)| *name == column.name && !permissions.allows(word, "read"))
        };
        if !self.columns().any(is_kept) {
            return Cow::Borrowed(self);
        }
        let visible = self.visible.iter().filter(|column| !is_kept(column)).cloned().collect();
        Cow::Owned(Self { visible, ..self.clone() })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.columns().map(|column| column.name.as_str())
    }

    /// Do updates have to say which version they change?
    pub(crate) fn versioned(&self) -> bool {
        self.column("version").is_some()
    }

    /// Does PostgreSQL or Ephor set the column when a row is made, whatever the caller sends?
    pub(crate) fn stamped(&self, column: &str) -> bool {
        column == "organization_id"
            || (column == "created_by" && !self.spec.create.contains(&"created_by"))
            || self.spec.personal.is_some_and(|personal| personal.column == column)
    }

    /// Must a new row name the column?
    pub(crate) fn required(&self, column: &Column) -> bool {
        !column.nullable
            && column.default.is_none()
            && !column.generated
            && !self.stamped(&column.name)
    }
}

/// Holds all specifications against the catalog, and says everything that is wrong at once.
pub(crate) fn resolve(
    catalog: &Catalog,
    specs: impl IntoIterator<Item = ResourceSpec>,
) -> Result<BTreeMap<&'static str, Resource>, SpecError> {
    let mut faults = Vec::new();
    let mut resources = BTreeMap::new();
    for spec in specs {
        let taken = resources.contains_key(spec.path);
        if taken {
            faults.push(format!("`{}` is specified twice", spec.path));
        } else if let Some(resource) = resource(catalog, &spec, &mut faults) {
            resources.insert(spec.path, resource);
        }
    }
    let related: Vec<_> =
        resources.values().map(|resource| relations(resource, &resources, &mut faults)).collect();
    for (resource, related) in resources.values_mut().zip(related) {
        resource.related = related;
    }
    if faults.is_empty() { Ok(resources) } else { Err(SpecError(faults)) }
}

fn resource(catalog: &Catalog, spec: &ResourceSpec, faults: &mut Vec<String>) -> Option<Resource> {
    let Some(table) = catalog.table(spec.table) else {
        let tables: Vec<_> = catalog.tables().map(|table| table.qualified()).collect();
        let hint = hint(spec.table, tables.iter().map(String::as_str)).unwrap_or_default();
        faults.push(format!(
            "`{}` names the table {}, which is not there; {hint}",
            spec.path, spec.table
        ));
        return None;
    };
    let before = faults.len();
    let mut finder = Finder { spec, table, faults };
    finder.keys();
    finder.writable();
    for column in spec.search {
        let found = finder.find("search", column);
        if found.is_some_and(|column| column.kind != Kind::Text) {
            finder.complain(&format!("search names {column}, which is not text"));
        }
    }
    for column in spec.hidden {
        finder.find("hidden", column);
    }
    for (name, _) in spec.shapes {
        if finder.find("json", name).is_some_and(|column| column.kind != Kind::Json) {
            finder.complain(&format!("json names {name}, which is not JSON"));
        }
    }
    for name in spec.people.iter().chain(spec.people_above) {
        let found = finder.find("people", name);
        if found.is_some_and(|column| !column.kind.holds_ids()) {
            finder.complain(&format!("people names {name}, which holds no ids"));
        }
    }
    finder.guarded();
    if let Some(Personal { column, .. }) = spec.personal {
        finder.find("personal", column);
    }
    if let Some(Parent { column, .. }) = spec.parent {
        finder.find("parent", column);
    }
    if let Some(Below { column, .. }) = spec.below {
        finder.find("below", column);
    }
    if spec.builtin {
        finder.find("builtin", "builtin_version");
    }
    let order = finder.order();
    if faults.len() > before {
        return None;
    }
    let visible = table
        .columns
        .iter()
        .filter(|column| column.readable && !spec.hidden.contains(&column.name.as_str()))
        .cloned()
        .collect();
    let resource =
        Resource { spec: *spec, table: Arc::clone(table), visible, order, related: Vec::new() };
    unsettable(&resource, faults);
    Some(resource)
}

struct Finder<'a> {
    spec: &'a ResourceSpec,
    table: &'a Arc<Table>,
    faults: &'a mut Vec<String>,
}

impl Finder<'_> {
    fn complain(&mut self, what: &str) {
        self.faults.push(format!("`{}` ({}): {what}", self.spec.path, self.spec.table));
    }

    fn find(&mut self, part: &str, name: &str) -> Option<Arc<Column>> {
        let found = self.table.column(name).cloned();
        if found.is_none() {
            let names = self.table.columns.iter().map(|column| column.name.as_str());
            let hint = hint(name, names).unwrap_or_default();
            self.complain(&format!("{part} names the column {name}, which is not there; {hint}"));
        }
        found
    }

    /// A tenant's row is found by its organization and its id, a row of nobody by its id alone.
    fn keys(&mut self) {
        let keys: &[&str] = if self.spec.global { &["id"] } else { &["organization_id", "id"] };
        for column in keys {
            if self.find("the key", column).is_some_and(|column| column.kind != Kind::Uuid) {
                self.complain(&format!("{column} is not a uuid"));
            }
        }
        if self.spec.global && self.table.column("organization_id").is_some() {
            self.complain("it is a tenant's table, so its rows are not the same for all");
        }
        let writes = Actions { list: false, get: false, ..self.spec.actions };
        if self.spec.global && (writes != Actions::NONE || self.spec.reach) {
            self.complain("what is the same for all organizations is only read");
        }
    }

    fn writable(&mut self) {
        const KEPT: [&str; 5] = ["id", "organization_id", "created_at", "updated_at", "version"];
        let spec = self.spec;
        for (part, columns) in [("create", spec.create), ("update", spec.update)] {
            for name in columns {
                let Some(column) = self.find(part, name) else { continue };
                if KEPT.contains(name) || column.generated || column.kind == Kind::Other {
                    self.complain(&format!("{part} names {name}, which callers cannot set"));
                }
                // A write answers with the row, so a caller would not see what was sent.
                if !column.readable || spec.hidden.contains(name) {
                    self.complain(&format!("{part} names {name}, which callers cannot see"));
                }
            }
        }
    }

    /// What some do not see is only read, and neither searched nor a list's own order.
    fn guarded(&mut self) {
        let spec = self.spec;
        let writes = Actions { list: false, get: false, ..spec.actions };
        for (name, _) in spec.guarded {
            self.find("guarded", name);
            let sorted = spec.sort.split(',').any(|key| direction(key).1 == *name);
            if writes != Actions::NONE || sorted || spec.search.contains(name) {
                self.complain(&format!(
                    "guarded names {name}, which writes, searches or the order of lists would tell"
                ));
            }
        }
    }

    fn order(&mut self) -> Vec<Order> {
        let spec = self.spec;
        let keys: Vec<_> = spec.sort.split(',').collect();
        keys.into_iter()
            .filter_map(|key| {
                let (descending, name) = direction(key);
                let column = self.find("sort", name)?;
                if !column.kind.ordered() || !column.readable || spec.hidden.contains(&name) {
                    self.complain(&format!("sort names {name}, which lists cannot be sorted by"));
                }
                Some(Order { column, descending })
            })
            .collect()
    }
}

/// `-name` is descending.
pub(crate) fn direction(key: &str) -> (bool, &str) {
    match key.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, key),
    }
}

/// A required column that no new row could ever set.
fn unsettable(resource: &Resource, faults: &mut Vec<String>) {
    let spec = &resource.spec;
    if !spec.actions.create && !spec.actions.bulk {
        return;
    }
    for column in &resource.table.columns {
        if resource.required(column) && !spec.create.contains(&column.name.as_str()) {
            faults.push(format!(
                "`{}` ({}): {} is required and has no default, but create does not name it",
                spec.path, spec.table, column.name
            ));
        }
    }
}

fn relations(
    resource: &Resource,
    resources: &BTreeMap<&'static str, Resource>,
    faults: &mut Vec<String>,
) -> Vec<Related> {
    let path = resource.spec.path;
    if let Some(parent) = resource.spec.parent
        && !resources.contains_key(parent.resource)
    {
        faults.push(format!("`{path}`: its parent `{}` is not a resource", parent.resource));
    }
    if let Some(Below { resource: there, condition: (column, _), .. }) = resource.spec.below {
        let known = resources
            .get(there)
            .is_some_and(|target| target.spec.reach && target.column(column).is_some());
        if !known {
            faults.push(format!(
                "`{path}`: what is below names `{there}` and its {column}, which holdings do not read"
            ));
        }
    }
    let mut names: BTreeSet<&str> = resource.names().collect();
    let mut related = Vec::new();
    for include in resource.spec.includes {
        if !names.insert(include.name) {
            faults
                .push(format!("`{path}`: include {} has the name of another field", include.name));
        }
        let Some(target) = resources.get(include.resource) else {
            let name = include.name;
            faults.push(format!(
                "`{path}`: include {name} names `{}`, which is not a resource",
                include.resource
            ));
            continue;
        };
        if !target.spec.guarded.is_empty() {
            let name = include.name;
            faults.push(format!(
                "`{path}`: include {name} leads to columns that are not everybody's to see"
            ));
        }
        if resource.spec.global && !target.spec.global {
            let name = include.name;
            faults.push(format!(
                "`{path}`: include {name} leads from what is everybody's to what is a tenant's"
            ));
        }
        let holder = if include.many { target } else { resource };
        if holder.table.column(include.column).is_none() {
            faults.push(format!(
                "`{path}`: include {} names the column {} of {}, which is not there",
                include.name, include.column, holder.spec.table
            ));
        }
        related.push(Related {
            include: *include,
            table: Arc::clone(&target.table),
            columns: target.visible.clone(),
            order: target.order.clone(),
            spec: target.spec,
        });
    }
    related
}
