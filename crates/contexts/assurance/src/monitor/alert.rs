//! Acknowledge and close an alert: steps of its state machine, which the database keeps and stamps.

use ephor_kernel::{AlertId, Code, DomainEvent, Fault, Problem};
use ephor_rest::{Change, Engine};
use ephor_store::{OrgTx, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};

const ALERTS: &str = "monitoring_alerts";
/// The longest reason.
const MAX_REASON: usize = 2000;

/// Why an alert is closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertClose {
    /// In words.
    pub reason: String,
}

impl AlertClose {
    /// What is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let length = self.reason.chars().count();
        if (1..=MAX_REASON).contains(&length) && !self.reason.contains('\0') {
            return Vec::new();
        }
        vec![Fault::new("/reason", "length", "A reason has 1 to 2000 characters")]
    }
}

/// Somebody has seen it and looks after it.
///
/// # Errors
/// `not_found`; `invalid_transition` when it is not open.
pub async fn alert_acknowledge(
    engine: &Engine,
    tx: &mut OrgTx,
    id: AlertId,
) -> Result<Value, Problem> {
    step(engine, tx, id, &["open"], json!({ "status": "acknowledged" })).await
}

/// It is over, as somebody says.
///
/// # Errors
/// `not_found`; `invalid_transition` when it is closed already.
pub async fn alert_close(
    engine: &Engine,
    tx: &mut OrgTx,
    id: AlertId,
    close: &AlertClose,
) -> Result<Value, Problem> {
    let patch = json!({ "status": "closed", "close_reason": close.reason });
    step(engine, tx, id, &["open", "acknowledged"], patch).await
}

/// A step to where it is already is none.
async fn step(
    engine: &Engine,
    tx: &mut OrgTx,
    id: AlertId,
    from: &[&str],
    patch: Value,
) -> Result<Value, Problem> {
    let status = sqlx::query_scalar!(
        "select status from assurance.monitoring_alerts where organization_id = $1 and id = $2 for update",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("alert"))?;
    if !from.contains(&status.as_str()) {
        return Err(Problem::new(
            Code::InvalidTransition,
            format!("The alert is {status} already"),
        ));
    }
    engine.update(tx, ALERTS, id.uuid(), &patch, None).await
}

/// The check of the resource engine. Who closed it gave the reason, once; and it is told once.
pub(crate) fn faults(new: &Value, old: Option<&Value>) -> Vec<Fault> {
    let is_closed = |row: &Value| row.get("status").and_then(Value::as_str) == Some("closed");
    if is_closed(new) && old.is_some_and(is_closed) {
        return vec![Fault::new("/status", "closed", "An alert that is closed does not change")];
    }
    Vec::new()
}

/// Whichever way it was closed by somebody.
pub(crate) fn event(change: Change, row: &Value) -> Option<DomainEvent> {
    let closed = change == Change::Updated && row.get("status")?.as_str()? == "closed";
    let alert = row.get("id")?.as_str()?.parse().ok()?;
    closed.then_some(DomainEvent::AlertClosed { alert, recovered: false })
}
