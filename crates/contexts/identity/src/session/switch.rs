//! Going to another of one's organizations.

use ephor_kernel::{OrganizationId, Problem, RequestContext};

use super::CurrentSession;
use crate::{
    cookie::SessionCookie,
    identity::{Identity, database, request_hex},
    secrets::SessionToken,
};

impl Identity {
    /// Moves the session to another organization of which its person is an active member, and
    /// replaces its secret.
    ///
    /// # Errors
    /// `not_found` when the person is no member there: they may not know of it.
    pub async fn session_switch(
        &self,
        request: &RequestContext,
        session: &CurrentSession,
        organization: OrganizationId,
    ) -> Result<SessionCookie, Problem> {
        let fresh = SessionToken::generate();
        let mut door = self.store().door().await?;
        let switched = sqlx::query_scalar!(
            r#"select door.session_switch($1, $2, $3, $4) as "switched!""#,
            &session.token.hash()[..],
            organization.uuid(),
            &fresh.hash()[..],
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        if switched { Ok(self.cookie(fresh)) } else { Err(Problem::not_found("organization")) }
    }
}
