//! Every query names its organization itself. Row-level security would confine it anyway; but only an
//! equality that stands in the query too lets the planner use an index for it, lets Citus route it, and
//! still protects where a policy is wrong. This reads the SQL out of the sources.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The calls whose first string is SQL.
const CALLS: &[&str] = &[
    "query!(",
    "query_as!(",
    "query_scalar!(",
    "query_unchecked!(",
    "query_as_unchecked!(",
    "query_scalar_unchecked!(",
    "query(",
    "query_as(",
    "query_scalar(",
    "query_as::<",
    "query_scalar::<",
    "raw_sql(",
    "execute(",
    "fetch_one(",
    "fetch_all(",
    "fetch_optional(",
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

/// The tables that the migrations make tenants'.
fn tenant_tables() -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    for file in fs::read_dir(workspace().join("migrations")).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for call in text.split("kernel.tenant_table('").skip(1) {
            tables.insert(call.split('\'').next().unwrap().to_owned());
        }
    }
    tables
}

/// A string literal of the source: its text and the line it begins on.
#[derive(Debug, PartialEq)]
struct Query {
    sql: String,
    line: usize,
}

/// The first string literal of each call that takes SQL, outside of unit tests.
fn queries(source: &str) -> Vec<Query> {
    let source = source.split("#[cfg(test)]").next().unwrap();
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for call in CALLS {
        for (at, _) in source.match_indices(call) {
            let before = source[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' {
                continue;
            }
            let rest = &source[at + call.len()..];
            let Some((offset, sql)) = first_literal(rest) else { continue };
            let begin = at + call.len() + offset;
            if seen.insert(begin) {
                let line = source[..begin].matches('\n').count() + 1;
                found.push(Query { sql, line });
            }
        }
    }
    found
}

/// The first string literal within the call's parentheses, which were opened just before `text`.
fn first_literal(text: &str) -> Option<(usize, String)> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return None;
                }
            }
            ';' => return None,
            'r' if text[at..].starts_with("r#\"") => {
                let body = &text[at + 3..];
                return Some((at, body[..body.find("\"#")?].to_owned()));
            }
            'r' if text[at..].starts_with("r\"") => {
                let body = &text[at + 2..];
                return Some((at, body[..body.find('"')?].to_owned()));
            }
            '"' => {
                let mut sql = String::new();
                let mut escaped = false;
                for c in text[at + 1..].chars() {
                    match (escaped, c) {
                        (true, _) => {
                            sql.push(if c == '\n' { ' ' } else { c });
                            escaped = false;
                        }
                        (false, '\\') => escaped = true,
                        (false, '"') => return Some((at, sql)),
                        (false, c) => sql.push(c),
                    }
                }
                return None;
            }
            _ => {}
        }
    }
    None
}

/// What is wrong with a statement: it names more tenants' tables than organizations.
fn fault(sql: &str, tables: &BTreeSet<String>) -> Option<String> {
    let lower = sql.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
        .filter(|word| !word.is_empty())
        .collect();
    let mut named = Vec::new();
    for pair in words.windows(2) {
        let introduces =
            matches!(pair[0], "from" | "join" | "update" | "into" | "using" | "only" | "table");
        if introduces && tables.contains(pair[1]) {
            named.push(pair[1]);
        }
    }
    let organizations = words
        .iter()
        .filter(|word| **word == "organization_id" || word.ends_with(".organization_id"))
        .count();
    (organizations < named.len()).then(|| {
        format!("names {} but organization_id only {organizations} times", named.join(", "))
    })
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap();
            if name != "tests" && name != "target" && name != "testing" {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_query_names_its_organization() {
    let tables = tenant_tables();
    assert!(
        tables.contains("registry.models"),
        "the migrations make no tenants' tables: {tables:?}"
    );
    let mut files = Vec::new();
    sources(&workspace().join("crates"), &mut files);
    let mut found = Vec::new();
    let mut read = 0;
    for file in files {
        for query in queries(&fs::read_to_string(&file).unwrap()) {
            read += 1;
            if let Some(fault) = fault(&query.sql, &tables) {
                let file = file.strip_prefix(workspace()).unwrap().display().to_string();
                found.push(format!("{file}:{}: {fault}", query.line));
            }
        }
    }
    assert!(read > 20, "only {read} queries were found in the sources: is the scanner broken?");
    assert!(
        found.is_empty(),
        "queries that do not name their organization (add `organization_id = $1` for each table):\n  {}",
        found.join("\n  ")
    );
}

#[test]
fn a_query_without_its_organization_is_found() {
    let tables =
        BTreeSet::from(["registry.models".to_owned(), "registry.model_versions".to_owned()]);
    let source = r##"
        let one = sqlx::query!("select name from registry.models where id = $1", id);
        let two = sqlx::query_as!(Model, r#"select * from registry.models
            where organization_id = $1"#, organization);
        let three = sqlx::query_scalar!(
            "delete from registry.model_versions \
             where id = $1", id);
        let four = sqlx::query(
            "select v.name from registry.models m join registry.model_versions v on v.model_id = m.id
              where m.organization_id = $1");
        let five = sqlx::query!("insert into registry.models (organization_id, id) values ($1, $2)");
        let six = sqlx::query!("select id from identity.users where id = $1");
        "##;
    let faults: Vec<(usize, bool)> = {
        let mut queries = queries(source);
        queries.sort_by_key(|query| query.line);
        queries.iter().map(|query| (query.line, fault(&query.sql, &tables).is_some())).collect()
    };
    assert_eq!(faults, [(2, true), (3, false), (6, true), (9, true), (11, false), (12, false)]);
}
