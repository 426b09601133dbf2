//! Plots: data for `assets/js/charts.js`, words on how to read them, and the same as a table. `paper/` draws these data for PDF.
//! `explained/` are the plots of explanations: drawn on the server as SVG, for pages, reports and files.

mod calibration;
pub(crate) mod explained;
mod frontier;
mod heatmap;
mod intervals;
mod paper;
mod trend;

use askama::{Template, filters::HtmlSafe};
use serde::Serialize;

pub use calibration::calibration;
pub(crate) use frontier::constraint_words;
pub use frontier::frontier;
pub use heatmap::intersections;
pub use intervals::{Pair, by_group, changes, error_rates, selection_rates};
pub(crate) use paper::Drawing;
pub use trend::{TrendChart, TrendMark};

use crate::view::format;

/// A plot with its table.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "plot/plot.html")]
pub struct Plot {
    /// Unique in the page.
    pub id: String,
    /// What is plotted.
    pub title: String,
    /// How to read it.
    pub reading: String,
    size: &'static str,
    json: String,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl HtmlSafe for Plot {}

/// What is on an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Axis {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    percent: bool,
}

/// A value with its interval, either of which may be undefined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Mark {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

impl Mark {
    fn of(metric: Option<&ephor_fairness::MetricValue>) -> Self {
        let interval = metric.and_then(|metric| metric.interval.as_ref());
        Self {
            value: metric.and_then(|metric| metric.value),
            low: interval.map(|interval| interval.lower),
            high: interval.map(|interval| interval.upper),
        }
    }

    /// The value as a plain number.
    fn number(self) -> String {
        self.value.map_or_else(|| "undefined".to_owned(), format::decimal)
    }

    /// The interval in plain numbers.
    fn range(self) -> String {
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                format!("{} to {}", format::decimal(low), format::decimal(high))
            }
            _ => "\u{2013}".to_owned(),
        }
    }

    fn words(self) -> (String, String) {
        let value = self.value.map_or_else(|| "undefined".to_owned(), format::percent);
        let range = match (self.low, self.high) {
            (Some(low), Some(high)) => {
                format!("{} to {}", format::percent(low), format::percent(high))
            }
            _ => "\u{2013}".to_owned(),
        };
        (value, range)
    }
}

/// What the intervals of these groups are called: by their confidence, which is that of the analysis.
fn interval_name(groups: &[ephor_fairness::Group]) -> String {
    let intervals = groups.iter().flat_map(|group| {
        let of_metrics = group.metrics.iter().filter_map(|metric| metric.interval.as_ref());
        of_metrics.chain(group.reliability.iter().filter_map(|bin| bin.interval.as_ref()))
    });
    let confidence = intervals.map(|interval| interval.confidence).next();
    confidence.map_or_else(|| "interval".to_owned(), named)
}

/// `95 % interval`, `99.9 % interval`.
fn named(confidence: f64) -> String {
    let percent = format!("{:.4}", confidence * 100.0);
    format!("{} % interval", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// The data as JSON that may stand within a `script` element: no `<` can end it.
fn block(data: &impl Serialize) -> String {
    // Numbers, strings and lists of them: there is nothing here that serde_json can refuse.
    serde_json::to_string(data)
        .unwrap_or_else(|_| "null".to_owned())
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The height that fits so many rows; sizes are classes, as styles may not stand in the page.
fn height(rows: usize) -> &'static str {
    match rows {
        0..=2 => "rows-2",
        3..=4 => "rows-4",
        5..=6 => "rows-6",
        7..=9 => "rows-9",
        10..=14 => "rows-14",
        15..=24 => "rows-24",
        _ => "rows-40",
    }
}

/// A name as part of an element's id: another one for every other name, in whatever script it is.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            letter if letter.is_alphanumeric() || letter == '_' => out.push(letter),
            other => out.push_str(&format!("-{:x}-", u32::from(other))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_share_an_id() {
        let names =
            ["sex", "Sex", "a b", "a-b", "\u{6027}", "\u{5e74}", "\"><b>", "sex \u{d7} race", ""];
        let ids: std::collections::HashSet<_> = names.iter().map(|name| slug(name)).collect();
        assert_eq!(ids.len(), names.len());
        assert!(ids.contains("sex") && ids.iter().all(|id| !id.contains([' ', '"', '<', '>'])));
    }

    #[test]
    fn intervals_are_called_by_their_confidence() {
        for (confidence, name) in [
            (0.95, "95 % interval"),
            (0.9, "90 % interval"),
            (0.57, "57 % interval"),
            (0.999, "99.9 % interval"),
        ] {
            assert_eq!(named(confidence), name);
        }
        assert_eq!(interval_name(&[]), "interval");
    }

    #[test]
    fn data_cannot_end_the_block_that_holds_it() {
        let json = block(&vec!["</script><script>alert(1)</script>", "<!--", "a & b"]);
        assert!(!json.contains('<') && !json.contains('>') && !json.contains('&'));
        let back: Result<Vec<String>, _> = serde_json::from_str(&json);
        assert!(back.is_ok_and(|texts| texts[1] == "<!--"));
    }
}
