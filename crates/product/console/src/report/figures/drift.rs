//! Drift in words.

use ephor_fairness::{
    Interval, Status,
    drift::{Bin, ColumnDrift, ColumnKind, DriftReport, DriftTest, MetricDrift, MetricKind, Seen},
};

use super::{Document, NOTHING, Section, people, probability, rate};

/// How many columns' distributions are shown, the worst first.
const SHOWN: usize = 20;
/// A bar of all rows is so long.
const BAR: f64 = 40.0;

pub(super) fn document(report: &DriftReport) -> Document {
    let mut facts = vec![
        format!(
            "{} compared with {} of the reference.",
            people(report.current_rows, "row is", "rows are"),
            report.reference_rows
        ),
        report.status.map_or_else(
            || "Nothing could be judged.".to_owned(),
            |status| format!("{}: {}.", verdict(status), counts(report)),
        ),
    ];
    facts.extend(
        report
            .columns
            .iter()
            .filter(|column| column.status > Some(Status::Pass))
            .map(|column| column.sentence.clone()),
    );
    facts.extend(
        report
            .metrics
            .iter()
            .filter(|metric| metric.status > Some(Status::Pass))
            .map(|metric| metric.sentence.clone()),
    );
    let mut sections = Vec::new();
    if !report.columns.is_empty() {
        sections.push(columns(&report.columns));
    }
    sections.extend(changed_values(&report.columns));
    for (kind, heading) in
        [(MetricKind::Performance, "Performance"), (MetricKind::Fairness, "Fairness")]
    {
        let of_kind: Vec<&MetricDrift> =
            report.metrics.iter().filter(|metric| metric.kind == kind).collect();
        if !of_kind.is_empty() {
            sections.push(metrics(heading, &of_kind));
        }
    }
    let mut worst: Vec<&ColumnDrift> =
        report.columns.iter().filter(|column| !column.bins.is_empty()).collect();
    worst.sort_by_key(|column| std::cmp::Reverse(column.status));
    sections.extend(worst.into_iter().take(SHOWN).map(distribution));
    let mut notes = report.notes.clone();
    notes.push(
        "Drift says that the data differ, not that the model is worse: that, only labels can say."
            .to_owned(),
    );
    Document {
        title: "Drift",
        rule: "Two tables compared: columns, performance and fairness".to_owned(),
        facts,
        sections,
        notes,
    }
}

fn counts(report: &DriftReport) -> String {
    let of = |statuses: &[Option<Status>]| {
        let drifted = statuses.iter().filter(|status| **status == Some(Status::Fail)).count();
        let perhaps = statuses.iter().filter(|status| **status == Some(Status::Warning)).count();
        format!("{drifted} of {} drifted, {perhaps} may have", statuses.len())
    };
    let columns: Vec<_> = report.columns.iter().map(|column| column.status).collect();
    let judged = report.metrics.iter().filter(|metric| metric.status.is_some());
    let metrics: Vec<_> = judged.map(|metric| metric.status).collect();
    if metrics.is_empty() {
        format!("of the columns, {}", of(&columns))
    } else {
        format!("of the columns, {}; of the judged metrics, {}", of(&columns), of(&metrics))
    }
}

const fn verdict(status: Status) -> &'static str {
    match status {
        Status::Pass => "No drift",
        Status::Warning => "Perhaps drift",
        Status::Fail => "Drift",
    }
}

fn word(status: Option<Status>) -> String {
    status.map_or_else(|| NOTHING.to_owned(), |status| verdict(status).to_owned())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.3}"))
}

/// The test that speaks for a column: the worst that is judged, not of missing values if there is another.
fn speaker(column: &ColumnDrift) -> Option<&DriftTest> {
    let judged = || column.tests.iter().filter(|test| test.status.is_some());
    judged()
        .filter(|test| test.id != "missing_share")
        .max_by_key(|test| test.status)
        .or_else(|| column.tests.iter().find(|test| test.chosen))
}

