//! Compare two analyses.

use ephor_fairness::comparison::{Comparison, compare};
use ephor_kernel::{AnalysisId, Problem};
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
/// `not_found`; `conflict` when either has not completed, or is of another task than yes or no.
pub async fn analysis_comparison(
    tx: &mut OrgTx,
    id: AnalysisId,
    with: AnalysisId,
) -> Result<Compared, Problem> {
    let after = completed_get(tx, id).await?;
    let before = completed_get(tx, with).await?;
    let what = "analyses are compared";
    let comparison = compare(before.binary(what)?, after.binary(what)?);
    Ok(Compared { before, after, comparison })
}
