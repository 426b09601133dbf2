//! The file of a data set that was deleted.

use ephor_kernel::{Code, DatasetId, Problem, Scope};
use ephor_store::StoreError;
use object_store::ObjectStoreExt as _;

use super::object_path;
use crate::Registry;

impl Registry {
    /// Deletes the object of a data set of the scope's organization whose row is gone. Of one that has a row, or has
    /// no object any more, nothing is done: so it may be asked for twice.
    ///
    /// # Errors
    /// `unavailable` when the object store does not answer; asking again is right.
    pub async fn dataset_object_delete(&self, scope: &Scope, id: DatasetId) -> Result<(), Problem> {
        let mut tx = self.store.begin_system(scope).await?;
        let there = sqlx::query_scalar!(
            r#"select exists (select from registry.datasets where organization_id = $1 and id = $2) as "there!""#,
            tx.organization().uuid(),
            id.uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        if there {
            tracing::warn!(dataset = %id, "the file of a data set that is there was not deleted");
            return Ok(());
        }
        match self.objects.delete(&object_path(scope.organization(), id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, dataset = %id, "the file of a deleted data set could not be deleted yet");
                Err(Problem::new(
                    Code::Unavailable,
                    "The object store does not answer at the moment",
                )
                .retry_after(5))
            }
        }
    }
}
