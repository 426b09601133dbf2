//! The secret of an invitation's link.

use std::fmt;

use ephor_kernel::OrganizationId;
use uuid::Uuid;

use super::{JoinSecret, api_key::simple_uuid, decode, encode};

/// `invite_<organization>_<invitation>_<secret>`: works once, until it expires or a newer one is made.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationToken {
    /// The organization to join.
    pub organization: OrganizationId,
    /// The invitation.
    pub invitation: Uuid,
    secret: JoinSecret,
}

impl InvitationToken {
    pub(crate) fn new(organization: OrganizationId, invitation: Uuid, secret: JoinSecret) -> Self {
        Self { organization, invitation, secret }
    }

    /// Reads a link's token; `None` for what is written differently.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("invite_")?.splitn(3, '_');
        let (organization, invitation, secret) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            organization: simple_uuid(organization)?.into(),
            invitation: simple_uuid(invitation)?,
            secret: JoinSecret::from_bytes(decode(secret)?),
        })
    }

    /// The token's text: it goes to the person alone.
    pub fn expose(&self) -> String {
        format!(
            "invite_{}_{}_{}",
            self.organization.uuid().simple(),
            self.invitation.simple(),
            encode(self.secret.bytes())
        )
    }

    /// The page on which it works, below Ephor's address.
    pub(crate) fn path(&self) -> String {
        format!("/invitation?token={}", self.expose())
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        self.secret.hash()
    }
}

impl fmt::Debug for InvitationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationToken")
            .field("organization", &self.organization)
            .field("invitation", &self.invitation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_and_is_not_told_in_debugging() {
        let secret = JoinSecret::generate();
        let token = InvitationToken::new(OrganizationId::new(), Uuid::now_v7(), secret);
        assert_eq!(InvitationToken::parse(&token.expose()).unwrap(), token);
        assert!(!format!("{token:?}").contains(&encode(token.secret.bytes())));
        assert!(InvitationToken::parse("invite_1_2_3").is_none());
        assert!(InvitationToken::parse(&token.expose().replace("invite_", "join_")).is_none());
    }
}
