//! `ephor metrics`

use std::io::Write as _;

use ephor_fairness::{
    catalogue::{self, Entry},
    disparities::{self, Definition},
    drift::{self, registry},
    metrics::{self, Metric, bounds},
};
use serde::Serialize;

use super::printed;
use crate::exit::{Exit, UsageError};

/// Look up metrics, disparities and tests of drift: formulas, ranges, sources.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor metrics
  ephor metrics equalized_odds_difference
  ephor metrics psi
  ephor metrics --json | jq '.disparities[] | select(.scored).id'")]
pub struct Args {
    /// One of them, by id or by another name; all by default
    name: Option<String>,
    /// For programs
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct All {
    metrics: &'static [&'static Metric],
    disparities: &'static [Definition],
    drift: &'static [&'static drift::Definition],
}

impl Args {
    pub fn run(self) -> anyhow::Result<Exit> {
        let mut out = std::io::stdout().lock();
        match (&self.name, self.json) {
            (None, true) => {
                let all = All {
                    metrics: metrics::registry(),
                    disparities: disparities::registry(),
                    drift: registry::all(),
                };
                writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
            }
            (None, false) => list(&mut out)?,
            (Some(name), is_json) => {
                if let (None, Some(test)) = (catalogue::find(name), registry::find(name)) {
                    if is_json {
                        writeln!(out, "{}", serde_json::to_string_pretty(test)?)?;
                    } else {
                        lines(&mut out, &of_drift(test))?;
                    }
                    return Ok(Exit::Ok);
                }
                let entry = find(name)?;
                if is_json {
                    writeln!(out, "{}", serde_json::to_string_pretty(&entry)?)?;
                } else {
                    describe(&mut out, entry)?;
                }
            }
        }
        Ok(Exit::Ok)
    }
}

fn find(name: &str) -> anyhow::Result<Entry> {
    catalogue::find(name).ok_or_else(|| {
        let hint = catalogue::nearest(name).map_or_else(
            || "`ephor metrics` lists all.".to_owned(),
            |near| format!("Did you mean `{near}`?"),
        );
        UsageError(format!("There is no metric or disparity `{name}`. {hint}")).into()
    })
}

fn list(out: &mut impl std::io::Write) -> anyhow::Result<()> {
    writeln!(out, "Metrics of a group")?;
    let rows = metrics::registry().iter().map(|metric| {
        vec![metric.id.to_owned(), metric.title.to_owned(), metric.formula.to_owned()]
    });
    printed::table(out, &["id", "title", "formula"], rows)?;
    writeln!(out, "\nDisparities between groups")?;
    let rows = disparities::registry().iter().map(|definition| {
        let judged = definition.default_threshold.map(|threshold| threshold.to_string());
        vec![definition.id.clone(), judged.unwrap_or_default(), definition.formula.clone()]
    });
    printed::table(out, &["id", "threshold", "formula"], rows)?;
    writeln!(out, "\nTests of drift")?;
    let rows = registry::all().iter().map(|test| {
        let judged = test.default_threshold.map(|threshold| threshold.to_string());
        vec![test.id.to_owned(), judged.unwrap_or_default(), test.formula.to_owned()]
    });
    printed::table(out, &["id", "threshold", "formula"], rows)?;
    writeln!(out, "\n`ephor metrics NAME` says more of one.")?;
    Ok(())
}

fn describe(out: &mut impl std::io::Write, entry: Entry) -> anyhow::Result<()> {
    let all = match entry {
        Entry::Metric(metric) => of_metric(metric),
        Entry::Disparity(definition) => of_disparity(definition),
    };
    lines(out, &all)
}

fn lines(out: &mut impl std::io::Write, lines: &[(&str, String)]) -> anyhow::Result<()> {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "{name:width$}  {text}")?;
    }
    Ok(())
}

fn of_metric(metric: &Metric) -> Vec<(&'static str, String)> {
    vec![
        ("id", metric.id.to_owned()),
        ("title", metric.title.to_owned()),
        ("also called", metric.aliases.join(", ")),
        ("formula", metric.formula.to_owned()),
        ("range", range(metric.range)),
        ("better", metric.better.as_str().to_owned()),
        ("needs", metric.needs.as_str().to_owned()),
        ("source", metric.source.to_owned()),
        ("edge cases", metric.edge_cases.to_owned()),
    ]
}

fn of_disparity(definition: &Definition) -> Vec<(&'static str, String)> {
    let threshold = definition.default_threshold;
    vec![
        ("id", definition.id.clone()),
        ("title", definition.title.clone()),
        ("also called", definition.aliases.join(", ")),
        ("formula", definition.formula.clone()),
        ("range", range(definition.range)),
        ("ideal", definition.ideal.to_string()),
        (
            "threshold",
            threshold.map_or_else(
                || "none: judged only where one is set".to_owned(),
                |threshold| threshold.to_string(),
            ),
        ),
        ("needs", definition.needs.as_str().to_owned()),
        ("source", definition.source.to_owned()),
        ("edge cases", definition.edge_cases.to_owned()),
    ]
}

fn of_drift(test: &drift::Definition) -> Vec<(&'static str, String)> {
    let threshold = test.default_threshold;
    vec![
        ("id", test.id.to_owned()),
        ("title", test.title.to_owned()),
        ("formula", test.formula.to_owned()),
        ("range", range(test.range)),
        (
            "threshold",
            threshold.map_or_else(
                || "none: its p-value judges".to_owned(),
                |threshold| threshold.to_string(),
            ),
        ),
        ("source", test.source.to_owned()),
        ("edge cases", test.edge_cases.to_owned()),
    ]
}

fn range(range: (f64, f64)) -> String {
    let [least, greatest] = bounds(range)
        .map(|bound| bound.map_or_else(|| "unbounded".to_owned(), |bound| bound.to_string()));
    format!("{least} to {greatest}")
}
