//! Open a data set as a table.

use std::sync::Arc;

use ephor_kernel::{Code, DatasetId, Problem, Scope};
use ephor_store::StoreError;
use ephor_tabular::{Format, OpenOptions, Source, Table, TabularError};

use super::object_path;
use crate::Registry;

impl Registry {
    /// Opens a data set that is there. The row is looked at first, in the scope's organization: an
    /// object is never reached by its path alone.
    ///
    /// # Errors
    /// `not_found`; `invalid_transition` while it is still coming in.
    pub async fn dataset_open(&self, scope: &Scope, id: DatasetId) -> Result<Table, Problem> {
        self.dataset_ready(scope, id).await?;
        let source = Source::Object {
            store: Arc::clone(&self.objects),
            path: object_path(scope.organization(), id),
        };
        let options = OpenOptions {
            format: Some(Format::Parquet),
            memory_bytes: self.memory_bytes,
            ..OpenOptions::default()
        };
        ephor_tabular::open(source, options).await.map_err(|error| stored(&error))
    }

    /// Is it there, and ready?
    pub(crate) async fn dataset_ready(&self, scope: &Scope, id: DatasetId) -> Result<(), Problem> {
        let mut tx = self.store.begin(scope).await?;
        let status = sqlx::query_scalar!(
            "select status from registry.datasets where organization_id = $1 and id = $2",
            tx.organization().uuid(),
            id.uuid(),
        )
        .fetch_optional(tx.conn())
        .await
        .map_err(StoreError::from)?
        .ok_or_else(|| Problem::not_found("data set"))?;
        tx.commit().await?;
        if status == "uploading" {
            return Err(Problem::new(
                Code::InvalidTransition,
                "The data set is still coming in; try again when it is ready",
            ));
        }
        Ok(())
    }
}

/// A stored file was whole when it was stored: what is wrong with it now is no fault of the caller's.
pub(crate) fn stored(error: &TabularError) -> Problem {
    tracing::error!(%error, "a stored data set could not be read");
    Problem::new(
        Code::Unavailable,
        "The stored data set could not be read at the moment; the reason is in the log",
    )
    .retry_after(5)
}
