//! Monitors and their alerts: when a monitor runs next, what its last run found, and a button for each step.

use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect},
};
use chrono::{DateTime, Utc};
use ephor_assurance::monitor::{AlertClose, alert_acknowledge, alert_close, monitor_run_now};
use ephor_kernel::Problem;
use serde_json::Value;
use uuid::Uuid;

use super::super::{
    Section, Step,
    edit::{Sent, sent},
};
use crate::{
    ConsoleState,
    frame::Frame,
    view::{Badge, Head, Html, Table, format, json as rows},
    visit::{Answer, Visit},
};

const MONITORS: &str = "monitors";
const ALERTS: &str = "monitoring_alerts";
/// What an alert says that somebody closed by the button.
const BY_HAND: &str = "Closed by hand, on its page.";

/// The steps that a monitor or an alert may take; other things take none.
pub(super) fn steps(path: &str, row: &Value, here: &str, frame: &Frame) -> Vec<Step> {
    let step =
        |label: &str, action: &str, icon| Step::new(label, format!("{here}/{action}"), icon, frame);
    let close = || Step {
        confirm: "Close this alert? What is still wrong at the next run raises a new one."
            .to_owned(),
        ..step("Close", "close", "cancelled").with("reason", BY_HAND)
    };
    match (path, rows::text(row, "status")) {
        (MONITORS, "active") => vec![step("Run now", "run", "running")],
        (ALERTS, "open") => vec![step("Acknowledge", "acknowledge", "pass"), close()],
        (ALERTS, "acknowledged") => vec![close()],
        _ => Vec::new(),
    }
}

/// The alerts of a monitor: their resource, and the column that says whose they are; nothing for other things.
pub(super) fn alerts_of(path: &str) -> Option<(&'static str, &'static str)> {
    (path == MONITORS).then_some((ALERTS, "monitor_id"))
}

/// When a monitor runs next, in words; nothing for other things.
pub(super) fn next_run(path: &str, row: &Value, now: DateTime<Utc>) -> Option<String> {
    if path != MONITORS {
        return None;
    }
    let arrives = row.get("on_arrival").and_then(Value::as_bool) == Some(true);
    let words = match (rows::text(row, "status"), rows::moment(row, "next_run_at")) {
        ("active", Some(next)) if next <= now => "runs any moment".to_owned(),
        ("active", Some(next)) => {
            let minutes = (next - now).num_minutes().unsigned_abs() + 1;
            let wait = match minutes {
                0..90 => format::plural(minutes, "minute", "minutes"),
                90..2880 => format::plural(minutes.div_ceil(60), "hour", "hours"),
                _ => format::plural(minutes.div_ceil(1440), "day", "days"),
            };
            format!("runs next within {wait}, at {} UTC", next.format("%Y-%m-%d %H:%M"))
        }
        ("active", None) if !rows::text(row, "schedule").is_empty() => {
            "its next run is being worked out".to_owned()
        }
        ("active", None) if arrives => "runs when rows arrive".to_owned(),
        ("active", None) => "runs when somebody asks for it".to_owned(),
        (status, _) => format!("{status}: it does not run"),
    };
    Some(words)
}

/// What the last run found; nothing for other things.
pub(super) fn last_run(path: &str, row: &Value) -> Option<Section> {
    if path != MONITORS {
        return None;
    }
    let result = row.get("last_result").unwrap_or(&Value::Null);
    let heads = ["Finding", "Status"].map(Head::new).into_iter();
    let heads = heads.chain(["Value", "Reference", "Threshold"].map(Head::right));
    let number = |finding: &Value, name| {
        rows::number(finding, name)
            .map_or_else(|| Html::text("\u{2013}"), |number| Html::text(&format::number(number)))
    };
    let found = result.get("findings").and_then(Value::as_array).into_iter().flatten();
    let mut table: Vec<Vec<Html>> = found
        .map(|finding| {
            vec![
                Html::text(rows::text(finding, "sentence")),
                Html::of(&Badge::state(rows::text(finding, "status"))),
                number(finding, "value"),
                number(finding, "reference"),
                number(finding, "threshold"),
            ]
        })
        .collect();
    let notes = result.get("notes").and_then(Value::as_array).into_iter().flatten();
    let notes = notes.filter_map(Value::as_str).map(|note| ("", note));
    let error = result.get("error").and_then(Value::as_str).map(|error| ("error", error));
    for (state, sentence) in error.into_iter().chain(notes) {
        let badge = if state.is_empty() { Badge::plain("note") } else { Badge::state(state) };
        let none = [const { "" }; 3].map(Html::text);
        table.push([Html::text(sentence), Html::of(&badge)].into_iter().chain(none).collect());
    }
    Some(Section {
        id: "last-run",
        title: "What the last run found".to_owned(),
        action: None,
        table: Table {
            label: "What the last run found".to_owned(),
            heads: heads.collect(),
            rows: table,
        },
        empty: "It has not run yet.",
    })
}

