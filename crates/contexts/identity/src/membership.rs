//! What a member may do and read, remembered until the organization's version says otherwise.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ephor_kernel::{OrganizationId, PermissionSet, Problem, UserId};
use uuid::Uuid;

/// How many credentials' memberships are remembered; at that number all are forgotten at once.
const BOUND: usize = 20_000;

/// A member's permissions and reach, as of a version of the organization's memberships.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    pub organization: OrganizationId,
    pub user: UserId,
    pub version: i64,
    pub permissions: PermissionSet,
    /// A holding's subsidiaries.
    pub subsidiaries: Vec<OrganizationId>,
}

/// What a look-up answered. Permissions and reach are left out when the version was known.
pub(crate) struct Looked {
    pub organization: OrganizationId,
    pub user: UserId,
    pub version: i64,
    pub permissions: Option<Vec<String>>,
    pub subsidiaries: Option<Vec<Uuid>>,
}

/// Memberships by the hash of the credential that led to them.
#[derive(Default)]
pub(crate) struct Memberships(Mutex<HashMap<[u8; 32], Arc<Membership>>>);

impl Memberships {
    /// What is remembered for a credential.
    pub fn known(&self, credential: &[u8; 32]) -> Option<Arc<Membership>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(credential).cloned()
    }

    /// The membership after a look-up that was told `known`'s version; `None` when it must be
    /// asked again without one, because what is remembered belongs to another membership.
    pub fn settle(
        &self,
        credential: &[u8; 32],
        known: Option<Arc<Membership>>,
        looked: Looked,
    ) -> Result<Option<Arc<Membership>>, Problem> {
        let Looked { organization, user, version, permissions, subsidiaries } = looked;
        let (Some(permissions), Some(subsidiaries)) = (permissions, subsidiaries) else {
            return Ok(known.filter(|known| {
                known.organization == organization && known.user == user && known.version == version
            }));
        };
        let permissions =
            PermissionSet::parse(permissions.iter().map(String::as_str)).map_err(|error| {
                tracing::error!(%error, %organization, "a role holds what is no permission");
                Problem::internal()
            })?;
        let membership = Arc::new(Membership {
            organization,
            user,
            version,
            permissions,
            subsidiaries: subsidiaries.into_iter().map(OrganizationId::from).collect(),
        });
        let mut memberships = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if memberships.len() >= BOUND {
            memberships.clear();
        }
        memberships.insert(*credential, membership.clone());
        Ok(Some(membership))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn looked(organization: OrganizationId, user: UserId, fresh: bool) -> Looked {
        Looked {
            organization,
            user,
            version: 7,
            permissions: fresh.then(|| vec!["models:read".to_owned()]),
            subsidiaries: fresh.then(Vec::new),
        }
    }

    #[test]
    fn what_is_known_serves_its_own_membership_only() {
        let memberships = Memberships::default();
        let (organization, user, credential) = (OrganizationId::new(), UserId::new(), [1; 32]);
        let first = memberships
            .settle(&credential, None, looked(organization, user, true))
            .unwrap()
            .unwrap();
        let known = memberships.known(&credential);
        assert_eq!(known.as_ref(), Some(&first));
        let again =
            memberships.settle(&credential, known.clone(), looked(organization, user, false));
        assert_eq!(again.unwrap(), Some(first));
        let elsewhere = looked(OrganizationId::new(), user, false);
        assert_eq!(memberships.settle(&credential, known, elsewhere).unwrap(), None);
    }

    #[test]
    fn the_memory_is_bounded() {
        let memberships = Memberships::default();
        for number in 0..=BOUND {
            let mut credential = [0; 32];
            credential[..8].copy_from_slice(&number.to_be_bytes());
            let looked = looked(OrganizationId::new(), UserId::new(), true);
            memberships.settle(&credential, None, looked).unwrap();
        }
        assert!(memberships.0.lock().unwrap().len() <= BOUND);
    }
}
