//! Local Law 144 in words.

use ephor_fairness::law::ll144::{Category, Ll144Report, Part, Table};

use super::{Document, Section, below, people, rate, ratio};

pub(super) fn document(report: &Ll144Report) -> Document {
    let mut facts = vec![format!("{} were read.", people(report.rows, "person", "people"))];
    let mut sections = Vec::new();
    if let Some(part) = &report.selection {
        facts.push(format!("Selection is read from {}.{}", part.column, without(part)));
        sections.extend(part.tables.iter().map(|table| section(table, SELECTION)));
    }
    if let Some(scoring) = &report.scoring {
        facts.push(format!(
            "Scores are read from {}; the median of the sample is {}.{}",
            scoring.part.column,
            scoring.median,
            without(&scoring.part)
        ));
        sections.extend(scoring.part.tables.iter().map(|table| section(table, SCORING)));
    }
    Document {
        title: "Bias audit figures (New York City Local Law 144)",
        rule: report.rule.clone(),
        facts,
        sections,
        notes: report.notes.clone(),
    }
}

/// What a part is called, and its heads.
type Words = (&'static str, [&'static str; 7]);

const SELECTION: Words = (
    "Selection",
    [
        "category",
        "applicants",
        "share of sample",
        "selected",
        "selection rate",
        "impact ratio",
        "EEOC guidance…",
    ],
);
const SCORING: Words = (
    "Scoring",
    [
        "category",
        "applicants",
        "share of sample",
        "above median",
        "scoring rate",
        "impact ratio",
        "EEOC guidance…",
    ],
);

fn without(part: &Part) -> String {
    match part.without {
        0 => String::new(),
        1 => " Of one person it is missing.".to_owned(),
        many => format!(" Of {many} people it is missing."),
    }
}

fn section(table: &Table, (kind, heads): Words) -> Section {
    let mut facts = Vec::new();
    if table.unknown > 0 {
        facts.push(format!(
            "{} not in these figures: they fall within no known category.",
            people(table.unknown, "person is", "people are")
        ));
    }
    let excluded = table
        .categories
        .iter()
        .filter_map(|category| Some((&category.name, category.excluded.as_ref()?)));
    for (name, reason) in excluded {
        facts.push(format!("{name} is left out of the impact ratios: {reason}"));
    }
    Section {
        heading: format!("{kind} by {}", table.attributes.join(" and ")),
        heads: heads.to_vec(),
        rows: table.categories.iter().map(row).collect(),
        facts,
    }
}

fn row(category: &Category) -> Vec<String> {
    vec![
        category.values.join(" / "),
        category.applicants.to_string(),
        rate(Some(category.share)),
        category.selected.to_string(),
        rate(category.rate),
        ratio(category.impact_ratio, category.interval.as_ref()),
        below(category.below_four_fifths),
    ]
}
