//! Two tables and their resources, for the tests of what needs no database.

use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, UserId};
use uuid::Uuid;

use crate::{
    Actions, Bounds, Catalog, Column, Constraint, ConstraintKind, Engine, Include, Kind,
    ResourceSpec, Table,
};

pub(crate) const MODELS: ResourceSpec = ResourceSpec::new("models", "registry.models")
    .labels("model", "models")
    .actions(Actions::ALL)
    .create(&["name", "kind", "score", "metadata", "tags", "owner_id"])
    .update(&["name", "score", "metadata"])
    .hidden(&["secret"])
    .search(&["name", "description"])
    .include(&[
        Include::many("versions", "versions", "model_id"),
        Include::one("owner", "people", "owner_id"),
    ])
    .reach();

pub(crate) const VERSIONS: ResourceSpec = ResourceSpec::new("versions", "registry.versions")
    .labels("version", "versions")
    .actions(Actions::READ.and_create(false))
    .create(&["model_id", "number"])
    .sort("-number")
    .parent("models", "model_id", "versions");

pub(crate) const PEOPLE: ResourceSpec = ResourceSpec::new("people", "identity.people")
    .labels("person", "people")
    .sort("id")
    .personal_unless("user_id", "manage");

fn column(name: &str, sql_type: &str) -> Column {
    let (element, array) = match sql_type.strip_suffix("[]") {
        Some(element) => (Some(element), true),
        None => (None, false),
    };
    let short = match sql_type {
        "boolean" => "bool",
        "integer" => "int4",
        "double precision" => "float8",
        "timestamp with time zone" => "timestamptz",
        "numeric(5,2)" => "numeric",
        other => other,
    };
    Column {
        name: name.into(),
        kind: Kind::of(if array { "_" } else { short }, element),
        sql_type: sql_type.into(),
        nullable: false,
        default: None,
        generated: false,
        readable: true,
        comment: Some(format!("The {name}.")),
        bounds: Bounds::default(),
    }
}

fn table(schema: &str, name: &str, columns: Vec<Column>, constraints: Vec<Constraint>) -> Table {
    let mut all = vec![
        column("organization_id", "uuid"),
        Column { default: Some("kernel.uuidv7()".into()), ..column("id", "uuid") },
    ];
    all.extend(columns);
    Table {
        schema: schema.into(),
        name: name.into(),
        comment: Some(format!("All {name}.")),
        columns: all.into_iter().map(Into::into).collect(),
        constraints,
    }
}

fn reference(name: &str, column: &str, table: &str) -> Constraint {
    Constraint {
        name: name.into(),
        kind: ConstraintKind::ForeignKey(table.into()),
        columns: vec!["organization_id".into(), column.into()],
        comment: None,
    }
}

pub(crate) fn catalog() -> Catalog {
    let vocabulary = vec!["classification".into(), "regression".into()];
    let now =
        |name| Column { default: Some("now()".into()), ..column(name, "timestamp with time zone") };
    let models = table(
        "registry",
        "models",
        vec![
            Column {
                bounds: Bounds { min_length: Some(1), max_length: Some(20), ..Bounds::default() },
                ..column("name", "text")
            },
            Column { nullable: true, ..column("description", "text") },
            Column { bounds: Bounds { vocabulary, ..Bounds::default() }, ..column("kind", "text") },
            Column {
                nullable: true,
                bounds: Bounds { minimum: Some(0.0), maximum: Some(100.0), ..Bounds::default() },
                ..column("score", "numeric(5,2)")
            },
            Column { default: Some("true".into()), ..column("active", "boolean") },
            Column {
                default: Some("'{}'::jsonb".into()),
                bounds: Bounds { json_types: vec!["object".into()], ..Bounds::default() },
                ..column("metadata", "jsonb")
            },
            Column { default: Some("'{}'::text[]".into()), ..column("tags", "text[]") },
            Column { nullable: true, ..column("owner_id", "uuid") },
            Column { nullable: true, ..column("secret", "text") },
            column("created_by", "uuid"),
            now("created_at"),
            Column { default: Some("1".into()), ..column("version", "integer") },
        ],
        vec![reference("models_owner_fkey", "owner_id", "identity.people")],
    );
    let versions = table(
        "registry",
        "versions",
        vec![column("model_id", "uuid"), column("number", "integer")],
        vec![reference("versions_model_fkey", "model_id", "registry.models")],
    );
    let people = table("identity", "people", vec![column("user_id", "uuid")], Vec::new());
    Catalog::of([models, versions, people])
}

pub(crate) fn engine() -> Engine {
    Engine::new(&catalog(), [MODELS, VERSIONS, PEOPLE], [7; 32]).expect("specifications that fit")
}

pub(crate) const HERE: Uuid = Uuid::from_u128(0xa);
pub(crate) const THERE: Uuid = Uuid::from_u128(0xb);
pub(crate) const SOMEBODY: Uuid = Uuid::from_u128(0x5);

/// Somebody who may do what `permissions` say, in an organization that reads one subsidiary.
pub(crate) fn scope(permissions: &[&str]) -> Scope {
    Scope::new(
        Principal::User(UserId::from(SOMEBODY)),
        OrganizationId::from(HERE),
        PermissionSet::parse(permissions.iter().copied()).expect("permissions"),
        RequestContext::default(),
    )
    .reading([OrganizationId::from(THERE)])
}
