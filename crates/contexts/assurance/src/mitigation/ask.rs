//! What the routes and the pages do alike: check against the data set, then ask.

use ephor_kernel::{AnalysisId, MitigationApplicationId, MitigationId, Problem, Scope};

use super::{
    ApplicationCreate, MitigationCreate, application_create, mitigation_artifact, mitigation_create,
};
use crate::{Assurance, analysis::analysis_get};

/// Checks what is asked for, and asks for it.
///
/// # Errors
/// `forbidden` without `bias_analyses:read`; `not_found`; `invalid` with every fault.
pub async fn mitigation_ask(
    state: &Assurance,
    scope: &Scope,
    id: AnalysisId,
    create: &MitigationCreate,
) -> Result<MitigationId, Problem> {
    scope.require("mitigation_artifacts", "create")?;
    // It is made of what the analysis says.
    scope.require("bias_analyses", "read")?;
    let mut tx = state.store.begin(scope).await?;
    let analysis = analysis_get(&mut tx, id).await?;
    tx.commit().await?;
    let (spec, dataset) = create.spec(&analysis)?;
    // Outside of any transaction: opening a data set reads the object store.
    let table = (state.open_dataset)(scope.clone(), dataset).await?;
    Problem::unless_empty(create.faults(&spec, &table))?;
    let mut tx = state.store.begin(scope).await?;
    let made = mitigation_create(&mut tx, id, dataset, create, &spec).await?;
    tx.commit().await?;
    Ok(made)
}

/// Checks what is asked for, and asks for it.
///
/// # Errors
/// `forbidden` without `datasets:create` and `bias_analyses:create`, for it makes both; `not_found`; `conflict`
/// when the mitigation is not completed; `invalid` with every fault.
pub async fn mitigation_apply(
    state: &Assurance,
    scope: &Scope,
    id: MitigationId,
    create: &ApplicationCreate,
) -> Result<MitigationApplicationId, Problem> {
    scope.require("mitigation_artifacts", "apply")?;
    scope.require("datasets", "create")?;
    scope.require("bias_analyses", "create")?;
    let mut tx = state.store.begin(scope).await?;
    let artifact = mitigation_artifact(&mut tx, id).await?;
    tx.commit().await?;
    let table = (state.open_dataset)(scope.clone(), create.dataset_id).await?;
    Problem::unless_empty(create.faults(&artifact, &table))?;
    let mut tx = state.store.begin(scope).await?;
    let made = application_create(&mut tx, id, &artifact, create).await?;
    tx.commit().await?;
    Ok(made)
}
