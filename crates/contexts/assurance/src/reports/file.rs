//! Reports and cards as files to be kept.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use ephor_kernel::{Clock, Problem, SystemClock};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::{Heading, Pages, findings, press::pressed};
use crate::{
    analysis::{Completed, Described, Lawful},
    card::ModelCard,
};

/// What a standalone page may do if a browser shows it from here in spite of its disposition: its
/// own policy allows the scripts that it holds, and nothing of it reaches what is Ephor's.
const STANDALONE: &str = "sandbox allow-scripts";
const PDF: &str = "application/pdf";

/// The formats of an analysis' report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// One page with plots that needs nothing but itself.
    #[default]
    Html,
    /// The same on paper.
    Pdf,
    /// The whole result, for programs.
    Json,
    /// The findings as a table: a line for each disparity.
    Csv,
}

/// The formats of a report of the law, and of the data alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LawFormat {
    /// One page that needs nothing but itself.
    #[default]
    Html,
    /// The same on paper.
    Pdf,
}

/// The formats of a model card.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFormat {
    /// One page that needs nothing but itself.
    #[default]
    Html,
    /// The same on paper.
    Pdf,
    /// A `README.md` with the metadata that hubs of models read.
    Markdown,
    /// For programs.
    Json,
}

/// The report of a completed analysis, as a download.
///
/// # Errors
/// It could not be written: memory was short, or the typesetter failed. `unavailable` when too many documents are being typeset.
pub async fn analysis_file(
    pages: Pages,
    completed: Completed,
    format: ReportFormat,
    organization: Option<&str>,
) -> Result<Response, Problem> {
    let heading = heading(&completed, organization);
    let Completed { analysis, result, .. } = completed;
    let (kind, ending, bytes) = match format {
        ReportFormat::Html => {
            let page = (pages.report)(&result, &heading)?;
            ("text/html; charset=utf-8", "html", page.into_bytes())
        }
        ReportFormat::Pdf => {
            let written = pressed(move || (pages.report_pdf)(&result, &heading)).await?;
            (PDF, "pdf", written)
        }
        ReportFormat::Json => ("application/json", "json", pretty(&result)?.into_bytes()),
        ReportFormat::Csv => {
            let table = findings::table(&result)?;
            ("text/csv; charset=utf-8; header=present", "csv", table.into_bytes())
        }
    };
    Ok(attachment(kind, &format!("bias-analysis-{}.{ending}", analysis.id), bytes))
}

/// A report of the law, as a download.
///
/// # Errors
/// It could not be written: memory was short, or the typesetter failed. `unavailable` when too many documents are being typeset.
pub async fn law_file(
    pages: Pages,
    lawful: Lawful,
    format: LawFormat,
    organization: Option<&str>,
) -> Result<Response, Problem> {
    let Lawful { completed, report } = lawful;
    let heading = heading(&completed, organization);
    let (id, rule) = (completed.analysis.id, report.rule().as_str());
    let (kind, ending, bytes) = match format {
        LawFormat::Html => {
            ("text/html; charset=utf-8", "html", (pages.law)(&report, &heading)?.into_bytes())
        }
        LawFormat::Pdf => (PDF, "pdf", pressed(move || (pages.law_pdf)(&report, &heading)).await?),
    };
    Ok(attachment(kind, &format!("{rule}-{id}.{ending}"), bytes))
}

/// A report of the data alone, as a download.
///
/// # Errors
/// It could not be written: memory was short, or the typesetter failed. `unavailable` when too many documents are being typeset.
pub async fn data_file(
    pages: Pages,
    described: Described,
    format: LawFormat,
    organization: Option<&str>,
) -> Result<Response, Problem> {
    let Described { completed, report } = described;
    let heading = heading(&completed, organization);
    let id = completed.analysis.id;
    let (kind, ending, bytes) = match format {
        LawFormat::Html => {
            ("text/html; charset=utf-8", "html", (pages.data)(&report, &heading)?.into_bytes())
        }
        LawFormat::Pdf => (PDF, "pdf", pressed(move || (pages.data_pdf)(&report, &heading)).await?),
    };
    Ok(attachment(kind, &format!("data-{id}.{ending}"), bytes))
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
/// It could not be written: memory was short, or the typesetter failed. `unavailable` when too many documents are being typeset.
pub async fn card_file(
    pages: Pages,
    card: ModelCard,
    format: CardFormat,
) -> Result<Response, Problem> {
    let id = card.model_details.id;
    let (kind, ending, bytes) = match format {
        CardFormat::Html => ("text/html; charset=utf-8", "html", (pages.card)(&card)?.into_bytes()),
        CardFormat::Pdf => (PDF, "pdf", pressed(move || (pages.card_pdf)(&card)).await?),
        CardFormat::Markdown => {
            ("text/markdown; charset=utf-8", "md", card.markdown().into_bytes())
        }
        CardFormat::Json => ("application/json", "json", pretty(&card)?.into_bytes()),
    };
    Ok(attachment(kind, &format!("model-card-{id}.{ending}"), bytes))
}

pub(crate) fn pretty(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string_pretty(value).map_err(|_| Problem::internal())
}

/// A download. Its name is made of ids alone, so that nothing in it needs quoting.
pub(crate) fn attachment(kind: &'static str, name: &str, bytes: impl Into<Body>) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let mut response = bytes.into().into_response();
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
