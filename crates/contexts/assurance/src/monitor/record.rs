//! Writes down what came of a run: the monitor, its alerts and the events, in one transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ephor_fairness::Status;
use ephor_kernel::{AlertId, Code, DomainEvent, JobId, ModelId, MonitorId, Problem};
use ephor_store::{OrgTx, StoreError};
use serde_json::{Value, json};

use super::{Monitor, definition::Definition, finding::Finding, measure::Measured, monitor_get};

/// Findings that a monitor keeps of its last run, the worst first.
const MAX_KEPT: usize = 50;
/// Alerts that one run raises; beyond that the last result counts.
const MAX_ALERTS: usize = 100;

/// The run came to its end. A job may run twice: the second time nothing is counted again.
pub(super) async fn monitor_ran(
    tx: &mut OrgTx,
    monitor: &Monitor,
    measured: &Measured,
    job: JobId,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    // Whoever else writes waits; deleted or paused in the meantime, there is nobody to tell.
    let still_active = match monitor_get(tx, monitor.id).await {
        Ok(now) => now.status == "active",
        Err(gone) if gone.code == Code::NotFound => false,
        Err(other) => return Err(other),
    };
    if !still_active || is_recorded(tx, monitor.id, job).await? {
        return Ok(());
    }
    let failed: BTreeMap<String, &Finding> = of_status(monitor, measured, Status::Fail);
    let passed: BTreeMap<String, &Finding> = of_status(monitor, measured, Status::Pass);
    alerts_raise(tx, monitor, &failed, at).await?;
    let recovered: Vec<String> =
        passed.into_keys().filter(|key| !failed.contains_key(key)).collect();
    alerts_recover(tx, monitor.id, &recovered).await?;
    // Where nothing was judged, nothing is known.
    if measured.status().is_some()
        && let Ok(definition) = Definition::of(monitor)
    {
        alerts_unwatched(tx, monitor.id, &definition).await?;
    }
    let outcome = measured.status().map(Status::as_str);
    last_run_set(tx, monitor.id, outcome, result(measured, job, at), at).await?;
    let outcome = outcome.unwrap_or("unjudged").to_owned();
    tx.emit(&DomainEvent::MonitorRan { monitor: monitor.id, outcome }).await?;
    Ok(())
}

/// It could not be done; `reason` says why. What was known before stays known: its alerts last.
pub(super) async fn monitor_failed(
    tx: &mut OrgTx,
    id: MonitorId,
    reason: &str,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let reason: String = reason.chars().take(2000).collect();
    if !last_run_set(tx, id, None, json!({ "error": reason, "at": at }), at).await? {
        return Ok(());
    }
    tx.emit(&DomainEvent::MonitorRan { monitor: id, outcome: "error".to_owned() }).await
}

async fn is_recorded(tx: &mut OrgTx, id: MonitorId, job: JobId) -> Result<bool, StoreError> {
    let last = sqlx::query_scalar!(
        "select last_result ->> 'job_id' from assurance.monitors where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(last.is_some_and(|last| last == job.to_string()))
}

/// By key, so that each is told once.
fn of_status<'a>(
    monitor: &Monitor,
    measured: &'a Measured,
    status: Status,
) -> BTreeMap<String, &'a Finding> {
    let all = measured.findings.iter().filter(|finding| finding.status == status);
    all.map(|finding| (finding.key(monitor.id), finding)).collect()
}

/// False when the monitor is gone.
async fn last_run_set(
    tx: &mut OrgTx,
    id: MonitorId,
    outcome: Option<&str>,
    result: Value,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update assurance.monitors set last_run_at = $3, last_outcome = $4, last_result = $5
          where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        id.uuid(),
        at,
        outcome,
        result,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the monitor shows of its last run.
fn result(measured: &Measured, job: JobId, at: DateTime<Utc>) -> Value {
    let count = |status| measured.findings.iter().filter(|one| one.status == status).count();
    let mut worst: Vec<&Finding> = measured.findings.iter().collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    worst.truncate(MAX_KEPT);
    let notes: Vec<String> = measured.notes.iter().take(20).map(|note| clean(note, 1000)).collect();
    let findings: Vec<Value> = worst.into_iter().map(details).collect();
    json!({
        "at": at,
        "job_id": job,
        "rows": { "reference": measured.reference_rows, "current": measured.current_rows },
        "counts": {
            "pass": count(Status::Pass), "warning": count(Status::Warning), "fail": count(Status::Fail),
        },
        "findings": findings,
        "notes": notes,
    })
}

/// What an alert keeps of a finding.
fn details(finding: &Finding) -> Value {
    let text = |text: &Option<String>| text.as_deref().map(|text| clean(text, 1000));
    json!({
        "metric": finding.metric,
        "attribute": text(&finding.attribute),
        "group": text(&finding.group),
        "value": finding.value,
        "reference": finding.reference,
        "threshold": finding.threshold,
        "interval": finding.interval,
        "p_value": finding.p_value,
        "status": finding.status,
        "sentence": clean(&finding.sentence, 2000),
    })
}

/// Names of groups come from the data: PostgreSQL keeps no NUL, and an alert no novel.
fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(most).collect()
}

