//! Reads the catalog in one query.

use std::sync::Arc;

use serde::Deserialize;
use sqlx::PgConnection;

use super::{Bounds, Catalog, Column, Constraint, ConstraintKind, Kind, Table};

#[derive(Deserialize)]
struct TableRow {
    schema: String,
    name: String,
    comment: Option<String>,
    columns: Vec<ColumnRow>,
    constraints: Vec<ConstraintRow>,
}

#[derive(Deserialize)]
struct ColumnRow {
    name: String,
    type_name: String,
    element: Option<String>,
    sql_type: String,
    varchar_length: Option<u32>,
    nullable: bool,
    default: Option<String>,
    generated: bool,
    readable: bool,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct ConstraintRow {
    name: String,
    kind: String,
    columns: Vec<String>,
    definition: String,
    comment: Option<String>,
    references: Option<String>,
}

/// Reads only `pg_catalog`, which every role may read; whether a column is readable is asked for the
/// role `ephor_app`, whoever asks.
const QUERY: &str = r"
select coalesce(json_agg(json_build_object(
    'schema', n.nspname,
    'name', c.relname,
    'comment', obj_description(c.oid, 'pg_class'),
    'columns', (
        select json_agg(json_build_object(
            'name', a.attname,
            'type_name', t.typname,
            'element', e.typname,
            'sql_type', format_type(a.atttypid, a.atttypmod),
            'varchar_length', case when t.typname in ('varchar', 'bpchar') and a.atttypmod > 4
                then a.atttypmod - 4 end,
            'nullable', not a.attnotnull,
            'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
            'generated', a.attgenerated <> '' or a.attidentity = 'a',
            'readable', coalesce(has_column_privilege(app.oid, c.oid, a.attnum, 'select'), true),
            'comment', col_description(c.oid, a.attnum)
        ) order by a.attnum)
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid = a.atttypid
        left join pg_catalog.pg_type e on e.oid = t.typelem and t.typcategory = 'A'
        left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ),
    'constraints', (
        select coalesce(json_agg(json_build_object(
            'name', k.name, 'kind', k.kind, 'definition', k.definition, 'comment', k.comment,
            'references', k.target,
            'columns', array(
                select a.attname from unnest(k.keys) with ordinality as key (number, place)
                join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = key.number
                order by key.place
            )
        ) order by k.name), '[]')
        from (
            select conname as name, contype::text as kind, conkey as keys,
                pg_get_constraintdef(oid) as definition, obj_description(oid, 'pg_constraint') as comment,
                (select f.relnamespace::regnamespace::text || '.' || f.relname
                    from pg_catalog.pg_class f where f.oid = confrelid) as target
            from pg_catalog.pg_constraint
            where conrelid = c.oid and contype in ('p', 'u', 'c', 'f')
            union all
            select i.relname, 'u', x.indkey::int2[], pg_get_indexdef(i.oid),
                obj_description(i.oid, 'pg_class'), null
            from pg_catalog.pg_index x
            join pg_catalog.pg_class i on i.oid = x.indexrelid
            where x.indrelid = c.oid and x.indisunique
                and not exists (select from pg_catalog.pg_constraint u where u.conindid = i.oid)
        ) k
    )
)), '[]')::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_roles app on app.rolname = 'ephor_app'
where c.relkind in ('r', 'p', 'v') and not c.relispartition
    and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
";

impl Catalog {
    /// Reads the catalog of the database that `conn` is connected to, whatever its role.
    pub async fn read(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let text: String = sqlx::query_scalar(QUERY).fetch_one(conn).await?;
        let rows: Vec<TableRow> =
            serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Self::of(rows.into_iter().map(table)))
    }
}

fn table(row: TableRow) -> Table {
    let TableRow { schema, name, comment, columns, constraints } = row;
    let columns = columns.into_iter().map(|column| column_of(column, &constraints)).collect();
    let constraints = constraints.into_iter().filter_map(constraint_of).collect();
    Table { schema, name, comment, columns, constraints }
}

fn column_of(row: ColumnRow, constraints: &[ConstraintRow]) -> Arc<Column> {
    let ColumnRow {
        name,
        type_name,
        element,
        sql_type,
        varchar_length,
        nullable,
        default,
        generated,
        readable,
        comment,
    } = row;
    let mut bounds = Bounds { max_length: varchar_length, ..Bounds::default() };
    for constraint in constraints.iter().filter(|constraint| constraint.kind == "c") {
        bounds.read(&constraint.definition, &name);
    }
    let kind = Kind::of(&type_name, element.as_deref());
    Arc::new(Column {
        name,
        kind,
        sql_type,
        nullable,
        default,
        generated,
        readable,
        comment,
        bounds,
    })
}

fn constraint_of(row: ConstraintRow) -> Option<Constraint> {
    let ConstraintRow { name, kind, columns, definition: _, comment, references } = row;
    let kind = match (kind.as_str(), references) {
        ("p", _) => ConstraintKind::PrimaryKey,
        ("u", _) => ConstraintKind::Unique,
        ("c", _) => ConstraintKind::Check,
        ("f", Some(table)) => ConstraintKind::ForeignKey(table),
        _ => return None,
    };
    Some(Constraint { name, kind, columns, comment })
}
