//! What an analysis found, ready to be shown: the same on the analysis' page and in the
//! single-file report.

mod disparities;
mod document;
mod groups;
mod individual;
pub(crate) mod paper;
mod recommendations;
mod strata;
mod summary;
mod task;
mod words;

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::AnalysisResult;
use ephor_kernel::AnalysisId;

use crate::{
    pages::mitigation,
    plot::{self, Plot},
    report::figures,
    view::{Notice, Table},
};

use disparities::DisparityCard;
use document::DocumentView;
use groups::GroupCard;
use individual::IndividualView;
use recommendations::Advice;
use strata::StrataCard;
use summary::Summary;
pub use task::TaskView;
pub(crate) use task::rendered;

/// A result as HTML: summary, disparities, individuals, groups, plots, recommendations, what was left out.
#[derive(Debug, Clone, Template)]
#[template(path = "result/result.html")]
pub struct ResultView {
    summary: Summary,
    warnings: Option<Notice>,
    disparities: Vec<DisparityCard>,
    strata: Vec<StrataCard>,
    individual: Option<IndividualView>,
    /// How decisions flip, the data alone, reports of the law: what stands beside the analysis.
    beside: Vec<DocumentView>,
    groups: Vec<GroupCard>,
    plots: Vec<Plot>,
    advice: Vec<Advice>,
    left_out: Option<Table>,
    excluded: Option<Table>,
}

impl HtmlSafe for ResultView {}

impl ResultView {
    /// With a button beside each recommendation that can be computed, which leads to the form for it.
    #[must_use]
    pub(crate) fn offering(mut self, id: AnalysisId, result: &AnalysisResult) -> Self {
        let all = || result.attributes.iter().chain(&result.intersections);
        for (advice, about) in self.advice.iter_mut().zip(&result.recommendations) {
            let attributes = all().find(|attribute| attribute.name == about.attribute);
            advice.offer = attributes.and_then(|attribute| {
                mitigation::prefilled(id, &about.mitigation, &attribute.attributes)
            });
        }
        self
    }

    /// The view of `result`.
    pub fn new(result: &AnalysisResult) -> Self {
        let all = || result.attributes.iter().chain(&result.intersections);
        let plots = result
            .attributes
            .iter()
            .flat_map(|attribute| {
                [
                    plot::selection_rates(attribute, &result.overall),
                    plot::error_rates(attribute),
                    plot::calibration(attribute),
                ]
            })
            .chain(result.intersections.iter().map(plot::intersections))
            .flatten()
            .collect();
        Self {
            summary: Summary::new(result),
            warnings: (!result.warnings.is_empty()).then(|| {
                Notice::warning("Before you trust the numbers").items(result.warnings.clone())
            }),
            disparities: all().map(|attribute| DisparityCard::new(result, attribute)).collect(),
            strata: all().filter_map(StrataCard::new).collect(),
            individual: result.individual.as_ref().map(IndividualView::new),
            beside: beside(result),
            groups: all().map(|attribute| GroupCard::new(result, attribute)).collect(),
            plots,
            advice: result.recommendations.iter().map(Advice::new).collect(),
            left_out: disparities::left_out(result),
            excluded: summary::excluded(result),
        }
    }
}

/// The reports that were made beside the analysis.
fn beside(result: &AnalysisResult) -> Vec<DocumentView> {
    let flips = result.flips.iter();
    let flips = flips.map(|found| DocumentView::new("flips", figures::of_flips(found)));
    let data = result.data.iter();
    let data = data.map(|found| DocumentView::new("data", figures::of_data(found)));
    let law = result.law.iter().map(|report| {
        let id = format!("law-{}", report.rule().as_str());
        DocumentView::new(id, figures::of_law(report))
    });
    flips.chain(data).chain(law).collect()
}
