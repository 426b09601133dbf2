//! Ask for an analysis.

use ephor_fairness::AnalysisSpec;
use ephor_kernel::{AnalysisId, DatasetId, DomainEvent, Fault, ModelId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use ephor_tabular::Table;
use serde::Deserialize;
use sqlx::Executor as _;

use super::{JOB_KIND, JobPayload};

/// What is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisCreate {
    /// A name for people; made from the type and the data set's name if it is not here.
    #[serde(default)]
    pub name: Option<String>,
    /// What the analysis is for.
    #[serde(default)]
    pub description: String,
    /// The data set.
    pub dataset_id: DatasetId,
    /// The model whose predictions the data set holds, when it is registered.
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// Columns, groups, thresholds, confidence.
    pub parameters: AnalysisSpec,
}

impl AnalysisCreate {
    /// All that is wrong with it, the data set's columns considered.
    pub fn faults(&self, table: &Table) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self.parameters.faults().into_iter().map(fault).collect();
        if let Some(name) = &self.name
            && !(1..=200).contains(&name.chars().count())
        {
            faults.push(Fault::new("/name", "length", "A name has 1 to 200 characters"));
        }
        if self.description.chars().count() > 10_000 {
            faults.push(Fault::new(
                "/description",
                "length",
                "A description has at most 10000 characters",
            ));
        }
        faults.extend(
            ephor_fairness::column_faults(&self.parameters, &table.schema()).into_iter().map(fault),
        );
        faults
    }
}

/// A fault of the specification, as a fault of the request that holds it.
pub(crate) fn fault(fault: ephor_fairness::Fault) -> Fault {
    let ephor_fairness::Fault { where_, code, message, hint } = fault;
    let made = Fault::new(format!("/parameters{where_}"), code, message);
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// Stores the analysis, its job and the event in the caller's transaction.
///
/// The caller has checked [`AnalysisCreate::faults`].
///
/// # Errors
/// `unknown_reference` when the data set or model is not one of the organization.
pub async fn analysis_create(
    tx: &mut OrgTx,
    create: &AnalysisCreate,
) -> Result<AnalysisId, Problem> {
    let AnalysisCreate { name, description, dataset_id, model_id, parameters } = create;
    let id = AnalysisId::new();
    let organization = tx.organization().uuid();
    let actor = tx.scope().principal().uuid();
    let name = name.clone().unwrap_or_else(|| default_name(parameters));
    let spec = serde_json::to_value(parameters).map_err(|_| Problem::internal())?;
    sqlx::query!(
        "insert into assurance.bias_analyses
             (organization_id, id, name, description, dataset_id, model_id, analysis_type, parameters, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        organization,
        id.uuid(),
        name,
        description,
        dataset_id.uuid(),
        model_id.map(ModelId::uuid),
        parameters.analysis_type.as_str(),
        spec,
        actor,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let payload =
        serde_json::to_value(JobPayload { analysis: id }).map_err(|_| Problem::internal())?;
    let job = tx.enqueue(NewJob { kind: JOB_KIND, payload, subject: Some(id.uuid()) }).await?;
    sqlx::query!(
        "update assurance.bias_analyses set job_id = $3 where organization_id = $1 and id = $2",
        organization,
        id.uuid(),
        job.uuid(),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    tx.emit(&DomainEvent::AnalysisRequested { analysis: id, job }).await?;
    Ok(id)
}

/// The same, beside other work of the transaction: when it is refused, as beyond what the plan allows, that
/// work stands, and the refusal is told.
///
/// # Errors
/// What keeps the transaction from going on.
pub(crate) async fn analysis_attempt(
    tx: &mut OrgTx,
    create: &AnalysisCreate,
) -> Result<Result<AnalysisId, Problem>, Problem> {
    tx.conn().execute("savepoint analysis").await.map_err(StoreError::from)?;
    let asked = analysis_create(tx, create).await;
    let end =
        if asked.is_ok() { "release savepoint analysis" } else { "rollback to savepoint analysis" };
    tx.conn().execute(end).await.map_err(StoreError::from)?;
    Ok(asked)
}

fn default_name(spec: &AnalysisSpec) -> String {
    let what = spec.analysis_type.as_str().replace('_', " ");
    let mut name = format!("{what} by {}", spec.protected.join(", "));
    if let Some((end, _)) = name.char_indices().nth(200) {
        name.truncate(end);
    }
    name[..1].to_uppercase() + &name[1..]
}