/// `POST /resources/monitors/{id}/run`.
pub(super) async fn run(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    only(&path, MONITORS)?;
    visit.scope.require(MONITORS, "update")?;
    let mut tx = state.store.begin(&visit.scope).await?;
    monitor_run_now(&mut tx, id.into()).await?;
    tx.commit().await?;
    Ok(back(&path, id, "asked"))
}

/// `POST /resources/monitoring_alerts/{id}/acknowledge`.
pub(super) async fn acknowledge(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
) -> Answer {
    only(&path, ALERTS)?;
    let mut tx = state.engine.begin_write(&state.store, &visit.scope, ALERTS).await?;
    alert_acknowledge(&state.engine, &mut tx, id.into()).await?;
    tx.commit().await?;
    Ok(back(&path, id, "saved"))
}

/// `POST /resources/monitoring_alerts/{id}/close`.
pub(super) async fn close(
    State(state): State<ConsoleState>,
    visit: Visit,
    Path((path, id)): Path<(String, Uuid)>,
    Form(form): Form<Sent>,
) -> Answer {
    only(&path, ALERTS)?;
    let closing = AlertClose { reason: sent(&form, "reason").unwrap_or(BY_HAND).to_owned() };
    Problem::unless_empty(closing.faults())?;
    let mut tx = state.engine.begin_write(&state.store, &visit.scope, ALERTS).await?;
    alert_close(&state.engine, &mut tx, id.into(), &closing).await?;
    tx.commit().await?;
    Ok(back(&path, id, "saved"))
}

fn only(path: &str, resource: &str) -> Result<(), Problem> {
    if path == resource { Ok(()) } else { Err(Problem::not_found("page")) }
}

fn back(path: &str, id: Uuid, done: &str) -> axum::response::Response {
    Redirect::to(&format!("/resources/{path}/{id}?done={done}")).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_run_is_told_in_words() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        let told = |row: Value| next_run(MONITORS, &row, now).unwrap();
        let due = |at: &str| {
            told(json!({ "status": "active", "schedule": "* * * * *", "next_run_at": at }))
        };
        assert_eq!(due("2026-03-02T11:59:00Z"), "runs any moment");
        assert_eq!(
            due("2026-03-02T12:04:30Z"),
            "runs next within 5 minutes, at 2026-03-02 12:04 UTC"
        );
        assert_eq!(
            due("2026-03-02T17:30:00Z"),
            "runs next within 6 hours, at 2026-03-02 17:30 UTC"
        );
        assert_eq!(due("2026-03-09T12:00:00Z"), "runs next within 8 days, at 2026-03-09 12:00 UTC");
        assert_eq!(
            told(json!({ "status": "active", "on_arrival": true })),
            "runs when rows arrive"
        );
        assert_eq!(told(json!({ "status": "active" })), "runs when somebody asks for it");
        assert_eq!(told(json!({ "status": "paused" })), "paused: it does not run");
        assert_eq!(next_run("posts", &json!({}), now), None);
    }

    #[test]
    fn what_was_found_is_a_row_each_and_an_error_too() {
        let row = json!({ "last_result": { "findings": [
            { "sentence": "Worse.", "status": "fail", "value": 0.5, "threshold": 0.1 }], "notes": ["Few rows"] } });
        let section = last_run(MONITORS, &row).unwrap();
        assert_eq!(section.table.rows.len(), 2);
        assert!(section.table.rows.iter().all(|row| row.len() == section.table.heads.len()));
        let failed = last_run(MONITORS, &json!({ "last_result": { "error": "gone" } })).unwrap();
        assert_eq!(failed.table.rows.len(), 1);
        assert!(last_run(MONITORS, &json!({ "last_result": {} })).unwrap().table.rows.is_empty());
    }
}
