//! What is offered beside a changed copy: a newer version, to be accepted or declined.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{OrgTx, StoreError};

/// A newer version of a built-in entry that waits beside a copy that was changed here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offer {
    /// The version that the copy was made from.
    pub held_version: i32,
    /// The version that is offered.
    pub offered_version: i32,
    /// `open`, or `declined`: silent, and still to be had until the next version.
    pub status: String,
    /// What would change, by field.
    pub differences: Vec<Difference>,
}

/// A field that would change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its column.
    pub field: String,
    /// What it held when it was copied.
    pub copied: Value,
    /// What it holds now.
    pub here: Value,
    /// What it would hold.
    pub offered: Value,
}

impl Offer {
    /// May it be declined?
    pub fn is_open(&self) -> bool {
        self.status == "open"
    }
}

/// The offer beside a row of `entity` (such as `compliance.controls`), if there is one.
///
/// # Errors
/// Those of the database.
pub async fn builtin_offer(
    tx: &mut OrgTx,
    entity: &str,
    row: Uuid,
) -> Result<Option<Offer>, StoreError> {
    let found = sqlx::query!(
        "select held_version, offered_version, status, copied, here, offered
         from ops.builtin_offer($1, $2)",
        entity,
        row,
    )
    .fetch_one(tx.conn())
    .await?;
    let (Some(held_version), Some(offered_version), Some(status), Some(offered)) =
        (found.held_version, found.offered_version, found.status, found.offered)
    else {
        return Ok(None);
    };
    let part = |value: Option<Value>| match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let differences = differences(&part(found.copied), &part(found.here), part(Some(offered)));
    Ok(Some(Offer { held_version, offered_version, status, differences }))
}

fn differences(
    copied: &Map<String, Value>,
    here: &Map<String, Value>,
    offered: Map<String, Value>,
) -> Vec<Difference> {
    let of =
        |fields: &Map<String, Value>, name: &str| fields.get(name).cloned().unwrap_or_default();
    offered
        .into_iter()
        .map(|(field, offered)| Difference {
            copied: of(copied, &field),
            here: of(here, &field),
            offered,
            field,
        })
        .filter(|difference| difference.here != difference.offered)
        .collect()
}

/// Gives the row the version that is offered; it follows new versions again. False when that
/// version is not offered. Needs a transaction of [`Store::begin_system`](crate::Store::begin_system).
///
/// # Errors
/// Those of the database: a constraint of the row's table, too.
pub async fn builtin_offer_accept(
    tx: &mut OrgTx,
    entity: &str,
    row: Uuid,
    version: i32,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select ops.builtin_offer_accept($1, $2, $3) as "accepted!""#,
        entity,
        row,
        version,
    )
    .fetch_one(tx.conn())
    .await
}

/// Silences the version that is offered; the next one is offered again. False when that version
/// is not offered, or was declined before. Needs a transaction of
/// [`Store::begin_system`](crate::Store::begin_system).
///
/// # Errors
/// Those of the database.
pub async fn builtin_offer_decline(
    tx: &mut OrgTx,
    entity: &str,
    row: Uuid,
    version: i32,
) -> Result<bool, StoreError> {
    let declined = sqlx::query_scalar!(
        r#"select ops.builtin_offer_decline($1, $2, $3) as "declined!""#,
        entity,
        row,
        version,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(declined)
}

/// The rows of `entity` beside which a version waits for an answer, and which version.
///
/// # Errors
/// Those of the database.
pub async fn builtin_offers_open(
    tx: &mut OrgTx,
    entity: &str,
) -> Result<HashMap<Uuid, i32>, StoreError> {
    let organization = tx.organization().uuid();
    let rows = sqlx::query!(
        r#"select row_id as "row_id!", offered_version as "offered_version!" from ops.builtin_copies
           where organization_id = $1 and entity = $2 and offer_status = 'open' and row_id is not null"#,
        organization,
        entity,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.row_id, row.offered_version)).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_the_same_here_and_there_is_no_difference() {
        let fields = |value: Value| match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let found = differences(
            &fields(json!({"title": "one", "text": "a"})),
            &fields(json!({"title": "ours", "text": "b", "position": 3})),
            fields(json!({"title": "two", "text": "b", "position": null})),
        );
        let expected = [
            ("position", json!(null), json!(3), json!(null)),
            ("title", json!("one"), json!("ours"), json!("two")),
        ]
        .map(|(field, copied, here, offered)| Difference {
            field: field.into(),
            copied,
            here,
            offered,
        });
        assert_eq!(found, expected);
    }
}
