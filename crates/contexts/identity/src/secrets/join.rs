//! The secret of a link with which somebody who was added joins an organization.

use std::fmt;

use ephor_kernel::{MemberId, OrganizationId};

use super::{api_key::simple_uuid, decode, encode, random, sha256};

/// `join_<organization>_<member>_<secret>`: works once, until it expires.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// The organization to join.
    pub organization: OrganizationId,
    /// The membership to complete.
    pub member: MemberId,
    secret: JoinSecret,
}

/// The part of a link that only its holder knows.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct JoinSecret([u8; 32]);

impl JoinSecret {
    pub(crate) fn generate() -> Self {
        Self(random())
    }

    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.0)
    }
}

impl JoinToken {
    pub(crate) fn new(organization: OrganizationId, member: MemberId, secret: JoinSecret) -> Self {
        Self { organization, member, secret }
    }

    /// Reads a link's token; `None` for what is written differently.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("join_")?.splitn(3, '_');
        let (organization, member, secret) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            organization: simple_uuid(organization)?.into(),
            member: simple_uuid(member)?.into(),
            secret: JoinSecret(decode(secret)?),
        })
    }

    /// The token's text: shown once, to whoever added the person.
    pub fn expose(&self) -> String {
        format!(
            "join_{}_{}_{}",
            self.organization.uuid().simple(),
            self.member.uuid().simple(),
            encode(&self.secret.0)
        )
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        self.secret.hash()
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken")
            .field("organization", &self.organization)
            .field("member", &self.member)
            .field("secret", &"secret")
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_and_is_not_told_in_debugging() {
        let token = JoinToken::new(OrganizationId::new(), MemberId::new(), JoinSecret::generate());
        assert_eq!(JoinToken::parse(&token.expose()).unwrap(), token);
        assert!(!format!("{token:?}").contains(&encode(&token.secret.0)));
        assert!(JoinToken::parse("join_1_2_3").is_none());
    }
}
