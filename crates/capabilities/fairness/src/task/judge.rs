//! A result judged by other thresholds, after it was found.

use super::TaskResult;
use crate::{
    analysis,
    frame::{Comparison, Findings},
    multiclass::ClassResult,
};

impl TaskResult {
    /// Judges one disparity of one attribute, or combination of several, by another threshold; of one class against the rest, of
    /// every class.
    pub(crate) fn judge_anew(&mut self, attribute: &str, id: &str, accepted: f64) {
        if let Self::Binary(result) = self {
            return analysis::judge_anew(result, attribute, id, accepted);
        }
        let Some((findings, classes)) = self.found_mut() else { return };
        let of_classes = classes.iter_mut().flat_map(|class| &mut class.comparisons);
        let all = findings.comparisons.iter_mut().chain(of_classes);
        for found in all
            .filter(|one| one.name == attribute)
            .flat_map(|one| &mut one.disparities)
            .filter(|found| found.id == id)
        {
            found.threshold = Some(accepted);
            found.status = found.value.map(|value| {
                analysis::judge_value(found.ideal, value, found.interval.as_ref(), accepted)
            });
        }
    }

    /// Sums up what was judged anew: the worst statuses and their counts.
    pub(crate) fn sum_up_anew(&mut self) {
        if let Self::Binary(result) = self {
            return analysis::sum_up_anew(result);
        }
        let Some((findings, classes)) = self.found_mut() else { return };
        let of_classes = classes.iter_mut().flat_map(|class| &mut class.comparisons);
        for one in findings.comparisons.iter_mut().chain(of_classes) {
            one.status = one.disparities.iter().filter_map(|found| found.status).max();
        }
        let more: Vec<&Comparison> = classes.iter().flat_map(|class| &class.comparisons).collect();
        findings.count(&more);
    }

    /// What was found of another task than yes or no, and of its single classes.
    fn found_mut(&mut self) -> Option<(&mut Findings, &mut [ClassResult])> {
        let none: &mut [ClassResult] = &mut [];
        match self {
            Self::Binary(_) => None,
            Self::Regression(report) => Some((&mut report.findings, none)),
            Self::Multiclass(report) => {
                let report = &mut **report;
                Some((&mut report.findings, report.against_rest.as_mut_slice()))
            }
            Self::Ranking(report) => Some((&mut report.findings, none)),
        }
    }
}
