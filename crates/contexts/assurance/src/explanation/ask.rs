//! Ask for an explanation.

use ephor_kernel::{
    AnalysisId, Code, DatasetId, ExplanationId, Fault, ModelArtifactId, ModelId, Problem, Scope,
};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use serde::Deserialize;

use super::{
    JOB_KIND, JobPayload,
    faults::Known,
    spec::{ExplanationSpec, Kind},
};
use crate::{Assurance, analysis::analysis_get};

/// What is asked for. Beside an analysis, model and data set are the analysis' own where they are left out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplanationAsked {
    /// The model.
    #[serde(default)]
    pub model_id: Option<ModelId>,
    /// Which file of it; of the version in force by default, or of the latest version that has one.
    #[serde(default)]
    pub artifact_id: Option<ModelArtifactId>,
    /// The data set.
    #[serde(default)]
    pub dataset_id: Option<DatasetId>,
    /// The data set whose rows are compared with, such as the training data; the same data set by default.
    #[serde(default)]
    pub background_dataset_id: Option<DatasetId>,
    /// The bias analysis that it goes with.
    #[serde(default)]
    pub analysis_id: Option<AnalysisId>,
    /// The method.
    pub explanation_type: Kind,
    /// Everything else.
    #[serde(default)]
    pub parameters: ExplanationSpec,
}

/// What is asked for, all of it known.
struct Resolved {
    model: ModelId,
    artifact: ModelArtifactId,
    dataset: DatasetId,
    known: Known,
}

/// Checks what is asked for, and asks for it. The same one that waits or runs already is not begun again: it is the answer.
///
/// # Errors
/// `forbidden` without `model_artifacts:read` and `datasets:read`, and beside an analysis without `bias_analyses:read`;
/// `not_found`; `invalid` with every fault.
pub async fn explanation_ask(
    state: &Assurance,
    scope: &Scope,
    asked: &ExplanationAsked,
) -> Result<ExplanationId, Problem> {
    scope.require("model_explanations", "create")?;
    scope.require("model_artifacts", "read")?;
    scope.require("datasets", "read")?;
    if asked.analysis_id.is_some() {
        scope.require("bias_analyses", "read")?;
    }
    let mut tx = state.store.begin(scope).await?;
    let resolved = resolve(&mut tx, asked).await?;
    tx.commit().await?;
    // Outside of any transaction: opening a data set reads the object store.
    let opened = (state.open_dataset)(scope.clone(), resolved.dataset).await;
    let (mut faults, unopened) = match opened {
        Ok(table) => {
            let schema = table.schema();
            let found = asked.parameters.faults(asked.explanation_type, &resolved.known, &schema);
            (found, None)
        }
        Err(problem) => (Vec::new(), Some(problem)),
    };
    if let Some(background) = asked.background_dataset_id {
        let found = background_faults(state, scope, asked, background, &resolved.known).await?;
        faults.extend(found);
    }
    if let Some(problem) = unopened {
        // By itself it is the answer, as it is of any data set; beside other faults it is one of them.
        if faults.is_empty() {
            return Err(problem);
        }
        faults.insert(0, unopened_fault("/dataset_id", problem)?);
    }
    Problem::unless_empty(faults)?;
    let mut tx = state.store.begin(scope).await?;
    let id = explanation_create(&mut tx, asked, &resolved).await?;
    tx.commit().await?;
    Ok(id)
}

/// All that is wrong with a background data set. Nobody compares with one that they may not read, or that is another's.
async fn background_faults(
    state: &Assurance,
    scope: &Scope,
    asked: &ExplanationAsked,
    id: DatasetId,
    known: &Known,
) -> Result<Vec<Fault>, Problem> {
    let table = match (state.open_dataset)(scope.clone(), id).await {
        Ok(table) => table,
        Err(problem) => return Ok(vec![unopened_fault("/background_dataset_id", problem)?]),
    };
    let schema = table.schema();
    Ok(asked.parameters.background_faults(
        asked.explanation_type,
        &known.features,
        table.rows(),
        &schema,
    ))
}

/// Why a data set that is named cannot be used.
fn unopened_fault(pointer: &'static str, problem: Problem) -> Result<Fault, Problem> {
    let (code, message) = match problem.code {
        Code::NotFound => ("unknown_reference", "There is no such data set"),
        Code::InvalidTransition => ("not_ready", "The data set is still coming in"),
        _ => return Err(problem),
    };
    Ok(Fault::new(pointer, code, message))
}

/// Finds what is not said.
async fn resolve(tx: &mut OrgTx, asked: &ExplanationAsked) -> Result<Resolved, Problem> {
    let analysis = match asked.analysis_id {
        Some(id) => Some(analysis_get(tx, id).await?),
        None => None,
    };
    let mut faults = Vec::new();
    let dataset = asked.dataset_id.or(analysis.as_ref().and_then(|analysis| analysis.dataset_id));
    if dataset.is_none() {
        faults.push(Fault::new("/dataset_id", "required", "No data set is named"));
    }
    let model = asked.model_id.or(analysis.as_ref().and_then(|analysis| analysis.model_id));
    let artifact = match (asked.artifact_id, model) {
        (None, None) => {
            let fault =
                Fault::new("/model_id", "required", "Neither a model nor a file of one is named");
            faults.push(fault);
            None
        }
        (named, model) => artifact_of(tx, named, model, &mut faults).await?,
    };
    match (artifact, dataset) {
        (Some((model, artifact, known)), Some(dataset)) if faults.is_empty() => {
            Ok(Resolved { model, artifact, dataset, known })
        }
        _ => Err(Problem::invalid(faults)),
    }
}

