//! Uploads whose server died: the row says that something was coming, and nothing is any more.

use std::time::Duration;

use ephor_kernel::{DatasetId, OrganizationId, Problem, Scope};
use ephor_store::StoreError;
use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::object_path;
use crate::Registry;

impl Registry {
    /// Takes back what dead uploads left in the scope's organization: rows and objects. Answers how
    /// many there were.
    ///
    /// # Errors
    /// When the database or the object store can't be asked.
    pub async fn datasets_sweep(
        &self,
        scope: &Scope,
        dead_after: Duration,
    ) -> Result<usize, Problem> {
        let mut tx = self.store.begin_system(scope).await?;
        let dead = sqlx::query_scalar!(
            "select id from registry.datasets
              where organization_id = $1 and status = 'uploading'
                and created_at < now() - make_interval(secs => $2)",
            tx.organization().uuid(),
            dead_after.as_secs_f64(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        for id in &dead {
            let path = object_path(scope.organization(), DatasetId::from(*id));
            match self.objects.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, dataset = %id, "a dead upload's object could not be deleted");
                    continue;
                }
            }
            let mut tx = self.store.begin_system(scope).await?;
            sqlx::query!(
                "delete from registry.datasets where organization_id = $1 and id = $2 and status = 'uploading'",
                tx.organization().uuid(),
                id,
            )
            .execute(tx.conn())
            .await
            .map_err(StoreError::from)?;
            tx.commit().await?;
        }
        Ok(dead.len())
    }

    /// The data sets that have an object, whether or not there is a row: for checks.
    ///
    /// # Errors
    /// When the object store can't be asked.
    pub async fn dataset_objects(
        &self,
        organization: OrganizationId,
    ) -> Result<Vec<String>, Problem> {
        let prefix =
            object_store::path::Path::from_iter(["datasets".to_owned(), organization.to_string()]);
        self.objects
            .list(Some(&prefix))
            .map_ok(|object| object.location.filename().unwrap_or_default().to_owned())
            .try_collect()
            .await
            .map_err(|error| {
                tracing::error!(%error, "the object store can't be listed");
                Problem::internal()
            })
    }
}
