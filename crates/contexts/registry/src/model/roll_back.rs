//! Back to what a model was at an earlier version, as a version of its own: history is not rewritten.

use ephor_kernel::{Code, DomainEvent, ModelId, ModelVersionId, Problem};
use ephor_store::{OrgTx, StoreError};

/// Makes the model what it was at `to`, under the next number.
///
/// # Errors
/// `not_found` when model or version are not there, or the version is another model's.
pub async fn model_roll_back(
    tx: &mut OrgTx,
    id: ModelId,
    to: ModelVersionId,
) -> Result<(), Problem> {
    let organization = tx.organization().uuid();
    let found = sqlx::query!(
        "select v.snapshot, v.semantic_version as target, m.semantic_version as now
           from registry.models m
           join registry.model_versions v on v.organization_id = $1 and v.model_id = m.id and v.id = $3
          where m.organization_id = $1 and m.id = $2
            for update of m",
        organization,
        id.uuid(),
        to.uuid(),
    )
    .fetch_optional(tx.conn())
    .await
    .map_err(StoreError::from)?
    .ok_or_else(|| Problem::not_found("version of this model"))?;
    if found.target == found.now {
        return Err(Problem::new(
            Code::InvalidTransition,
            format!("The model is at version {} already", found.now),
        ));
    }
    // The greatest number that was ever given, and one more.
    let newest = sqlx::query_scalar!(
        r#"select max(string_to_array(semantic_version, '.')::numeric[])::text[] as "newest!"
             from registry.model_versions where organization_id = $1 and model_id = $2"#,
        organization,
        id.uuid(),
    )
    .fetch_one(tx.conn())
    .await
    .map_err(StoreError::from)?;
    let next = after(&newest).ok_or_else(Problem::internal)?;
    sqlx::query!(
        "update registry.models
            set model_type = $3::jsonb ->> 'model_type', schema = $3::jsonb -> 'schema', metadata = $3::jsonb -> 'metadata',
                semantic_version = $4
          where organization_id = $1 and id = $2",
        organization,
        id.uuid(),
        found.snapshot,
        next,
    )
    .execute(tx.conn())
    .await
    .map_err(StoreError::from)?;
    tx.emit(&DomainEvent::ModelChanged { model: id, version: Some(to) }).await?;
    Ok(())
}

/// The next number for a repair.
fn after(newest: &[String]) -> Option<String> {
    let [major, minor, patch] = newest else { return None };
    let patch: u64 = patch.parse().ok()?;
    Some(format!("{major}.{minor}.{}", patch.checked_add(1)?))
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_next_number_is_one_more() {
        let newest = ["1", "10", "9"].map(String::from);
        assert_eq!(after(&newest).as_deref(), Some("1.10.10"));
        assert_eq!(after(&newest[..2]), None);
    }
}