/// The file that is named, or the model's: of the version in force, else the latest.
async fn artifact_of(
    tx: &mut OrgTx,
    named: Option<ModelArtifactId>,
    model: Option<ModelId>,
    faults: &mut Vec<Fault>,
) -> Result<Option<(ModelId, ModelArtifactId, Known)>, Problem> {
    let row = sqlx::query!(
        "select a.id, a.model_id, a.format, a.features, a.outputs, a.trees, a.link, a.has_covers
           from registry.model_artifacts a
           join registry.models m on m.organization_id = $1 and m.id = a.model_id
           join registry.model_versions v on v.organization_id = $1 and v.id = a.model_version_id
          where a.organization_id = $1 and ($2::uuid is null or a.id = $2)
            and ($2::uuid is not null or a.model_id = $3)
          order by (v.semantic_version = m.semantic_version) desc, a.created_at desc, a.id
          limit 1",
        tx.organization().uuid(),
        named.map(ModelArtifactId::uuid),
        model.map(ModelId::uuid),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let Some(row) = row else {
        faults.push(match named {
            Some(_) => Fault::new("/artifact_id", "unknown_reference", "There is no such artefact"),
            None => Fault::new("/model_id", "no_artifact", "There is no file of the model").hint(
                "upload it to a version of the model: POST /v1/model_versions/{id}/artifacts",
            ),
        });
        return Ok(None);
    };
    if model.is_some_and(|model| model.uuid() != row.model_id) {
        let message = "The artefact is another model's";
        faults.push(Fault::new("/artifact_id", "of_another_model", message));
    }
    let has_trees = row.trees > 0;
    // A file from before it was noted: of these alone its format and kind tell.
    let never = !has_trees || row.format == "onnx";
    // Trees that give each class a number which stays as it is: shares, unless the numbers are predicted ones.
    let may_be_shares = has_trees
        && row.outputs > 1
        && row.link == "identity"
        && matches!(row.format.as_str(), "sklearn_json" | "onnx");
    // Of ONNX that leaves its sums as they are, only the file tells a linear model from what only answers.
    let is_exact = has_trees || row.format != "onnx" || row.link != "identity";
    let known = Known {
        features: serde_json::from_value(row.features).map_err(|_| Problem::internal())?,
        outputs: usize::try_from(row.outputs).unwrap_or(0),
        has_trees,
        is_exact: is_exact.then_some(true),
        has_covers: row.has_covers.or(never.then_some(false)),
        link: row.link,
        may_be_shares,
    };
    Ok(Some((row.model_id.into(), row.id.into(), known)))
}

/// Stores the explanation and its job in the caller's transaction.
async fn explanation_create(
    tx: &mut OrgTx,
    asked: &ExplanationAsked,
    resolved: &Resolved,
) -> Result<ExplanationId, Problem> {
    let organization = tx.organization().uuid();
    // Two who ask at once take turns; a file that is needed stays.
    sqlx::query_scalar!(
        "select id from registry.models where organization_id = $1 and id = $2 for no key update",
        organization,
        resolved.model.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("model"))?;
    let parameters = serde_json::to_value(&asked.parameters).map_err(|_| Problem::internal())?;
    let under_way = sqlx::query_scalar!(
        "select id from assurance.model_explanations
          where organization_id = $1 and artifact_id = $2 and dataset_id = $3 and explanation_type = $4
            and parameters = $5 and analysis_id is not distinct from $6
            and background_dataset_id is not distinct from $7 and status in ('queued', 'running')
          limit 1",
        organization,
        resolved.artifact.uuid(),
        resolved.dataset.uuid(),
        asked.explanation_type.as_str(),
        parameters,
        asked.analysis_id.map(AnalysisId::uuid),
        asked.background_dataset_id.map(DatasetId::uuid),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if let Some(under_way) = under_way {
        return Ok(under_way.into());
    }
    let id = ExplanationId::new();
    let payload =
        serde_json::to_value(JobPayload { explanation: id }).map_err(|_| Problem::internal())?;
    let job = tx.enqueue(NewJob { kind: JOB_KIND, payload, subject: Some(id.uuid()) }).await?;
    sqlx::query!(
        "insert into assurance.model_explanations
             (organization_id, id, model_id, artifact_id, dataset_id, analysis_id, explanation_type, parameters, job_id, created_by,
              background_dataset_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        organization,
        id.uuid(),
        resolved.model.uuid(),
        resolved.artifact.uuid(),
        resolved.dataset.uuid(),
        asked.analysis_id.map(AnalysisId::uuid),
        asked.explanation_type.as_str(),
        parameters,
        job.uuid(),
        tx.scope().principal().uuid(),
        asked.background_dataset_id.map(DatasetId::uuid),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(id)
}
