//! The data alone in words.

use ephor_fairness::data::{
    DataReport, Line, Table, proxies::Proxy, representation::Representation,
};

use super::{Document, NOTHING, Section, chi_square, completeness, people, rate, ratio};

pub(super) fn document(report: &DataReport) -> Document {
    let mut sections = Vec::new();
    for table in &report.tables {
        sections.push(groups(table));
        sections.extend(completeness::section(table));
        sections.extend(
            table.representation.as_ref().map(|found| representation(&table.attributes, found)),
        );
    }
    for (heading, found) in [
        ("What the label and the protected attributes say of one another", &report.associations),
        ("What else gives a protected attribute away", &report.proxies),
    ] {
        if !found.is_empty() {
            sections.push(proxies(heading, found));
        }
    }
    Document {
        title: "Who is in the data",
        rule: "The data alone, before any model".to_owned(),
        facts: facts(report),
        sections,
        notes: report.notes.clone(),
    }
}

/// What was read, and what was not asked.
fn facts(report: &DataReport) -> Vec<String> {
    let mut facts = vec![format!("{} read.", people(report.rows, "row was", "rows were"))];
    if report.tables.iter().all(|table| table.representation.is_none()) {
        facts.push("No population is given to hold the groups against.".to_owned());
    }
    if report.proxies.is_empty() {
        facts.push("No column is held against the protected attributes: name features to learn what gives them away.".to_owned());
    }
    facts
}

fn groups(table: &Table) -> Section {
    let row = |line: &Line| {
        vec![
            line.values.join(" / "),
            line.n.to_string(),
            rate(Some(line.share)),
            rate(Some(line.labelled)),
            ratio(line.base_rate, line.base_rate_interval.as_ref()),
        ]
    };
    Section {
        heading: format!("Groups by {}", table.attributes.join(" and ")),
        heads: vec!["group", "rows", "share", "labelled", "share of positive labels"],
        rows: table.groups.iter().map(row).collect(),
        facts: completeness::whole(table).into_iter().collect(),
    }
}

fn representation(attributes: &[String], found: &Representation) -> Section {
    let mut facts = Vec::new();
    if let Some(test) = &found.test {
        facts.push(format!("Drawn from this population at random? By {}.", chi_square(test)));
    }
    if !found.unknown.is_empty() {
        facts.push(format!(
            "The population says nothing of {}: left out here.",
            found.unknown.join(", ")
        ));
    }
    Section {
        heading: format!("Representation by {}", attributes.join(" and ")),
        heads: vec!["group", "rows", "share of data", "share of population", "data / population"],
        rows: found
            .groups
            .iter()
            .map(|group| {
                vec![
                    group.name.clone(),
                    group.n.to_string(),
                    ratio(Some(group.share), Some(&group.interval)),
                    rate(Some(group.expected)),
                    format!("{:.3}", group.ratio),
                ]
            })
            .collect(),
        facts,
    }
}

fn proxies(heading: &str, found: &[Proxy]) -> Section {
    let number = |value: Option<f64>| {
        value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.3}"))
    };
    Section {
        heading: heading.to_owned(),
        heads: vec![
            "column",
            "says of…",
            "Cramér's V",
            "corrected",
            "correlation ratio",
            "mutual information",
            "share of entropy",
        ],
        rows: found
            .iter()
            .map(|proxy| {
                let of = proxy.association;
                vec![
                    proxy.column.clone(),
                    proxy.attribute.clone(),
                    number(of.map(|found| found.cramers_v)),
                    number(of.and_then(|found| found.cramers_v_corrected)),
                    number(proxy.correlation_ratio),
                    number(of.map(|found| found.mutual_information)),
                    number(of.map(|found| found.uncertainty)),
                ]
            })
            .collect(),
        facts: vec![
            "Share of entropy: how much of what is unknown of the attribute the column takes away."
                .to_owned(),
            "Corrected: Cramér's V without its bias upwards where there are many categories; not with weights."
                .to_owned(),
        ],
    }
}
