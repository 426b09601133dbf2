//! Reports and model cards as PDF: what the pages say, on paper.

use chrono::{DateTime, Utc};
use ephor_assurance::{card::ModelCard, reports::Heading};
use ephor_fairness::{
    AnalysisResult, ENGINE_VERSION, data::DataReport, law::LawReport, task::TaskResult,
};
use ephor_kernel::Problem;
use ephor_report::{Block, Document, typeset};

use super::{REPEATABLE, ReportMeta, card, figures, meta};
use crate::result::{ResultView, paper};

const KIND: &str = "Bias analysis";

/// An analysis of yes and no, typeset: the same as [`super::html`].
///
/// # Errors
/// The typesetter failed, which no text of a result can cause.
pub fn binary_pdf(
    result: &AnalysisResult,
    meta: &ReportMeta,
) -> Result<Vec<u8>, ephor_report::Error> {
    let blocks = ResultView::new(result).on_paper();
    bytes(&document(KIND, meta, &result.engine_version, blocks))
}

/// An analysis of whatever task, typeset.
///
/// # Errors
/// The typesetter failed, which no text of a result can cause.
pub fn pdf(result: &TaskResult, meta: &ReportMeta) -> Result<Vec<u8>, ephor_report::Error> {
    bytes(&document(KIND, meta, result.engine_version(), paper::blocks(result)))
}

/// A report of figures, typeset: the same as [`figures::html`].
///
/// # Errors
/// The typesetter failed, which no text of a report can cause.
pub fn figures_pdf(
    document: &figures::Document,
    meta: &ReportMeta,
) -> Result<Vec<u8>, ephor_report::Error> {
    bytes(&of_figures(document, meta))
}

pub(super) fn written(result: &TaskResult, heading: &Heading) -> Result<Vec<u8>, Problem> {
    pdf(result, &meta(heading)).map_err(|error| unwritten(&error))
}

pub(super) fn law_written(report: &LawReport, heading: &Heading) -> Result<Vec<u8>, Problem> {
    figures_pdf(&figures::of_law(report), &meta(heading)).map_err(|error| unwritten(&error))
}

pub(super) fn data_written(report: &DataReport, heading: &Heading) -> Result<Vec<u8>, Problem> {
    figures_pdf(&figures::of_data(report), &meta(heading)).map_err(|error| unwritten(&error))
}

pub(super) fn card_written(model: &ModelCard) -> Result<Vec<u8>, Problem> {
    bytes(&of_card(model)).map_err(|error| unwritten(&error))
}

fn bytes(document: &Document) -> Result<Vec<u8>, ephor_report::Error> {
    let pdf = typeset(document)?;
    // Its title is the tenant's, and none of the log's affair.
    if let Some(reason) = &pdf.unfit {
        tracing::warn!(%reason, "a document could not be made PDF/A and PDF/UA");
    }
    Ok(pdf.bytes)
}

fn unwritten(error: &ephor_report::Error) -> Problem {
    tracing::error!(%error, "a document could not be typeset");
    Problem::internal()
}

fn document(kind: &str, meta: &ReportMeta, version: &str, blocks: Vec<Block>) -> Document {
    Document {
        title: meta.title.clone(),
        kind: kind.to_owned(),
        lede: meta.source.clone(),
        organization: meta.organization.clone(),
        created: meta.created,
        generator: generator(version),
        blocks,
        closing: format!("Made by Ephor {version}. {REPEATABLE}"),
    }
}

fn generator(version: &str) -> String {
    format!("Ephor {version}")
}

fn of_figures(found: &figures::Document, meta: &ReportMeta) -> Document {
    let mut blocks = vec![Block::small(found.rule.clone())];
    blocks.extend(found.facts.iter().cloned().map(Block::paragraph));
    blocks.extend(found.sections.iter().flat_map(|one| paper::section(one, Block::section)));
    if !found.notes.is_empty() {
        blocks.push(Block::section(figures::NOTES));
        blocks.push(Block::points(found.notes.iter().cloned()));
    }
    document(found.title, meta, ENGINE_VERSION, blocks)
}

