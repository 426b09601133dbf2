//! The numbers of an explanation, as tables.

use ephor_explain::{
    groups::Tested,
    permutation::Metric,
    summary::{Curves, Effect, Flips, Group, Near, Summary, Wish},
};

use super::super::figures::{Section, probability};
use crate::view::format;

/// So many rows of a table are shown.
const MOST: usize = 50;
/// Of a group, so many features.
const MOST_OF_GROUP: usize = 20;
/// So many groups have a table of their own.
const MOST_GROUPS: usize = 12;
/// So many single rows have one.
const MOST_ROWS: usize = 10;

/// What stands where there is no number.
const NOTHING: &str = "–";

fn number(value: f64) -> String {
    format::decimal(value)
}

fn some(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), number)
}

/// All tables of a summary.
pub(super) fn sections(summary: &Summary) -> Vec<Section> {
    let mut all = Vec::new();
    all.extend(features(summary));
    all.extend(lost(summary));
    all.extend(groups(summary));
    all.extend(summary.curves.iter().map(|curve| effect(summary, curve)));
    all.extend(summary.near.iter().take(MOST_ROWS).map(|near| weights(summary, near)));
    all.extend(summary.flips.iter().take(MOST_ROWS).map(|flips| ways(summary, flips)));
    all
}

/// What is said below a table that is cut.
fn cut(shown: usize, all: usize, what: &str) -> Vec<String> {
    if shown < all {
        vec![format!("The first {shown} of {} {what}.", format::count(all as u64))]
    } else {
        Vec::new()
    }
}

fn features(summary: &Summary) -> Option<Section> {
    let ranked = summary.ranked();
    if ranked.is_empty() {
        return None;
    }
    let rows: Vec<Vec<String>> = ranked
        .iter()
        .take(MOST)
        .map(|(feature, spread)| {
            vec![
                summary.name(*feature).to_owned(),
                number(spread.size),
                format::percent(spread.share),
                number(spread.mean),
                number(spread.deviation),
                number(spread.least),
                number(spread.greatest),
                some(spread.correlation),
            ]
        })
        .collect();
    let mut facts = cut(rows.len(), ranked.len(), "features");
    facts.push("\u{201c}Goes with its own value\u{201d} is the correlation of what a feature adds with its own value: near 1, greater values add more.".to_owned());
    Some(Section {
        heading: "Features".to_owned(),
        heads: vec![
            "Feature",
            "Mean |value|",
            "Share",
            "Mean value",
            "Standard deviation",
            "Least",
            "Greatest",
            "Goes with its own value",
        ],
        rows,
        facts,
    })
}

fn lost(summary: &Summary) -> Option<Section> {
    let importance = summary.importance.as_ref()?;
    let mut order: Vec<usize> = (0..importance.features.len()).collect();
    order.sort_by(|one, two| {
        importance.features[*two].mean.total_cmp(&importance.features[*one].mean)
    });
    let rows: Vec<Vec<String>> = order
        .iter()
        .take(MOST)
        .map(|feature| {
            let lost = importance.features[*feature];
            let numbers = [lost.mean, lost.deviation, lost.least, lost.greatest].map(number);
            std::iter::once(summary.name(*feature).to_owned()).chain(numbers).collect()
        })
        .collect();
    Some(Section {
        heading: "What is lost without each feature".to_owned(),
        heads: vec!["Feature", "Mean", "Standard deviation", "Least", "Greatest"],
        facts: cut(rows.len(), order.len(), "features"),
        rows,
    })
}

fn groups(summary: &Summary) -> Vec<Section> {
    let Some(groups) = &summary.groups else { return Vec::new() };
    let shown = groups.groups.iter().take(MOST_GROUPS);
    let mut sections: Vec<Section> = shown.map(|group| group_table(summary, group)).collect();
    let others = groups.groups.len().saturating_sub(MOST_GROUPS) + groups.others;
    if let Some(last) = sections.last_mut().filter(|_| others > 0) {
        last.facts.push(format!(
            "{} more are left out.",
            format::plural(others as u64, "group", "groups")
        ));
    }
    sections
}

