//! The tables of a comparison: disparities, and the metrics of everybody and of each group.

use ephor_fairness::{
    Disparity,
    comparison::{ChangeInterval, DisparityChange, GroupChange, MetricChange, Verdict},
};

use super::view::{MOST_METRICS, badge, rank, word};
use crate::view::{Head, Html, Table, format};

/// The metrics of each group, the worst change first.
pub(super) fn groups(name: &str, changes: &[GroupChange]) -> Option<Table> {
    let all = changes.iter().flat_map(|group| group.metrics.iter().map(move |one| (group, one)));
    let mut all: Vec<(&GroupChange, &MetricChange)> =
        all.filter(|(_, one)| one.baseline.is_some() || one.current.is_some()).collect();
    // Stable: within a kind of change the groups stay in their order.
    all.sort_by_key(|(_, one)| rank(one.verdict));
    let listed = all.iter().take(MOST_METRICS);
    let rows: Vec<Vec<Html>> = listed
        .map(|(group, one)| {
            let mut row = metric(one);
            row.insert(0, Html::text(&group.name));
            row
        })
        .collect();
    let mut heads = metric_heads();
    heads.insert(0, Head::new("Group"));
    let label = format!("Metrics of each group of {name}, the worst change first");
    (!rows.is_empty()).then_some(Table { label, heads, rows })
}

pub(super) fn table(label: &str, rows: Vec<Vec<Html>>) -> Table {
    let mut heads = vec![Head::new("Disparity"), Head::new("Change")];
    heads.extend([
        Head::right("Before"),
        Head::right("After"),
        Head::right("Difference"),
        Head::new("Status"),
    ]);
    Table { label: label.to_owned(), heads, rows }
}

pub(super) fn row(
    change: &DisparityChange,
    before: Option<&Disparity>,
    after: Option<&Disparity>,
) -> Vec<Html> {
    let verdict = if change.regressed && change.verdict != Verdict::Worse {
        Html::of(&badge(change.verdict)).then(" ").sub("fails now and did not before")
    } else {
        Html::of(&badge(change.verdict))
    };
    vec![
        Html::text(&change.title).sub(&change.sentence),
        verdict,
        value(change.baseline, before),
        value(change.current, after),
        difference(change.change, change.interval),
        Html::text(&format!(
            "{} \u{2192} {}",
            word(change.baseline_status),
            word(change.current_status)
        )),
    ]
}

fn value(value: Option<f64>, side: Option<&Disparity>) -> Html {
    let interval = side.and_then(|one| one.interval.as_ref()).map_or_else(String::new, |at| {
        format!("{} to {}", format::decimal(at.lower), format::decimal(at.upper))
    });
    match value {
        Some(value) => Html::text(&format::decimal(value)).sub(&interval),
        None => Html::text("\u{2013}"),
    }
}

fn difference(change: Option<f64>, interval: Option<ChangeInterval>) -> Html {
    let Some(change) = change else { return Html::text("\u{2013}") };
    let sign = if change > 0.0 { "+" } else { "" };
    let range = interval.map_or_else(String::new, |at| {
        format!("{} to {}", format::decimal(at.lower), format::decimal(at.upper))
    });
    Html::text(&format!("{sign}{}", format::decimal(change))).sub(&range)
}

pub(super) fn overall(changes: &[MetricChange]) -> Option<Table> {
    let rows: Vec<Vec<Html>> = changes.iter().map(metric).collect();
    (!rows.is_empty()).then(|| Table {
        label: "Metrics of everybody, before and after".to_owned(),
        heads: metric_heads(),
        rows,
    })
}

fn metric_heads() -> Vec<Head> {
    vec![
        Head::new("Metric"),
        Head::new("Change"),
        Head::right("Before"),
        Head::right("After"),
        Head::right("Difference"),
    ]
}

fn metric(change: &MetricChange) -> Vec<Html> {
    let value = |value: Option<f64>| {
        Html::text(&value.map_or_else(|| "\u{2013}".to_owned(), format::decimal))
    };
    vec![
        Html::text(&change.title).sub(&change.sentence),
        Html::of(&badge(change.verdict)),
        value(change.baseline),
        value(change.current),
        difference(change.change, change.interval),
    ]
}
