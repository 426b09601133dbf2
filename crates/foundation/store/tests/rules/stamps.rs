//! What steps stamp and set going, beside work and its approvals.

use ephor_store::testing;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acting::{act, act_system, actor, behind, id, now};

#[tokio::test]
async fn a_risk_is_mitigated_with_the_last_of_its_mitigations() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let risk = "insert into risk.risk_items (organization_id, title, severity, impact, likelihood)
                values ($1, 'Unfair', 'high', 'high', 'low')";
    let risk = id(&act(&db, &ada, risk).await.unwrap());
    let mut mitigations = Vec::new();
    for _ in 0..3 {
        let sql = format!(
            "insert into risk.risk_mitigations (organization_id, risk_item_id, description)
             values ($1, '{risk}', 'Weigh again')"
        );
        mitigations.push(id(&act(&db, &ada, &sql).await.unwrap()));
    }
    let step = async |mitigation: Uuid, to: &str| {
        let sql = format!(
            "update risk.risk_mitigations set status = '{to}' where organization_id = $1 and id = '{mitigation}'"
        );
        act(&db, &ada, &sql).await
    };
    let status = async || now(&db, "risk.risk_items", risk, "status").await.unwrap();
    for mitigation in &mitigations[..2] {
        step(*mitigation, "in-progress").await.unwrap();
    }
    let done = step(mitigations[0], "completed").await.unwrap();
    assert!(done["completed_at"].is_string());
    assert_eq!(status().await, "open", "two are left");
    let rejected = step(mitigations[2], "rejected").await.unwrap();
    assert_eq!(rejected["completed_at"], Value::Null);
    assert_eq!(status().await, "open", "one is left");
    let skipped = step(mitigations[2], "completed").await;
    assert_eq!(skipped.unwrap_err(), "risk_mitigations_status_step");
    step(mitigations[1], "completed").await.unwrap();
    assert_eq!(status().await, "mitigated");
    assert!(now(&db, "risk.risk_items", risk, "mitigated_at").await.is_some());

    // What is opened again is no more mitigated; what is closed is closed since when.
    let step = async |to: &str| {
        let sql = format!(
            "update risk.risk_items set status = '{to}' where organization_id = $1 and id = '{risk}'"
        );
        act(&db, &ada, &sql).await.unwrap()
    };
    assert!(step("closed").await["closed_at"].is_string());
    let open = step("open").await;
    assert_eq!((&open["mitigated_at"], &open["closed_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn an_issue_is_closed_by_somebody_for_a_reason() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let sql = "insert into risk.compliance_issues (organization_id, title, severity) values ($1, 'Late', 'low')";
    let issue = id(&act(&db, &ada, sql).await.unwrap());
    let step = async |set: &str| {
        let sql = format!(
            "update risk.compliance_issues set {set} where organization_id = $1 and id = '{issue}'"
        );
        act(&db, &ada, &sql).await
    };
    assert_eq!(step("status = 'closed'").await.unwrap_err(), "compliance_issues_closed_check");
    let closed = step("status = 'closed', closing_reason = 'sent'").await.unwrap();
    assert_eq!(closed["closed_by"], actor(&ada).to_string());
    assert!(closed["closed_at"].is_string());
    let open = step("status = 'open'").await.unwrap();
    for column in ["closed_by", "closed_at", "closing_reason"] {
        assert_eq!(open[column], Value::Null, "{column}");
    }
}

#[tokio::test]
async fn a_policys_revision_counts_what_it_decides_by() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let sql = "insert into guard.policies (organization_id, code, name, rules) values ($1, 'fair', 'Fair', '[]')";
    let policy = id(&act(&db, &ada, sql).await.unwrap());
    let change = async |set: &str| {
        let sql = format!(
            "update guard.policies set {set} where organization_id = $1 and id = '{policy}'"
        );
        act(&db, &ada, &sql).await.unwrap()
    };
    let steps = [
        ("name = 'Fairer'", 1),
        ("is_active = false", 1),
        ("priority = 7", 2),
        ("priority = 7", 2),
        ("rules = '[{}]', enforcement_type = 'text'", 3),
        ("revision = 40", 3),
    ];
    for (set, revision) in steps {
        let row = change(set).await;
        assert_eq!(row["revision"], revision, "{set}");
        assert_eq!(row["last_modified_by"], actor(&ada).to_string(), "{set}");
    }
    let kept: Vec<(i32, i32)> = sqlx::query_as(
        "select revision, priority from guard.policy_versions where organization_id = $1 and policy_id = $2 order by 1",
    )
    .bind(ada.organization().uuid())
    .bind(policy)
    .fetch_all(&db.admin())
    .await
    .unwrap();
    assert_eq!(kept, [(1, 100), (2, 7), (3, 7)]);
}

#[tokio::test]
async fn a_credit_pool_begins_full_and_follows_its_budget() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let sql =
        "insert into gateway.provider_credit_pools (organization_id, provider, monthly_budget)
               values ($1, 'openai', 100)";
    let made = act(&db, &ada, sql).await.unwrap();
    let pool = id(&made);
    let left = |row: &Value| (row["balance"].as_f64().unwrap(), row["alert_level"].clone());
    assert_eq!(left(&made), (100.0, json!("none")));
    let change = async |set: &str| {
        let sql = format!(
            "update gateway.provider_credit_pools set {set} where organization_id = $1 and id = '{pool}'"
        );
        act(&db, &ada, &sql).await
    };
    assert_eq!(left(&change("monthly_budget = 150").await.unwrap()), (150.0, json!("none")));
    for column in ["balance", "reserved"] {
        let refused = change(&format!("{column} = 1")).await;
        assert_eq!(refused.unwrap_err(), "42501", "{column} moves by calls alone");
    }
    // Much was spent, and some is reserved for calls that run.
    behind(
        &db,
        format!("update gateway.provider_credit_pools set balance = 60, reserved = 20 where id = '{pool}'"),
    )
    .await;
    let less = change("monthly_budget = 120").await.unwrap();
    assert_eq!(left(&less), (30.0, json!("red")));
    let least = change("monthly_budget = 20").await.unwrap();
    assert_eq!(left(&least), (20.0, json!("stopped")), "never below what is reserved");

    // Who lifts the stop is noted, and forgotten with it.
    let set = "override_until = now() + interval '1 hour', override_reason = 'year end'";
    let lifted = change(set).await.unwrap();
    assert_eq!(lifted["override_by"], actor(&ada).to_string());
    let unreasoned = change("override_reason = null").await;
    assert_eq!(unreasoned.unwrap_err(), "provider_credit_pools_override_check");
    let over = change("override_until = null").await.unwrap();
    assert_eq!((&over["override_by"], &over["override_reason"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_person_pauses_and_kills_a_deliberation_and_the_board_ends_it() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let made = async || {
        let sql = format!(
            "insert into deliberation.deliberations (organization_id, user_id, problem_statement)
             values ($1, '{}', 'Shall we?')",
            actor(&ada)
        );
        id(&act(&db, &ada, &sql).await.unwrap())
    };
    let step = |deliberation: Uuid, set: &str| {
        format!(
            "update deliberation.deliberations set {set} where organization_id = $1 and id = '{deliberation}'"
        )
    };
    let one = made().await;
    for status in ["completed", "failed"] {
        let own = act(&db, &ada, &step(one, &format!("status = '{status}'"))).await;
        assert_eq!(own.unwrap_err(), "deliberations_status_step", "{status} comes by itself");
    }
    act(&db, &ada, &step(one, "status = 'paused'")).await.unwrap();
    act(&db, &ada, &step(one, "status = 'active'")).await.unwrap();
    let killed = act(&db, &ada, &step(one, "status = 'killed', kill_reason = 'enough'")).await;
    let killed = killed.unwrap();
    assert_eq!(killed["killed_by"], actor(&ada).to_string());
    assert!(killed["killed_at"].is_string());
    let risen = act(&db, &ada, &step(one, "status = 'active'")).await;
    assert_eq!(risen.unwrap_err(), "deliberations_status_step");

    let other = made().await;
    let done = act_system(&db, &ada, &step(other, "status = 'completed'")).await.unwrap();
    assert_eq!(done["phase"], "completed");
    assert!(done["completed_at"].is_string());
    // What failed may be resumed.
    let third = made().await;
    act_system(&db, &ada, &step(third, "status = 'failed', failure = 'x'")).await.unwrap();
    act(&db, &ada, &step(third, "status = 'active'")).await.unwrap();
}

#[tokio::test]
async fn an_assistant_that_is_well_has_no_reason_and_its_changes_are_counted() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let sql = format!(
        "insert into workforce.assistants (organization_id, name, slug, type, created_by)
         values ($1, 'Assistant', 'assistant', 'custom', '{}')",
        actor(&ada)
    );
    let assistant = id(&act(&db, &ada, &sql).await.unwrap());
    let change = async |set: &str| {
        let sql = format!(
            "update workforce.assistants set {set} where organization_id = $1 and id = '{assistant}'"
        );
        act(&db, &ada, &sql).await
    };
    let skipped = change("status = 'suspended'").await;
    assert_eq!(skipped.unwrap_err(), "assistants_status_step");
    change("status = 'active'").await.unwrap();
    let down = change("status = 'suspended', status_reason = 'it dreams'").await.unwrap();
    assert_eq!(down["status_reason"], "it dreams");
    let up = change("status = 'active'").await.unwrap();
    assert_eq!((&up["status_reason"], &up["configuration_version"]), (&Value::Null, &json!(1)));
    let other = change("risk_tier = 3, name = 'Other'").await.unwrap();
    assert_eq!(other["configuration_version"], 2);
    let kept: i64 = sqlx::query_scalar(
        "select count(*) from workforce.assistant_versions where organization_id = $1 and assistant_id = $2",
    )
    .bind(ada.organization().uuid())
    .bind(assistant)
    .fetch_one(&db.admin())
    .await
    .unwrap();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn a_scan_and_a_report_say_when_they_were_done() {
    let db = testing::database().await;
    let ada = db.organization("Acme").await;
    let sql = format!(
        "insert into discovery.github_scan_configs (organization_id, github_org_name, created_by)
         values ($1, 'acme', '{}')",
        actor(&ada)
    );
    let scan = id(&act(&db, &ada, &sql).await.unwrap());
    let step = |set: &str| {
        format!(
            "update discovery.github_scan_configs set {set} where organization_id = $1 and id = '{scan}'"
        )
    };
    let skipped = act_system(&db, &ada, &step("status = 'completed'")).await;
    assert_eq!(skipped.unwrap_err(), "github_scan_configs_status_step");
    let failed = step("status = 'failed', failure = 'not there'");
    act_system(&db, &ada, &failed).await.unwrap();
    let again = act_system(&db, &ada, &step("status = 'scanning'")).await.unwrap();
    assert_eq!(again["failure"], Value::Null, "a reason is that of the scan that failed");
    let done = act_system(&db, &ada, &step("status = 'completed'")).await.unwrap();
    assert!(done["last_scan_at"].is_string());

    let sql = "insert into compliance.compliance_reports (organization_id, report_type) values ($1, 'audit')";
    let report = id(&act(&db, &ada, sql).await.unwrap());
    let step = |status: &str| {
        format!(
            "update compliance.compliance_reports set status = '{status}' where organization_id = $1 and id = '{report}'"
        )
    };
    let skipped = act(&db, &ada, &step("reviewed")).await;
    assert_eq!(skipped.unwrap_err(), "compliance_reports_status_step");
    assert!(act(&db, &ada, &step("completed")).await.unwrap()["generated_at"].is_string());
    let reviewed = act(&db, &ada, &step("reviewed")).await.unwrap();
    assert_eq!(reviewed["reviewed_by"], actor(&ada).to_string());
}
