//! A monitor, as it runs.

use chrono::{DateTime, Utc};
use ephor_kernel::{DatasetId, ModelId, MonitorId, Problem};
use ephor_store::{OrgTx, StoreError};

/// A monitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    /// The monitor.
    pub id: MonitorId,
    /// Its name.
    pub name: String,
    /// What it looks for: a word of the column `kind`.
    pub kind: String,
    /// active, paused or archived.
    pub status: String,
    /// The model that it watches, if any.
    pub model_id: Option<ModelId>,
    /// What the current window is held against.
    pub reference_dataset_id: Option<DatasetId>,
    /// Where the current window is cut from.
    pub current_dataset_id: Option<DatasetId>,
    /// The beginning of the reference window.
    pub reference_from: Option<DateTime<Utc>>,
    /// Its end, exclusive.
    pub reference_until: Option<DateTime<Utc>>,
    /// How long the current window is.
    pub window_seconds: Option<i64>,
    /// With fewer rows in it nothing is judged.
    pub minimum_rows: i64,
    /// The metric that is watched; all of its kind without one.
    pub metric: Option<String>,
    /// How far it may be.
    pub threshold: Option<f64>,
    /// low, medium, high or critical: that of its alerts.
    pub severity: String,
    /// The rest of the specification.
    pub parameters: serde_json::Value,
}

/// One monitor of the organization, locked until the transaction ends: whoever starts a run or writes down
/// what came of one does so alone.
///
/// # Errors
/// `not_found`.
pub async fn monitor_get(tx: &mut OrgTx, id: MonitorId) -> Result<Monitor, Problem> {
    let row = sqlx::query!(
        "select name, kind, status, model_id, reference_dataset_id, current_dataset_id, reference_from,
                reference_until, window_seconds, minimum_rows, metric, threshold, severity, parameters
           from assurance.monitors
          where organization_id = $1 and id = $2
            for update",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("monitor"))?;
    Ok(Monitor {
        id,
        name: row.name,
        kind: row.kind,
        status: row.status,
        model_id: row.model_id.map(Into::into),
        reference_dataset_id: row.reference_dataset_id.map(Into::into),
        current_dataset_id: row.current_dataset_id.map(Into::into),
        reference_from: row.reference_from,
        reference_until: row.reference_until,
        window_seconds: row.window_seconds,
        minimum_rows: row.minimum_rows,
        metric: row.metric,
        threshold: row.threshold,
        severity: row.severity,
        parameters: row.parameters,
    })
}
