//! A provider's token as a bearer token of the API.

use ephor_kernel::{Code, Principal, Problem, RequestContext, Scope};

use super::{
    http::unavailable,
    provider::{NotTaken, Provider},
    token::{Claims, Refused, Token},
};
use crate::{
    identity::{Identity, database},
    membership::Looked,
    secrets::sha256,
};

impl Identity {
    /// The scope of a provider's token. Its first use makes an account by the provider's policy; each
    /// use asks the database whether the member may (still) act.
    ///
    /// # Errors
    /// `unauthenticated` for a token that is not good, and for somebody who may not act there.
    pub(crate) async fn token_admit(
        &self,
        request: &RequestContext,
        text: &str,
    ) -> Result<Scope, Problem> {
        let token = Token::read(text).map_err(not_good)?;
        let provider = self
            .parts()
            .providers
            .iter()
            .find(|provider| {
                provider.config.issuer == token.claimed_issuer()
                    && !provider.config.audiences.is_empty()
            })
            .ok_or_else(|| not_good(Refused::Issuer))?;
        let claims = match provider.verified(token).await {
            Ok(claims) => claims,
            Err(NotTaken::Refused(why)) => return Err(not_good(why)),
            Err(NotTaken::Unavailable(cause)) => {
                return Err(unavailable(provider.label(), &cause));
            }
        };
        let audiences: Vec<&str> = provider.config.audiences.iter().map(String::as_str).collect();
        claims
            .check(&provider.config.issuer, &audiences, self.parts().clock.now())
            .map_err(not_good)?;
        let place = place(provider, &claims).ok_or_else(no_place)?;
        match self.token_scope(request, provider, &claims, place).await? {
            Found::Scope(scope) => Ok(scope),
            Found::Nobody => {
                self.identity_admit(request, provider, &claims, None).await.map_err(|problem| {
                    // To a program all of this is the same: it may not act.
                    Problem { code: Code::Unauthenticated, ..problem }
                })?;
                match self.token_scope(request, provider, &claims, place).await? {
                    Found::Scope(scope) => Ok(scope),
                    Found::Nobody | Found::NoMember => Err(no_place()),
                }
            }
            Found::NoMember => Err(no_place()),
        }
    }

    async fn token_scope(
        &self,
        request: &RequestContext,
        provider: &Provider,
        claims: &Claims,
        place: &str,
    ) -> Result<Found, Problem> {
        let name = &provider.config.name;
        let credential = sha256(format!("{name}\0{}\0{place}", claims.subject()).as_bytes());
        let known = self.parts().memberships.known(&credential);
        for known in [known, None] {
            let version = known.as_ref().map(|known| known.version);
            let mut door = self.store().door().await?;
            let row = sqlx::query!(
                r#"select linked as "linked!", user_id, organization_id, member_id, membership_version,
                          permissions, readable
                   from door.identity_lookup($1, $2, $3, $4)"#,
                name,
                claims.subject(),
                place,
                version,
            )
            .fetch_one(door.conn())
            .await
            .map_err(database)?;
            drop(door);
            if !row.linked {
                return Ok(Found::Nobody);
            }
            let (Some(user), Some(organization), Some(_), Some(version)) =
                (row.user_id, row.organization_id, row.member_id, row.membership_version)
            else {
                return Ok(Found::NoMember);
            };
            let looked = Looked {
                organization: organization.into(),
                user: user.into(),
                version,
                permissions: row.permissions,
                subsidiaries: row.readable,
            };
            let Some(membership) = self.parts().memberships.settle(&credential, known, looked)?
            else {
                continue;
            };
            return Ok(Found::Scope(
                Scope::new(
                    Principal::User(membership.user),
                    membership.organization,
                    membership.permissions.clone(),
                    request.clone(),
                )
                .reading(membership.subsidiaries.iter().copied()),
            ));
        }
        Ok(Found::NoMember)
    }
}

enum Found {
    Scope(Scope),
    /// No account is known by this subject.
    Nobody,
    /// There is one, which may not act there.
    NoMember,
}

/// The organization that the token is for: its claim's, else the provider's.
fn place<'a>(provider: &'a Provider, claims: &'a Claims) -> Option<&'a str> {
    let config = &provider.config;
    let claimed = (!config.organization_claim.is_empty())
        .then(|| claims.at(&config.organization_claim))
        .flatten();
    claimed.or(Some(config.organization.as_str())).filter(|place| !place.is_empty())
}

fn not_good(why: Refused) -> Problem {
    tracing::debug!(?why, "a bearer token was refused");
    Problem::new(
        Code::Unauthenticated,
        "The token is not good: unknown issuer, wrong audience, not signed by its issuer, or expired",
    )
}

fn no_place() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "The token's person is no active member of the organization that it is for",
    )
}
