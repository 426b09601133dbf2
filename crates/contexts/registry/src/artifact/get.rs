//! Look at an artefact.

use chrono::{DateTime, Utc};
use ephor_kernel::{ModelArtifactId, ModelId, ModelVersionId, Problem, UserId};
use ephor_store::{OrgTx, StoreError};

/// The file of a model's version, as far as it is told.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Artifact {
    /// The artefact.
    pub id: ModelArtifactId,
    /// The model.
    pub model_id: ModelId,
    /// Its version.
    pub model_version_id: ModelVersionId,
    /// The name under which the file was sent.
    pub file_name: String,
    /// How it is written: `xgboost_json`, `xgboost_ubjson`, `lightgbm_text`, `sklearn_json` or `onnx`.
    pub format: String,
    /// Its size, in bytes.
    pub size_bytes: i64,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The names of the features: an array of texts, in the order of a row's values.
    pub features: serde_json::Value,
    /// How many numbers it predicts for a row.
    pub outputs: i32,
    /// How many trees it has.
    pub trees: i32,
    /// From sums to predictions.
    pub link: String,
    /// Do its trees say how many training rows went which way? None when that was not noted yet as it came.
    pub has_covers: Option<bool>,
    /// Who uploaded it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One artefact of the organization.
///
/// # Errors
/// `not_found`.
pub async fn artifact_get(tx: &mut OrgTx, id: ModelArtifactId) -> Result<Artifact, Problem> {
    let row = sqlx::query!(
        "select id, model_id, model_version_id, file_name, format, size_bytes, sha256, features, outputs, trees, link,
                has_covers, created_by, created_at
           from registry.model_artifacts where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("model artefact"))?;
    Ok(Artifact {
        id: row.id.into(),
        model_id: row.model_id.into(),
        model_version_id: row.model_version_id.into(),
        file_name: row.file_name,
        format: row.format,
        size_bytes: row.size_bytes,
        sha256: row.sha256,
        features: row.features,
        outputs: row.outputs,
        trees: row.trees,
        link: row.link,
        has_covers: row.has_covers,
        created_by: row.created_by.into(),
        created_at: row.created_at,
    })
}

/// The artefact of a version, if it has one, and its file's hash.
///
/// # Errors
/// When the database cannot be asked.
pub async fn artifact_of_version(
    tx: &mut OrgTx,
    version: ModelVersionId,
) -> Result<Option<(ModelArtifactId, String)>, Problem> {
    let row = sqlx::query!(
        "select id, sha256 from registry.model_artifacts where organization_id = $1 and model_version_id = $2",
        tx.organization().uuid(),
        version.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(row.map(|row| (row.id.into(), row.sha256)))
}
