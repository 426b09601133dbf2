//! Joining an organization by a link: with a new account's first password, or with the password
//! of the account that one has.

use ephor_kernel::{Code, Fault, Problem, RequestContext};
use serde::{Deserialize, Serialize};

use crate::{
    email::Email,
    identity::{Identity, database, request_hex},
    log_in::wrong_credentials,
    password::{self, Password},
    second_factor::LoggedIn,
    secrets::JoinToken,
    session::OpenSession,
    text,
    throttle::Attempt,
};

/// What one tells to join.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The link's token.
    pub token: String,
    /// The password of one's account; for an address without an account, the one it shall have.
    pub password: Password,
    /// The name of a new account; if left out, as whoever added the person wrote it.
    #[serde(default)]
    pub full_name: Option<String>,
    /// Does the person agree to the processing of their data?
    #[serde(default)]
    pub consent: bool,
}

impl std::fmt::Debug for Join {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Join").field("full_name", &self.full_name).finish_non_exhaustive()
    }
}

/// What a link offers, to whoever holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinOffer {
    /// For whom the link is.
    pub email: String,
    /// Their name, as whoever added them wrote it.
    pub full_name: String,
    /// The organization to join.
    pub organization_name: String,
    /// Has the address an account, whose password is asked for?
    pub has_account: bool,
}

struct Offer {
    token: JoinToken,
    email: Email,
    user: ephor_kernel::UserId,
    password_hash: Option<String>,
    shown: JoinOffer,
}

impl Identity {
    /// What a link offers.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used or expired; `rate_limited`.
    pub async fn join_offer(
        &self,
        request: &RequestContext,
        token: &str,
    ) -> Result<JoinOffer, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        Ok(self.offer(token).await?.shown)
    }

    /// Joins, and logs in there, or half.
    ///
    /// # Errors
    /// `not_found` for a link that is unknown, used or expired; `wrong_credentials`; `invalid` for
    /// a new password that will not do; `rate_limited`.
    pub async fn join(&self, request: &RequestContext, input: &Join) -> Result<LoggedIn, Problem> {
        let most = self.config().log_ins_per_address;
        self.count_from_address(request, Attempt::Join, most).await?;
        let Offer { token, email, user, password_hash: old, .. } = self.offer(&input.token).await?;
        let (new, full_name) = if let Some(old) = &old {
            self.count_log_in(request, &email).await?;
            if !self.parts().hasher.verify(&input.password, Some(old)).await? {
                return Err(wrong_credentials());
            }
            (None, None)
        } else {
            let mut faults = password::faults(&input.password, &email);
            let full_name = input
                .full_name
                .as_deref()
                .map(|name| text::name("/full_name", name, 200, &mut faults));
            Problem::unless_empty(faults)?;
            (Some(self.parts().hasher.hash(&input.password).await?), full_name)
        };
        let mut door = self.store().door().await?;
        let state = sqlx::query_scalar!(
            r#"select door.join_accept($1, $2, $3, $4, $5, $6, $7, $8) as "state!""#,
            token.organization.uuid(),
            token.member.uuid(),
            &token.hash()[..],
            old.as_deref(),
            new.as_deref(),
            full_name,
            input.consent,
            request_hex(request),
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        drop(door);
        if state != "ok" {
            return Err(no_link());
        }
        let session = OpenSession {
            user,
            password_hash: new.as_deref().or(old.as_deref()).unwrap_or_default(),
            organization: Some(token.organization),
            email: &email,
        };
        self.session_open(request, session).await
    }

    async fn offer(&self, token: &str) -> Result<Offer, Problem> {
        let token = JoinToken::parse(token).ok_or_else(no_link)?;
        let mut door = self.store().door().await?;
        let row = sqlx::query!(
            "select user_id, email, full_name, password_hash, organization_name
             from door.join_lookup($1, $2, $3)",
            token.organization.uuid(),
            token.member.uuid(),
            &token.hash()[..],
        )
        .fetch_one(door.conn())
        .await
        .map_err(database)?;
        let (Some(user), Some(email), Some(full_name), Some(organization_name)) =
            (row.user_id, row.email, row.full_name, row.organization_name)
        else {
            return Err(no_link());
        };
        Ok(Offer {
            token,
            email: Email::parse(&email).map_err(|_| Problem::internal())?,
            user: user.into(),
            shown: JoinOffer {
                email,
                full_name,
                organization_name,
                has_account: row.password_hash.is_some(),
            },
            password_hash: row.password_hash,
        })
    }
}

fn no_link() -> Problem {
    Problem {
        faults: vec![Fault::new("/token", "unknown", "This link is unknown, used or expired")],
        ..Problem::new(
            Code::NotFound,
            "This link is unknown, used or expired; ask whoever added you for a new one",
        )
    }
}
