//! Calibration: does a score of 0.7 mean 70 % in every group?

use ephor_fairness::AttributeResult;
use serde::Serialize;

use super::{Plot, block, interval_name, slug};
use crate::view::format;

/// More curves than this can't be told apart; the largest groups are drawn, the table has all.
const MOST_CURVES: usize = 8;

#[derive(Debug, Serialize)]
struct Calibration {
    kind: &'static str,
    description: String,
    x_label: &'static str,
    y_label: &'static str,
    series: Vec<Curve>,
    interval: String,
}

#[derive(Debug, Serialize)]
struct Curve {
    name: String,
    points: Vec<Point>,
}

#[derive(Debug, Serialize)]
struct Point {
    score: f64,
    rate: f64,
    n: u64,
    low: Option<f64>,
    high: Option<f64>,
}

/// Reliability curves of an attribute's groups. `None` without scores that are probabilities.
pub fn calibration(result: &AttributeResult) -> Option<Plot> {
    let mut groups: Vec<_> = result
        .groups
        .iter()
        .filter(|group| group.reliability.iter().any(|bin| bin.n > 0))
        .collect();
    if groups.is_empty() {
        return None;
    }
    let interval = interval_name(&result.groups);
    let heads = [&result.name, "Scores", "n", "Mean score", "Observed", &interval];
    let heads = heads.map(str::to_owned).to_vec();
    let rows = groups
        .iter()
        .flat_map(|group| {
            group.reliability.iter().filter(|bin| bin.n > 0).map(|bin| {
                let interval = bin.interval.as_ref().map_or_else(
                    || "\u{2013}".to_owned(),
                    |at| format!("{} to {}", format::percent(at.lower), format::percent(at.upper)),
                );
                vec![
                    group.name.clone(),
                    format!("{:.1} to {:.1}", bin.lower, bin.upper),
                    format::count(bin.n),
                    format::decimal(bin.mean_score),
                    format::percent(bin.positive_rate),
                    interval,
                ]
            })
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.n));
    groups.truncate(MOST_CURVES);
    let series = groups
        .iter()
        .map(|group| Curve {
            name: group.name.clone(),
            points: group
                .reliability
                .iter()
                .filter(|bin| bin.n > 0)
                .map(|bin| Point {
                    score: bin.mean_score,
                    rate: bin.positive_rate,
                    n: bin.n,
                    low: bin.interval.as_ref().map(|interval| interval.lower),
                    high: bin.interval.as_ref().map(|interval| interval.upper),
                })
                .collect(),
        })
        .collect();
    let title = format!("Calibration by {}", result.name);
    Some(Plot {
        id: format!("plot-calibration-{}", slug(&result.name)),
        reading: "Scores in ten bins: what share of each bin is truly positive. On the diagonal a score means what it says; a group above it is scored too low.".to_owned(),
        size: "square",
        json: block(&Calibration {
            kind: "calibration",
            description: format!("{title}. The table below the plot holds all values."),
            x_label: "Mean score",
            y_label: "Observed share of positives",
            series,
            interval,
        }),
        heads,
        rows,
        title,
    })
}
