//! The single-file report: everything that an analysis found, with its plots, in one HTML file
//! that fetches nothing, prints well and reads without scripts.

mod card;
pub mod explained;
pub mod figures;
mod paper;

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use ephor_assurance::reports::{Heading, Pages};
use ephor_fairness::{AnalysisResult, data::DataReport, law::LawReport, task::TaskResult};
use ephor_kernel::Problem;
use sha2::{Digest, Sha256};

pub use paper::{binary_pdf, figures_pdf, pdf};

use crate::{
    assets,
    result::{ResultView, rendered},
    view::{Icon, Moment, Sprite},
};

/// What the report says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMeta {
    /// Its title.
    pub title: String,
    /// What was analysed: a file's name, or a data set's.
    pub source: String,
    /// When the report was made.
    pub created: DateTime<Utc>,
    /// The organization that it was made for, if any.
    pub organization: Option<String>,
}

impl ReportMeta {
    /// A report titled `title` about `source`, made at `created`.
    pub fn new(
        title: impl Into<String>,
        source: impl Into<String>,
        created: DateTime<Utc>,
    ) -> Self {
        Self { title: title.into(), source: source.into(), created, organization: None }
    }
}

/// Writes reports and model cards for the context that serves them.
pub const PAGES: Pages = Pages {
    report: written,
    law: law_written,
    data: data_written,
    card: card::html,
    report_pdf: paper::written,
    law_pdf: paper::law_written,
    data_pdf: paper::data_written,
    card_pdf: paper::card_written,
};

/// What every report of an analysis promises.
const REPEATABLE: &str = "The same engine version, data, settings and seed give the same numbers.";

fn written(result: &TaskResult, heading: &Heading) -> Result<String, Problem> {
    let version = result.engine_version();
    rendered(result)
        .and_then(|result| whole(result, version, &meta(heading)))
        .map_err(|error| unwritten(&error))
}

fn law_written(report: &LawReport, heading: &Heading) -> Result<String, Problem> {
    figures::html(&figures::of_law(report), &meta(heading)).map_err(|error| unwritten(&error))
}

fn data_written(report: &DataReport, heading: &Heading) -> Result<String, Problem> {
    figures::html(&figures::of_data(report), &meta(heading)).map_err(|error| unwritten(&error))
}

fn meta(heading: &Heading) -> ReportMeta {
    let Heading { title, source, created, organization } = heading;
    let mut meta = ReportMeta::new(title, source, *created);
    meta.organization.clone_from(organization);
    meta
}

fn unwritten(error: &askama::Error) -> Problem {
    tracing::error!(%error, "a report could not be rendered");
    Problem::internal()
}

#[derive(Template)]
#[template(path = "report/report.html")]
struct Report<'a> {
    meta: &'a ReportMeta,
    moment: Moment,
    policy: String,
    style: String,
    scripts: [String; 3],
    sprite: Sprite,
    result: String,
    version: &'a str,
}

/// The report as one HTML file.
///
/// Its own security policy allows exactly the style and the scripts that it holds, by their
/// hashes, and nothing from anywhere else.
///
/// # Errors
/// Formatting failed, which only a lack of memory can cause.
pub fn html(result: &AnalysisResult, meta: &ReportMeta) -> Result<String, askama::Error> {
    whole(ResultView::new(result).render()?, &result.engine_version, meta)
}

/// The page around a result.
fn whole(result: String, version: &str, meta: &ReportMeta) -> Result<String, askama::Error> {
    let style = assets::inline_stylesheet();
    let scripts = ["vendor/echarts/echarts.min.js", "js/theme.js", "js/charts.js"]
        .map(|name| assets::text(name).into_owned());
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        scripts.iter().map(|script| source(script)).collect::<Vec<_>>().join(" "),
        source(&style),
    );
    Report {
        meta,
        moment: Moment(meta.created),
        policy,
        style,
        scripts,
        sprite: Sprite,
        result,
        version,
    }
    .render()
}

/// A text's hash, as a content security policy names it.
fn source(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    fn sample() -> String {
        html(&samples::result(), &ReportMeta::new("A <report>", "adult.csv", samples::moment()))
            .unwrap()
    }

    #[test]
    fn it_fetches_nothing_and_allows_only_what_it_holds() {
        let html = sample();
        for outside in ["src=\"", "href=\"http", "url(", "@import", " style=\"", "onclick"] {
            let page: String = html
                .split("<script>")
                .map(|part| part.split_once("</script>").map_or(part, |(_, page)| page))
                .collect();
            assert!(!page.contains(outside), "the report holds `{outside}`");
        }
        // The hashes are of the very bytes between the tags.
        let policy = html.split("Content-Security-Policy\" content=\"").nth(1).unwrap();
        let policy = policy.split('"').next().unwrap().replace("&#39;", "'");
        let mut found = 0;
        for (open, close) in [("<script>", "</script>"), ("<style>", "</style>")] {
            for part in html.split(open).skip(1) {
                assert!(policy.contains(&source(part.split_once(close).unwrap().0)));
                found += 1;
            }
        }
        assert_eq!(found, 4);
    }

    #[test]
    fn it_escapes_and_says_everything_without_scripts() {
        let html = sample();
        assert!(html.contains("A &#60;report&#62;"));
        assert!(html.contains("Compliance score") && html.contains("The same as a table"));
    }
}
