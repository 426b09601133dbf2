//! Open an artefact as the model that it is.

use std::sync::Arc;

use bytes::Bytes;
use ephor_explain::{Format, Malformed, Model};
use ephor_kernel::{Code, ModelArtifactId, OrganizationId, Problem, Scope};
use ephor_store::StoreError;
use object_store::{GetResult, ObjectStoreExt as _};
use sha2::{Digest as _, Sha256};

use super::artifact_path;
use crate::Registry;

impl Registry {
    /// Opens an artefact. The row is looked at first, in the scope's organization: an object is never reached by its path
    /// alone, and one that is not what was stored is not read.
    ///
    /// # Errors
    /// `not_found`; `unavailable` when the object store does not answer, or answers something else than what was stored.
    pub async fn artifact_open(
        &self,
        scope: &Scope,
        id: ModelArtifactId,
    ) -> Result<(Format, Arc<Model>), Problem> {
        let mut tx = self.store.begin(scope).await?;
        let sha256 = sqlx::query_scalar!(
            "select sha256 from registry.model_artifacts where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            id.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from)?
        .ok_or_else(|| Problem::not_found("model artefact"))?;
        tx.commit().await?;
        let (hash, read) = self.artifact_read(scope.organization(), id).await?;
        match read {
            Ok((format, model)) if hash == sha256 => Ok((format, Arc::new(model))),
            _ => {
                tracing::error!(artifact = %id, "a stored artefact is not what was stored");
                Err(Problem::new(
                    Code::Unavailable,
                    "The stored artefact is not what was stored; the reason is in the log",
                ))
            }
        }
    }

    /// Reads what lies in the object store, with its hash; few at a time, for each is held in memory.
    pub(super) async fn artifact_read(
        &self,
        organization: OrganizationId,
        id: ModelArtifactId,
    ) -> Result<(String, Result<(Format, Model), Malformed>), Problem> {
        let permit =
            Arc::clone(&self.readers).acquire_owned().await.map_err(|_| Problem::internal())?;
        let content: Bytes = self
            .artifact_object(organization, id)
            .await?
            .bytes()
            .await
            .map_err(|error| unread(&error, id))?;
        let read = tokio::task::spawn_blocking(move || {
            let read = (hex::encode(Sha256::digest(&content)), ephor_explain::read(&content));
            // A caller who has gone away does not stop the work: its permit ends with it.
            drop(permit);
            read
        })
        .await;
        read.map_err(|error| {
            tracing::error!(%error, artifact = %id, "an artefact could not be read");
            Problem::internal()
        })
    }

    /// The file as it lies in the object store. The caller has looked at the row.
    pub(crate) async fn artifact_object(
        &self,
        organization: OrganizationId,
        id: ModelArtifactId,
    ) -> Result<GetResult, Problem> {
        let path = artifact_path(organization, id);
        self.objects.get(&path).await.map_err(|error| unread(&error, id))
    }
}

/// A stored file was whole when it was stored: what is wrong with it now is no fault of the caller's.
fn unread(error: &object_store::Error, id: ModelArtifactId) -> Problem {
    tracing::error!(%error, artifact = %id, "a stored artefact could not be read");
    Problem::new(Code::Unavailable, "The stored artefact could not be read at the moment")
        .retry_after(5)
}
