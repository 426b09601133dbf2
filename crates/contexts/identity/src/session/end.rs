//! Logging out: here, everywhere, or in another browser of one's own.

use ephor_kernel::{Problem, RequestContext, Scope, SessionId};
use serde_json::json;

use super::CurrentSession;
use crate::identity::{Identity, database, request_hex};

impl Identity {
    /// Ends the session, or all of its person's; answers how many ended.
    pub async fn log_out(
        &self,
        request: &RequestContext,
        session: &CurrentSession,
        everywhere: bool,
    ) -> Result<u64, Problem> {
        let mut door = self.store().door().await?;
        let ended = sqlx::query_scalar!(
            r#"select door.session_end($1, $2, $3) as "ended!""#,
            &session.token.hash()[..],
            everywhere,
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        Ok(u64::try_from(ended).unwrap_or(0))
    }

    /// Ends one of the caller's own sessions.
    ///
    /// # Errors
    /// `not_found` when it is not the caller's, or ended before.
    pub async fn session_revoke(&self, scope: &Scope, session: SessionId) -> Result<(), Problem> {
        let mut tx = self.store().begin(scope).await?;
        let ended = sqlx::query!(
            "update identity.sessions set is_active = false, ended_at = now()
             where id = $1 and user_id = $2 and is_active",
            session.uuid(),
            scope.principal().uuid(),
        )
        .execute(tx.conn())
        .await
        .map_err(database)?
        .rows_affected();
        if ended == 0 {
            return Err(Problem::not_found("session"));
        }
        sqlx::query_scalar!(
            "select audit.record('session_revoke', 'identity.sessions', $1, $2)",
            session.uuid(),
            json!({}),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        Ok(tx.commit().await?)
    }
}
