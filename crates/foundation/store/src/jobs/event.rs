//! What listens to the domain's events.

use async_trait::async_trait;
use ephor_kernel::{
    DomainEvent, OrganizationId, PermissionSet, Principal, RequestContext, Scope, SystemPart,
};
use sqlx::types::Json;
use uuid::Uuid;

use super::JobFailure;
use crate::Store;

/// Does what follows from an event. It is told of each at least once, after the transaction that made
/// it true; not necessarily in order. An error means that it is told again, later.
#[async_trait]
pub trait EventHandler: Send + Sync + 'static {
    /// Handles one event, in a scope of the organization in which it happened.
    async fn handle(
        &self,
        store: &Store,
        scope: &Scope,
        event: &DomainEvent,
    ) -> Result<(), JobFailure>;
}

/// The scope of what Ephor's workers do in an organization.
pub(super) fn worker_scope(organization: OrganizationId) -> Scope {
    Scope::new(
        Principal::System(SystemPart::Worker),
        organization,
        PermissionSet::all(),
        RequestContext::default(),
    )
}

/// Tells the handler of a handed-over event, then forgets it.
pub(super) async fn event_handle(
    store: &Store,
    handler: Option<&dyn EventHandler>,
    organization: OrganizationId,
    id: Uuid,
) -> Result<(), JobFailure> {
    let scope = worker_scope(organization);
    let mut tx = store.begin_system(&scope).await?;
    let event = sqlx::query_scalar!(
        r#"select event as "event!: Json<DomainEvent>" from ops.outbox
            where organization_id = $1 and id = $2 and kind = 'event'"#,
        organization.uuid(),
        id,
    )
    .fetch_optional(tx.conn())
    .await?;
    tx.commit().await?;
    // Not there: it was handled before.
    let Some(Json(event)) = event else { return Ok(()) };
    if let Some(handler) = handler {
        handler.handle(store, &scope, &event).await?;
    }
    let mut tx = store.begin_system(&scope).await?;
    sqlx::query!(
        "delete from ops.outbox where organization_id = $1 and id = $2",
        organization.uuid(),
        id,
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(())
}
