//! What the form lets choose, in words, and which of it was chosen.

use ephor_fairness::{AnalysisType, task::Task};
use ephor_kernel::Fault;

use super::reader::Reader;

/// The kinds of analysis that the engine has, and what each looks for.
pub(in crate::pages::analysis) const KINDS: [(AnalysisType, &str); 4] = [
    (AnalysisType::Comprehensive, "Comprehensive: everything the columns allow"),
    (AnalysisType::DemographicParity, "Demographic parity: selected equally often"),
    (AnalysisType::EqualizedOdds, "Equalized odds: equally right about each group"),
    (AnalysisType::IndividualFairness, "Individual fairness: similar people treated alike"),
];

/// What models predict.
pub(crate) const TASKS: [(Task, &str); 4] = [
    (Task::Binary, "Yes or no"),
    (Task::Regression, "Numbers"),
    (Task::Multiclass, "One class of several"),
    (Task::Ranking, "The order of lists"),
];

impl Reader<'_> {
    /// The task, yes or no where none is named.
    pub(super) fn task(&mut self) -> Task {
        let Some(word) = self.text("task") else { return Task::Binary };
        Task::named(&word).unwrap_or_else(|| {
            self.faults.push(Fault::new("/task", "vocabulary", "There is no such task."));
            Task::Binary
        })
    }

    /// The kind of analysis, where one is named.
    pub(super) fn analysis_type(&mut self) -> Option<AnalysisType> {
        let word = self.text("analysis_type")?;
        let known = KINDS.iter().find(|(kind, ..)| kind.as_str() == word);
        if known.is_none() {
            self.faults.push(Fault::new(
                "/analysis_type",
                "vocabulary",
                "There is no such kind of analysis.",
            ));
        }
        known.map(|(kind, ..)| *kind)
    }
}
