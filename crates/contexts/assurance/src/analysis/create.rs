//! Ask for an analysis.

use ephor_fairness::{AnalysisType, task::TaskSpec};
use ephor_kernel::{AnalysisId, DatasetId, DomainEvent, Fault, ModelId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use ephor_tabular::Table;
use serde::Deserialize;
use serde_json::Value;
use sqlx::Executor as _;

use super::{JOB_KIND, JobPayload};
use crate::reference::refused;

/// What is asked for, as it is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisAsked {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: String,
    dataset_id: DatasetId,
    #[serde(default)]
    model_id: Option<ModelId>,
    parameters: Value,
}

impl AnalysisAsked {
    /// Reads the specification by its task.
    ///
    /// # Errors
    /// `invalid` with every fault that shows before the data set is looked at.
    pub fn read(self) -> Result<AnalysisCreate, Problem> {
        let Self { name, description, dataset_id, model_id, parameters } = self;
        match TaskSpec::read(&parameters) {
            Ok(parameters) => {
                Ok(AnalysisCreate { name, description, dataset_id, model_id, parameters })
            }
            Err(faults) => {
                let mut faults: Vec<Fault> = faults.into_iter().map(fault).collect();
                faults.extend(word_faults(name.as_deref(), &description));
                Err(Problem::invalid(faults))
            }
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AnalysisCreate {
    /// A name for people; made from the type and the protected attributes if it is not here.
    pub name: Option<String>,
    /// What the analysis is for.
    pub description: String,
    /// The data set.
    pub dataset_id: DatasetId,
    /// The model whose predictions the data set holds, when it is registered.
    pub model_id: Option<ModelId>,
    /// Task, columns, groups, thresholds, confidence.
    pub parameters: TaskSpec,
}

impl AnalysisCreate {
    /// All that is wrong with it, the data set's columns considered.
    pub fn faults(&self, table: &Table) -> Vec<Fault> {
        let mut faults = word_faults(self.name.as_deref(), &self.description);
        faults.extend(self.parameters.column_faults(&table.schema()).into_iter().map(fault));
        faults
    }
}

fn word_faults(name: Option<&str>, description: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(name) = name
        && !(1..=200).contains(&name.chars().count())
    {
        faults.push(Fault::new("/name", "length", "A name has 1 to 200 characters"));
    }
    if description.chars().count() > 10_000 {
        faults.push(Fault::new(
            "/description",
            "length",
            "A description has at most 10000 characters",
        ));
    }
    faults
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
    let spec = parameters.to_json().map_err(|_| Problem::internal())?;
    sqlx::query!(
        "insert into assurance.bias_analyses
             (organization_id, id, name, description, dataset_id, model_id, task, analysis_type, parameters, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        organization,
        id.uuid(),
        name,
        description,
        dataset_id.uuid(),
        model_id.map(ModelId::uuid),
        parameters.task().as_str(),
        analysis_type(parameters).as_str(),
        spec,
        actor,
    )
    .execute(tx.conn())
    .await
    .map_err(refused)?;
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

/// What it looks for: in other tasks than yes or no, all that there is.
fn analysis_type(spec: &TaskSpec) -> AnalysisType {
    match spec {
        TaskSpec::Binary(spec) => spec.analysis_type,
        TaskSpec::Regression(_) | TaskSpec::Multiclass(_) | TaskSpec::Ranking(_) => {
            AnalysisType::Comprehensive
        }
    }
}

fn default_name(spec: &TaskSpec) -> String {
    let what = match spec {
        TaskSpec::Binary(spec) => spec.analysis_type.as_str().replace('_', " "),
        TaskSpec::Regression(_) => "predicted numbers".to_owned(),
        TaskSpec::Multiclass(_) => "predicted classes".to_owned(),
        TaskSpec::Ranking(_) => "ranked lists".to_owned(),
    };
    let mut name = format!("{what} by {}", spec.protected().join(", "));
    if let Some((end, _)) = name.char_indices().nth(200) {
        name.truncate(end);
    }
    name[..1].to_uppercase() + &name[1..]
}
