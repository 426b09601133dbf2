//! Look at a data set.

use chrono::{DateTime, Utc};
use ephor_kernel::{DatasetId, Problem, UserId};
use ephor_store::{OrgTx, StoreError};
use ephor_tabular::Profile;

/// A data set with its profile.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Dataset {
    /// The data set.
    pub id: DatasetId,
    /// A name for people.
    pub name: String,
    /// What is in it.
    pub description: String,
    /// uploading, ready or archived.
    pub status: String,
    /// The format that it came in.
    pub source_format: String,
    /// The file's name.
    pub source_name: String,
    /// Its columns.
    pub schema: serde_json::Value,
    /// What its columns hold; `None` while it is coming in.
    pub profile: Option<Profile>,
    /// How many rows it has.
    pub row_count: Option<i64>,
    /// Its size in the object store, in bytes.
    pub size_bytes: Option<i64>,
    /// SHA-256 of the stored file.
    pub sha256: Option<String>,
    /// What else is kept with it.
    pub metadata: serde_json::Value,
    /// Who uploaded it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One data set of the organization.
///
/// # Errors
/// `not_found`.
pub async fn dataset_get(tx: &mut OrgTx, id: DatasetId) -> Result<Dataset, Problem> {
    let row = sqlx::query!(
        "select id, name, description, status, source_format, source_name, schema, statistics, row_count,
                size_bytes, sha256, metadata, created_by, created_at
           from registry.datasets where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("data set"))?;
    let profile = match row.status.as_str() {
        "uploading" => None,
        _ => Some(serde_json::from_value(row.statistics).map_err(|error| {
            tracing::error!(%error, dataset = %id, "a stored profile could not be read");
            Problem::internal()
        })?),
    };
    Ok(Dataset {
        id: row.id.into(),
        name: row.name,
        description: row.description,
        status: row.status,
        source_format: row.source_format,
        source_name: row.source_name,
        schema: row.schema,
        profile,
        row_count: row.row_count,
        size_bytes: row.size_bytes,
        sha256: row.sha256,
        metadata: row.metadata,
        created_by: row.created_by.into(),
        created_at: row.created_at,
    })
}
