//! Logging in with e-mail address and password.

use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, UserId};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
    imported_hash::is_imported,
    password::Password,
    second_factor::LoggedIn,
    session::OpenSession,
};

/// What one tells to log in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// The address of the account.
    pub email: String,
    /// Its password.
    pub password: Password,
    /// The organization to work in; if left out, the one where one was last.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
}

impl Identity {
    /// Logs somebody in, or half: those who have a second factor are asked for a code.
    ///
    /// An unknown address is refused in the same words and after the same work as a wrong password.
    ///
    /// # Errors
    /// `wrong_credentials`, `rate_limited`, `invalid` for what is no address, and `forbidden` for
    /// somebody who belongs to no organization (any more), or not to the one asked for.
    pub async fn log_in(
        &self,
        request: &RequestContext,
        input: &LogIn,
    ) -> Result<LoggedIn, Problem> {
        let email = Email::parse(&input.email).map_err(|fault| Problem::invalid(vec![fault]))?;
        self.count_log_in(request, &email).await?;
        let (user, stored) = self.user_by_email(&email).await?;
        let right = self.parts().hasher.verify(&input.password, stored.as_deref()).await?;
        match (user, stored) {
            (Some(user), Some(stored)) if right => {
                let stored = self.hash_anew(request, user, &input.password, stored).await?;
                let session = OpenSession {
                    user,
                    password_hash: &stored,
                    organization: input.organization_id,
                    email: &email,
                };
                self.session_open(request, session).await
            }
            (user, _) => {
                let reason = if user.is_some() { "wrong_password" } else { "unknown_address" };
                self.note_refusal(request, user, reason).await?;
                Err(wrong_credentials())
            }
        }
    }

    /// The hash that opens a session: a new one for a password that was imported with another system's.
    async fn hash_anew(
        &self,
        request: &RequestContext,
        user: UserId,
        password: &Password,
        stored: String,
    ) -> Result<String, Problem> {
        if !is_imported(&stored) {
            return Ok(stored);
        }
        let new = self.parts().hasher.hash(password).await?;
        let mut door = self.store().door().await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.password_rehash($1, $2, $3, $4)"#,
            user.uuid(),
            stored,
            new,
            request_hex(request)
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        // If the password was changed meanwhile, the session is refused with the hash that is no longer.
        Ok(if state == "ok" { new } else { stored })
    }

    pub(crate) async fn user_by_email(
        &self,
        email: &Email,
    ) -> Result<(Option<UserId>, Option<String>), Problem> {
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            "select user_id, password_hash from door.user_by_email($1)",
            email.as_str()
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        Ok((row.user_id.map(UserId::from), row.password_hash))
    }

    pub(crate) async fn note_refusal(
        &self,
        request: &RequestContext,
        user: Option<UserId>,
        reason: &str,
    ) -> Result<(), Problem> {
        let mut door = self.store().door().await?;
        sqlx::query!(
            "select door.log_in_refused($1, $2, $3)",
            user.map(Uuid::from),
            reason,
            request_hex(request)
        )
        .execute(door.conn())
        .await
        .map_err(database)?;
        Ok(())
    }
}

pub(crate) fn wrong_credentials() -> Problem {
    Problem::new(Code::WrongCredentials, "The e-mail address or the password is wrong")
}
