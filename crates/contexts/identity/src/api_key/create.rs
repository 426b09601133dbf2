//! Making an API key, whose text is shown once.

use chrono::{DateTime, Utc};
use ephor_kernel::{ApiKeyId, Code, Fault, Problem, Scope};
use serde::{Deserialize, Serialize};

use crate::{
    identity::{Identity, database},
    role::permissions_to_give,
    secrets::ApiKeyToken,
    text,
};

/// What the key is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// A name to tell it by.
    pub name: String,
    /// What it may do: `resource:action`, with `*` for any; no more than the caller may.
    pub permissions: Vec<String>,
    /// Until when it works; for no end, leave it out.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The key that was made.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CreatedApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// The whole key: a secret, shown now and never again.
    pub key: String,
    /// By what to tell it from others.
    pub key_prefix: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// Until when it works.
    pub expires_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for CreatedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Makes a key that acts for the caller. Needs `api_keys:create`.
    ///
    /// # Errors
    /// `invalid` with every fault at once, also for a permission that the caller lacks.
    pub async fn api_key_create(
        &self,
        scope: &Scope,
        input: &CreateApiKey,
    ) -> Result<CreatedApiKey, Problem> {
        scope.require("api_keys", "create")?;
        let mut faults = Vec::new();
        let name = text::name("/name", &input.name, 255, &mut faults);
        let permissions = permissions_to_give(scope.permissions(), &input.permissions, &mut faults);
        if input.expires_at.is_some_and(|end| end <= self.parts().clock.now()) {
            faults.push(Fault::new("/expires_at", "past", "A key cannot end before it begins"));
        }
        Problem::unless_empty(faults)?;
        let Some(user) = scope.principal().user() else {
            return Err(Problem::new(Code::Forbidden, "Only people have API keys"));
        };
        let token = ApiKeyToken::generate(scope.organization());
        let mut tx = self.store().begin(scope).await?;
        sqlx::query!(
            "insert into identity.api_keys
                 (organization_id, id, user_id, name, key_prefix, key_hash, permissions, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            scope.organization().uuid(),
            token.id.uuid(),
            user.uuid(),
            name,
            token.prefix(),
            &token.hash()[..],
            &permissions,
            input.expires_at,
        )
        .execute(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(CreatedApiKey {
            id: token.id,
            name,
            key: token.expose(),
            key_prefix: token.prefix(),
            permissions,
            expires_at: input.expires_at,
        })
    }
}
