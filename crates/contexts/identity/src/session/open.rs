//! Opening a session for somebody who proved who they are.

use chrono::Duration;
use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, UserId};
use uuid::Uuid;

use crate::{
    cookie::SessionCookie,
    email::Email,
    identity::{Identity, database, request_hex},
    log_in::wrong_credentials,
    second_factor::{LoggedIn, Proof},
    secrets::SessionToken,
    suspended::suspended,
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

/// For whom an identity elsewhere was verified.
pub(crate) struct OpenProven<'a> {
    pub user: UserId,
    pub identity: Uuid,
    pub email: &'a Email,
}

impl Identity {
    /// A session, or half of one for somebody who has a second factor.
    pub(crate) async fn session_open(
        &self,
        request: &RequestContext,
        session: OpenSession<'_>,
    ) -> Result<LoggedIn, Problem> {
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
        drop(door);
        if state == "no_organization"
            && self.is_suspended(session.user, session.password_hash, session.organization).await?
        {
            return Err(suspended());
        }
        let proof = Proof::password(session.password_hash);
        self.opened_session(&state, token, session.user, session.email, proof, session.organization)
    }

    /// The same, by an identity elsewhere.
    pub(crate) async fn session_open_proven(
        &self,
        request: &RequestContext,
        session: OpenProven<'_>,
    ) -> Result<LoggedIn, Problem> {
        let token = SessionToken::generate();
        let mut door = self.store().door().await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.session_create_proven($1, null, $2, null, null, null, $3,
                   $4::text::inet, $5, make_interval(secs => $6), make_interval(secs => $7), $8, $9)"#,
            session.user.uuid(),
            session.identity,
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
        let proof = Proof::Identity(session.identity);
        self.opened_session(&state, token, session.user, session.email, proof, None)
    }

    fn opened_session(
        &self,
        state: &str,
        token: SessionToken,
        user: UserId,
        email: &Email,
        proof: Proof,
        organization: Option<OrganizationId>,
    ) -> Result<LoggedIn, Problem> {
        match state {
            "ok" => Ok(LoggedIn::Session(self.cookie(token))),
            "second_factor" => {
                self.half_session(user, email, proof, organization).map(LoggedIn::SecondFactor)
            }
            "no_organization" => Err(no_organization(organization.is_some())),
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

/// Of somebody who is nowhere a member, or not where they asked to go.
pub(crate) fn no_organization(asked: bool) -> Problem {
    Problem::new(
        Code::Forbidden,
        if asked {
            "You are not an active member of this organization"
        } else {
            "You are not an active member of any organization; ask for a join link, or sign up with another address"
        },
    )
}
