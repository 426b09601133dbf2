//! Rates by group with their intervals: one row a group, a dot with whiskers a rate.

use ephor_fairness::{AttributeResult, Disparity, Group, frame};
use serde::Serialize;

use super::{Axis, Mark, Plot, block, height, interval_name, slug};
use crate::view::format;

/// More rows than this are left to the table: nobody reads a plot of a thousand groups.
const MOST_ROWS: usize = 40;

#[derive(Debug, Serialize)]
struct Intervals {
    kind: &'static str,
    description: String,
    axis: Axis,
    series: Vec<String>,
    rows: Vec<Row>,
    /// What a whisker is called.
    interval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Line>,
}

#[derive(Debug, Serialize)]
struct Row {
    label: String,
    n: u64,
    values: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Line {
    value: f64,
    label: String,
}

/// Who is selected how often, and everybody's rate as a line. `None` without predictions.
pub fn selection_rates(result: &AttributeResult, overall: &Group) -> Option<Plot> {
    let whole = overall.metric("selection_rate").and_then(|metric| metric.value);
    rates(
        result,
        &[("selection_rate", "Selection rate")],
        "selection",
        format!("Selection rate by {}", result.name),
        &format!(
            "How many of each group are predicted positive. A whisker is the {}; groups whose whiskers lie far apart are treated differently beyond chance.",
            interval_name(&result.groups)
        ),
        whole.map(|value| Line { value, label: format!("all {}", format::percent(value)) }),
    )
}

/// How often the model is right about positives and wrong about negatives. `None` without both
/// labels and predictions.
pub fn error_rates(result: &AttributeResult) -> Option<Plot> {
    rates(
        result,
        &[("tpr", "True positive rate"), ("fpr", "False positive rate")],
        "errors",
        format!("True and false positive rate by {}", result.name),
        "Of those with a positive label, how many are found; of those with a negative label, how many are taken for positive. Equalized odds asks that both be alike in all groups.",
        None,
    )
}

/// A metric of the groups of an analysis of another task than yes or no, and everybody's as a line. `None` without any value.
pub fn by_group(
    comparison: &frame::Comparison,
    overall: &frame::Line,
    metric: (&str, &str),
    percent: bool,
) -> Option<Plot> {
    let (id, name) = metric;
    let rows: Vec<Row> = comparison
        .groups
        .iter()
        .map(|group| Row {
            label: group.name.clone(),
            n: group.n,
            values: vec![Mark::of(group.metric(id))],
        })
        .collect();
    if !rows.iter().flat_map(|row| &row.values).any(|mark| mark.value.is_some()) {
        return None;
    }
    let words = |mark: &Mark| if percent { mark.words() } else { (mark.number(), mark.range()) };
    let table = rows
        .iter()
        .map(|row| {
            let (value, range) = row.values.first().map(words).unwrap_or_default();
            vec![row.label.clone(), format::count(row.n), value, range]
        })
        .collect();
    let whole = overall.metric(id).and_then(|metric| metric.value);
    let told = |value| if percent { format::percent(value) } else { format::decimal(value) };
    let title = format!("{name} by {}", comparison.name);
    let shown: Vec<Row> = rows.into_iter().take(MOST_ROWS).collect();
    Some(Plot {
        id: format!("plot-{}-{}", slug(id), slug(&comparison.name)),
        reading: "A whisker is the interval, the line is everybody. Groups whose whiskers lie far apart differ beyond chance.".to_owned(),
        size: height(shown.len()),
        json: block(&Intervals {
            kind: "intervals",
            description: format!("{title}. The table below the plot holds all values."),
            axis: Axis { label: name.to_owned(), min: None, max: None, percent },
            interval: "interval".to_owned(),
            series: vec![name.to_owned()],
            rows: shown,
            mark: whole.map(|value| Line { value, label: format!("all {}", told(value)) }),
        }),
        heads: vec![comparison.name.clone(), "n".to_owned(), name.to_owned(), "Its interval".to_owned()],
        rows: table,
        title,
    })
}

/// A disparity in two analyses.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Its name for people.
    pub title: &'a str,
    /// In the earlier one.
    pub before: Option<&'a Disparity>,
    /// In the later one.
    pub after: Option<&'a Disparity>,
}

