//! Plots as standalone drawings, for paper: the data that `assets/js/charts.js` draws on screens, in literal colours and without
//! scripts.

mod calibration;
mod heatmap;
mod intervals;

use std::fmt::Write as _;

use serde::Deserialize;

use super::{Plot, TrendChart};
use crate::view::{Html, format};

/// A drawing, and how broad it is on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawing {
    /// A standalone SVG document.
    pub(crate) svg: String,
    /// Its share of the page's breadth, in percent.
    pub(crate) width: u8,
}

/// The breadth of what is drawn over the whole page: one unit is one point there.
const WIDTH: f64 = 487.0;
/// The greatest height: a figure stands on one page, with its title and how to read it.
const TALLEST: f64 = 600.0;
/// Documents take no figure that is less broad, in percent.
const NARROWEST: f64 = 10.0;
const INK: &str = "#1d2126";
const QUIET: &str = "#656b72";
const RULE: &str = "#e0dbd0";
const STRONG: &str = "#8b877d";
const SERIES: [&str; 8] =
    ["#1f6f8b", "#c05a22", "#4f7f35", "#8a4f9e", "#a8801f", "#39519d", "#a83f5f", "#5d6469"];

/// What a plot's block says.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Chart {
    Intervals(intervals::Intervals),
    Calibration(calibration::Calibration),
    Heatmap(heatmap::Heatmap),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Axis {
    label: String,
    #[serde(default)]
    min: Option<f64>,
    #[serde(default)]
    max: Option<f64>,
    percent: bool,
}

impl Axis {
    /// A value as its labels say it.
    fn words(&self, value: f64) -> String {
        if self.percent { format::percent(value) } else { format::decimal(value) }
    }

    /// A value beside its axis, as short as can be.
    fn tick(&self, value: f64, step: f64) -> String {
        let (value, step) =
            if self.percent { (100.0 * value, 100.0 * step) } else { (value, step) };
        let places = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.places$}").replace('-', "\u{2212}");
        if self.percent { format!("{text} %") } else { text }
    }
}

impl Plot {
    /// The plot for paper. `None` of a kind that is not drawn there.
    pub(crate) fn drawing(&self) -> Option<Drawing> {
        match serde_json::from_str(&self.json).ok()? {
            Chart::Intervals(found) => Some(found.drawing()),
            Chart::Calibration(found) => Some(found.drawing()),
            Chart::Heatmap(found) => found.drawing(),
            Chart::Other => None,
        }
    }

    /// The plot in words: the first lines of its table.
    pub(crate) fn words(&self) -> String {
        const SAID: usize = 12;
        let line = |row: &Vec<String>| {
            let pairs = self.heads.iter().zip(row).skip(1);
            let values: Vec<String> =
                pairs.map(|(head, value)| format!("{head} {value}")).collect();
            format!("{}: {}", row.first().map_or("", String::as_str), values.join(", "))
        };
        let mut lines: Vec<String> = self.rows.iter().take(SAID).map(line).collect();
        if self.rows.len() > SAID {
            lines.push(format!("and {} more", self.rows.len() - SAID));
        }
        format!("{}. {}.", self.title, lines.join("; "))
    }
}

impl TrendChart {
    /// The chart for paper.
    pub(crate) fn drawing(&self) -> Drawing {
        const STYLE: &str = "text{fill:#4c535b;font-size:11px;font-family:'Libertinus Serif'}.end{text-anchor:end}.middle{text-anchor:middle}\
            .grid,.version{stroke:#e0dbd0}.version{stroke-dasharray:1 3}.limit{stroke:#656b72;stroke-width:1.5;stroke-dasharray:5 3}\
            .band{fill:#dfeaee}.whisker{stroke:#1f6f8b;stroke-width:1.5}.line{fill:none;stroke:#1f6f8b;stroke-width:2}\
            .mark{fill:#1f6f8b;stroke:#ffffff;stroke-width:1}.mark.pass{fill:#22663f}.mark.warning{fill:#845300}.mark.fail{fill:#a32a20}";
        let svg = self.to_string();
        let open = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" "#,
            super::trend::WIDTH,
            super::trend::HEIGHT
        );
        let svg = svg.replacen("<svg ", &open, 1);
        let svg = svg.replacen('>', &format!("><style>{STYLE}</style>"), 1);
        Drawing { svg, width: 90 }
    }
}

/// Where numbers stand on a line, with marks at round ones.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Of all of `values`, between `from` and `to` on the drawing, in about `many` steps.
    fn new(values: impl Iterator<Item = f64>, (from, to): (f64, f64), many: f64) -> Self {
        let (mut low, mut high) = values
            .filter(|value| value.is_finite())
            // Of larger ones the breadth would not be finite, and no place a number.
            .map(|value| value.clamp(-1e300, 1e300))
            .fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        if high - low < 1e-12 {
            high = low + 1.0;
        }
        let rough = (high - low) / many;
        let size = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|times| times * size)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        low = (low / step).floor() * step;
        high = (high / step).ceil() * step;
        Self { low, high, step, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        let many = ((self.high - self.low) / self.step).round().clamp(1.0, 40.0) as u32;
        (0..=many).map(|index| self.low + f64::from(index) * self.step).collect()
    }
}

/// Where a text stands on its point.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing in the making.
struct Canvas {
    width: f64,
    height: f64,
    body: String,
}

