//! One's own sessions.

use chrono::{DateTime, Utc};
use ephor_kernel::{OrganizationId, Problem, Scope, SessionId};
use serde::Serialize;

use crate::identity::{Identity, database};

/// A session as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionSummary {
    /// Its id.
    pub id: SessionId,
    /// Is it the one that asks?
    pub current: bool,
    /// Where the person works in it.
    pub organization_id: OrganizationId,
    /// The address that the person logged in from.
    pub ip_address: Option<String>,
    /// The browser that the person logged in with.
    pub user_agent: Option<String>,
    /// When the person logged in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to within a minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends if it is not used.
    pub idle_expires_at: DateTime<Utc>,
    /// When it ends in any case.
    pub expires_at: DateTime<Utc>,
}

impl Identity {
    /// The caller's sessions that have not ended, the last used first; at most 100.
    pub async fn session_list(
        &self,
        scope: &Scope,
        current: Option<SessionId>,
    ) -> Result<Vec<SessionSummary>, Problem> {
        let mut tx = self.store().begin(scope).await?;
        let rows = sqlx::query!(
            r#"select s.id, s.current_organization_id, host(s.ip_address) as ip_address, s.user_agent,
                      s.created_at, a.last_seen_at, a.idle_expires_at, s.expires_at
               from identity.sessions s join identity.session_activity a on a.id = s.id
               where s.user_id = $1 and s.is_active and s.expires_at > now() and a.idle_expires_at > now()
               order by a.last_seen_at desc, s.id desc limit 100"#,
            scope.principal().uuid(),
        )
        .fetch_all(tx.conn())
        .await
        .map_err(database)?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|row| SessionSummary {
                id: row.id.into(),
                current: current == Some(row.id.into()),
                organization_id: row.current_organization_id.into(),
                ip_address: row.ip_address,
                user_agent: row.user_agent,
                created_at: row.created_at,
                last_seen_at: row.last_seen_at,
                idle_expires_at: row.idle_expires_at,
                expires_at: row.expires_at,
            })
            .collect())
    }
}
