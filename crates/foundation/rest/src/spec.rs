//! What the database can't say about a resource.

use ephor_kernel::{DomainEvent, Fault, PermissionSet, Problem, Scope};
use serde_json::Value;

use crate::Shape;

/// A pure check before a write: the row as it would be and, for an update, as it is.
/// It returns what is wrong; pointers are JSON pointers such as `/name`.
pub type Check = fn(new: &Value, old: Option<&Value>) -> Vec<Fault>;

/// The event, if any, that a written row gives rise to; it goes to the outbox in the same
/// transaction. The row is as callers see it; after a deletion, as it was.
pub type Event = fn(change: Change, row: &Value) -> Option<DomainEvent>;

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
}

/// A resource: a table, and what may be done with its rows from outside.
///
/// Types, defaults, vocabularies, lengths and descriptions come from the [catalog](crate::Catalog).
///
/// ```
/// use ephor_rest::{Actions, Include, ResourceSpec};
///
/// const MODELS: ResourceSpec = ResourceSpec::new("models", "registry.models")
///     .labels("model", "models")
///     .actions(Actions::ALL)
///     .create(&["name", "model_type", "description"])
///     .update(&["name", "description"])
///     .search(&["name", "description"])
///     .include(&[Include::many("versions", "model_versions", "model_id")])
///     .reach();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ResourceSpec {
    pub(crate) path: &'static str,
    pub(crate) table: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) permission: &'static str,
    pub(crate) actions: Actions,
    pub(crate) create: &'static [&'static str],
    pub(crate) update: &'static [&'static str],
    pub(crate) hidden: &'static [&'static str],
    pub(crate) guarded: &'static [(&'static str, &'static str)],
    pub(crate) search: &'static [&'static str],
    pub(crate) words_index: bool,
    pub(crate) sort: &'static str,
    pub(crate) includes: &'static [Include],
    pub(crate) parent: Option<Parent>,
    pub(crate) check: Option<Check>,
    pub(crate) event: Option<Event>,
    pub(crate) reach: bool,
    pub(crate) below: Option<Below>,
    pub(crate) personal: Option<Personal>,
    pub(crate) global: bool,
    pub(crate) builtin: bool,
    pub(crate) caution: Option<&'static str>,
    pub(crate) people: &'static [&'static str],
    pub(crate) people_above: &'static [&'static str],
    pub(crate) shapes: &'static [(&'static str, Shape)],
}

/// Which of the generated routes exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actions {
    /// `GET /v1/models`
    pub list: bool,
    /// `GET /v1/models/{id}`
    pub get: bool,
    /// `POST /v1/models` with an object.
    pub create: bool,
    /// `PATCH /v1/models/{id}`
    pub update: bool,
    /// `DELETE /v1/models/{id}`
    pub delete: bool,
    /// `POST /v1/models` with an array of objects.
    pub bulk: bool,
}

impl Actions {
    /// All of them.
    pub const ALL: Self =
        Self { list: true, get: true, create: true, update: true, delete: true, bulk: true };
    /// List and get.
    pub const READ: Self =
        Self { list: true, get: true, create: false, update: false, delete: false, bulk: false };
    /// None.
    pub const NONE: Self =
        Self { list: false, get: false, create: false, update: false, delete: false, bulk: false };

    /// With `create`, and with `bulk` if asked for.
    pub const fn and_create(self, bulk: bool) -> Self {
        Self { create: true, bulk, ..self }
    }

    /// With `update`.
    pub const fn and_update(self) -> Self {
        Self { update: true, ..self }
    }

    /// With `delete`.
    pub const fn and_delete(self) -> Self {
        Self { delete: true, ..self }
    }
}

/// A related row or rows that a caller may ask to have in place: `include=versions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Include {
    pub(crate) name: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) column: &'static str,
    pub(crate) many: bool,
}

impl Include {
    /// The row of `resource` (its path) that this table's `column` refers to.
    pub const fn one(name: &'static str, resource: &'static str, column: &'static str) -> Self {
        Self { name, resource, column, many: false }
    }

    /// The rows of `resource` (its path) whose `column` refers to this row: the first hundred in
    /// its default order.
    pub const fn many(name: &'static str, resource: &'static str, column: &'static str) -> Self {
        Self { name, resource, column, many: true }
    }
}

/// The resource that the rows are parts of: adds `/v1/models/{id}/versions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) resource: &'static str,
    pub(crate) column: &'static str,
    pub(crate) segment: &'static str,
}