fn columns(columns: &[ColumnDrift]) -> Section {
    let row = |column: &ColumnDrift| {
        let test = speaker(column);
        let missing = column.tests.iter().find(|test| test.id == "missing_share");
        vec![
            column.name.clone(),
            match column.kind {
                ColumnKind::Category => "categories".to_owned(),
                ColumnKind::Number => "numbers".to_owned(),
            },
            test.map_or_else(|| NOTHING.to_owned(), |test| test.title.clone()),
            number(test.and_then(|test| test.value)),
            number(test.and_then(|test| test.threshold)),
            test.and_then(|test| test.p_adjusted.or(test.p_value))
                .map_or_else(|| NOTHING.to_owned(), probability),
            word(test.and_then(|test| test.status)),
            rate(Some(column.reference_missing)),
            rate(Some(column.current_missing)),
            word(missing.and_then(|test| test.status)),
        ]
    };
    Section {
        heading: "Columns".to_owned(),
        heads: vec![
            "column",
            "as…",
            "judged by…",
            "value",
            "threshold",
            "p (all columns)",
            "verdict…",
            "missing before",
            "missing now",
            "of missing…",
        ],
        rows: columns.iter().map(row).collect(),
        facts: vec![
            "Small tables are judged by a test, whose p-value is adjusted for the number of columns; large ones by a distance."
                .to_owned(),
        ],
    }
}

/// Categories that only one table has.
fn changed_values(columns: &[ColumnDrift]) -> Option<Section> {
    let mut rows = Vec::new();
    for column in columns {
        let kinds = [
            ("new", &column.new_values, column.new_count),
            ("gone", &column.gone_values, column.gone_count),
        ];
        for (what, values, count) in kinds.into_iter().filter(|(_, values, _)| !values.is_empty()) {
            let named = |seen: &Seen| format!("{} ({})", seen.value, seen.rows);
            let mut text = values.iter().take(5).map(named).collect::<Vec<_>>().join(", ");
            if count > 5 {
                text.push_str(", …");
            }
            let share: f64 = values.iter().map(|seen| seen.share).sum();
            rows.push(vec![
                column.name.clone(),
                what.to_owned(),
                count.to_string(),
                rate(Some(share)),
                text,
            ]);
        }
    }
    (!rows.is_empty()).then(|| Section {
        heading: "New and gone categories".to_owned(),
        heads: vec!["column", "they are…", "how many", "share of rows", "values (rows)…"],
        rows,
        facts: Vec::new(),
    })
}

fn metrics(heading: &str, metrics: &[&MetricDrift]) -> Section {
    let row = |metric: &&MetricDrift| {
        let whom = match (&metric.attribute, &metric.group) {
            (Some(attribute), Some(group)) => format!("{attribute}: {group}"),
            (Some(attribute), None) => attribute.clone(),
            _ => "everybody".to_owned(),
        };
        let difference = match (metric.difference, &metric.interval) {
            (Some(value), Some(Interval { lower, upper, .. })) => {
                format!("{value:.3} [{lower:.3}, {upper:.3}]")
            }
            (value, _) => number(value),
        };
        vec![
            metric.metric.clone(),
            whom,
            number(metric.reference),
            number(metric.current),
            difference,
            number(metric.threshold),
            metric.p_adjusted.map_or_else(|| NOTHING.to_owned(), probability),
            word(metric.status),
        ]
    };
    let mut facts = Vec::new();
    if heading == "Fairness" {
        facts.push(
            "The difference is how much further from its ideal a disparity is: below 0 is nearer."
                .to_owned(),
        );
    }
    let tests = metrics.iter().filter(|metric| metric.p_adjusted.is_some()).count();
    if let Some(Interval { confidence, .. }) =
        metrics.iter().find_map(|metric| metric.interval.as_ref()).filter(|_| tests > 1)
    {
        facts.push(format!(
            "Intervals are of one difference each, at {:.0} %. The verdict rests on p, which is adjusted for all {tests} that were judged.",
            100.0 * confidence
        ));
    }
    Section {
        heading: heading.to_owned(),
        heads: vec![
            "metric",
            "of…",
            "before",
            "now",
            "difference",
            "threshold",
            "p (adjusted)",
            "verdict…",
        ],
        rows: metrics.iter().map(row).collect(),
        facts,
    }
}

fn distribution(column: &ColumnDrift) -> Section {
    let row = |bin: &Bin| {
        vec![
            bin.label.clone(),
            rate(Some(bin.reference)),
            bar(bin.reference),
            rate(Some(bin.current)),
            bar(bin.current),
        ]
    };
    Section {
        heading: format!("Distribution of {}", column.name),
        heads: vec!["value", "before", "…", "now", "…"],
        rows: column.bins.iter().map(row).collect(),
        facts: vec![column.sentence.clone()],
    }
}

fn bar(share: f64) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * BAR).round() as usize)
}
