use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::sample::{HERE, SOMEBODY, engine};

fn shown(statement: Statement) -> String {
    let values: Vec<_> = statement.values.iter().map(|value| format!("{value:?}")).collect();
    format!("{}\n\n{}", statement.sql, values.join("\n"))
}

#[test]
fn rows_are_inserted_in_one_statement() {
    let engine = engine();
    let models = engine.resource("models").unwrap();
    let rows = [
        json!({"name": "a'); drop table x; --", "kind": "regression", "metadata": {"k": 1}}),
        json!({"name": "b", "kind": "regression", "tags": ["x"], "score": null}),
    ];
    assert_snapshot!(shown(insert(models, HERE, &[("created_by", SOMEBODY)], &rows)));
}

#[test]
fn only_what_changed_is_updated() {
    let engine = engine();
    let row = Row { organization: HERE, id: HERE, owner: None };
    let models = engine.resource("models").unwrap();
    assert_snapshot!(shown(update(
        models,
        row,
        &[],
        &json!({"name": "b", "metadata": {"a": null}})
    )));
}

#[test]
fn a_row_is_locked_and_deleted_by_organization_id_and_owner() {
    let engine = engine();
    let row = Row { organization: HERE, id: HERE, owner: Some(("user_id", SOMEBODY)) };
    let people = engine.resource("people").unwrap();
    assert_snapshot!(shown(lock(people, row)));
    assert_snapshot!(shown(delete(people, row, Some(3))));
}

#[test]
fn a_large_organization_stands_in_the_text_of_its_lists() {
    let engine = engine();
    let models = engine.resource("models").unwrap();
    let scope = crate::sample::scope(&["*"]);
    let request = crate::ListRequest::new().filter("kind", "eq.regression");
    let plan = crate::plan(models, &request, &scope, engine.cursors(), (100, 100)).unwrap();
    let (all, own) = (list(models, &plan), list_of_large(models, &plan));
    let id = format!("'{}'::uuid", scope.organization().uuid());
    assert_eq!(all.values[1..], own.values[..]);
    assert!(!own.sql.contains(&format!("${}", all.values.len())), "{}", own.sql);
    assert_eq!(own.sql.replace("$1", "$2").replace(&id, "$1"), all.sql);
}

#[test]
fn an_export_knows_its_end() {
    let engine = engine();
    let models = engine.resource("models").unwrap();
    let scope = crate::sample::scope(&["*"]);
    let request = crate::ListRequest::new().filter("kind", "eq.regression");
    let plan = crate::plan(models, &request, &scope, engine.cursors(), (100, 100)).unwrap();
    assert_snapshot!(shown(export_end(models, &plan, 100)));
}
