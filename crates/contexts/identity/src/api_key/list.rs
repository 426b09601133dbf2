//! API keys as people see them: without their secrets.

use chrono::{DateTime, Utc};
use ephor_kernel::{ApiKeyId, Problem, Scope, UserId};
use serde::Serialize;

use crate::identity::{Identity, database};

/// A key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiKeySummary {
    /// Its id.
    pub id: ApiKeyId,
    /// For whom it acts.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// By what to tell it from others.
    pub key_prefix: String,
    /// What it may do, as far as its owner may.
    pub permissions: Vec<String>,
    /// Does it work, but for its end?
    pub is_active: bool,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Until when it works.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to within half a minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// How many requests were made with it, to within half a minute.
    pub usage_count: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Identity {
    /// The caller's own keys, the newest first; at most 500. Needs `api_keys:read`.
    pub async fn api_key_list(&self, scope: &Scope) -> Result<Vec<ApiKeySummary>, Problem> {
        scope.require("api_keys", "read")?;
        let mut tx = self.store().begin(scope).await?;
        let rows = sqlx::query!(
            r#"select k.id, k.user_id, k.name, k.key_prefix, k.permissions, k.is_active, k.revoked_at,
                  k.expires_at, k.created_at, u.last_used_at as "last_used_at?",
                  u.usage_count as "usage_count?"
           from identity.api_keys k
           left join identity.api_key_usage u on u.organization_id = k.organization_id and u.id = k.id
           where k.organization_id = $1 and k.user_id = $2
           order by k.created_at desc, k.id desc limit 500"#,
            scope.organization().uuid(),
            scope.principal().uuid(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|row| ApiKeySummary {
                id: row.id.into(),
                user_id: row.user_id.into(),
                name: row.name,
                key_prefix: row.key_prefix,
                permissions: row.permissions,
                is_active: row.is_active,
                revoked_at: row.revoked_at,
                expires_at: row.expires_at,
                last_used_at: row.last_used_at,
                usage_count: row.usage_count.unwrap_or(0),
                created_at: row.created_at,
            })
            .collect())
    }
}
