//! `ephor metrics`

use std::io::Write as _;

use ephor_fairness::{
    catalogue::{self, Kind, Meaning, kinds},
    disparities::{self, Definition},
    drift::{self, registry},
    frame::About,
    metrics::{self, Metric, bounds},
};
use serde::Serialize;

use super::printed;
use crate::exit::{Exit, UsageError};

/// Look up metrics and disparities of any analysis, and tests of drift: formulas, ranges, sources.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ephor metrics
  ephor metrics equalized_odds_difference
  ephor metrics psi
  ephor metrics bounded_group_loss
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
    /// Of other than yes and no.
    kinds: Vec<Kind>,
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
                    kinds: kinds(),
                };
                writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
            }
            (None, false) => list(&mut out)?,
            (Some(name), is_json) => {
                let (meaning, others) = find(name)?;
                if is_json {
                    let told = Told { meaning, others };
                    writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
                } else {
                    describe(&mut out, meaning)?;
                    for meaning in others {
                        writeln!(out)?;
                        describe(&mut out, meaning)?;
                    }
                }
            }
        }
        Ok(Exit::Ok)
    }
}

/// What a name stands for, and what it stands for in other analyses.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    meaning: Meaning,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<Meaning>,
}

fn find(name: &str) -> anyhow::Result<(Meaning, Vec<Meaning>)> {
    let mut meanings = catalogue::meanings(name).into_iter();
    let first = meanings.next().ok_or_else(|| {
        let hint = catalogue::nearest_meaning(name).map_or_else(
            || "`ephor metrics` lists all.".to_owned(),
            |near| format!("Did you mean `{near}`?"),
        );
        UsageError(format!("There is no metric or disparity `{name}`. {hint}"))
    })?;
    Ok((first, meanings.collect()))
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
    for kind in kinds() {
        writeln!(out, "\n{}", kind.title)?;
        let rows = kind.metrics.iter().map(|about| {
            vec![about.id.to_owned(), about.title.to_owned(), about.formula.to_owned()]
        });
        let disparities = kind.disparities.iter().map(|about| {
            vec![about.id.to_owned(), about.title.to_owned(), about.formula.to_owned()]
        });
        printed::table(out, &["id", "title", "formula"], rows.chain(disparities))?;
    }
    writeln!(out, "\n`ephor metrics NAME` says more of one.")?;
    Ok(())
}

fn describe(out: &mut impl std::io::Write, meaning: Meaning) -> anyhow::Result<()> {
    let all = match meaning {
        Meaning::Metric(metric) => of_metric(metric),
        Meaning::Disparity(definition) => of_disparity(definition),
        Meaning::Drift(test) => of_drift(test),
        Meaning::Other { analysis, of_groups, about } => of_other(analysis, of_groups, about),
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

fn of_other(analysis: &str, of_groups: bool, about: &About) -> Vec<(&'static str, String)> {
    let asked = match analysis {
        "individual_fairness" => "--type individual_fairness".to_owned(),
        "flips" => "--flipped COLUMN".to_owned(),
        task => format!("--task {task}"),
    };
    let makes = ["difference", "ratio", "difference_to_reference", "ratio_to_reference"]
        .map(|form| format!("{}_{form}", about.id))
        .join(", ");
    let threshold = match (about.difference_threshold, about.ratio_threshold) {
        (Some(difference), _) if of_groups => format!("{difference} of the difference"),
        (Some(value), _) => value.to_string(),
        (None, Some(ratio)) => format!("{ratio} of the ratio"),
        (None, None) => "none: judged only where one is set".to_owned(),
    };
    vec![
        ("id", about.id.to_owned()),
        ("title", about.title.to_owned()),
        ("formula", about.formula.to_owned()),
        ("range", range(about.range)),
        ("better", about.better.as_str().to_owned()),
        ("disparities", if of_groups { makes } else { String::new() }),
        ("threshold", threshold),
        ("asked for", format!("ephor analyze \u{2026} {asked}")),
        ("source", about.source.to_owned()),
        ("edge cases", about.edge_cases.to_owned()),
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