impl Canvas {
    const fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// Adds what is formatted. Writing to a text cannot fail.
    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str, width: f64) {
        self.add(format_args!(
            r#"<line x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" stroke="{colour}" stroke-width="{width}"/>"#
        ));
    }

    fn dashed(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
        self.add(format_args!(
            r#"<line x1="{x1:.2}" y1="{y1:.2}" x2="{x2:.2}" y2="{y2:.2}" stroke="{colour}" stroke-width="1" stroke-dasharray="4 3"/>"#
        ));
    }

    fn text(&mut self, (x, y): (f64, f64), size: f64, anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = Html::text(text);
        self.add(format_args!(
            r#"<text x="{x:.2}" y="{y:.2}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{text}</text>"#
        ));
    }

    /// A mark of a series: shapes differ as colours do.
    fn mark(&mut self, series: usize, (x, y): (f64, f64), size: f64) {
        let colour = colour(series);
        let edge = r##"stroke="#ffffff" stroke-width="0.8""##;
        match series % 4 {
            0 => self.add(format_args!(
                r#"<circle cx="{x:.2}" cy="{y:.2}" r="{size:.2}" fill="{colour}" {edge}/>"#
            )),
            1 => {
                let far = size * 1.25;
                self.add(format_args!(
                    r#"<path d="M{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}Z" fill="{colour}" {edge}/>"#,
                    x, y - far, x + far, y, x, y + far, x - far, y
                ));
            }
            2 => self.add(format_args!(
                r#"<path d="M{:.2} {:.2}L{:.2} {:.2}L{:.2} {:.2}Z" fill="{colour}" {edge}/>"#,
                x, y - size * 1.2, x + size * 1.1, y + size * 0.8, x - size * 1.1, y + size * 0.8
            )),
            _ => self.add(format_args!(
                r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" fill="{colour}" {edge}/>"#,
                x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8
            )),
        }
    }

    fn finish(self, width: u8) -> Drawing {
        let Self { width: w, height: h, body } = self;
        // What would not stand on a page is made smaller as a whole, or its head and foot would be cut off.
        let width = if h > TALLEST {
            (f64::from(width) * TALLEST / h).floor().max(NARROWEST) as u8
        } else {
            width
        };
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h:.1}" viewBox="0 0 {w} {h:.1}" font-family="Libertinus Serif"><rect width="{w}" height="{h:.1}" fill="#ffffff"/>{body}</svg>"##
        );
        Drawing { svg, width }
    }
}

fn colour(series: usize) -> &'static str {
    SERIES[series % SERIES.len()]
}

/// A name of at most `most` letters.
fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    name.chars().take(most.saturating_sub(1)).chain(['\u{2026}']).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{plot, samples};

    #[test]
    fn every_plot_of_a_report_is_drawn() {
        let mut result = samples::result();
        for group in &mut result.attributes[0].groups {
            group.name = "<b>&\"'".to_owned();
        }
        let mut plots = Vec::new();
        for attribute in &result.attributes {
            plots.extend(plot::selection_rates(attribute, &result.overall));
            plots.extend(plot::error_rates(attribute));
            plots.extend(plot::calibration(attribute));
        }
        plots.extend(result.intersections.iter().filter_map(plot::intersections));
        assert!(plots.len() >= 3, "{}", plots.len());
        for plot in plots {
            let svg = plot.drawing().unwrap().svg;
            for never in ["<b>", "NaN", "inf", "var(", "class=", "<script", "href"] {
                assert!(!svg.contains(never), "{}: {never} in {svg}", plot.title);
            }
            assert!(plot.words().starts_with(&plot.title) && plot.words().contains(':'));
        }
    }

    #[test]
    fn marks_stand_at_round_numbers() {
        let scale = Scale::new([0.083, 0.261].into_iter(), (0.0, 100.0), 5.0);
        assert!((scale.step - 0.1).abs() < 1e-12);
        assert_eq!(scale.ticks().len(), 4);
        assert!((scale.at(0.15) - 50.0).abs() < 1e-9);
        let axis = Axis { label: String::new(), min: None, max: None, percent: true };
        assert_eq!(axis.tick(0.2, 0.1), "20 %");
        let flat = Scale::new(std::iter::once(0.0), (0.0, 1.0), 5.0);
        assert!(flat.high > flat.low);
        assert_eq!(short("abcdef", 4), "abc\u{2026}");
    }

    #[test]
    fn huge_values_have_places() {
        let huge = Scale::new([-f64::MAX, f64::MAX].into_iter(), (0.0, 100.0), 5.0);
        assert!(huge.ticks().iter().all(|tick| tick.is_finite()));
        for value in [-f64::MAX, 0.0, f64::MAX] {
            assert!((0.0..=100.0).contains(&huge.at(value)), "{value}");
        }
    }

    #[test]
    fn tall_plots_stand_on_one_page() {
        let drawn = |rows: usize| {
            let mark = json!({"value": 0.4, "low": 0.3, "high": 0.5});
            let row = json!({"label": "a", "n": 10, "values": [mark, mark]});
            let chart = json!({
                "axis": {"label": "rate", "percent": true},
                "series": ["one", "other"],
                "rows": vec![row; rows],
            });
            serde_json::from_value::<intervals::Intervals>(chart).unwrap().drawing()
        };
        assert_eq!(drawn(4).width, 100);
        // Forty rows of two series are 1374 high.
        let width = drawn(40).width;
        assert!(width < 100 && 1374.0 * f64::from(width) / 100.0 <= TALLEST, "{width}");
    }

    #[test]
    fn a_trend_has_literal_colours() {
        let chart = crate::pages::trend_score(&samples::card().trend);
        let svg = chart.drawing().svg;
        assert!(
            svg.starts_with("<svg xmlns=") && svg.contains("><style>") && !svg.contains("var(")
        );
        assert_eq!(svg.matches("<svg").count(), 1);
    }
}
