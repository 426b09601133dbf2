//! Writes. Rows come as one JSON value, which PostgreSQL takes apart by the table's own types.

use serde_json::Value;
use uuid::Uuid;

use super::{Bound, Statement};
use crate::{Column, Resource};

/// Which row a write is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) organization: Uuid,
    pub(crate) id: Uuid,
    pub(crate) owner: Option<(&'static str, Uuid)>,
}

/// Inserts all `rows` (checked objects) in one statement and gives each back as JSON text, in
/// their order. `stamps` are the columns that Ephor sets.
pub(crate) fn insert(
    resource: &Resource,
    organization: Uuid,
    stamps: &[(&str, Uuid)],
    rows: &[Value],
) -> Statement {
    let columns: Vec<_> = resource
        .table
        .columns
        .iter()
        .filter(|column| {
            let name = column.name.as_str();
            resource.spec.create.contains(&name)
                && !resource.stamped(name)
                && rows.iter().any(|row| row.get(name).is_some())
        })
        .collect();
    let mut sql = Statement::default();
    sql.push("with made as (\ninsert into ").table(resource).push(" (");
    // An organization's own id is computed by PostgreSQL, like every generated column.
    let tenant = resource.table.column("organization_id").filter(|column| !column.generated);
    let names = tenant
        .map(|_| "organization_id")
        .into_iter()
        .chain(stamps.iter().map(|(name, _)| *name))
        .chain(columns.iter().map(|column| column.name.as_str()));
    sql.each(names, ", ", |sql, name| {
        sql.name(name);
    });
    sql.push(")\nselect ");
    let stamped = tenant.map(|_| organization).into_iter().chain(stamps.iter().map(|(_, id)| *id));
    sql.each(stamped, ", ", |sql, id| {
        sql.bind(Bound::Uuid(id));
    });
    for column in &columns {
        sql.push(", ").incoming(column, rows);
    }
    sql.push("\nfrom jsonb_array_elements(")
        .bind(Bound::Text(Value::Array(rows.to_vec()).to_string()));
    sql.push("::jsonb) with ordinality as e (doc, place)\ncross join lateral jsonb_populate_record(null::");
    sql.table(resource).push(", e.doc) as i\norder by e.place\nreturning ").visible(resource);
    sql.push("\n)\nselect row_to_json(made)::text as item from made");
    sql
}

/// Changes the columns of `changed` (a checked object).
pub(crate) fn update(
    resource: &Resource,
    row: Row,
    stamps: &[(&str, Uuid)],
    changed: &Value,
) -> Statement {
    let mut sql = Statement::default();
    let columns =
        resource.table.columns.iter().filter(|column| changed.get(&column.name).is_some());
    sql.push("with changed as (\nupdate ").table(resource).push(" t set ");
    sql.each(columns, ", ", |sql, column| {
        sql.name(&column.name).push(" = i.").name(&column.name);
    });
    for (name, id) in stamps {
        sql.push(", ").name(name).push(" = ").bind(Bound::Uuid(*id));
    }
    sql.push("\nfrom jsonb_populate_record(null::").table(resource).push(", ");
    sql.bind_text(&changed.to_string(), "jsonb").push(") i\n").where_row(row);
    sql.push("\nreturning ").visible_of(resource, "t.");
    sql.push("\n)\nselect row_to_json(changed)::text as item from changed");
    sql
}

/// Reads a row.
pub(crate) fn look(resource: &Resource, row: Row) -> Statement {
    read(resource, row, "")
}

/// Reads a row, and keeps others from changing it until the end of the transaction.
pub(crate) fn lock(resource: &Resource, row: Row) -> Statement {
    read(resource, row, "\nfor update")
}

fn read(resource: &Resource, row: Row, lock: &str) -> Statement {
    let mut sql = Statement::default();
    sql.push("select row_to_json(p)::text as item from (\nselect ").visible_of(resource, "t.");
    sql.push("\nfrom ").table(resource).push(" t\n").where_row(row).push(lock).push("\n) p");
    sql
}

/// Deletes a row, and gives it back as it was.
pub(crate) fn delete(resource: &Resource, row: Row, version: Option<i64>) -> Statement {
    let mut sql = Statement::default();
    sql.push("with gone as (\ndelete from ").table(resource).push(" t\n").where_row(row);
    if let Some(version) = version {
        sql.push(" and t.\"version\" = ").bind(Bound::Number(version));
    }
    sql.push("\nreturning ").visible_of(resource, "t.");
    sql.push("\n)\nselect row_to_json(gone)::text as item from gone");
    sql
}

impl Statement {
    fn table(&mut self, resource: &Resource) -> &mut Self {
        self.name(&resource.table.schema).push(".").name(&resource.table.name)
    }

    fn visible(&mut self, resource: &Resource) -> &mut Self {
        self.visible_of(resource, "")
    }

    fn visible_of(&mut self, resource: &Resource, prefix: &str) -> &mut Self {
        self.each(&resource.visible, ", ", |sql, column| {
            sql.push(prefix).name(&column.name);
        })
    }

    fn where_row(&mut self, row: Row) -> &mut Self {
        self.push("where t.\"organization_id\" = ").bind(Bound::Uuid(row.organization));
        self.push(" and t.\"id\" = ").bind(Bound::Uuid(row.id));
        if let Some((column, person)) = row.owner {
            self.push(" and t.").name(column).push(" = ").bind(Bound::Uuid(person));
        }
        self
    }

    /// A column of a new row: what was sent, else its default.
    fn incoming(&mut self, column: &Column, rows: &[Value]) -> &mut Self {
        let everywhere = rows.iter().all(|row| row.get(&column.name).is_some());
        match &column.default {
            Some(default) if !everywhere => {
                self.push("case when e.doc ? ").bind(Bound::Text(column.name.clone()));
                self.push(" then i.").name(&column.name);
                self.push(" else ").push(default).push(" end")
            }
            _ => self.push("i.").name(&column.name),
        }
    }
}
