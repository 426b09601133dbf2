//! Opening a session for somebody whose password was verified.

use chrono::Duration;
use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, UserId};
use uuid::Uuid;

use crate::{
    cookie::SessionCookie,
    email::Email,
    identity::{Identity, database, request_hex},
    log_in::wrong_credentials,
    secrets::SessionToken,
    throttle::account_subject,
};

/// For whom, and where.
pub(crate) struct OpenSession<'a> {
    pub user: UserId,
    /// The hash that was verified: a password that was changed meanwhile opens nothing.
    pub password_hash: &'a str,
    pub organization: Option<OrganizationId>,
    pub email: &'a Email,
}

impl Identity {
    pub(crate) async fn session_open(
        &self,
        request: &RequestContext,
        session: OpenSession<'_>,
    ) -> Result<SessionCookie, Problem> {
        let token = SessionToken::generate();
        let mut door = self.store().door().await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.session_create($1, $2, $3, $4, $5::text::inet, $6,
                   make_interval(secs => $7), make_interval(secs => $8), $9, $10)"#,
            session.user.uuid(),
            session.password_hash,
            session.organization.map(Uuid::from),
            &token.hash()[..],
            request.ip.map(|ip| ip.to_string()),
            request.user_agent,
            self.config().idle_seconds(),
            self.config().session_seconds(),
            &account_subject(session.email)[..],
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        match state.as_str() {
            "ok" => Ok(self.cookie(token)),
            "no_organization" => Err(Problem::new(
                Code::Forbidden,
                if session.organization.is_some() {
                    "You are not an active member of this organization"
                } else {
                    "You are not an active member of any organization; ask for a join link, or sign up with another address"
                },
            )),
            _ => Err(wrong_credentials()),
        }
    }

    pub(crate) fn cookie(&self, token: SessionToken) -> SessionCookie {
        let config = self.config();
        SessionCookie::new(
            token,
            config.secure_cookies,
            Duration::hours(i64::from(config.session_hours)),
        )
    }
}
