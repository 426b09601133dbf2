//! The report of the data alone that an analysis made beside its own findings.

use ephor_fairness::data::DataReport;
use ephor_kernel::{AnalysisId, Code, Problem};
use ephor_store::OrgTx;

use super::{Completed, completed_get};

/// An analysis with what its data are.
#[derive(Debug, Clone)]
pub struct Described {
    /// The analysis.
    pub completed: Completed,
    /// The report.
    pub report: DataReport,
}

/// What the data of an analysis are, as it was found when the analysis ran.
///
/// # Errors
/// `not_found`; `conflict` when the analysis has not completed, is of another task than yes or no, or did not ask for it.
pub async fn analysis_data(tx: &mut OrgTx, id: AnalysisId) -> Result<Described, Problem> {
    let completed = completed_get(tx, id).await?;
    let result = completed.binary("the data alone are described")?;
    let report = result.data.clone().ok_or_else(|| {
        Problem::new(
            Code::Conflict,
            format!(
                "The analysis {id} holds no report of the data alone. It lacks `data` in its parameters. Ask for an analysis that has it"
            ),
        )
    })?;
    Ok(Described { completed, report })
}
