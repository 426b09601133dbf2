//! Reports and cards as files to be kept.

use axum::response::{IntoResponse, Response};
use ephor_kernel::{Clock, Problem, SystemClock};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::{Heading, Pages, findings};
use crate::{
    analysis::{Completed, Lawful},
    card::ModelCard,
};

/// What a standalone page may do if a browser shows it from here in spite of its disposition: its
/// own policy allows the scripts that it holds, and nothing of it reaches what is Ephor's.
const STANDALONE: &str = "sandbox allow-scripts";

/// The formats of an analysis' report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// One page with plots that needs nothing but itself.
    #[default]
    Html,
    /// The whole result, for programs.
    Json,
    /// The findings as a table: a line for each disparity.
    Csv,
}

/// The formats of a model card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFormat {
    /// One page that needs nothing but itself.
    #[default]
    Html,
    /// A `README.md` with the metadata that hubs of models read.
    Markdown,
    /// For programs.
    Json,
}

/// The report of a completed analysis, as a download.
///
/// # Errors
/// It could not be written, which only a lack of memory can cause.
pub fn analysis_file(
    pages: Pages,
    completed: &Completed,
    format: ReportFormat,
    organization: Option<&str>,
) -> Result<Response, Problem> {
    let Completed { analysis, result, .. } = completed;
    let (kind, ending, text) = match format {
        ReportFormat::Html => {
            let heading = heading(completed, organization);
            ("text/html; charset=utf-8", "html", (pages.report)(result, &heading)?)
        }
        ReportFormat::Json => ("application/json", "json", pretty(result)?),
        ReportFormat::Csv => {
            ("text/csv; charset=utf-8; header=present", "csv", findings::table(result)?)
        }
    };
    Ok(attachment(kind, &format!("bias-analysis-{}.{ending}", analysis.id), text))
}

/// A report of the law, as a download.
///
/// # Errors
/// It could not be written, which only a lack of memory can cause.
pub fn law_file(
    pages: Pages,
    lawful: &Lawful,
    organization: Option<&str>,
) -> Result<Response, Problem> {
    let Lawful { completed, report } = lawful;
    let text = (pages.law)(report, &heading(completed, organization))?;
    let (id, rule) = (completed.analysis.id, report.rule().as_str());
    Ok(attachment("text/html; charset=utf-8", &format!("{rule}-{id}.html"), text))
}

fn heading(completed: &Completed, organization: Option<&str>) -> Heading {
    let Completed { analysis, dataset, .. } = completed;
    let done = analysis.completed_at.unwrap_or(analysis.created_at);
    let done = done.format("analysed %Y-%m-%d %H:%M UTC").to_string();
    Heading {
        title: analysis.name.clone(),
        source: dataset.iter().cloned().chain([done]).collect::<Vec<_>>().join(" \u{b7} "),
        created: SystemClock.now(),
        organization: organization.map(str::to_owned),
    }
}

/// A model card, as a download.
///
/// # Errors
/// It could not be written, which only a lack of memory can cause.
pub fn card_file(pages: Pages, card: &ModelCard, format: CardFormat) -> Result<Response, Problem> {
    let (kind, ending, text) = match format {
        CardFormat::Html => ("text/html; charset=utf-8", "html", (pages.card)(card)?),
        CardFormat::Markdown => ("text/markdown; charset=utf-8", "md", card.markdown()),
        CardFormat::Json => ("application/json", "json", pretty(card)?),
    };
    Ok(attachment(kind, &format!("model-card-{}.{ending}", card.model_details.id), text))
}

pub(crate) fn pretty(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string_pretty(value).map_err(|_| Problem::internal())
}

/// A download. Its name is made of ids alone, so that nothing in it needs quoting.
pub(crate) fn attachment(kind: &'static str, name: &str, text: String) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if kind.starts_with("text/html") {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(STANDALONE));
    }
    response
}
