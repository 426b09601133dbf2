use std::fmt::Write as _;

use ephor_kernel::Problem;
use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::{
    Cursors, Engine, ListRequest,
    cursor::Binding,
    sample::{HERE, THERE, engine, scope},
    sql,
};

fn planned(
    engine: &Engine,
    path: &str,
    query: &str,
    permissions: &[&str],
) -> Result<Plan, Problem> {
    let resource = engine.resource(path).unwrap();
    plan(
        resource,
        &ListRequest::from_query(query),
        &scope(permissions),
        engine.cursors(),
        (PAGE_ROWS, MAX_ROWS),
    )
}

/// The plan, then its SQL with the values, of the page and of the count if it was asked for.
fn golden(path: &str, query: &str) -> String {
    let engine = engine();
    let plan = planned(&engine, path, query, &["*"]).unwrap();
    let resource = engine.resource(path).unwrap();
    let mut out = format!("GET /v1/{path}?{query}\n\n{plan:#?}\n");
    let counted = plan.count.then(|| sql::count(resource, &plan));
    for statement in [Some(sql::list(resource, &plan)), counted].into_iter().flatten() {
        let _ = write!(out, "\n{}\n", statement.sql);
        for (place, value) in statement.values.iter().enumerate() {
            let _ = write!(out, "\n${} = {value:?}", place + 1);
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

fn faults(path: &str, query: &str, permissions: &[&str]) -> String {
    let problem = planned(&engine(), path, query, permissions).unwrap_err();
    let lines = problem.faults.iter().map(|fault| {
        let hint = fault.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{} {}: {}{hint}", fault.pointer, fault.code, fault.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_plain_list() {
    assert_snapshot!(golden("models", ""));
}

#[test]
fn filters_of_every_kind() {
    assert_snapshot!(golden(
        "models",
        "name=ilike.*100%25_*&kind=in.(classification,regression)&score=gte.0.125&active=is.true\
         &description=not.is.null&tags=has.finance&created_at=gte.2026-01-01&created_at=lt.2026-02-01\
         &metadata->>team=eq.risk&metadata->limits->max=gt.5\
         &or=(score.lt.50,not.and(name.eq.\"a,b\",kind.neq.regression))"
    ));
}

#[test]
fn search_order_fields_and_count() {
    assert_snapshot!(golden(
        "models",
        "q=credit+%22loan+risk%22&sort=score,-name&fields=name,id&count=exact&limit=10"
    ));
}

#[test]
fn related_rows_in_place() {
    assert_snapshot!(golden("models", "include=versions,owner&fields=name"));
}

#[test]
fn a_holding_reads_its_subsidiaries() {
    assert_snapshot!(golden("models", "organizations=all&count=exact&include=versions&limit=2"));
}

#[test]
fn personal_rows() {
    let engine = engine();
    let own = planned(&engine, "people", "", &["people:read"]).unwrap();
    assert_eq!(own.owner, Some(("user_id", crate::sample::SOMEBODY)));
    let all = planned(&engine, "people", "", &["people:read", "people:manage"]).unwrap();
    assert_eq!(all.owner, None);
}

#[test]
fn the_next_page_goes_on_behind_the_last_row() {
    let engine = engine();
    for (query, order, keys) in [
        ("sort=name", "name,id", vec![Some("a"), Some("00000000-0000-0000-0000-000000000001")]),
        ("sort=-score", "-score,id", vec![None, Some("00000000-0000-0000-0000-000000000001")]),
        (
            "sort=score,-name",
            "score,-name,id",
            vec![Some("1.5"), Some("a"), Some("00000000-0000-0000-0000-000000000001")],
        ),
        ("sort=score", "score,id", vec![None, Some("00000000-0000-0000-0000-000000000001")]),
        (
            "",
            "-created_at,id",
            vec![Some("2026-01-31 12:00:00.5+00"), Some("00000000-0000-0000-0000-000000000001")],
        ),
    ] {
        let keys = keys.into_iter().map(|key| key.map(str::to_owned)).collect();
        let organizations = [HERE.into()];
        let binding = Binding { resource: "models", order, organizations: &organizations };
        let cursor = engine.cursors().seal(binding, &keys);
        let plan =
            planned(&engine, "models", &format!("{query}&cursor={cursor}&fields=id"), &["*"])
                .unwrap();
        assert_eq!(plan.after, Some(keys));
        let statement = sql::list(engine.resource("models").unwrap(), &plan);
        let name =
            format!("behind {order} {}", plan.after.as_ref().is_some_and(|keys| keys[0].is_none()));
        assert_snapshot!(name, statement.sql);
    }
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let engine = engine();
    let organizations = [HERE.into()];
    let keys = vec![Some("a".to_owned()), Some(HERE.to_string())];
    let binding = Binding { resource: "models", order: "name,id", organizations: &organizations };
    let cursor = engine.cursors().seal(binding, &keys);
    let asked = |query: &str| {
        planned(&engine, "models", &format!("{query}&cursor={cursor}"), &["*"]).is_ok()
    };
    assert!(asked("sort=name"));
    assert!(!asked("sort=-name") && !asked("") && !asked("sort=name&organizations=all"));
    let foreign = Cursors::new([8; 32]).seal(binding, &keys);
    assert!(planned(&engine, "models", &format!("sort=name&cursor={foreign}"), &["*"]).is_err());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    assert_snapshot!(faults(
        "models",
        "nmae=eq.x&name=equals.x&score=eq.much&kind=eq.clasification&secret=eq.x&tags=eq.a&score=like.1*\
         &active=is.maybe&limit=0&sort=nam,-tags,name,name&fields=id,id,x&include=version&count=all\
         &cursor=abc&organizations=00000000-0000-0000-0000-00000000000c&created_at=gte.yesterday&name->>a=eq.b&limit=2",
        &["*"],
    ));
}

#[test]
fn related_rows_need_their_own_permission() {
    assert_eq!(
        faults("models", "include=versions", &["models:read"]),
        "query:include forbidden: `versions` needs the permission versions:read"
    );
}

#[test]
fn what_tells_of_something_else_takes_the_permission_for_that() {
    let spec =
        crate::ResourceSpec::new("models", "registry.models").guarded(&[("score", "people")]);
    let engine = Engine::new(&crate::sample::catalog(), [spec], [0; 32]).unwrap();
    let shows = |permissions: &[&str], query: &str| {
        let plan = planned(&engine, "models", query, permissions)?;
        Ok::<_, Problem>(plan.columns.iter().any(|column| column == "score"))
    };
    assert_eq!(shows(&["models:read"], "sort=name"), Ok(false));
    assert_eq!(shows(&["models:read", "people:read"], "score=gt.0&sort=-score"), Ok(true));
    for query in
        ["fields=score", "score=gt.0", "not.score=gt.0", "sort=-score", "or=(score.gt.0,name.eq.a)"]
    {
        assert!(shows(&["models:read"], query).is_err(), "{query}");
    }
}

#[test]
fn only_readable_organizations_are_read() {
    let engine = engine();
    let there = planned(&engine, "models", &format!("organizations={THERE}"), &["*"]).unwrap();
    assert_eq!(there.tenancy, Tenancy::Many(vec![THERE.into()]));
    assert!(planned(&engine, "people", "organizations=all", &["*"]).is_err());
}

proptest! {
    /// Whatever is asked, no part of it becomes SQL text: only the catalog's names do.
    #[test]
    fn no_value_becomes_sql(
        column in prop::sample::select(vec!["name", "kind", "score", "id", "created_at", "metadata->>k", "metadata->k", "tags", "or", "and", "q", "sort", "fields", "zq9x", "limit"]),
        operator in prop::sample::select(vec!["eq.", "like.", "in.(", "has.", "not.eq.", "", "("]),
        before in ".{0,8}",
        after in "[')\";\\-/*$1 a-z.,(]{0,12}",
    ) {
        let engine = engine();
        let resource = engine.resource("models").unwrap();
        let value = format!("{operator}{before}zq9x{after}");
        let request = ListRequest::new().with(column, value).with("name", "eq.zq9x'--").with("metadata->>zq9x", "eq.1").count();
        if let Ok(plan) = plan(resource, &request, &scope(&["*"]), engine.cursors(), (50, 500)) {
            for statement in [sql::list(resource, &plan), sql::count(resource, &plan)] {
                prop_assert!(!statement.sql.contains("zq9x"), "{}", statement.sql);
                let highest = format!("${}", statement.values.len() + 1);
                prop_assert!(!statement.sql.contains(&highest));
            }
        }
    }
}