/// Rows that a holding's member makes in a subsidiary: where the row of `resource` lies that `column`
/// refers to, if its own column of `condition` holds that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Below {
    pub(crate) resource: &'static str,
    pub(crate) column: &'static str,
    pub(crate) condition: (&'static str, i64),
}

/// Rows that belong to one person each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Personal {
    pub(crate) column: &'static str,
    pub(crate) everybodys: Option<&'static str>,
}

impl ResourceSpec {
    /// A resource at `/v1/{path}` over a table given by its qualified name. Until told otherwise:
    /// read only, labels and permission word from the path, newest first.
    pub const fn new(path: &'static str, table: &'static str) -> Self {
        Self {
            path,
            table,
            singular: path,
            plural: path,
            permission: path,
            actions: Actions::READ,
            create: &[],
            update: &[],
            hidden: &[],
            guarded: &[],
            search: &[],
            words_index: false,
            sort: "-created_at",
            includes: &[],
            parent: None,
            check: None,
            event: None,
            reach: false,
            below: None,
            personal: None,
            global: false,
            builtin: false,
            caution: None,
            people: &[],
            people_above: &[],
            shapes: &[],
        }
    }

    /// What people call one row, and several.
    pub const fn labels(self, singular: &'static str, plural: &'static str) -> Self {
        Self { singular, plural, ..self }
    }

    /// The word before the colon of its permissions; after it come `read`, `create`, `update`,
    /// `delete`.
    pub const fn permission(self, word: &'static str) -> Self {
        Self { permission: word, ..self }
    }

    /// Which routes exist.
    pub const fn actions(self, actions: Actions) -> Self {
        Self { actions, ..self }
    }

    /// What to know before relying on it, where it does less than its name promises: whole sentences, which its pages say first.
    pub const fn caution(self, sentences: &'static str) -> Self {
        Self { caution: Some(sentences), ..self }
    }