/// Disparities before and after: one row each, a dot with whiskers for each side. `None` without
/// any value.
pub fn changes(name: &str, pairs: &[Pair<'_>]) -> Option<Plot> {
    let mark = |side: Option<&Disparity>| {
        let interval = side.and_then(|one| one.interval.as_ref());
        Mark {
            value: side.and_then(|one| one.value),
            low: interval.map(|interval| interval.lower),
            high: interval.map(|interval| interval.upper),
        }
    };
    let rows: Vec<Row> = pairs
        .iter()
        .map(|pair| Row {
            label: pair.title.to_owned(),
            n: pair.after.or(pair.before).map_or(0, |one| one.n),
            values: vec![mark(pair.before), mark(pair.after)],
        })
        .collect();
    if !rows.iter().flat_map(|row| &row.values).any(|mark| mark.value.is_some()) {
        return None;
    }
    let table = rows
        .iter()
        .map(|row| {
            let cells = row.values.iter().flat_map(|mark| [mark.number(), mark.range()]);
            std::iter::once(row.label.clone()).chain(cells).collect()
        })
        .collect();
    let title = format!("Disparities of {name}, before and after");
    let shown: Vec<Row> = rows.into_iter().take(MOST_ROWS).collect();
    Some(Plot {
        id: format!("plot-changes-{}", slug(name)),
        reading: "A circle is what was, a diamond is what is; a whisker is the interval. Where the whiskers of a row overlap widely, chance alone could explain the change.".to_owned(),
        // Two marks to a row need a little more room.
        size: height(shown.len() + shown.len() / 2),
        json: block(&Intervals {
            kind: "intervals",
            description: format!("{title}. The table below the plot holds all values."),
            axis: Axis { label: "Disparity".to_owned(), min: None, max: None, percent: false },
            series: vec!["Before".to_owned(), "After".to_owned()],
            rows: shown,
            interval: "interval".to_owned(),
            mark: None,
        }),
        heads: ["Disparity", "Before", "Its interval", "After", "Its interval"].map(str::to_owned).to_vec(),
        rows: table,
        title,
    })
}

fn rates(
    result: &AttributeResult,
    metrics: &[(&str, &str)],
    kind: &str,
    title: String,
    reading: &str,
    mark: Option<Line>,
) -> Option<Plot> {
    let any = |group: &Group| {
        metrics.iter().any(|(id, _)| group.metric(id).is_some_and(|metric| metric.value.is_some()))
    };
    if !result.groups.iter().any(any) {
        return None;
    }
    let rows: Vec<Row> = result
        .groups
        .iter()
        .map(|group| Row {
            label: group.name.clone(),
            n: group.n,
            values: metrics.iter().map(|(id, _)| Mark::of(group.metric(id))).collect(),
        })
        .collect();
    let interval = interval_name(&result.groups);
    let mut heads = vec![result.name.clone(), "n".to_owned()];
    heads.extend(metrics.iter().flat_map(|(_, name)| [(*name).to_owned(), interval.clone()]));
    let table = rows
        .iter()
        .map(|row| {
            let mut cells = vec![row.label.clone(), format::count(row.n)];
            cells.extend(row.values.iter().flat_map(|mark| {
                let (value, range) = mark.words();
                [value, range]
            }));
            cells
        })
        .collect();
    let shown: Vec<Row> = rows.into_iter().take(MOST_ROWS).collect();
    let size = height(shown.len());
    let json = block(&Intervals {
        kind: "intervals",
        description: format!("{title}. The table below the plot holds all values."),
        axis: Axis {
            label: metrics
                .first()
                .filter(|_| metrics.len() == 1)
                .map_or("Rate", |(_, name)| name)
                .to_owned(),
            min: Some(0.0),
            max: None,
            percent: true,
        },
        series: metrics.iter().map(|(_, name)| (*name).to_owned()).collect(),
        rows: shown,
        interval,
        mark,
    });
    Some(Plot {
        id: format!("plot-{kind}-{}", slug(&result.name)),
        title,
        reading: reading.to_owned(),
        size,
        json,
        heads,
        rows: table,
    })
}
