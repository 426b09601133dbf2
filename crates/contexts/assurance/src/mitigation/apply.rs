//! Ask for a mitigation's application to a data set.

use ephor_fairness::{
    MitigationArtifact,
    mitigation::{ApplyOptions, apply_faults},
};
use ephor_kernel::{DatasetId, Fault, MitigationApplicationId, MitigationId, Problem};
use ephor_store::{OrgTx, StoreError, jobs::NewJob};
use ephor_tabular::Table;
use serde::Deserialize;

use super::{
    APPLY_JOB, ApplyPayload,
    create::{fault, name_fault},
    cut,
};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationCreate {
    /// The data set to apply it to.
    pub dataset_id: DatasetId,
    /// The new data set's name; made from those of data set and mitigation if it is not here.
    #[serde(default)]
    pub name: Option<String>,
    /// The new column's name, if not the usual one.
    #[serde(default)]
    pub column: Option<String>,
    /// The column that names rows, which draws then follow.
    #[serde(default)]
    pub row_id: Option<String>,
}

impl ApplicationCreate {
    pub(super) fn options(&self) -> ApplyOptions {
        ApplyOptions { column: self.column.clone(), row_id: self.row_id.clone() }
    }

    /// All that is wrong with it, the artefact and the data set's columns considered.
    pub fn faults(&self, artifact: &MitigationArtifact, table: &Table) -> Vec<Fault> {
        let mut faults: Vec<Fault> = [
            name_fault("/name", self.name.as_deref()),
            // An empty one is told of below.
            name_fault("/column", self.column.as_deref().filter(|name| !name.is_empty())),
        ]
        .into_iter()
        .flatten()
        .collect();
        let of_table = apply_faults(artifact, &self.options(), &table.schema());
        faults.extend(of_table.into_iter().map(|found| {
            // The request names a data set, in which columns are missing.
            let mut made = fault(found);
            if !matches!(&*made.pointer, "/column" | "/row_id") {
                made.pointer = "/dataset_id".into();
            }
            made
        }));
        faults
    }
}

/// Stores the application and its job in the caller's transaction. The same one that waits or runs already is not
/// begun again: it is the answer.
///
/// The caller has checked [`ApplicationCreate::faults`].
///
/// # Errors
/// `not_found` when the mitigation or the data set is gone.
pub async fn application_create(
    tx: &mut OrgTx,
    id: MitigationId,
    artifact: &MitigationArtifact,
    create: &ApplicationCreate,
) -> Result<MitigationApplicationId, Problem> {
    let organization = tx.organization().uuid();
    // Two who ask at once take turns.
    let mitigation = sqlx::query_scalar!(
        "select name from assurance.mitigation_artifacts where organization_id = $1 and id = $2 for update",
        organization,
        id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("mitigation"))?;
    let dataset = sqlx::query_scalar!(
        "select name from registry.datasets where organization_id = $1 and id = $2",
        organization,
        create.dataset_id.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("data set"))?;
    let column = create.options().column(artifact);
    let name = match &create.name {
        Some(name) => name.trim().to_owned(),
        None => cut(&format!("{dataset}, {mitigation}"), 200),
    };
    let under_way = sqlx::query_scalar!(
        "select id from assurance.mitigation_applications
          where organization_id = $1 and artifact_id = $2 and dataset_id = $3 and column_name = $4 and name = $5
            and row_id_column is not distinct from $6 and status in ('queued', 'running')
          limit 1",
        organization,
        id.uuid(),
        create.dataset_id.uuid(),
        column,
        name,
        create.row_id,
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?;
    if let Some(under_way) = under_way {
        return Ok(under_way.into());
    }
    let application = MitigationApplicationId::new();
    let payload =
        serde_json::to_value(ApplyPayload { application }).map_err(|_| Problem::internal())?;
    // Whoever looks at the mitigation is told how far it is.
    let job = tx.enqueue(NewJob { kind: APPLY_JOB, payload, subject: Some(id.uuid()) }).await?;
    sqlx::query!(
        "insert into assurance.mitigation_applications
             (organization_id, id, name, artifact_id, dataset_id, column_name, row_id_column, job_id, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        organization,
        application.uuid(),
        name,
        id.uuid(),
        create.dataset_id.uuid(),
        column,
        create.row_id,
        job.uuid(),
        tx.scope().principal().uuid(),
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    Ok(application)
}