    /// The columns that a new row may set.
    pub const fn create(self, columns: &'static [&'static str]) -> Self {
        Self { create: columns, ..self }
    }

    /// The columns that may be changed.
    pub const fn update(self, columns: &'static [&'static str]) -> Self {
        Self { update: columns, ..self }
    }

    /// The columns that nobody sees. Those that the application's role may not read are hidden
    /// in any case.
    pub const fn hidden(self, columns: &'static [&'static str]) -> Self {
        Self { hidden: columns, ..self }
    }

    /// Columns that tell of something else, each with the permission word of that: they are there for who
    /// may read it. To others they are not shown, nor can lists be filtered or sorted by them.
    pub const fn guarded(self, columns: &'static [(&'static str, &'static str)]) -> Self {
        Self { guarded: columns, ..self }
    }

    /// The text columns that `q` searches.
    pub const fn search(self, columns: &'static [&'static str]) -> Self {
        Self { search: columns, ..self }
    }

    /// Its table has an index of the searched columns' words, which `search.ids` looks up: for what
    /// may hold more than some 20 000 rows of one organization.
    pub const fn words_index(self) -> Self {
        Self { words_index: true, ..self }
    }

    /// The order of lists when none is asked for: `-created_at,name`.
    pub const fn sort(self, order: &'static str) -> Self {
        Self { sort: order, ..self }
    }

    /// What `include` may ask for.
    pub const fn include(self, includes: &'static [Include]) -> Self {
        Self { includes, ..self }
    }

    /// Rows are parts of rows of `resource` (its path), by `column`: adds the nested routes
    /// `/v1/{resource}/{id}/{segment}`, for lists and for what can be created.
    pub const fn parent(
        self,
        resource: &'static str,
        column: &'static str,
        segment: &'static str,
    ) -> Self {
        Self { parent: Some(Parent { resource, column, segment }), ..self }
    }

    /// A check before each write.
    pub const fn check(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// The event that a write gives rise to.
    pub const fn event(self, event: Event) -> Self {
        Self { event: Some(event), ..self }
    }

    /// A holding may read its subsidiaries' rows: `organizations=all`.
    pub const fn reach(self) -> Self {
        Self { reach: true, ..self }
    }

    /// What a holding decides: its member who may make rows at home makes them in a subsidiary, too, where
    /// the row of `resource` (its path) lies that `column` refers to, if that row's column of `condition`
    /// holds the number. Whether they decide it is the database's to say; they may do nothing else there.
    pub const fn below(
        self,
        resource: &'static str,
        column: &'static str,
        condition: (&'static str, i64),
    ) -> Self {
        Self { below: Some(Below { resource, column, condition }), ..self }
    }

    /// A row belongs to the person that `column` names, who alone sees and changes it. New rows
    /// belong to whoever makes them.
    pub const fn personal(self, column: &'static str) -> Self {
        Self { personal: Some(Personal { column, everybodys: None }), ..self }
    }

    /// The same, but whoever has the permission for `action` (`manage`) reaches everybody's.
    pub const fn personal_unless(self, column: &'static str, action: &'static str) -> Self {
        Self { personal: Some(Personal { column, everybodys: Some(action) }), ..self }
    }

    /// Rows belong to no organization and are the same for all: everybody who is signed in reads
    /// them, whatever their permissions, and nobody writes them here.
    pub const fn global(self) -> Self {
        Self { global: true, ..self }
    }

    /// Some of its rows are copies of what comes with Ephor: adds the routes by which a newer version
    /// that waits beside a changed copy is looked at, accepted and declined.
    pub const fn builtin(self) -> Self {
        Self { builtin: true, ..self }
    }

    /// What is in JSON columns that callers write. Those that are not listed are open: whatever the
    /// catalog says of their type, within the bounds of every JSON value.
    pub const fn json(self, shapes: &'static [(&'static str, Shape)]) -> Self {
        Self { shapes, ..self }
    }

    /// What is in a JSON column, where that is said.
    pub(crate) fn shape(&self, column: &str) -> Option<Shape> {
        self.shapes.iter().find(|(name, _)| *name == column).map(|(_, shape)| *shape)
    }

    /// The columns that name people by their user ids, one or several: whoever is named has to be an
    /// active member of the organization at that moment. No foreign key says so, as people leave and
    /// stay named.
    pub const fn people(self, columns: &'static [&'static str]) -> Self {
        Self { people: columns, ..self }
    }

    /// The same, but active members of the holding above may be named too, as they act here.
    pub const fn people_or_above(self, columns: &'static [&'static str]) -> Self {
        Self { people_above: columns, ..self }
    }

    /// Does the column name people?
    pub fn names_people(&self, column: &str) -> bool {
        self.people.contains(&column) || self.people_above.contains(&column)
    }

    /// Its place below `/v1/`.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// What people call one row.
    pub const fn singular(&self) -> &'static str {
        self.singular
    }

    /// What people call several rows.
    pub const fn plural(&self) -> &'static str {
        self.plural
    }

    /// The word before the colon of its permissions.
    pub const fn permission_word(&self) -> &'static str {
        self.permission
    }

    /// Which routes exist.
    pub const fn available(&self) -> Actions {
        self.actions
    }

    /// Its table's qualified name.
    pub const fn table(&self) -> &'static str {
        self.table
    }

    /// The columns that `q` searches.
    pub const fn searched(&self) -> &'static [&'static str] {
        self.search
    }

    /// Has its table an index of the searched words?
    pub const fn has_words_index(&self) -> bool {
        self.words_index
    }

    /// Are its rows the same for all organizations?
    pub const fn is_global(&self) -> bool {
        self.global
    }

    /// What to know before relying on it; nothing for most.
    pub const fn cautions(&self) -> Option<&'static str> {
        self.caution
    }

    /// Are some of its rows copies of what comes with Ephor?
    pub const fn is_builtin(&self) -> bool {
        self.builtin
    }

    /// May a holding read its subsidiaries' rows?
    pub const fn is_reached(&self) -> bool {
        self.reach
    }

    /// May this scope read it? One that looks in from outside sees what a holding reads, and what is
    /// the same for all.
    pub fn readable_in(&self, scope: &Scope) -> bool {
        self.readable_with(scope.permissions())
            && (!scope.only_reads() || self.reach || self.global)
    }

    /// May somebody with these permissions read it?
    pub fn readable_with(&self, permissions: &PermissionSet) -> bool {
        self.global || permissions.allows(self.permission, "read")
    }

    /// Refuses who may not read it.
    pub(crate) fn require_read(&self, scope: &Scope) -> Result<(), Problem> {
        if self.readable_in(scope) {
            Ok(())
        } else {
            Err(Problem::forbidden(self.permission, "read"))
        }
    }

    /// Has it text that `q` searches?
    pub const fn is_searchable(&self) -> bool {
        !self.search.is_empty()
    }
}
