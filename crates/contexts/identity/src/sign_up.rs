//! Signing up: a person, an organization, and the person its owner, in one step.

use ephor_kernel::{Code, Fault, MemberId, OrganizationId, Problem, RequestContext, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    cookie::SessionCookie,
    email::Email,
    identity::{Identity, database, request_hex},
    password::{self, Password},
    permissions::builtin_roles_json,
    session::OpenSession,
    text,
    throttle::Attempt,
};

/// What one tells to sign up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    /// The address to log in with.
    pub email: String,
    /// The password: at least 10 characters.
    pub password: Password,
    /// The person's name.
    pub full_name: String,
    /// The organization's name.
    pub organization_name: String,
    /// `standalone` (if left out) or `holding`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Does the person agree to the processing of their data?
    #[serde(default)]
    pub consent: bool,
}

/// Who signed up, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SignedUp {
    /// The person.
    pub user_id: UserId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// The person's membership, as owner.
    pub member_id: MemberId,
}

impl Identity {
    /// Signs somebody up and logs them in.
    ///
    /// # Errors
    /// `invalid` with every fault at once; `conflict` when the address has an account;
    /// `rate_limited`; `forbidden` when sign-up is closed.
    pub async fn sign_up(
        &self,
        request: &RequestContext,
        input: &SignUp,
    ) -> Result<(SignedUp, SessionCookie), Problem> {
        if !self.config().open_sign_up {
            return Err(Problem::new(
                Code::Forbidden,
                "Sign-up is closed here; ask an administrator to add you to an organization",
            ));
        }
        self.open_organization(request, input).await
    }

    /// Like [`Identity::sign_up`], also where sign-up is closed: for the operator's command line.
    pub async fn open_organization(
        &self,
        request: &RequestContext,
        input: &SignUp,
    ) -> Result<(SignedUp, SessionCookie), Problem> {
        let checked = Checked::new(input)?;
        let most = self.config().sign_ups_per_address;
        self.count_from_address(request, Attempt::SignUp, most).await?;
        let hash = self.parts().hasher.hash(&input.password).await?;
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            r#"select state as "state!", user_id, organization_id, member_id
               from door.sign_up($1, $2, $3, $4, $5, $6, $7, $8, $9)"#,
            checked.email.as_str(),
            hash,
            checked.full_name,
            input.consent,
            checked.organization_name,
            text::slug(&checked.organization_name),
            checked.kind,
            builtin_roles_json(),
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        drop(door);
        let (Some(user), Some(organization), Some(member)) =
            (row.user_id, row.organization_id, row.member_id)
        else {
            return Err(Problem {
                faults: vec![
                    Fault::new("/email", "taken", "This address has an account")
                        .hint("log in, or use another address"),
                ],
                ..Problem::new(Code::Conflict, "This e-mail address has an account; log in instead")
            });
        };
        let signed_up = SignedUp {
            user_id: user.into(),
            organization_id: organization.into(),
            member_id: member.into(),
        };
        self.organization_furnish(signed_up.organization_id, request).await;
        let session = OpenSession {
            user: signed_up.user_id,
            password_hash: &hash,
            organization: Some(signed_up.organization_id),
            email: &checked.email,
        };
        let cookie = self.session_open(request, session).await?.session()?;
        self.greet(request, signed_up.user_id).await;
        Ok((signed_up, cookie))
    }
}

struct Checked {
    email: Email,
    full_name: String,
    organization_name: String,
    kind: &'static str,
}

impl Checked {
    fn new(input: &SignUp) -> Result<Self, Problem> {
        let SignUp { email, password, full_name, organization_name, kind, consent: _ } = input;
        let mut faults = Vec::new();
        let email = Email::parse(email).map_err(|fault| faults.push(fault)).ok();
        let probe = email.clone().or_else(|| Email::parse("nobody@invalid").ok());
        faults.extend(probe.iter().flat_map(|email| password::faults(password, email)));
        let full_name = text::name("/full_name", full_name, 200, &mut faults);
        let organization_name =
            text::name("/organization_name", organization_name, 200, &mut faults);
        let kind = match kind.as_deref() {
            None | Some("standalone") => "standalone",
            Some("holding") => "holding",
            Some(_) => {
                faults.push(Fault::new(
                    "/kind",
                    "vocabulary",
                    "One signs up with a standalone organization or a holding",
                ));
                "standalone"
            }
        };
        match email {
            Some(email) if faults.is_empty() => {
                Ok(Self { email, full_name, organization_name, kind })
            }
            _ => Err(Problem::invalid(faults)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let input = SignUp {
            email: "x".into(),
            password: Password::new("short"),
            full_name: " ".into(),
            organization_name: "o".repeat(300),
            kind: Some("subsidiary".into()),
            consent: false,
        };
        let Err(problem) = Checked::new(&input) else { panic!("it should be refused") };
        let pointers: Vec<_> = problem.faults.iter().map(|fault| fault.pointer.as_ref()).collect();
        assert_eq!(pointers, ["/email", "/password", "/full_name", "/organization_name", "/kind"]);
    }
}
