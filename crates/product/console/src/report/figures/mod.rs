//! Reports of figures (those that rules of law ask for, and of the data alone): the same words and tables for a terminal and
//! for a page.

mod completeness;
mod data;
mod drift;
mod eeoc;
mod kinds;
mod ll144;

use askama::Template;
use ephor_fairness::{
    ENGINE_VERSION, Interval, data::DataReport, drift::DriftReport, law::LawReport,
    significance::chi_square::ChiSquare, task::TaskResult,
};

pub use kinds::{of_flips, of_individual, of_multiclass, of_ranking, of_regression};

use super::{ReportMeta, source};
use crate::{
    assets,
    view::{Head, Html, Icon, Moment, Sprite, Table},
};

/// A report in words and tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is called.
    pub title: &'static str,
    /// The rule, as it is cited.
    pub rule: String,
    /// What was read.
    pub facts: Vec<String>,
    /// One for each attribute and combination.
    pub sections: Vec<Section>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// What stands above the notes.
pub(crate) const NOTES: &str = "Notes";

/// A table with its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// The columns; all but the first hold numbers, save those that end in an ellipsis, which hold words.
    pub heads: Vec<&'static str>,
    /// Its rows, each as long as `heads`.
    pub rows: Vec<Vec<String>>,
    /// What is said below it.
    pub facts: Vec<String>,
}

/// A report of Local Law 144 or of the Uniform Guidelines, in words and tables.
pub fn of_law(report: &LawReport) -> Document {
    match report {
        LawReport::Ll144(report) => ll144::document(report),
        LawReport::Eeoc(report) => eeoc::document(report),
    }
}

impl Document {
    /// Nothing.
    pub(crate) const fn empty() -> Self {
        Self {
            title: "",
            rule: String::new(),
            facts: Vec::new(),
            sections: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// An analysis of another task than yes or no, in words and tables: with the confusion of each group, of several classes.
pub fn of_task(result: &TaskResult) -> Option<Document> {
    match result {
        TaskResult::Binary(_) => None,
        TaskResult::Regression(report) => Some(of_regression(report)),
        TaskResult::Ranking(report) => Some(of_ranking(report)),
        TaskResult::Multiclass(report) => {
            let mut document = of_multiclass(report);
            document.sections.extend(kinds::confusions(report));
            Some(document)
        }
    }
}

/// A report of the data alone, in words and tables.
pub fn of_data(report: &DataReport) -> Document {
    data::document(report)
}

/// Two tables compared, in words and tables.
pub fn of_drift(report: &DriftReport) -> Document {
    drift::document(report)
}

#[derive(Template)]
#[template(path = "report/figures/figures.html")]
struct Page<'a> {
    meta: &'a ReportMeta,
    moment: Moment,
    policy: String,
    style: String,
    sprite: Sprite,
    document: &'a Document,
    sections: Vec<SectionView<'a>>,
    version: &'static str,
}

pub(crate) struct SectionView<'a> {
    pub(crate) heading: &'a str,
    pub(crate) table: Table,
    pub(crate) facts: &'a [String],
}

/// The report as one HTML file, with its own security policy, and without scripts.
///
/// # Errors
/// Formatting failed, which only a lack of memory can cause.
pub fn html(document: &Document, meta: &ReportMeta) -> Result<String, askama::Error> {
    let style = assets::inline_stylesheet();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source(&style)
    );
    Page {
        meta,
        moment: Moment(meta.created),
        policy,
        style,
        sprite: Sprite,
        sections: document.sections.iter().map(view).collect(),
        document,
        version: ENGINE_VERSION,
    }
    .render()
}

pub(crate) fn view(section: &Section) -> SectionView<'_> {
    SectionView {
        heading: &section.heading,
        table: Table {
            label: section.heading.clone(),
            heads: section.heads.iter().enumerate().map(|(at, label)| head(at, label)).collect(),
            rows: section
                .rows
                .iter()
                .map(|row| row.iter().map(|cell| Html::text(cell)).collect())
                .collect(),
        },
        facts: &section.facts,
    }
}

/// The head of the column at `at`: words stand left.
pub(crate) fn head(at: usize, label: &str) -> Head {
    match label.strip_suffix('…') {
        Some(words) => Head::new(words),
        None if at == 0 => Head::new(label),
        None => Head::right(label),
    }
}

/// What stands where there is no number.
const NOTHING: &str = "–";

fn rate(value: Option<f64>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{:.1} %", value * 100.0))
}

/// A ratio to three places, with its interval.
fn ratio(value: Option<f64>, interval: Option<&Interval>) -> String {
    match (value, interval) {
        (None, _) => NOTHING.to_owned(),
        (Some(value), None) => format!("{value:.3}"),
        (Some(value), Some(Interval { lower, upper, .. })) => {
            format!("{value:.3} [{lower:.3}, {upper:.3}]")
        }
    }
}

pub(crate) fn probability(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

/// A chi-square test in words.
fn chi_square(test: &ChiSquare) -> String {
    let degrees = if test.df == 1 { "degree" } else { "degrees" };
    let p = if test.p < 0.0001 { "p" } else { "p =" };
    format!(
        "chi-square {:.3} with {} {degrees} of freedom, {p} {}",
        test.statistic,
        test.df,
        probability(test.p)
    )
}

/// Where a rule speaks of four-fifths.
fn below(below: Option<bool>) -> String {
    match below {
        None => NOTHING,
        Some(true) => "below 0.8",
        Some(false) => "0.8 or more",
    }
    .to_owned()
}

fn people(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_fairness::law::ll144::{Category, Ll144Report, Part, Table};

    use super::*;
    use crate::samples;

    fn sample() -> LawReport {
        let category = |name: &str, ratio: Option<f64>| Category {
            name: name.to_owned(),
            values: vec![name.to_owned()],
            applicants: 40,
            share: 0.4,
            selected: 10,
            rate: Some(0.25),
            impact_ratio: ratio,
            interval: None,
            below_four_fifths: ratio.map(|ratio| ratio < 0.8),
            excluded: ratio.is_none().then(|| "too <few>".to_owned()),
        };
        LawReport::Ll144(Ll144Report {
            rule: "the rule".to_owned(),
            rows: 100,
            selection: Some(Part {
                column: "hired".to_owned(),
                without: 1,
                tables: vec![Table {
                    attributes: vec!["sex".to_owned()],
                    highest: Some("M".to_owned()),
                    categories: vec![category("<F>", Some(0.5)), category("X", None)],
                    unknown: 3,
                }],
            }),
            scoring: None,
            notes: vec!["no pass line".to_owned()],
        })
    }

    #[test]
    fn the_page_escapes_and_fetches_nothing() {
        let document = of_law(&sample());
        let meta = ReportMeta::new(document.title, "a.csv", samples::moment());
        let page = html(&document, &meta).unwrap();
        for outside in ["src=\"", "href=\"http", "url(", "@import", " style=\"", "<script", "<F>"] {
            assert!(!page.contains(outside), "the page holds `{outside}`");
        }
        for part in ["&lt;F&gt;", "below 0.8", "too &#60;few&#62;", "no pass line", "0.500"] {
            assert!(page.contains(part), "`{part}` is missing");
        }
    }

    #[test]
    fn every_row_is_as_long_as_its_head() {
        for section in of_law(&sample()).sections {
            assert!(section.rows.iter().all(|row| row.len() == section.heads.len()));
        }
    }
}
