//! What holds for every input, whoever wrote it. The fuzz targets and the tests of ephor-rest share this file.

use std::sync::{Arc, LazyLock};

use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, UserId};
use ephor_rest::{
    Binding, Bounds, Catalog, Column, Cursors, Engine, Kind, ListRequest, MAX_JSON_DEPTH, MAX_ROWS,
    PAGE_ROWS, ResourceSpec, Table,
    filter::{Filter, Operand, Operator, parameter},
    list_statement, parse_json, plan,
};
use uuid::Uuid;

/// A parameter as `name=value`, or without `=` the value of `or`: reading never panics, what is printed reads
/// back as itself, and the planned SQL is the same whatever the values are.
pub fn filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (name, value) = text.split_once('=').unwrap_or(("or", text));
    let Ok(filter) = parameter(name, value) else { return };
    assert_eq!(read(&filter), filter, "{name}={value} does not read back");
    let (name, value) = written(&filter);
    if let Some(sql) = planned(&name, &value) {
        let (name, value) = written(&with_other_values(&filter));
        assert_eq!(planned(&name, &value), Some(sql), "the values are in the SQL: {text}");
    }
}

/// What is no cursor of ours is not opened; what is one opens to what was sealed, and nowhere else.
pub fn cursor(input: &[u8]) {
    static CURSORS: Cursors = Cursors::new([7; 32]);
    let here = Binding { resource: "things", order: "name,id", organizations: &[] };
    let text = String::from_utf8_lossy(input);
    if let Some(keys) = CURSORS.open(here, &text) {
        assert_eq!(CURSORS.seal(here, &keys), text, "two cursors for one place");
    }
    let keys = vec![Some(text.chars().take(500).collect()), None];
    let sealed = CURSORS.seal(here, &keys);
    assert_eq!(CURSORS.open(here, &sealed), Some(keys));
    assert_eq!(CURSORS.open(Binding { order: "name", ..here }, &sealed), None);
    assert_eq!(Cursors::new([8; 32]).open(here, &sealed), None);
    let mut altered = sealed.into_bytes();
    let place = input.len() % altered.len();
    altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
    assert_eq!(CURSORS.open(here, &String::from_utf8_lossy(&altered)), None);
}

/// A body: reading never panics, is bounded in depth, and what was read is written and read as the same.
pub fn json(input: &[u8]) {
    let Ok(value) = parse_json(input) else { return };
    let again = parse_json(value.to_string().as_bytes()).expect("what was written reads");
    assert_eq!(again, value);
    let deep = format!("{}{}", "[".repeat(MAX_JSON_DEPTH), "]".repeat(MAX_JSON_DEPTH));
    assert!(parse_json(format!("[{deep}]").as_bytes()).is_err());
}

fn read(filter: &Filter) -> Filter {
    let (name, value) = written(filter);
    let read = parameter(&name, &value).expect("what is printed is a filter");
    match (filter, read) {
        (Filter::Test { .. }, Filter::Group { mut members, .. }) => members.remove(0),
        (_, read) => read,
    }
}

/// The parameter that says it.
fn written(filter: &Filter) -> (String, String) {
    let text = filter.to_string();
    match filter {
        Filter::Test { .. } => ("and".to_owned(), format!("({text})")),
        Filter::Group { .. } => {
            let (name, rest) = text.split_once('(').expect("a group has members");
            (name.to_owned(), format!("({rest}"))
        }
    }
}

/// The same question about other values. `is` has words, not values.
fn with_other_values(filter: &Filter) -> Filter {
    match filter.clone() {
        Filter::Group { negated, any, members } => {
            Filter::Group { negated, any, members: members.iter().map(with_other_values).collect() }
        }
        Filter::Test { negated, mut field, operator, operand } => {
            for key in &mut field.path {
                "other".clone_into(key);
            }
            let kind = KINDS.iter().find(|(name, _)| *name == field.column).map(|(_, kind)| kind);
            let other = match kind {
                Some(Kind::Json) if field.text => "other",
                Some(Kind::Uuid) => "00000000-0000-0000-0000-000000000017",
                Some(Kind::Bool) => "true",
                Some(Kind::Json | Kind::Integer(_) | Kind::Float | Kind::Decimal) => "17",
                Some(Kind::Timestamp | Kind::Date) => "2017-01-17",
                Some(Kind::Address) => "192.0.2.17",
                _ => "other",
            };
            let operand = match operand {
                Operand::One(value) if operator == Operator::Is => Operand::One(value),
                Operand::One(_) => Operand::One(other.to_owned()),
                Operand::Many(values) => {
                    Operand::Many(values.iter().map(|_| other.to_owned()).collect())
                }
            };
            Filter::Test { negated, field, operator, operand }
        }
    }
}

static KINDS: LazyLock<Vec<(&str, Kind)>> = LazyLock::new(|| {
    vec![
        ("organization_id", Kind::Uuid),
        ("id", Kind::Uuid),
        ("name", Kind::Text),
        ("count", Kind::Integer(32)),
        ("score", Kind::Float),
        ("price", Kind::Decimal),
        ("open", Kind::Bool),
        ("made_at", Kind::Timestamp),
        ("due_on", Kind::Date),
        ("address", Kind::Address),
        ("tags", Kind::Array(Box::new(Kind::Text))),
        ("metadata", Kind::Json),
    ]
});

/// The SQL, when it can be planned. Parameters that are no filters are another law's.
fn planned(name: &str, value: &str) -> Option<String> {
    static ENGINE: LazyLock<(Engine, Scope)> = LazyLock::new(|| {
        let columns = KINDS.iter().map(|(name, kind)| Arc::new(column(name, kind.clone())));
        let table = Table {
            schema: "shelf".into(),
            name: "things".into(),
            comment: None,
            columns: columns.collect(),
            constraints: Vec::new(),
        };
        let things = ResourceSpec::new("things", "shelf.things").sort("name");
        let engine =
            Engine::new(&Catalog::of([table]), [things], [7; 32]).expect("a fair resource");
        let scope = Scope::new(
            Principal::User(UserId::from(Uuid::from_u128(5))),
            OrganizationId::from(Uuid::from_u128(10)),
            PermissionSet::all(),
            RequestContext::default(),
        );
        (engine, scope)
    });
    const NO_FILTERS: [&str; 8] =
        ["q", "sort", "fields", "include", "limit", "cursor", "count", "organizations"];
    if NO_FILTERS.contains(&name) {
        return None;
    }
    let (engine, scope) = &*ENGINE;
    let things = engine.resource("things")?;
    let request = ListRequest::new().with(name, value);
    let plan = plan(things, &request, scope, &Cursors::new([7; 32]), (PAGE_ROWS, MAX_ROWS)).ok()?;
    Some(list_statement(things, &plan).sql)
}

fn column(name: &str, kind: Kind) -> Column {
    let sql_type = match &kind {
        Kind::Uuid => "uuid",
        Kind::Bool => "boolean",
        Kind::Integer(_) => "integer",
        Kind::Float => "double precision",
        Kind::Decimal => "numeric(20,10)",
        Kind::Timestamp => "timestamp with time zone",
        Kind::Date => "date",
        Kind::Address => "inet",
        Kind::Array(_) => "text[]",
        Kind::Json => "jsonb",
        Kind::Text | Kind::Other => "text",
    };
    Column {
        name: name.into(),
        kind,
        sql_type: sql_type.into(),
        nullable: true,
        default: None,
        generated: false,
        readable: true,
        comment: None,
        bounds: Bounds::default(),
    }
}
