//! The job that writes a mail and sends it. No transaction is open while it speaks to the server.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use ephor_kernel::{Code, InvitationId, Problem, Scope, UserId};
use ephor_mail::{Mail, MailError, Mailer};
use ephor_store::jobs::{JobContext, JobFailure, JobHandler};

use super::{
    letter::Letter,
    queue::{JOB_KIND, MailJob},
};
use crate::{
    identity::{Identity, database, request_hex},
    password_reset::RESET_SECONDS,
    secrets::MailToken,
    verify_email::VERIFY_SECONDS,
};

/// Sends mails.
pub struct MailHandler {
    identity: Identity,
    mailer: Option<Mailer>,
}

/// A mail that is written, and what to note once it is sent.
struct Written {
    mail: Mail,
    /// The invitation, and when its link was made.
    invitation: Option<(InvitationId, DateTime<Utc>)>,
}

impl MailHandler {
    /// A handler that sends by `mailer`; without one, mails wait for a worker that has one.
    pub fn new(identity: Identity, mailer: Option<Mailer>) -> Self {
        Self { identity, mailer }
    }
}

#[async_trait]
impl JobHandler for MailHandler {
    fn kind(&self) -> &'static str {
        JOB_KIND
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        if job.cancelled().is_cancelled() {
            return Err(JobFailure::Cancelled);
        }
        let Some(mailer) = &self.mailer else {
            return Err(JobFailure::retry("Mail is not set up where this job is run ([mail])."));
        };
        // Nothing to write: revoked, used, proven or gone in the meantime.
        let Some(written) = self.write(job.scope(), job.payload()?).await? else {
            return Ok(());
        };
        let sent = mailer.send(&written.mail).await;
        // What one address refuses is no fault of the mail server's.
        match &sent {
            Err(MailError::Unavailable(why)) => {
                self.identity.store().pulse().fault("mail", None, why);
            }
            _ => self.identity.store().pulse().fine("mail", None),
        }
        sent.map_err(|error| match error {
            MailError::Refused(why) => JobFailure::fatal(why),
            MailError::Unavailable(why) => JobFailure::retry(why),
        })?;
        if let Some((invitation, made_at)) = written.invitation {
            self.identity.invitation_mailed(job.scope(), invitation, made_at).await?;
        }
        Ok(())
    }
}

impl MailHandler {
    async fn write(&self, scope: &Scope, mail: MailJob) -> Result<Option<Written>, Problem> {
        let letter = match mail {
            MailJob::Invitation { invitation } => {
                return self.write_invitation(scope, invitation).await;
            }
            MailJob::ResetPassword { user: None } => None,
            MailJob::ResetPassword { user: Some(user) } => {
                let token = MailToken::generate();
                let to = self.token(scope, user, "reset_password", &token, RESET_SECONDS).await?;
                let link = self.link("reset-password", &token);
                to.map(|(address, name)| (address, Letter::reset_password(link), name))
            }
            MailJob::VerifyEmail { user } => {
                let token = MailToken::generate();
                let to = self.token(scope, user, "verify_email", &token, VERIFY_SECONDS).await?;
                let link = self.link("verify-email", &token);
                to.map(|(address, name)| (address, Letter::verify_email(link), name))
            }
            MailJob::PasswordWasReset { user } => {
                let link = self.identity.config().link("/forgot-password");
                self.address(user)
                    .await?
                    .map(|(address, name)| (address, Letter::password_was_reset(link), name))
            }
        };
        letter
            .map(|(address, letter, name)| {
                let mail = letter.mail(name, address, self.identity.config())?;
                Ok(Written { mail, invitation: None })
            })
            .transpose()
    }

    async fn write_invitation(
        &self,
        scope: &Scope,
        invitation: InvitationId,
    ) -> Result<Option<Written>, Problem> {
        let Some(made) = self.identity.invitation_link(scope, invitation, true).await? else {
            return Ok(None);
        };
        let config = self.identity.config();
        let letter = Letter::invitation(&made, config.link(&made.token.path()));
        let mail = letter.mail(String::new(), made.email.clone(), config)?;
        Ok(Some(Written { mail, invitation: Some((invitation, made.made_at)) }))
    }

    fn link(&self, page: &str, token: &MailToken) -> String {
        self.identity.config().link(&format!("/{page}?token={}", token.expose()))
    }

    /// Stores a token's hash, and answers to whom the token goes: address and name.
    async fn token(
        &self,
        scope: &Scope,
        user: UserId,
        purpose: &str,
        token: &MailToken,
        seconds: f64,
    ) -> Result<Option<(String, String)>, Problem> {
        let mut door = self.identity.store().door().await?;
        let row = sqlx::query!(
            "select email, full_name from door.mail_token_make($1, $2, $3, make_interval(secs => $4), $5)",
            user.uuid(),
            purpose,
            &token.hash()[..],
            seconds,
            request_hex(scope.request()),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        Ok(row.email.zip(row.full_name))
    }

    async fn address(&self, user: UserId) -> Result<Option<(String, String)>, Problem> {
        let mut door = self.identity.store().door().await?;
        let row = sqlx::query!("select email, full_name from door.mail_address($1)", user.uuid())
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
        Ok(row.email.zip(row.full_name))
    }
}

impl Identity {
    /// A link to set a new password, for the operator to hand over where mail is not set up.
    ///
    /// # Errors
    /// `not_found` for an address without an account that has a password.
    pub async fn password_link(&self, email: &str) -> Result<String, Problem> {
        let email = crate::Email::parse(email).map_err(|fault| Problem::invalid(vec![fault]))?;
        let none = || Problem::new(Code::NotFound, "No account with a password has this address");
        let user = self.user_by_email(&email).await?.0.ok_or_else(none)?;
        let handler = MailHandler::new(self.clone(), None);
        let token = MailToken::generate();
        let scope = Scope::platform(ephor_kernel::OrganizationId::PLATFORM, "password link");
        handler
            .token(&scope, user, "reset_password", &token, RESET_SECONDS)
            .await?
            .ok_or_else(none)?;
        Ok(handler.link("reset-password", &token))
    }
}
