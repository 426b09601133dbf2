//! For whom an API key acts.

use ephor_kernel::{PermissionSet, Principal, Problem, RequestContext, Scope};

use crate::{
    identity::{Identity, database},
    membership::Looked,
    secrets::ApiKeyToken,
};

impl Identity {
    /// The scope of a key: its own permissions, as far as its owner has them at this moment.
    /// `None` when it may not act (any more).
    pub async fn api_key_admit(
        &self,
        request: &RequestContext,
        token: &ApiKeyToken,
    ) -> Result<Option<Scope>, Problem> {
        let hash = token.hash();
        let known = self.parts().memberships.known(&hash);
        for known in [known, None] {
            let version = known.as_ref().map(|known| known.version);
            let mut door = self.store().door().await?;
            let row = sqlx::query!(
                "select user_id, key_permissions, membership_version, permissions, readable
                 from door.api_key_lookup($1, $2, $3, $4)",
                token.organization.uuid(),
                token.id.uuid(),
                &hash[..],
                version,
            )
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
            drop(door);
            let (Some(user), Some(words), Some(version)) =
                (row.user_id, row.key_permissions, row.membership_version)
            else {
                return Ok(None);
            };
            let looked = Looked {
                organization: token.organization,
                user: user.into(),
                version,
                permissions: row.permissions,
                subsidiaries: row.readable,
            };
            let Some(membership) = self.parts().memberships.settle(&hash, known, looked)? else {
                continue;
            };
            let own = PermissionSet::parse(words.iter().map(String::as_str)).map_err(|error| {
                tracing::error!(%error, key = %token.id, "an API key holds what is no permission");
                Problem::internal()
            })?;
            let parts = self.parts();
            parts.key_usage.count(token.organization, token.id, parts.clock.now());
            return Ok(Some(
                Scope::new(
                    Principal::User(membership.user),
                    membership.organization,
                    own.intersection(&membership.permissions),
                    request.clone(),
                )
                .reading(membership.subsidiaries.iter().copied()),
            ));
        }
        Ok(None)
    }
}
