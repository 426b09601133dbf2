//! Built-in data: copied into each organization, following new versions as long as nobody changed it.
//!
//! Contexts hold the entries ([`BuiltinTable`]); the database compares and copies
//! (`ops.builtins_follow()`), under the organization's own row-level security and audit.

mod offer;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

pub use offer::{
    Difference, Offer, builtin_offer, builtin_offer_accept, builtin_offer_decline,
    builtin_offers_open,
};

use crate::{OrgTx, StoreError, jobs::NewJob};

/// The kind of the jobs that bring an organization's copies up to date.
pub const FOLLOW: &str = "builtins.follow";

/// The built-in entries of one table.
#[derive(Debug, Clone)]
pub struct BuiltinTable {
    /// The table, such as `deliberation.personas`.
    pub entity: &'static str,
    /// Columns that refer to other built-in entries, and the tables of these.
    pub references: &'static [(&'static str, &'static str)],
    /// What a new copy begins with beyond its entry: the organization's to change, so that no
    /// version follows it.
    pub initial: Value,
    /// The entries, all with the same columns.
    pub entries: Vec<BuiltinEntry>,
}

/// A built-in entry of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BuiltinEntry {
    /// Its code, once in its table.
    pub code: String,
    /// Counts its wordings, from 1.
    pub version: i32,
    /// Its columns.
    pub values: Value,
    /// To which entries its references point, by their codes.
    pub references: Map<String, Value>,
}

impl BuiltinEntry {
    /// An entry whose columns are the fields of `values`.
    ///
    /// # Errors
    /// When `values` cannot be written as JSON.
    pub fn new(
        code: impl Into<String>,
        version: i32,
        values: &impl Serialize,
    ) -> Result<Self, BuiltinError> {
        let values =
            serde_json::to_value(values).map_err(|error| BuiltinError::new("entry", error))?;
        Ok(Self { code: code.into(), version, values, references: Map::new() })
    }

    /// The entry with a reference to another one, or to none.
    #[must_use]
    pub fn referring(mut self, column: &str, code: Option<&str>) -> Self {
        self.references.insert(column.to_owned(), code.map_or(Value::Null, Value::from));
        self
    }
}

/// A built-in file is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the built-in {name} cannot be read")]
pub struct BuiltinError {
    name: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl BuiltinError {
    /// What is wrong with the file of that name.
    pub fn new(
        name: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { name, source: source.into() }
    }
}

/// Reads a built-in file: TOML.
///
/// # Errors
/// [`BuiltinError`] when it is not of that form.
pub fn builtin_file<T: DeserializeOwned>(
    name: &'static str,
    text: &str,
) -> Result<T, BuiltinError> {
    toml::from_str(text).map_err(|error| BuiltinError::new(name, error))
}

/// What came of following.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Followed {
    /// Entries that were copied for the first time.
    pub created: i64,
    /// Copies that were brought to a newer version.
    pub followed: i64,
    /// Copies that were changed here, and are kept as they are.
    pub kept: i64,
}

/// Brings the copies of one table in the transaction's organization up to date. What its entries refer
/// to must have been followed before. Needs a transaction of [`Store::begin_system`](crate::Store::begin_system).
///
/// # Errors
/// Those of the database.
pub async fn builtins_follow(tx: &mut OrgTx, table: &BuiltinTable) -> Result<Followed, StoreError> {
    let BuiltinTable { entity, references, initial, entries } = table;
    let targets: Map<String, Value> =
        references.iter().map(|(column, target)| ((*column).to_owned(), json!(target))).collect();
    let row = sqlx::query!(
        r#"select created as "created!", followed as "followed!", kept as "kept!"
           from ops.builtins_follow($1, $2, $3, $4)"#,
        *entity,
        Value::Object(targets),
        initial,
        serde_json::to_value(entries)?,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Followed { created: row.created, followed: row.followed, kept: row.kept })
}

/// Notes which edition of the built-in data the transaction's organization has followed.
///
/// # Errors
/// Those of the database.
pub async fn builtin_edition_note(tx: &mut OrgTx, digest: &str) -> Result<(), StoreError> {
    let organization = tx.organization().uuid();
    sqlx::query!(
        "insert into ops.builtin_editions as e (organization_id, digest) values ($1, $2)
         on conflict (organization_id) do update set digest = excluded.digest, followed_at = now()
         where e.digest <> excluded.digest",
        organization,
        digest,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Asks for the built-in data of the transaction's organization.
///
/// # Errors
/// Those of the database.
pub async fn builtins_request(tx: &mut OrgTx) -> Result<(), StoreError> {
    tx.enqueue(NewJob { kind: FOLLOW, payload: json!({}), subject: None }).await?;
    Ok(())
}
