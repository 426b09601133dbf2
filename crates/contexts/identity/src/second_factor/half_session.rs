//! The second step of a log-in. Between the two somebody holds a half session: a sealed text that
//! says whose first step succeeded, is good for five minutes, and for nothing but the second step.

use chrono::Duration;
use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{SecondFactorCode, enrol::wrong_code};
use crate::{
    cookie::SessionCookie,
    email::Email,
    identity::{Identity, database, request_hex},
    secrets::{SessionToken, sha256},
    session::no_organization,
    throttle::account_subject,
};

const PURPOSE: &str = "half session";
const GOOD_FOR: Duration = Duration::minutes(5);

/// What a log-in came to.
#[derive(Debug, Clone)]
pub enum LoggedIn {
    /// A session.
    Session(SessionCookie),
    /// A code is asked for.
    SecondFactor(HalfSession),
}

impl LoggedIn {
    /// The session of somebody who has no second factor.
    ///
    /// # Errors
    /// `unauthenticated` when a code is asked for.
    pub fn session(self) -> Result<SessionCookie, Problem> {
        match self {
            Self::Session(cookie) => Ok(cookie),
            Self::SecondFactor(_) => {
                Err(Problem::new(Code::Unauthenticated, "This account asks for a second factor"))
            }
        }
    }
}

/// The first step, done.
#[derive(Clone, Serialize)]
pub struct HalfSession {
    /// What the second step is: `totp`.
    pub second_factor: &'static str,
    /// To be sent along with the code.
    pub token: String,
    /// For how many seconds it is good.
    pub expires_in: i64,
}

impl std::fmt::Debug for HalfSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HalfSession(secret)")
    }
}

/// The second step.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogInCode {
    /// The token of the first step.
    pub token: String,
    /// A code of the authenticator, or a recovery code.
    pub code: SecondFactorCode,
}

/// How the first step was proven.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Proof {
    /// By the password whose hash has this hash.
    Password([u8; 32]),
    /// By an identity elsewhere.
    Identity(Uuid),
}

impl Proof {
    pub(crate) fn password(hash: &str) -> Self {
        Self::Password(sha256(hash.as_bytes()))
    }
}

#[derive(Serialize, Deserialize)]
struct FirstStep {
    user: Uuid,
    email: String,
    proof: Proof,
    organization: Option<Uuid>,
    until: i64,
}

impl Identity {
    /// A half session for somebody whose first step succeeded.
    pub(crate) fn half_session(
        &self,
        user: UserId,
        email: &Email,
        proof: Proof,
        organization: Option<OrganizationId>,
    ) -> Result<HalfSession, Problem> {
        let first = FirstStep {
            user: user.uuid(),
            email: email.as_str().to_owned(),
            proof,
            organization: organization.map(Uuid::from),
            until: (self.parts().clock.now() + GOOD_FOR).timestamp(),
        };
        Ok(HalfSession {
            second_factor: "totp",
            token: self.parts().vault.seal_text(PURPOSE, &first)?,
            expires_in: GOOD_FOR.num_seconds(),
        })
    }

    /// The second step: opens the session.
    ///
    /// # Errors
    /// `unauthenticated` for a half session that is unknown or over, `invalid` for a code that is
    /// wrong or was used, `rate_limited`.
    pub async fn log_in_code(
        &self,
        request: &RequestContext,
        input: &LogInCode,
    ) -> Result<SessionCookie, Problem> {
        let now = self.parts().clock.now();
        let first: FirstStep = self
            .parts()
            .vault
            .open_text(PURPOSE, &input.token)
            .filter(|first: &FirstStep| now.timestamp() < first.until)
            .ok_or_else(over)?;
        let user = UserId::from(first.user);
        self.count_second_factor(request, user).await?;
        let email = Email::parse(&first.email).map_err(|_| over())?;
        let (hash, identity) = match first.proof {
            // The password may have changed since the first step.
            Proof::Password(proven) => {
                let (found, stored) = self.user_by_email(&email).await?;
                let stored = stored.filter(|hash| sha256(hash.as_bytes()) == proven);
                (Some(stored.filter(|_| found == Some(user)).ok_or_else(over)?), None)
            }
            Proof::Identity(identity) => (None, Some(identity)),
        };
        let used = {
            let mut door = self.store().door().await?;
            let sealed = sqlx::query_scalar!("select door.totp_of($1)", first.user)
                .fetch_one(door.conn())
                .await
                .map_err(database)?
                .ok_or_else(over)?;
            input.code.used(&self.opened(first.user, &sealed)?, now)
        };
        let Some(used) = used else {
            self.note_refusal(request, Some(user), "wrong_code").await?;
            return Err(wrong_code());
        };
        let token = SessionToken::generate();
        let state = {
            let mut door = self.store().door().await?;
            sqlx::query_scalar!(
                r#"select state as "state!" from door.session_create_proven($1, $2, $3, $4, $5, $6, $7,
                       $8::text::inet, $9, make_interval(secs => $10), make_interval(secs => $11), $12, $13)"#,
                first.user,
                hash,
                identity,
                used.step(),
                used.recovery(),
                first.organization,
                &token.hash()[..],
                request.ip.map(|ip| ip.to_string()),
                request.user_agent,
                self.config().idle_seconds(),
                self.config().session_seconds(),
                &account_subject(&email)[..],
                request_hex(request),
            )
            .fetch_one(door.conn())
            .await
            .map_err(database)?
        };
        match state.as_str() {
            "ok" => Ok(self.cookie(token)),
            "wrong_code" => {
                self.note_refusal(request, Some(user), "used_code").await?;
                Err(wrong_code())
            }
            "no_organization" => Err(no_organization(first.organization.is_some())),
            _ => Err(over()),
        }
    }
}

fn over() -> Problem {
    Problem::new(Code::Unauthenticated, "The first step is too long ago; log in from the beginning")
}
