//! An analysis that has completed, with what it found: what reports and comparisons are made of.

use ephor_fairness::{AnalysisResult, task::TaskResult};
use ephor_kernel::{AnalysisId, Code, Problem};
use ephor_store::{OrgTx, StoreError};

use super::{Analysis, analysis_get, analysis_result};

/// A completed analysis.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The analysis.
    pub analysis: Analysis,
    /// What it found.
    pub result: TaskResult,
    /// The data set's name, when the caller may see data sets.
    pub dataset: Option<String>,
}

impl Completed {
    /// What it found of yes or no.
    ///
    /// # Errors
    /// `conflict` when it is of another task, for which there is no `what`.
    pub(crate) fn binary(&self, what: &str) -> Result<&AnalysisResult, Problem> {
        self.result.binary().ok_or_else(|| {
            let Analysis { id, task, .. } = &self.analysis;
            Problem::new(
                Code::Conflict,
                format!(
                    "The analysis {id} is of the task {task}, and {what} only of the task binary"
                ),
            )
        })
    }
}

/// A completed analysis of the organization.
///
/// # Errors
/// `not_found`; `conflict` when it has not completed, or another system ran it.
pub async fn completed_get(tx: &mut OrgTx, id: AnalysisId) -> Result<Completed, Problem> {
    let analysis = analysis_get(tx, id).await?;
    let result = match analysis.status.as_str() {
        "completed" => analysis_result(tx, id).await?,
        _ => None,
    };
    let Some(result) = result else {
        return Err(Problem::new(Code::Conflict, without_result(&analysis)));
    };
    let dataset = dataset_name(tx, &analysis).await?;
    Ok(Completed { analysis, result, dataset })
}

fn without_result(analysis: &Analysis) -> String {
    let Analysis { id, status, .. } = analysis;
    match status.as_str() {
        "completed" => {
            format!("The analysis {id} was run by another system, whose result is not read here")
        }
        "failed" | "cancelled" => format!("The analysis {id} is {status} and has no result"),
        _ => format!("The analysis {id} is {status}; ask again when it has completed"),
    }
}

async fn dataset_name(tx: &mut OrgTx, analysis: &Analysis) -> Result<Option<String>, Problem> {
    let Some(dataset) =
        analysis.dataset_id.filter(|_| tx.scope().permissions().allows("datasets", "read"))
    else {
        return Ok(None);
    };
    let name = sqlx::query_scalar!(
        "select name from registry.datasets where organization_id = $1 and id = $2",
        tx.organization().uuid(),
        dataset.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(name)
}
