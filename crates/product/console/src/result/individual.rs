//! How alike similar people are treated: the tables of an analysis of individual fairness.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::individual::Individual;

use crate::report::figures::{self, Document};

/// What was found of individuals. Its notes stand among the warnings of the whole result.
#[derive(Debug, Clone, Template)]
#[template(path = "result/individual.html")]
pub(super) struct IndividualView {
    pub(super) document: Document,
}

impl HtmlSafe for IndividualView {}

impl IndividualView {
    pub(super) fn new(found: &Individual) -> Self {
        Self { document: figures::of_individual(found) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ephor_assurance::analysis::Completed;
    use ephor_assurance::reports::{ReportFormat, analysis_file};
    use serde_json::json;

    use super::*;
    use crate::{report::PAGES, result::ResultView, samples};

    /// An analysis of individual fairness, of a group whose name is markup and a formula.
    fn sample() -> Completed {
        let mut completed = samples::completed("Individuals", 0.0);
        let mut result = completed.result.binary().unwrap().clone();
        let one = |name: &str| json!({ "name": name, "values": [name], "n": 50, "weight": 50.0, "small": false, "metrics": [] });
        let mut disparity = result.attributes[0].disparities[0].clone();
        disparity.id = "consistency_difference".to_owned();
        result.individual = Some(
            serde_json::from_value(json!({
                "neighbours": 5, "features": ["<degree>"], "among": 100, "asked": 100, "exact": true,
                "rows": result.rows, "excluded": [], "overall": one("all"),
                "comparisons": [{
                    "attributes": ["=sex"], "name": "=sex", "comparable": true, "reason": null, "reference": null,
                    "groups": [one("<f>"), one("m")], "disparities": [disparity], "status": "fail",
                }],
                "notes": [], "counts": { "pass": 0, "warning": 0, "fail": 1 }, "status": "fail",
            }))
            .unwrap(),
        );
        completed.result = result.into();
        completed
    }

    #[test]
    fn a_page_and_a_report_show_what_was_found_of_individuals() {
        let completed = sample();
        let page = ResultView::new(completed.result.binary().unwrap()).render().unwrap();
        for text in [
            "href=\"#individuals\"",
            "Whether similar people are treated alike",
            "&#60;degree&#62;",
            "<th scope=\"row\">&lt;f&gt;</th>",
            "consistency_difference",
        ] {
            assert!(page.contains(text), "the page lacks {text}");
        }
        let usual = ResultView::new(&samples::result()).render().unwrap();
        assert!(!usual.contains("individuals"));
    }

    #[tokio::test]
    async fn findings_list_the_disparities_of_individuals() {
        let file = analysis_file(PAGES, sample(), ReportFormat::Csv, None).await.unwrap();
        let body = axum::body::to_bytes(file.into_body(), usize::MAX).await.unwrap();
        let table = String::from_utf8(body.to_vec()).unwrap();
        assert!(table.contains("\r\n\"'=sex\",consistency_difference,"), "{table}");
    }
}