/// Raises what is new, and counts what lasts.
async fn alerts_raise(
    tx: &mut OrgTx,
    monitor: &Monitor,
    failed: &BTreeMap<String, &Finding>,
    at: DateTime<Utc>,
) -> Result<(), Problem> {
    let rows: Vec<Value> = failed
        .iter()
        .take(MAX_ALERTS)
        .map(|(key, finding)| {
            let message = format!("{}: {}", monitor.name, clean(&finding.sentence, 2000));
            json!({ "id": AlertId::new(), "key": key, "message": message, "details": details(finding) })
        })
        .collect();
    let raised = sqlx::query!(
        r#"insert into assurance.monitoring_alerts as a
               (organization_id, id, monitor_id, model_id, alert_type, severity, message, details, dedup_key,
                last_seen_at)
           select $1, (r ->> 'id')::uuid, $2, $3, $4, $5, r ->> 'message', r -> 'details',
                  case when length(r ->> 'key') <= 500 then r ->> 'key'
                       else left(r ->> 'key', 400) || encode(sha256(convert_to(r ->> 'key', 'UTF8')), 'hex') end,
                  $6
             from jsonb_array_elements($7::jsonb) as listed (r)
           on conflict (organization_id, dedup_key) where status <> 'closed' do update
              set occurrences = least(a.occurrences, 2147483646) + 1, last_seen_at = excluded.last_seen_at,
                  severity = excluded.severity, message = excluded.message, details = excluded.details
           returning id, severity, occurrences = 1 as "is_new!""#,
        tx.organization().uuid(),
        monitor.id.uuid(),
        monitor.model_id.map(ModelId::uuid),
        monitor.kind,
        monitor.severity,
        at,
        Value::Array(rows),
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    for row in raised.into_iter().filter(|row| row.is_new) {
        let event = DomainEvent::AlertRaised { alert: row.id.into(), severity: row.severity };
        tx.emit(&event).await?;
    }
    Ok(())
}

/// Closes what is right again.
async fn alerts_recover(
    tx: &mut OrgTx,
    monitor: MonitorId,
    recovered: &[String],
) -> Result<(), Problem> {
    let closed = sqlx::query_scalar!(
        "update assurance.monitoring_alerts
            set status = 'closed', close_reason = 'It recovered: the last run found it within its threshold.'
          where organization_id = $1 and monitor_id = $2 and status <> 'closed'
            and dedup_key in (
                select case when length(key) <= 500 then key
                            else left(key, 400) || encode(sha256(convert_to(key, 'UTF8')), 'hex') end
                  from unnest($3::text[]) as listed (key))
         returning id",
        tx.organization().uuid(),
        monitor.uuid(),
        recovered,
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    for alert in closed {
        tx.emit(&DomainEvent::AlertClosed { alert: alert.into(), recovered: true }).await?;
    }
    Ok(())
}

/// Closes what no run of the monitor could find any more: it watches another metric by now, or another task.
async fn alerts_unwatched(
    tx: &mut OrgTx,
    monitor: MonitorId,
    definition: &Definition,
) -> Result<(), Problem> {
    let mut metrics = sqlx::query_scalar!(
        r#"select distinct details ->> 'metric' as "metric!" from assurance.monitoring_alerts
            where organization_id = $1 and monitor_id = $2 and status <> 'closed'
              and starts_with(dedup_key, monitor_id::text || '/') and details ->> 'metric' is not null"#,
        tx.organization().uuid(),
        monitor.uuid(),
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    metrics.retain(|metric| !definition.finds(metric));
    if metrics.is_empty() {
        return Ok(());
    }
    let closed = sqlx::query_scalar!(
        "update assurance.monitoring_alerts
            set status = 'closed', close_reason = 'Its monitor does not watch this any more.'
          where organization_id = $1 and monitor_id = $2 and status <> 'closed'
            and starts_with(dedup_key, monitor_id::text || '/') and details ->> 'metric' = any($3)
         returning id",
        tx.organization().uuid(),
        monitor.uuid(),
        &metrics,
    )
    .fetch_all(tx.conn())
    .await
    .map_err(StoreError::from)?;
    for alert in closed {
        tx.emit(&DomainEvent::AlertClosed { alert: alert.into(), recovered: true }).await?;
    }
    Ok(())
}
