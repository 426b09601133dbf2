//! Every state machine of the catalog, from every state to every other, against a text that is kept.

use ephor_store::testing;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::{
    catalog::{Table, tenant_tables},
    sample,
};

/// What a row in a state must have beside the state, by the table's check constraints: table, state,
/// column, and a value as SQL. Add a line here when a new state machine's rows are refused.
const IN_STATE: &[(&str, &str, &str, &str)] = &[
    ("assurance.bias_analyses", "completed", "metrics", "'{}'"),
    ("assurance.bias_analyses", "completed", "metrics_sha256", "repeat('0', 64)"),
    ("assurance.bias_analyses", "completed", "outcome", "'pass'"),
    ("assurance.bias_analyses", "failed", "failure", "'x'"),
    ("assurance.mitigation_applications", "completed", "completed_at", "now()"),
    ("assurance.mitigation_applications", "completed", "report", "'{}'"),
    ("assurance.mitigation_applications", "failed", "completed_at", "now()"),
    ("assurance.mitigation_applications", "failed", "failure", "'x'"),
    ("assurance.mitigation_artifacts", "completed", "artifact", "'{}'"),
    ("assurance.mitigation_artifacts", "completed", "artifact_sha256", "repeat('0', 64)"),
    ("assurance.mitigation_artifacts", "completed", "completed_at", "now()"),
    ("assurance.mitigation_artifacts", "completed", "expected", "'{}'"),
    ("assurance.mitigation_artifacts", "failed", "completed_at", "now()"),
    ("assurance.mitigation_artifacts", "failed", "failure", "'x'"),
    ("assurance.model_explanations", "cancelled", "completed_at", "now()"),
    ("assurance.model_explanations", "completed", "completed_at", "now()"),
    ("assurance.model_explanations", "failed", "completed_at", "now()"),
    ("assurance.model_explanations", "failed", "failure", "'x'"),
    ("assurance.monitoring_alerts", "acknowledged", "acknowledged_at", "now()"),
    ("assurance.monitoring_alerts", "closed", "closed_at", "now()"),
    ("content.posts", "archived", "archived_at", "now()"),
    ("guard.policy_violations", "dismissed", "resolution_notes", "'x'"),
    ("guard.policy_violations", "resolved", "resolution_notes", "'x'"),
    ("identity.team_invitations", "accepted", "accepted_at", "now()"),
    ("identity.team_invitations", "accepted", "accepted_by", "kernel.uuidv7()"),
    ("identity.team_invitations", "revoked", "revoked_at", "now()"),
    ("ops.jobs", "cancelled", "finished_at", "now()"),
    ("ops.jobs", "completed", "finished_at", "now()"),
    ("ops.jobs", "failed", "finished_at", "now()"),
    ("registry.ai_systems", "retired", "retired_at", "now()"),
    ("risk.compliance_issues", "closed", "closing_reason", "'x'"),
    ("workforce.messages", "failed", "failure", "'x'"),
    ("workforce.messages", "refused", "refusal_rule", "'x'"),
];

/// Triggers that keep something else than states: their table, and what it is.
const WITHOUT_STATES: &[(&str, &str)] = &[
    ("discovery.github_scan_results", "a result is added to risk once"),
    ("identity.user_tokens", "a token is used once"),
    ("identity.user_totp", "a code works once"),
];

#[derive(sqlx::FromRow)]
struct Machine {
    table_name: String,
    state_column: Option<String>,
    states: Vec<String>,
}

/// The tables with a trigger whose function is called a step, and the words of their states, in the
/// order of the constraint.
async fn machines(connection: &mut PgConnection) -> Vec<Machine> {
    sqlx::query_as(
        r"with stepped as (
              select distinct c.oid
                from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
               where not t.tgisinternal and not c.relispartition and p.proname like '%\_step'),
          stated as (
              select distinct on (s.oid) s.oid, a.attname::text as state_column, pg_get_constraintdef(k.oid) as words
                from stepped s
                join pg_attribute a on a.attrelid = s.oid and a.attname in ('state', 'status') and not a.attisdropped
                join pg_constraint k on k.conrelid = s.oid and k.contype = 'c' and k.conkey = array[a.attnum]
                 and pg_get_constraintdef(k.oid) ~ '= ANY \(\(?ARRAY\['
               order by s.oid, k.conname)
          select s.oid::regclass::text as table_name, d.state_column,
                 coalesce(
                     (select array_agg(m.word[1] order by m.place)
                        from regexp_matches(d.words, '''([^'']*)''', 'g') with ordinality as m(word, place)),
                     '{}') as states
            from stepped s left join stated d on d.oid = s.oid
           order by 1",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

/// Column and value of what a row in this state must have.
fn in_state<'a>(table: &'a str, state: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    IN_STATE
        .iter()
        .filter(move |(of, word, _, _)| *of == table && *word == state)
        .map(|(_, _, column, value)| (*column, *value))
}

