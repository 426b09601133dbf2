//! Compare two analyses.

use ephor_fairness::comparison::{Comparison, OtherTask, compare_tasks};
use ephor_kernel::{AnalysisId, Code, Problem};
use ephor_store::OrgTx;

use super::{Completed, completed_get};

/// Two analyses, compared.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What was before: the baseline.
    pub before: Completed,
    /// What came after.
    pub after: Completed,
    /// What changed between them.
    pub comparison: Comparison,
}

/// What changed from the analysis `with` to the analysis `id`.
///
/// # Errors
/// `not_found`; `conflict` when either has not completed; `other_task` when they are of two tasks.
pub async fn analysis_comparison(
    tx: &mut OrgTx,
    id: AnalysisId,
    with: AnalysisId,
) -> Result<Compared, Problem> {
    let after = completed_get(tx, id).await?;
    let before = completed_get(tx, with).await?;
    let comparison =
        compare_tasks(&before.result, &after.result).map_err(|tasks| two_tasks(id, with, tasks))?;
    Ok(Compared { before, after, comparison })
}

fn two_tasks(id: AnalysisId, with: AnalysisId, tasks: OtherTask) -> Problem {
    let OtherTask { baseline, current } = tasks;
    Problem::new(
        Code::OtherTask,
        format!(
            "The analysis {id} is of the task {}, and {with} of the task {}: their numbers have nothing to do with one another. Choose two of one task",
            current.as_str(),
            baseline.as_str()
        ),
    )
}