fn group_table(summary: &Summary, group: &Group) -> Section {
    let mut order: Vec<usize> = (0..summary.features.len().min(group.size.len())).collect();
    order.sort_by(|one, two| group.size[*two].total_cmp(&group.size[*one]));
    let mut heads = vec!["Feature", "Mean |value|", "Mean value"];
    if group.differences.is_some() {
        heads.extend(["Difference of |value|", "p", "Difference of value", "p"]);
    }
    let rows: Vec<Vec<String>> = order
        .iter()
        .take(MOST_OF_GROUP)
        .map(|feature| {
            let mean = group.value.get(*feature).copied();
            let mut cells =
                vec![summary.name(*feature).to_owned(), number(group.size[*feature]), some(mean)];
            if let Some(all) = &group.differences {
                match all.get(*feature) {
                    Some(both) => cells.extend([tested(&both.size), tested(&both.value)].concat()),
                    None => cells.extend(std::iter::repeat_n(NOTHING.to_owned(), 4)),
                }
            }
            cells
        })
        .collect();
    let mut facts = cut(rows.len(), order.len(), "features");
    if group.differences.is_some() {
        facts.push("Differences from the reference with their bootstrap intervals; p is of shuffled groups, after Holm over all features and groups.".to_owned());
    }
    Section {
        heading: format!("{}: {}", group.name, format::plural(group.rows, "row", "rows")),
        heads,
        rows,
        facts,
    }
}

fn tested(tested: &Tested) -> [String; 2] {
    [
        format!("{} [{}, {}]", number(tested.difference), number(tested.low), number(tested.high)),
        probability(tested.adjusted),
    ]
}

fn effect(summary: &Summary, curve: &Curves) -> Section {
    let name = summary.name(curve.feature);
    let (heading, mean) = match curve.effect {
        Effect::Partial | Effect::Individual => {
            (format!("Partial dependence of {name}"), "Mean prediction")
        }
        Effect::Accumulated => (format!("Accumulated local effects of {name}"), "Adds"),
    };
    let mut heads = vec!["Value", mean];
    let has_rows = curve.rows.len() == curve.grid.len();
    if has_rows {
        heads.push(if curve.categorical { "Rows" } else { "Rows up to it" });
    }
    let rows: Vec<Vec<String>> = curve
        .grid
        .iter()
        .zip(&curve.mean)
        .take(MOST)
        .enumerate()
        .map(|(place, (value, mean))| {
            let mut cells = vec![format::number(*value), number(*mean)];
            if has_rows {
                cells.push(format::count(curve.rows[place]));
            }
            cells
        })
        .collect();
    Section { heading, heads, facts: cut(rows.len(), curve.grid.len(), "values"), rows }
}

fn weights(summary: &Summary, near: &Near) -> Section {
    let rows = near.weights.iter().map(|weight| {
        vec![
            weight.words(summary.name(weight.feature), format::number),
            number(weight.weight),
            some(weight.error),
        ]
    });
    Section {
        heading: format!("A linear model near row {}", format::count(near.row + 1)),
        heads: vec!["Where", "Weight", "± standard error"],
        rows: rows.collect(),
        facts: vec![format!(
            "Predicted {}; the linear model says {}, with intercept {} and R\u{b2} {}.",
            number(near.prediction),
            number(near.local),
            number(near.intercept),
            some(near.r2)
        )],
    }
}

fn ways(summary: &Summary, flips: &Flips) -> Section {
    let own = |value: Option<f64>| value.map_or_else(|| "missing".to_owned(), format::number);
    let rows = flips.ways.iter().enumerate().flat_map(|(place, way)| {
        way.changes.iter().map(move |change| {
            vec![
                (place + 1).to_string(),
                summary.name(change.feature).to_owned(),
                own(change.from),
                own(change.to),
                number(way.prediction),
                number(way.distance),
            ]
        })
    });
    let outcome = match flips.outcome {
        Wish::Found => {
            format::plural(flips.ways.len() as u64, "way", "ways") + " to another decision"
        }
        Wish::Already => "it has the wanted decision already".to_owned(),
        Wish::NoneWithinBudget => {
            format!("none found among {} rows that were tried", format::count(flips.asked))
        }
        Wish::NothingMayChange => "no feature may change".to_owned(),
    };
    Section {
        heading: format!("Row {}", format::count(flips.row + 1)),
        heads: vec!["Way", "Feature…", "From", "To", "Predicted then", "Distance"],
        rows: rows.collect(),
        facts: vec![format!("Predicted {}; {outcome}.", number(flips.prediction))],
    }
}

/// A metric in words.
pub(super) const fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Accuracy => "Accuracy",
        Metric::LogLoss => "Log loss",
        Metric::RocAuc => "Area under the ROC curve",
        Metric::R2 => "R\u{b2}",
        Metric::MeanSquaredError => "Mean squared error",
        Metric::MeanAbsoluteError => "Mean absolute error",
    }
}
