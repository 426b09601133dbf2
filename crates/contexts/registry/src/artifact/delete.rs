//! Files of artefacts that were deleted, or whose upload died.

use std::{collections::HashSet, time::Duration};

use chrono::TimeDelta;
use ephor_kernel::{Clock as _, Code, ModelArtifactId, Problem, Scope, SystemClock};
use ephor_store::StoreError;
use futures::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _, path::Path};
use uuid::Uuid;

use super::{artifact_path, folder};
use crate::Registry;

impl Registry {
    /// Deletes the object of an artefact of the scope's organization whose row is gone. Of one that has a row, or has no
    /// object any more, nothing is done: so it may be asked for twice.
    ///
    /// # Errors
    /// `unavailable` when the object store does not answer; asking again is right.
    pub async fn artifact_object_delete(
        &self,
        scope: &Scope,
        id: ModelArtifactId,
    ) -> Result<(), Problem> {
        let mut tx = self.store.begin_system(scope).await?;
        let there = sqlx::query_scalar!(
            r#"select exists (select from registry.model_artifacts where organization_id = $1 and id = $2) as "there!""#,
            tx.organization().uuid(),
            id.uuid(),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        if there {
            tracing::warn!(artifact = %id, "the file of an artefact that is there was not deleted");
            return Ok(());
        }
        self.object_delete(&artifact_path(scope.organization(), id)).await
    }

    /// Takes back what dead uploads left in the scope's organization: objects without a row that are as old as that.
    /// Answers how many there were.
    ///
    /// # Errors
    /// When the database or the object store can't be asked.
    pub async fn artifacts_sweep(
        &self,
        scope: &Scope,
        dead_after: Duration,
    ) -> Result<usize, Problem> {
        let dead_after = TimeDelta::from_std(dead_after).map_err(|_| Problem::internal())?;
        let before = SystemClock.now() - dead_after;
        let old: Vec<Path> = self
            .objects
            .list(Some(&folder(scope.organization())))
            .try_filter_map(|object| async move {
                Ok((object.last_modified < before).then_some(object.location))
            })
            .try_collect()
            .await
            .map_err(|error| unanswered(&error))?;
        if old.is_empty() {
            return Ok(0);
        }
        let ids: Vec<Uuid> = old.iter().filter_map(id_of).collect();
        let mut tx = self.store.begin_system(scope).await?;
        let there = sqlx::query_scalar!(
            "select id from registry.model_artifacts where organization_id = $1 and id = any($2)",
            tx.organization().uuid(),
            &ids,
        )
        .fetch_all(tx.conn())
        .await
        .map_err(StoreError::from)?;
        tx.commit().await?;
        let there: HashSet<Uuid> = there.into_iter().collect();
        let mut swept = 0;
        for path in &old {
            let Some(id) = id_of(path).filter(|id| !there.contains(id)) else { continue };
            self.object_delete(&artifact_path(scope.organization(), id.into())).await?;
            swept += 1;
        }
        Ok(swept)
    }

    pub(super) async fn object_delete(&self, path: &Path) -> Result<(), Problem> {
        match self.objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unanswered(&error)),
        }
    }
}

fn id_of(path: &Path) -> Option<Uuid> {
    path.filename()?.strip_suffix(".model")?.parse().ok()
}

fn unanswered(error: &object_store::Error) -> Problem {
    tracing::warn!(%error, "files of artefacts could not be cleared away yet");
    Problem::new(Code::Unavailable, "The object store does not answer at the moment").retry_after(5)
}
