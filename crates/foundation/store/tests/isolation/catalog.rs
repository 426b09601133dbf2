//! What the catalog says of the tenants' tables.

use sqlx::PgPool;

/// A tenant's table: it has an `organization_id`.
#[derive(Debug, Clone)]
pub struct Table {
    /// With its schema, quoted as far as needed.
    pub name: String,
    pub columns: Vec<Column>,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Column {
    pub name: String,
    /// As `format_type` writes it.
    pub kind: String,
    pub not_null: bool,
    pub has_default: bool,
    /// `generated always as`: it cannot be written.
    pub generated: bool,
    /// The first word that a check constraint of this column alone allows.
    pub first_word: Option<String>,
}

/// Every tenant's table. Partitions are reached through their parents, and are not granted at all,
/// which the schema test checks.
pub async fn tenant_tables(admin: &PgPool) -> Vec<Table> {
    let names: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p') and not c.relispartition
            and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'graphile_worker')
            and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id'
                                                     and not a.attisdropped)
          order by 1",
    )
    .fetch_all(admin)
    .await
    .unwrap();
    assert!(names.len() > 10, "the catalog names only {names:?}");
    let mut tables = Vec::new();
    for name in names {
        let columns = sqlx::query_as(
            r"select a.attname::text as name, format_type(a.atttypid, a.atttypmod) as kind,
                      a.attnotnull as not_null, a.atthasdef as has_default, a.attgenerated <> '' as generated,
                      (select substring(pg_get_constraintdef(c.oid) from '= ANY \(\(?ARRAY\[''([^'']*)''')
                         from pg_constraint c
                        where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]
                          and pg_get_constraintdef(c.oid) ~ '= ANY \(\(?ARRAY\['
                        order by c.conname limit 1) as first_word
                 from pg_attribute a
                where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
                order by a.attnum",
        )
        .bind(&name)
        .fetch_all(admin)
        .await
        .unwrap();
        tables.push(Table { name, columns });
    }
    tables
}