/// An insert of a made-up row in a state.
fn insert(table: &Table, column: &str, state: &str, id: Uuid) -> String {
    let mut row = sample::row(table, Uuid::now_v7(), id);
    let mut set = |name: &str, value: String| {
        row.retain(|(column, _)| column != name);
        row.push((name.to_owned(), value));
    };
    set(column, format!("'{state}'"));
    for (name, value) in in_state(&table.name, state) {
        set(name, value.to_owned());
    }
    let (columns, values): (Vec<String>, Vec<String>) = row.into_iter().unzip();
    format!("insert into {} ({}) values ({})", table.name, columns.join(", "), values.join(", "))
}

/// How the database answers to a step: nothing when it is taken, else the constraint that refuses it.
async fn step(connection: &mut PgConnection, sql: String) -> Result<Option<String>, String> {
    let mut tx = connection.begin().await.unwrap();
    let done = tx.execute(AssertSqlSafe(sql)).await;
    tx.rollback().await.unwrap();
    match done {
        Ok(done) if done.rows_affected() == 1 => Ok(None),
        Ok(done) => Err(format!("{} rows", done.rows_affected())),
        Err(sqlx::Error::Database(error)) => {
            error.constraint().map(|name| Some(name.to_owned())).ok_or_else(|| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[tokio::test]
async fn a_state_follows_another_as_it_is_written_down() {
    let db = testing::database().await;
    let admin = db.admin();
    let tables = tenant_tables(&admin).await;
    let mut connection = admin.acquire().await.unwrap();
    let (mut written, mut faults) = (String::new(), Vec::new());
    let machines = machines(&mut connection).await;
    for Machine { table_name: name, state_column, states } in &machines {
        let excused = WITHOUT_STATES.iter().any(|(of, _)| of == name);
        let Some(column) = state_column.as_ref().filter(|_| states.len() > 1) else {
            if !excused {
                faults.push(format!("{name}: which of its columns is the state?"));
            }
            continue;
        };
        assert!(!excused, "{name} has states: take it out of WITHOUT_STATES");
        let table = tables.iter().find(|table| table.name == *name);
        let table = table.unwrap_or_else(|| panic!("{name} is no tenant's: make up its row"));
        let step_of = format!("{}_{column}_step", name.split('.').next_back().unwrap());
        written.push_str(&format!("{name}\n"));
        for from in states {
            let id = Uuid::now_v7();
            let mut tx = connection.begin().await.unwrap();
            // The row comes to its state without a step, and the rows that it refers to are not there.
            tx.execute("set local session_replication_role = replica").await.unwrap();
            let made = tx.execute(AssertSqlSafe(insert(table, column, from, id))).await;
            if let Err(error) = made {
                faults.push(format!("{name} in {from}: {error}"));
                tx.rollback().await.unwrap();
                continue;
            }
            // Of a row of the same transaction, every change looks for what it refers to.
            tx.commit().await.unwrap();
            let mut follow = Vec::new();
            for to in states.iter().filter(|to| *to != from) {
                let mut sql = format!("update {name} set {column} = '{to}'");
                for (other, value) in in_state(name, to) {
                    sql.push_str(&format!(", {other} = {value}"));
                }
                sql.push_str(&format!(" where id = '{id}'"));
                match step(&mut connection, sql).await {
                    Ok(None) => follow.push(to.clone()),
                    Ok(Some(constraint)) if constraint == step_of => {}
                    Ok(Some(constraint)) => follow.push(format!("{to} ({constraint})")),
                    Err(fault) => faults.push(format!("{name} from {from} to {to}: {fault}")),
                }
            }
            let follow = if follow.is_empty() { "the end".to_owned() } else { follow.join(", ") };
            written.push_str(&format!("    {from} -> {follow}\n"));
        }
    }
    assert!(
        faults.is_empty(),
        "state machines could not be tried; say in tests/rules/machines.rs what their rows need:\n  {}",
        faults.join("\n  ")
    );
    assert!(machines.len() > 20, "the catalog names only {} state machines", machines.len());
    // In brackets: what refuses a step that the state machine has, of a row that has nothing else.
    insta::assert_snapshot!("state_machines", written);
}
