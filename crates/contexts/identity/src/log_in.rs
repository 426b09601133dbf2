//! Logging in with e-mail address and password.

use ephor_kernel::{Code, OrganizationId, Problem, RequestContext, UserId};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
    imported_hash::replaceable,
    password::Password,
    refusal_beat::Beats,
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
    /// An unknown address is refused in the same words and after the same time as a wrong password.
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
        let beats = Beats::begin(self.config().refusal_milliseconds);
        let (user, stored) = self.user_by_email(&email).await?;
        let right = self.parts().hasher.verify(&input.password, stored.as_deref()).await?;
        if let (true, Some(user), Some(stored)) = (right, user, stored)
            && let Some(stored) = self.hash_now(request, user, &email, input, stored).await?
        {
            let session = OpenSession {
                user,
                password_hash: &stored,
                organization: input.organization_id,
                email: &email,
            };
            return self.session_open(request, session).await;
        }
        let reason = if user.is_some() { "wrong_password" } else { "unknown_address" };
        self.note_refusal(request, user, reason).await?;
        beats.next().await;
        Err(wrong_credentials())
    }

    /// The hash that opens a session for somebody whose password fits the one given: a new one in
    /// place of one that was imported. `None` when the password was changed to another meanwhile.
    async fn hash_now(
        &self,
        request: &RequestContext,
        user: UserId,
        email: &Email,
        input: &LogIn,
        stored: String,
    ) -> Result<Option<String>, Problem> {
        if !replaceable(input.password.bytes(), &stored) {
            return Ok(Some(stored));
        }
        let hasher = &self.parts().hasher;
        let new = hasher.hash(&input.password).await?;
        if self.rehashed(request, user, &stored, &new).await? {
            return Ok(Some(new));
        }
        // Another log-in of the same moment was first. What it left is looked at like any other hash:
        // its password is ours, unless somebody set another one just now.
        let (found, now) = self.user_by_email(email).await?;
        let now = now.filter(|_| found == Some(user));
        let right = hasher.verify(&input.password, now.as_deref()).await?;
        Ok(now.filter(|_| right))
    }

    /// Puts the new hash in the place of the old one; false when that is no longer there.
    async fn rehashed(
        &self,
        request: &RequestContext,
        user: UserId,
        old: &str,
        new: &str,
    ) -> Result<bool, Problem> {
        let mut door = self.store().door().await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.password_rehash($1, $2, $3, $4)"#,
            user.uuid(),
            old,
            new,
            request_hex(request)
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        Ok(state == "ok")
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
