//! A new organization gets the data that comes with Ephor.

use ephor_kernel::{OrganizationId, PermissionSet, Principal, RequestContext, Scope, SystemPart};
use ephor_store::{StoreError, builtins::builtins_request};

use crate::identity::Identity;

impl Identity {
    /// Has the built-in data copied into an organization that was just opened. It exists all the same
    /// if that cannot be asked for now: the next start asks for what is missing.
    pub(crate) async fn organization_furnish(
        &self,
        organization: OrganizationId,
        request: &RequestContext,
    ) {
        let scope = Scope::new(
            Principal::System(SystemPart::Worker),
            organization,
            PermissionSet::all(),
            request.clone(),
        );
        if let Err(error) = self.furnish(&scope).await {
            tracing::warn!(%organization, %error, "built-in data waits for the next start");
        }
    }

    async fn furnish(&self, scope: &Scope) -> Result<(), StoreError> {
        let mut tx = self.store().begin_system(scope).await?;
        builtins_request(&mut tx).await?;
        tx.commit().await
    }
}
