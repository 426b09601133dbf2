//! The dashboard: how things stand.

pub(crate) mod page;

use std::collections::HashSet;

use axum::{Router, extract::State, routing::get};
use ephor_kernel::Problem;
use ephor_rest::ListRequest;
use ephor_store::{OrgTx, audit};
use serde_json::Value;

use self::page::{Count, DashboardPage, Trail};
use super::{analysis, resource::Action};
use crate::{
    ConsoleState,
    error::page,
    view::{format, json},
    visit::{Answer, Visit},
};

pub(crate) fn routes() -> Router<ConsoleState> {
    Router::new().route("/", get(show))
}

/// How many analyses are looked through for those that are the last of their data set.
const LOOKED_THROUGH: u32 = 200;

async fn show(State(state): State<ConsoleState>, visit: Visit) -> Answer {
    let mut tx = state.store.begin(&visit.scope).await?;
    let mut counts = Vec::new();
    for (resource, label, href, filter, note) in [
        ("models", "Models", "/models", ("status", "active"), "active"),
        ("datasets", "Data sets", "/datasets", ("status", "ready"), "ready"),
        ("bias_analyses", "Bias analyses", "/analyses", ("status", "running"), "running"),
    ] {
        if visit.may(resource, "read") {
            let all = count(&state, &mut tx, resource, ListRequest::new()).await?;
            let (column, value) = filter;
            let some = ListRequest::new().filter(column, format!("eq.{value}"));
            let some = count(&state, &mut tx, resource, some).await?;
            counts.push(Count {
                label,
                value: format::count(all),
                note: format!("{} {note}", format::count(some)),
                href,
                tone: "",
            });
        }
    }
    if visit.may("monitoring_alerts", "read") {
        let of = |status: &str| ListRequest::new().filter("status", format!("eq.{status}"));
        let open = count(&state, &mut tx, "monitoring_alerts", of("open")).await?;
        let seen = count(&state, &mut tx, "monitoring_alerts", of("acknowledged")).await?;
        counts.push(Count {
            label: "Open alerts",
            value: format::count(open),
            note: format!("{} acknowledged", format::count(seen)),
            href: "/resources/monitoring_alerts?status=open",
            tone: if open == 0 { "pass" } else { "fail" },
        });
    }
    let (mut latest, mut failing) = (Vec::new(), Vec::new());
    if visit.may("bias_analyses", "read") {
        let request = ListRequest::new().limit(7).include(&["dataset"]);
        let include = visit.may("datasets", "read");
        let request = if include { request } else { request.without("include") };
        latest = state.engine.list(&mut tx, "bias_analyses", &request).await?.data;
        let completed = ListRequest::new().filter("status", "eq.completed").limit(LOOKED_THROUGH);
        let completed = state.engine.list(&mut tx, "bias_analyses", &completed).await?.data;
        failing = open_failures(&completed);
        counts.push(Count {
            label: "Open failures",
            value: format::count(failing.len() as u64),
            note: "last analyses that fail".to_owned(),
            href: "/analyses?outcome=fail",
            tone: if failing.is_empty() { "pass" } else { "fail" },
        });
    }
    if visit.may("bias_analyses", "read") {
        let request = ListRequest::new().limit(1).with("fields", "avg_compliance_score");
        let seen = state.engine.list(&mut tx, "organization_dashboard", &request).await?.data;
        if let Some(score) = seen.first().and_then(|row| json::number(row, "avg_compliance_score"))
        {
            counts.push(Count {
                label: "Mean score",
                value: format!("{score:.1}"),
                note: "of completed analyses, 0 to 100".to_owned(),
                href: "/resources/model_performance",
                tone: "",
            });
        }
    }
    let trail = if visit.may("audit", "read") { Some(trail(&mut tx).await?) } else { None };
    tx.commit().await?;
    let first = visit.me.user.full_name.split_whitespace().next().unwrap_or_default();
    Ok(page(&DashboardPage {
        frame: visit.frame("Dashboard", "/"),
        greeting: format!("Good to see you, {first}"),
        lede: format!("{}, as {}", visit.organization(), visit.role().to_lowercase()),
        actions: actions(&visit),
        counts,
        latest: analysis::table("Latest analyses", &latest),
        trail,
        failing,
    }))
}

fn actions(visit: &Visit) -> Vec<Action> {
    let mut actions = Vec::new();
    if visit.may("datasets", "create") {
        actions.push(Action::new("Upload a data set", "/datasets/new", "upload"));
    }
    if visit.may("bias_analyses", "create") {
        actions.push(Action::primary("Analyse for bias", "/analyses/new", "scale"));
    }
    actions
}

async fn count(
    state: &ConsoleState,
    tx: &mut OrgTx,
    resource: &str,
    request: ListRequest,
) -> Result<u64, Problem> {
    let page = state.engine.list(tx, resource, &request.limit(1).count()).await?;
    Ok(page.count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// A failure is open until a later analysis of the same data set does not fail. The newest come first.
fn open_failures(completed: &[Value]) -> Vec<(String, String, String)> {
    let mut seen = HashSet::new();
    completed
        .iter()
        .filter(|analysis| seen.insert(json::text(analysis, "dataset_id")))
        .filter(|analysis| json::text(analysis, "outcome") == "fail")
        .map(|analysis| {
            let failed = json::number(analysis, "failed_count").unwrap_or(0.0) as u64;
            let score = json::number(analysis, "compliance_score")
                .map_or_else(String::new, |score| format!("; score {score:.2}"));
            (
                json::text(analysis, "name").to_owned(),
                format!("/analyses/{}", json::text(analysis, "id")),
                format!("{}{score}", format::plural(failed, "disparity fails", "disparities fail")),
            )
        })
        .collect()
}

async fn trail(tx: &mut OrgTx) -> Result<Trail, Problem> {
    let status = audit::status(tx).await?;
    let (badge, sentence) = super::audit::standing(&status);
    Ok(Trail { badge, sentence })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_is_closed_by_the_next_analysis_of_its_data_set() {
        let analysis = |dataset: &str, outcome: &str| {
            json!({ "id": "1", "name": "n", "dataset_id": dataset, "outcome": outcome,
                    "failed_count": 2, "compliance_score": "78.42" })
        };
        // Newest first.
        let open = open_failures(&[
            analysis("a", "pass"),
            analysis("b", "fail"),
            analysis("a", "fail"),
            analysis("b", "pass"),
        ]);
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].2, "2 disparities fail; score 78.42");
    }
}
