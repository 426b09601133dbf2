//! docs/metrics.md says what the registries say.

use std::{collections::BTreeMap, fmt::Write as _, path::PathBuf};

use ephor_fairness::{
    catalogue::{abouts, disparity, kinds},
    disparities,
    drift::{ColumnKind, registry},
    metrics::{self, bounds},
    task::Task,
};

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn names<'a>(id: &'a str, aliases: impl Iterator<Item = &'a str>) -> String {
    let mut text = format!("`{id}`");
    for alias in aliases {
        write!(text, ", `{alias}`").unwrap();
    }
    text
}

fn range(range: (f64, f64)) -> String {
    match bounds(range) {
        [Some(least), Some(greatest)] => format!("{least} to {greatest}"),
        [Some(least), None] => format!("{least} and more"),
        [None, Some(greatest)] => format!("{greatest} and less"),
        [None, None] => "any".to_owned(),
    }
}

fn of_metrics() -> String {
    let mut text = String::from(
        "| metric | formula | range | better | needs | source |\n|---|---|---|---|---|---|\n",
    );
    for metric in metrics::registry() {
        writeln!(
            text,
            "| **{}**<br>{} | {} | {} | {} | {} | {} |",
            metric.title,
            names(metric.id, metric.aliases.iter().copied()),
            cell(metric.formula),
            range(metric.range),
            metric.better.as_str().split(':').next().unwrap(),
            metric.needs.as_str(),
            cell(metric.source)
        )
        .unwrap();
    }
    text.push('\n');
    for metric in metrics::registry() {
        writeln!(text, "- `{}`: {}", metric.id, metric.edge_cases).unwrap();
    }
    text
}

fn of_disparities() -> String {
    let mut text = String::from(
        "| disparity | formula | range | ideal | threshold | source |\n|---|---|---|---|---|---|\n",
    );
    let mut edge_cases: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for definition in disparities::registry() {
        edge_cases.entry(definition.edge_cases).or_default().push(&definition.id);
        let threshold = definition.default_threshold;
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            names(&definition.id, definition.names().skip(1)),
            cell(&definition.formula),
            range(definition.range),
            definition.ideal,
            threshold.map_or_else(String::new, |threshold| threshold.to_string()),
            cell(definition.source)
        )
        .unwrap();
    }
    text.push('\n');
    let most = edge_cases.values().map(Vec::len).max();
    for (text_of, ids) in &edge_cases {
        let whose = if Some(ids.len()) == most {
            "All others".to_owned()
        } else {
            ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
        };
        writeln!(text, "- {whose}: {text_of}").unwrap();
    }
    text
}

fn of_kinds() -> String {
    let mut text = String::new();
    for kind in kinds() {
        writeln!(text, "**{}** (`{}`)\n", kind.title, kind.id).unwrap();
        text.push_str(
            "| name | formula | range | better | threshold | source |\n|---|---|---|---|---|---|\n",
        );
        let all = || kind.metrics.iter().chain(&kind.disparities);
        for about in all() {
            let threshold = match (about.difference_threshold, about.ratio_threshold) {
                (Some(difference), _) => format!("{difference} of the difference"),
                (None, Some(ratio)) => format!("{ratio} of the ratio"),
                (None, None) => String::new(),
            };
            writeln!(
                text,
                "| **{}**<br>`{}` | {} | {} | {} | {threshold} | {} |",
                about.title,
                about.id,
                cell(about.formula),
                range(about.range),
                about.better.as_str().split(':').next().unwrap(),
                cell(about.source)
            )
            .unwrap();
        }
        text.push('\n');
        for about in all() {
            writeln!(text, "- `{}`: {}", about.id, about.edge_cases).unwrap();
        }
        text.push('\n');
    }
    text
}

fn of_drift() -> String {
    let mut text = String::from(
        "| id | of | value | range | accepted up to | source |\n|---|---|---|---|---|---|\n",
    );
    for test in registry::all() {
        let of = match test.kinds {
            [ColumnKind::Number] => "numbers",
            [ColumnKind::Category] => "categories",
            _ => "both",
        };
        let accepted = test.default_threshold.map(|threshold| threshold.to_string());
        writeln!(
            text,
            "| `{}` | {of} | {} | {} | {} | {} |",
            test.id,
            cell(test.formula),
            range(test.range),
            accepted.as_deref().unwrap_or("its p-value judges"),
            cell(test.source)
        )
        .unwrap();
    }
    text.push('\n');
    for test in registry::all() {
        writeln!(text, "- `{}`: {}", test.id, test.edge_cases).unwrap();
    }
    text
}

/// Puts the text between its two marks.
pub fn put(page: &str, mark: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {mark}: generated -->\n"), format!("<!-- {mark}: end -->"));
    let (head, rest) = page.split_once(&begin).unwrap();
    let (_, tail) = rest.split_once(&end).unwrap();
    format!("{head}{begin}{text}{end}{tail}")
}

/// Holds a page to what the registries say, or renews it.
fn current(name: &str, tables: &[(&str, String)]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs").join(name);
    let page = std::fs::read_to_string(&path).unwrap();
    let new = tables.iter().fold(page.clone(), |page, (mark, table)| put(&page, mark, table));
    if new != page {
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, new).unwrap();
        } else {
            panic!(
                "docs/{name} is old; renew it with `UPDATE_DOCS=1 cargo test -p ephor-fairness --test it the_page_of`"
            );
        }
    }
}

#[test]
fn the_page_of_metrics_is_current() {
    let tables =
        [("metrics", of_metrics()), ("disparities", of_disparities()), ("kinds", of_kinds())];
    current("metrics.md", &tables);
}

#[test]
fn the_page_of_drift_is_current() {
    current("drift.md", &[("drift", of_drift())]);
}

#[test]
fn names_of_the_peers_are_in_the_registry() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = page.split_once("<!-- peers: checked -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- peers: end -->").unwrap();
    let rows: Vec<&str> = table.lines().skip(2).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        // Between two backticks stands a name.
        for name in row.split('`').skip(1).step_by(2) {
            assert!(disparities::find(name).is_some(), "{name} is in no registry: {row}");
        }
    }
}

#[test]
fn names_of_other_tasks_in_the_table_of_the_peers_are_known_and_all_there() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/metrics.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = page.split_once("<!-- peers of tasks: checked -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- peers of tasks: end -->").unwrap();
    let mut named: Vec<(Task, &str)> = Vec::new();
    for row in table.lines().skip(2) {
        let word = row.split('|').nth(1).unwrap().trim();
        let task = Task::named(word).unwrap_or_else(|| panic!("no task {word}"));
        let names = row.split('`').skip(1).step_by(2).filter(|name| *name != "MetricFrame");
        named.extend(names.map(|name| (task, name)));
    }
    for (task, name) in &named {
        assert!(disparity(*task, name).is_some(), "{name} is none of {task:?}");
    }
    for task in [Task::Regression, Task::Multiclass, Task::Ranking] {
        for about in abouts(task) {
            let id = format!("{}_difference", about.id);
            assert!(named.contains(&(task, id.as_str())), "{id} of {task:?} is not in the table");
        }
    }
}
