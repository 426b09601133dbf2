//! A forgotten password: a link by mail, which works once, for an hour.
//!
//! Asking takes the same steps whether or not the address has an account, and never says so.

use ephor_kernel::{Code, Fault, Problem, RequestContext, UserId};
use serde::Deserialize;

use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
    mail::{MailJob, no_mail},
    password::{self, Password},
    secrets::MailToken,
    throttle::{Attempt, account_subject},
};

/// For how long such a link works.
pub(crate) const RESET_SECONDS: f64 = 3600.0;

/// Who forgot their password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForgotPassword {
    /// The address of the account.
    pub email: String,
}

/// A new password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// The link's token.
    pub token: String,
    /// The password to have from now on.
    pub password: Password,
}

impl std::fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResetPassword").finish_non_exhaustive()
    }
}

impl Identity {
    /// Mails a link to set a new password, if the address has an account with a password.
    ///
    /// # Errors
    /// `invalid` for what is no address, `rate_limited`, `conflict` where mail is not set up.
    pub async fn password_forgotten(
        &self,
        request: &RequestContext,
        input: &ForgotPassword,
    ) -> Result<(), Problem> {
        if !self.config().mail {
            return Err(no_mail());
        }
        let email = Email::parse(&input.email).map_err(|fault| Problem::invalid(vec![fault]))?;
        self.count_mail(request, &email).await?;
        let (user, _) = self.user_by_email(&email).await?;
        self.queue_for_person(request, MailJob::ResetPassword { user }).await
    }

    /// Whose password a link replaces.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used or expired; `rate_limited`.
    pub async fn password_reset_offer(
        &self,
        request: &RequestContext,
        token: &str,
    ) -> Result<Email, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        let token = MailToken::parse(token).ok_or_else(no_link)?;
        let mut door = self.store().door().await?;
        let email = sqlx::query_scalar!(
            "select email from door.mail_token_lookup($1, 'reset_password')",
            &token.hash()[..],
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?
        .ok_or_else(no_link)?;
        Email::parse(&email).map_err(|_| Problem::internal())
    }

    /// Sets the new password, ends all sessions, and says so by mail; answers how many ended.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used or expired; `invalid` for a password that will
    /// not do; `rate_limited`.
    pub async fn password_reset(
        &self,
        request: &RequestContext,
        input: &ResetPassword,
    ) -> Result<u64, Problem> {
        let email = self.password_reset_offer(request, &input.token).await?;
        Problem::unless_empty(password::faults(&input.password, &email))?;
        let token = MailToken::parse(&input.token).ok_or_else(no_link)?;
        let hash = self.parts().hasher.hash(&input.password).await?;
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            r#"select state as "state!", user_id, ended from door.password_reset($1, $2, $3, $4)"#,
            &token.hash()[..],
            hash,
            &account_subject(&email)[..],
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        drop(door);
        let Some(user) = row.user_id.map(UserId::from).filter(|_| row.state == "ok") else {
            return Err(no_link());
        };
        if self.config().mail {
            let told = self.queue_for_person(request, MailJob::PasswordWasReset { user }).await;
            if let Err(problem) = told {
                // The password is replaced: that nobody is told of it must not look like a failure.
                tracing::warn!(%problem, "nobody is told by mail that a password was replaced");
            }
        }
        Ok(u64::try_from(row.ended.unwrap_or_default()).unwrap_or(0))
    }
}

pub(crate) fn no_link() -> Problem {
    let what = "This link is unknown, used or expired";
    Problem {
        faults: vec![Fault::new("/token", "unknown", what)],
        ..Problem::new(Code::NotFound, format!("{what}; ask for a new one"))
    }
}
