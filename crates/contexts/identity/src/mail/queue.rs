//! Asking for a mail.

use ephor_kernel::{
    Code, InvitationId, OrganizationId, PermissionSet, Principal, Problem, RequestContext, Scope,
    SystemPart, UserId,
};
use ephor_store::{OrgTx, jobs::NewJob};
use serde::{Deserialize, Serialize};

use crate::identity::Identity;

/// The word of the jobs that send mails.
pub(super) const JOB_KIND: &str = "identity.mail";
/// How often a mail is tried: for about an hour.
const ATTEMPTS: i32 = 20;

/// Which mail, to whom. No secret is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mail", rename_all = "snake_case")]
pub(crate) enum MailJob {
    /// An invitation of the job's organization.
    Invitation {
        /// Which one.
        invitation: InvitationId,
    },
    /// A link that proves an address.
    VerifyEmail {
        /// Whose.
        user: UserId,
    },
    /// A link to set a new password.
    ResetPassword {
        /// Whose; none for an address without an account, so that asking takes the same time.
        user: Option<UserId>,
    },
    /// That the password was replaced by such a link.
    PasswordWasReset {
        /// Whose.
        user: UserId,
    },
}

/// Asks for a mail; it is sent once the transaction is committed.
pub(crate) async fn queue(tx: &mut OrgTx, mail: MailJob) -> Result<(), Problem> {
    let payload = serde_json::to_value(mail).map_err(|_| Problem::internal())?;
    let subject = match mail {
        MailJob::Invitation { invitation } => Some(invitation.uuid()),
        _ => None,
    };
    tx.enqueue_patiently(NewJob { kind: JOB_KIND, payload, subject }, ATTEMPTS).await?;
    Ok(())
}

impl Identity {
    /// Asks for a mail to a person, whatever their organizations: a job of the platform's own, so
    /// that nobody's administrators read who forgot a password.
    pub(crate) async fn queue_for_person(
        &self,
        request: &RequestContext,
        mail: MailJob,
    ) -> Result<(), Problem> {
        let scope = Scope::new(
            Principal::System(SystemPart::Worker),
            OrganizationId::PLATFORM,
            PermissionSet::default(),
            request.clone(),
        );
        let mut tx = self.store().begin(&scope).await?;
        queue(&mut tx, mail).await?;
        Ok(tx.commit().await?)
    }
}

/// What is said where mail is needed and not set up.
pub(crate) fn no_mail() -> Problem {
    Problem::new(
        Code::Conflict,
        "Mail is not set up in this Ephor; ask whoever runs it for a link (`ephor admin password-link`)",
    )
}
