//! Proving that an address is one's own, by a link that is mailed to it.

use ephor_kernel::{Code, Problem, RequestContext, Scope, UserId};

use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
    mail::{MailJob, no_mail},
    me,
    password_reset::no_link,
    secrets::MailToken,
    session::CurrentSession,
    throttle::Attempt,
};

/// For how long such a link works: three days.
pub(crate) const VERIFY_SECONDS: f64 = 3.0 * 86_400.0;

impl Identity {
    /// Mails a link to somebody who has just signed up. That it cannot be mailed undoes no sign-up:
    /// it can be asked for again.
    pub(crate) async fn greet(&self, request: &RequestContext, user: UserId) {
        if !self.config().mail {
            return;
        }
        if let Err(problem) = self.queue_for_person(request, MailJob::VerifyEmail { user }).await {
            tracing::warn!(%problem, "the mail that proves an address could not be asked for");
        }
    }

    /// Mails the link again, to oneself.
    ///
    /// # Errors
    /// `conflict` where mail is not set up, and for an address that is proven; `rate_limited`.
    pub async fn email_verification_send(
        &self,
        request: &RequestContext,
        scope: &Scope,
    ) -> Result<(), Problem> {
        if !self.config().mail {
            return Err(no_mail());
        }
        let mut tx = self.store().begin(scope).await?;
        let account = me::account(&mut tx, scope).await?;
        tx.commit().await?;
        if account.email_verified_at.is_some() {
            return Err(Problem::new(Code::Conflict, "Your address is proven already"));
        }
        let email = Email::parse(&account.email).map_err(|_| Problem::internal())?;
        self.count_mail(request, &email).await?;
        self.queue_for_person(request, MailJob::VerifyEmail { user: account.id }).await
    }

    /// Uses up a link: the address is proven. The link alone proves only that somebody reads the
    /// mails, and the account may be another's who opened it on their address: so it takes the
    /// account's own session, too.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used or expired; `forbidden` for another account's;
    /// `rate_limited`.
    pub async fn email_verify(
        &self,
        request: &RequestContext,
        scope: &Scope,
        _: &CurrentSession,
        token: &str,
    ) -> Result<(), Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        let token = MailToken::parse(token).ok_or_else(no_link)?;
        let mut tx = self.store().begin(scope).await?;
        let state = sqlx::query_scalar!(
            r#"select state as "state!" from door.email_verify($1, $2)"#,
            &token.hash()[..],
            request_hex(request),
        )
        .fetch_one(tx.conn())
        .await
        .map_err(database)?;
        match state.as_str() {
            "ok" => Ok(tx.commit().await?),
            "other_person" => Err(Problem::new(
                Code::Forbidden,
                "This link proves the address of another account; sign in with that one",
            )),
            _ => Err(no_link()),
        }
    }
}
