//! Where values lie in the object store.

use ephor_kernel::{Code, ExplanationId, OrganizationId, Problem, Scope};
use ephor_store::StoreError;
use futures::TryStreamExt as _;
use object_store::{ObjectStoreExt as _, path::Path};

use crate::Assurance;

/// The folder of an explanation. Made of ids alone, so that no name can lead elsewhere.
fn folder(organization: OrganizationId, explanation: ExplanationId) -> Path {
    Path::from_iter(["explanations".to_owned(), organization.to_string(), explanation.to_string()])
}

/// What an attempt at an explanation writes: two workers never write the same object.
pub(super) fn values_path(
    organization: OrganizationId,
    explanation: ExplanationId,
    attempt: i32,
) -> Path {
    folder(organization, explanation).join(format!("{attempt}.parquet"))
}

/// Deletes what lies in an explanation's folder and is not its row's: all of it when the row is gone. So it may be asked for
/// twice.
///
/// # Errors
/// `unavailable` when the object store does not answer; asking again is right.
pub async fn explanation_objects_delete(
    state: &Assurance,
    scope: &Scope,
    id: ExplanationId,
) -> Result<(), Problem> {
    let mut tx = state.store.begin_system(scope).await?;
    let row = sqlx::query!(
        "select status, values_path from assurance.model_explanations where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    tx.commit().await?;
    let kept = match row {
        // Somebody is writing there.
        Some(row) if matches!(row.status.as_str(), "queued" | "running") => return Ok(()),
        Some(row) => row.values_path,
        None => None,
    };
    let unanswered = |error: object_store::Error| {
        tracing::warn!(%error, explanation = %id, "values could not be cleared away yet");
        Problem::new(Code::Unavailable, "The object store does not answer at the moment")
            .retry_after(5)
    };
    let folder = folder(scope.organization(), id);
    let there: Vec<String> = state
        .objects
        .list(Some(&folder))
        .map_ok(|object| object.location.filename().unwrap_or_default().to_owned())
        .try_collect()
        .await
        .map_err(unanswered)?;
    for name in there {
        // A store that stands on a prefix of another may tell the other's path; only ours leads there.
        let path = folder.clone().join(name);
        if kept.as_deref() == Some(path.as_ref()) {
            continue;
        }
        match state.objects.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unanswered(error)),
        }
    }
    Ok(())
}