fn of_card(model: &ModelCard) -> Document {
    let created: DateTime<Utc> = model.created_at;
    let version = env!("CARGO_PKG_VERSION");
    Document {
        title: model.model_details.name.clone(),
        kind: "Model card".to_owned(),
        lede: card::lede(model),
        organization: None,
        created,
        generator: generator(version),
        blocks: card::blocks(model),
        closing: format!("Made by Ephor {version} {}", card::SHAPE),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_report::Table;
    use serde_json::json;

    use super::*;
    use crate::{result::rendered, samples};

    fn sample_meta() -> ReportMeta {
        let mut meta = ReportMeta::new("A <report> #of $all$", "adult.csv", samples::moment());
        meta.organization = Some("Analytical Engines".to_owned());
        meta
    }

    /// An analysis with the data alone beside it.
    fn described() -> AnalysisResult {
        let interval =
            json!({ "lower": 0.03, "upper": 0.2, "confidence": 0.95, "method": "wilson" });
        let group = |name: &str| {
            json!({ "name": name, "values": [name], "n": 60, "share": 0.6, "labelled": 0.9,
                    "base_rate": 0.5, "base_rate_interval": interval })
        };
        let absent = |name: &str| json!({ "name": name, "n": 60, "missing": 5, "share": 0.083, "interval": interval });
        let lacking = |column: &str, missing: u64| {
            json!({ "column": column, "missing": missing, "share": 0.083,
                    "groups": [absent("<f>"), absent("m")] })
        };
        let mut result = samples::result();
        let data = json!({
            "rows": 100,
            "tables": [{
                "attributes": ["<sex>"], "groups": [group("<f>"), group("m")],
                "representation": null,
                "completeness": [lacking("<income>", 10), lacking("<age>", 0)],
            }],
            "associations": [], "proxies": [], "notes": ["A <note>."],
        });
        result.data = Some(serde_json::from_value(data).unwrap());
        result
    }

    fn results() -> Vec<TaskResult> {
        vec![
            TaskResult::Binary(samples::result().into()),
            TaskResult::Binary(described().into()),
            samples::regression(),
            samples::multiclass(),
            samples::ranking(),
        ]
    }

    fn tables(document: &Document) -> impl Iterator<Item = &Table> {
        document.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        })
    }

    /// With `EPHOR_PREVIEW` set to a folder, the files are left there to be looked at.
    #[allow(
        clippy::disallowed_methods,
        reason = "the preview is for whoever works on the documents, not for those who run Ephor"
    )]
    fn preview(name: &str, bytes: &[u8]) {
        assert!(bytes.starts_with(b"%PDF-1.7"), "{name}");
        if let Ok(folder) = std::env::var("EPHOR_PREVIEW") {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(format!("{folder}/{name}.pdf"), bytes).unwrap();
        }
    }

    #[test]
    fn every_task_is_typeset_and_the_same_twice() {
        for result in results() {
            let bytes = pdf(&result, &sample_meta()).unwrap();
            preview(result.task().as_str(), &bytes);
            assert_eq!(bytes, pdf(&result, &sample_meta()).unwrap());
        }
    }

    #[test]
    fn paper_says_what_the_page_says() {
        for result in results() {
            let page = rendered(&result).unwrap();
            let on_paper = document("x", &sample_meta(), "1", paper::blocks(&result));
            let mut cells = 0;
            for table in tables(&on_paper) {
                assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
                for cell in table.rows.iter().flatten() {
                    for words in [&cell.text, &cell.sub] {
                        let escaped = crate::view::Html::text(words).to_string();
                        assert!(page.contains(&escaped), "`{words}` is not on the page");
                        cells += 1;
                    }
                }
            }
            assert!(cells > 20, "{:?}", result.task());
            // As many tables as the page has, those that stand behind plots aside.
            let drawn = page.matches("data-plot=").count();
            assert_eq!(tables(&on_paper).count(), page.matches("<table>").count() - drawn);
            let figures =
                on_paper.blocks.iter().filter(|block| matches!(block, Block::Figure(_))).count();
            assert_eq!(figures, drawn);
        }
    }

    #[test]
    fn cards_and_reports_of_the_law_are_typeset() {
        let card = samples::card();
        let on_paper = of_card(&card);
        assert!(tables(&on_paper).count() >= 2);
        let headings: Vec<&str> = on_paper
            .blocks
            .iter()
            .filter_map(|block| match block {
                Block::Heading { level: 1, text } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let page = super::card::html(&card).unwrap();
        assert!(headings.len() > 5 && headings.iter().all(|title| page.contains(title)));
        preview("card", &card_written(&card).unwrap());
        let report = figures::Document {
            title: "Bias audit figures",
            rule: "the rule".to_owned(),
            facts: vec!["100 people were read.".to_owned()],
            sections: vec![figures::Section {
                heading: "Selection by sex".to_owned(),
                heads: vec!["category", "applicants", "EEOC guidance…"],
                rows: vec![vec!["<F>".to_owned(), "40".to_owned(), "below 0.8".to_owned()]],
                facts: vec!["X is left out.".to_owned()],
            }],
            notes: vec!["no pass line".to_owned()],
        };
        preview("law", &figures_pdf(&report, &sample_meta()).unwrap());
    }
}
