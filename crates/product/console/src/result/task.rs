//! What an analysis of another task than yes or no found, ready to be shown: verdict, plots, tables.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::{
    Status,
    frame::Findings,
    task::{Task, TaskResult},
};

use super::{ResultView, document::DocumentView};
use crate::{
    plot::{self, Plot},
    report::figures::{self, Document},
    view::{Badge, Notice, format},
};

/// The metrics that are plotted of each single attribute, by task, and whether they are shares.
const fn plotted(task: Task) -> &'static [(&'static str, &'static str, bool)] {
    match task {
        Task::Binary => &[],
        Task::Regression => {
            &[("mean_residual", "Mean residual", false), ("mae", "Mean absolute error", false)]
        }
        Task::Multiclass => &[("accuracy", "Accuracy", true), ("macro_f1", "Macro F1", true)],
        Task::Ranking => &[
            ("exposure", "Exposure", false),
            ("relative_exposure", "Share of exposure / share of rows", false),
        ],
    }
}

/// A result of whatever task, rendered.
///
/// # Errors
/// Formatting failed, which only a lack of memory can cause.
pub(crate) fn rendered(result: &TaskResult) -> Result<String, askama::Error> {
    match result.binary() {
        Some(result) => ResultView::new(result).render(),
        None => TaskView::new(result).render(),
    }
}

/// A result as HTML.
#[derive(Debug, Clone, Template)]
#[template(path = "result/task.html")]
pub struct TaskView {
    pub(super) verdict: Badge,
    pub(super) meaning: String,
    pub(super) counts: [(u64, Badge); 3],
    pub(super) notes: Option<Notice>,
    pub(super) plots: Vec<Plot>,
    pub(super) document: DocumentView,
}

impl HtmlSafe for TaskView {}

impl TaskView {
    /// The view of `result`.
    pub fn new(result: &TaskResult) -> Self {
        let counts = result.counts();
        let mut document = figures::of_task(result);
        // They stand above, where nobody can miss them.
        let notes = document.as_mut().map(|document| std::mem::take(&mut document.notes));
        let notes = notes.filter(|notes| !notes.is_empty());
        Self {
            verdict: Badge::verdict(result.status()),
            meaning: meaning(result),
            counts: [
                (counts.fail, Badge::verdict(Some(Status::Fail))),
                (counts.warning, Badge::verdict(Some(Status::Warning))),
                (counts.pass, Badge::verdict(Some(Status::Pass))),
            ],
            notes: notes.map(|notes| Notice::warning("Before you trust the numbers").items(notes)),
            plots: result
                .findings()
                .map_or_else(Vec::new, |findings| plots(result.task(), findings)),
            document: DocumentView::new("figures", document.unwrap_or_else(Document::empty)),
        }
    }
}

fn plots(task: Task, findings: &Findings) -> Vec<Plot> {
    let single = findings.comparisons.iter().filter(|one| one.attributes.len() == 1);
    single
        .flat_map(|comparison| {
            plotted(task).iter().filter_map(|(id, name, percent)| {
                plot::by_group(comparison, &findings.overall, (*id, *name), *percent)
            })
        })
        .collect()
}

fn meaning(result: &TaskResult) -> String {
    let counts = result.counts();
    let judged = counts.pass + counts.warning + counts.fail;
    let many = format::plural(judged, "disparity was judged", "disparities were judged");
    let verdict = match result.status() {
        None => "Nothing could be judged: set thresholds for what is to be, or see below what was left out.".to_owned(),
        Some(Status::Pass) => format!("{many}; all are within their thresholds."),
        Some(Status::Warning) => {
            format!("{many}; some are beyond the threshold, but chance alone could explain it.")
        }
        Some(Status::Fail) => {
            format!("{many}; some are beyond the threshold with their whole confidence interval: chance does not explain it.")
        }
    };
    format!("{verdict} Analyses of this kind have a verdict and no compliance score.")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn every_task_is_shown_with_its_plots_and_tables() {
        for (result, texts) in [
            (
                samples::regression(),
                ["plot-mae-sex", "How well numbers are predicted of each group"],
            ),
            (samples::multiclass(), ["plot-accuracy-sex", "Confusion by sex"]),
            (
                samples::ranking(),
                ["plot-exposure-sex", "How much each group is seen in ranked lists"],
            ),
        ] {
            let page = rendered(&result).unwrap();
            for text in texts {
                assert!(page.contains(text), "{:?} lacks {text}", result.task());
            }
            assert!(!page.contains("NaN") && !page.contains("<f>"), "{:?}", result.task());
            assert!(page.contains("no compliance score"));
        }
    }
}
