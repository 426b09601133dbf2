//! What PostgreSQL knows about the tables: types, defaults, vocabularies, descriptions.
//!
//! It is read once, at the start. A specification says only what the database can't.

mod check;
mod kind;
mod label;
mod read;

use std::{collections::BTreeMap, sync::Arc};

pub use check::Bounds;
pub use kind::Kind;
pub(crate) use kind::whole;
pub use label::label;
use serde_json::Value;

/// All tables, by qualified name (`registry.models`).
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    tables: BTreeMap<String, Arc<Table>>,
}

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name within the schema.
    pub name: String,
    /// What it holds, in the words of its comment.
    pub comment: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<Arc<Column>>,
    /// Its constraints and unique indexes.
    pub constraints: Vec<Constraint>,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Its type as PostgreSQL writes it: what values are cast to.
    pub sql_type: String,
    /// May it be null?
    pub nullable: bool,
    /// The expression of its default.
    pub default: Option<String>,
    /// Does PostgreSQL alone compute it?
    pub generated: bool,
    /// May the application's role read it at all?
    pub readable: bool,
    /// What it means, in the words of its comment.
    pub comment: Option<String>,
    /// What check constraints say of it.
    pub bounds: Bounds,
}

/// One constraint, or a unique index.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// What it constrains.
    pub kind: ConstraintKind,
    /// The columns that it is about, in its order.
    pub columns: Vec<String>,
    /// What it demands, in the words of its comment.
    pub comment: Option<String>,
}

/// The kinds of constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// The primary key.
    PrimaryKey,
    /// A unique constraint or index.
    Unique,
    /// A check.
    Check,
    /// A reference to another table, given by its qualified name.
    ForeignKey(String),
}

impl Catalog {
    /// A catalog of the given tables.
    pub fn of(tables: impl IntoIterator<Item = Table>) -> Self {
        let tables = tables.into_iter().map(|table| (table.qualified(), Arc::new(table)));
        Self { tables: tables.collect() }
    }

    /// The table with this qualified name.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(name)
    }

    /// All tables, in order of their qualified names.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }
}

impl Table {
    /// `schema.name`.
    pub fn qualified(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Arc<Column>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The constraint with this name.
    pub fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// The table that a column refers to, beside the organization.
    pub fn referenced_by(&self, column: &str) -> Option<&str> {
        self.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(table)
                if constraint.columns.iter().any(|name| name == column)
                    && column != "organization_id" =>
            {
                Some(table.as_str())
            }
            _ => None,
        })
    }
}

impl Column {
    /// The default, when it is a plain value: what a form starts with.
    pub fn default_value(&self) -> Option<Value> {
        let expression = self.default.as_deref()?;
        if let Ok(plain @ (Value::Bool(_) | Value::Number(_))) = serde_json::from_str(expression) {
            return Some(plain);
        }
        let literal = expression.starts_with('\'').then(|| check::strings(expression))?.pop()?;
        match &self.kind {
            Kind::Text => Some(Value::String(literal)),
            Kind::Array(_) if literal == "{}" => Some(Value::Array(Vec::new())),
            Kind::Json | Kind::Integer(_) | Kind::Float | Kind::Decimal => {
                serde_json::from_str(&literal).ok()
            }
            _ => None,
        }
    }

    /// What an exact number stays below, on both sides of zero: `numeric(5,2)` holds less than 1000.
    pub fn room(&self) -> Option<f64> {
        let digits = self.sql_type.strip_prefix("numeric(")?.strip_suffix(')')?;
        let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
        let whole: i32 = precision.parse::<i32>().ok()? - scale.parse::<i32>().ok()?;
        Some(10_f64.powi(whole))
    }

    /// A name for people: `training_rows` is "Training rows", `model_id` is "Model".
    pub fn label(&self) -> String {
        label(self.name.strip_suffix("_id").unwrap_or(&self.name))
    }
}
