//! From what a provider says to an account: known, linked, made, or refused.

use ephor_kernel::{Code, Problem, RequestContext, UserId};
use uuid::Uuid;

use super::{provider::Provider, token::Claims};
use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
};

/// An account that a provider vouches for.
pub(super) struct Admitted {
    pub user: UserId,
    pub identity: Uuid,
    /// The address that the account is found by here.
    pub email: Email,
}

impl Identity {
    /// The account of whom the claims are about; `link_to` is somebody signed in who wants them as theirs.
    pub(super) async fn identity_admit(
        &self,
        request: &RequestContext,
        provider: &Provider,
        claims: &Claims,
        link_to: Option<UserId>,
    ) -> Result<Admitted, Problem> {
        let policy = &provider.config;
        let email = claims
            .verified_email()
            .filter(|email| link_to.is_some() || policy.allows(email))
            .and_then(|email| Email::parse(email).ok());
        let name = name(claims, email.as_ref());
        // No password fits this hash. An account must have one, or signing up with its address would take it.
        let nobody = self.parts().hasher.unusable();
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            r#"select state as "state!", user_id, identity_id, account_email
               from door.identity_admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"#,
            policy.name,
            claims.subject(),
            email.as_ref().map(Email::as_str),
            name,
            nobody,
            policy.link_accounts,
            link_to.map(Uuid::from),
            Some(policy.organization.as_str()).filter(|slug| !slug.is_empty()),
            policy.role,
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        drop(door);
        if let ("ok", Some(user), Some(identity), Some(email)) =
            (row.state.as_str(), row.user_id, row.identity_id, row.account_email)
        {
            let email = Email::parse(&email).map_err(|_| Problem::internal())?;
            return Ok(Admitted { user: user.into(), identity, email });
        }
        tracing::info!(provider = policy.name, state = row.state, "a log-in elsewhere was refused");
        Err(refused(&row.state, provider.label()))
    }
}

/// A name that the table takes: the provider's, else the address's first part.
fn name(claims: &Claims, email: Option<&Email>) -> String {
    let tidy = |text: &str| -> String {
        let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        text.trim().to_owned()
    };
    let address = email.and_then(|email| email.as_str().split('@').next()).unwrap_or_default();
    [claims.name().map(tidy), Some(tidy(address))]
        .into_iter()
        .flatten()
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "Somebody".to_owned())
}

fn refused(state: &str, label: &str) -> Problem {
    let detail = match state {
        "no_email" => format!(
            "{label} gave no verified e-mail address of a domain that may log in here; ask an administrator"
        ),
        "account_exists" => format!(
            "An account with this e-mail address exists; sign in to it, and link {label} under Security"
        ),
        "linked_elsewhere" => format!("This account at {label} belongs to another account here"),
        "unknown" => format!(
            "You have no account here, and {label} makes none; ask an administrator to add you"
        ),
        _ => "This account may not log in; ask an administrator".to_owned(),
    };
    let code = if matches!(state, "account_exists" | "linked_elsewhere") {
        Code::Conflict
    } else {
        Code::Forbidden
    };
    Problem::new(code, detail)
}
