//! Rows arrived: the monitors that wait for them run.

use ephor_kernel::{DatasetId, Problem, Scope};
use ephor_store::{Store, StoreError};

use super::enqueue::monitor_enqueue;

/// Has every active monitor run that looks at this data set and runs on arrival; says how many. Told twice,
/// those that have not run yet still run once.
///
/// # Errors
/// Those of the database.
pub async fn dataset_arrived(
    store: &Store,
    scope: &Scope,
    dataset: DatasetId,
) -> Result<usize, Problem> {
    let mut tx = store.begin_system(scope).await?;
    let waiting = sqlx::query_scalar!(
        "select id from assurance.monitors
          where organization_id = $1 and current_dataset_id = $2 and on_arrival and status = 'active'
          order by id
            for update",
        tx.organization().uuid(),
        dataset.uuid(),
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    for id in &waiting {
        monitor_enqueue(&mut tx, (*id).into(), None).await?;
    }
    tx.commit().await?;
    Ok(waiting.len())
}
