//! What a request may touch: the one key to a tenant's rows.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{OrganizationId, PermissionSet, Principal, Problem, RequestId, SystemPart};

/// Where a request came from; the audit trail keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestContext {
    /// The caller's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The caller's program, at most 500 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The request's id, as the response and the log name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}

impl RequestContext {
    /// The longest part of a user agent that is kept, in bytes.
    pub const USER_AGENT_BYTES: usize = 500;

    /// A context whose user agent is cut to its bound, at a character's border.
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&str>, request_id: RequestId) -> Self {
        let user_agent = user_agent.map(|text| {
            let end = text.floor_char_boundary(Self::USER_AGENT_BYTES);
            text[..end].to_owned()
        });
        Self { ip, user_agent, request_id: Some(request_id) }
    }
}

/// Who acts, in which organization, reading how far, with which permissions.
///
/// A scope is made by authentication (or for a job, from what its creator had); `store` opens a
/// transaction from nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    principal: Principal,
    organization: OrganizationId,
    readable: Vec<OrganizationId>,
    permissions: PermissionSet,
    request: RequestContext,
    reason: Option<String>,
    only_reads: bool,
    home: Option<OrganizationId>,
}

impl Scope {
    /// A scope on one organization. What else it may read is added by [`Scope::reading`].
    pub fn new(
        principal: Principal,
        organization: OrganizationId,
        permissions: PermissionSet,
        request: RequestContext,
    ) -> Self {
        Self {
            principal,
            organization,
            readable: vec![organization],
            permissions,
            request,
            reason: None,
            only_reads: false,
            home: None,
        }
    }

    /// The operator's own door across tenants: one organization at a time, with a reason that
    /// the audit trail keeps.
    pub fn platform(organization: OrganizationId, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::new(
                Principal::System(SystemPart::Operator),
                organization,
                PermissionSet::all(),
                RequestContext::default(),
            )
        }
    }

    /// Lets a holding read its subsidiaries.
    #[must_use]
    pub fn reading(mut self, subsidiaries: impl IntoIterator<Item = OrganizationId>) -> Self {
        self.readable.extend(subsidiaries);
        self.readable.sort_unstable();
        self.readable.dedup();
        self
    }

    /// The same caller in an organization that they may read without being there, such as a holding's
    /// member in a subsidiary: with what of their permissions only reads. `store` opens nothing but
    /// reading transactions from it, and what it cannot read is not reached from it either. `None` for
    /// the scope's own organization, and for one that may not be read.
    pub fn looking_into(&self, organization: OrganizationId) -> Option<Self> {
        if organization == self.organization || !self.readable.contains(&organization) {
            return None;
        }
        Some(Self {
            reason: self.reason.clone(),
            only_reads: true,
            ..Self::new(
                self.principal,
                organization,
                self.permissions.reading(),
                self.request.clone(),
            )
        })
    }

    /// Is it one that only reads, from outside of its organization?
    pub fn only_reads(&self) -> bool {
        self.only_reads
    }

    /// The same caller in a subsidiary that they may read, with these permissions and no others;
    /// nothing of what is no subsidiary. The audit trail keeps from where they act.
    #[must_use]
    pub fn below(&self, subsidiary: OrganizationId, permissions: PermissionSet) -> Option<Self> {
        let is_below = subsidiary != self.organization && self.readable.contains(&subsidiary);
        is_below.then(|| Self {
            reason: self.reason.clone(),
            home: Some(self.organization),
            ..Self::new(self.principal, subsidiary, permissions, self.request.clone())
        })
    }

    /// Who acts.
    pub fn principal(&self) -> Principal {
        self.principal
    }

    /// The tenant that is written to and, but for a holding's reads, read from.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// All that may be read: the organization and, for a holding, its subsidiaries. Sorted.
    pub fn readable(&self) -> &[OrganizationId] {
        &self.readable
    }

    /// What may be done.
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// Where the request came from.
    pub fn request(&self) -> &RequestContext {
        &self.request
    }

    /// Why the operator works in this organization.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The organization that the caller acts from, where it is another than the one written to.
    pub fn home(&self) -> Option<OrganizationId> {
        self.home
    }

    /// May the caller do `action` to `resource`? A refusal names the permission.
    pub fn require(&self, resource: &str, action: &str) -> Result<(), Problem> {
        if self.permissions.allows(resource, action) {
            Ok(())
        } else {
            Err(Problem::forbidden(resource, action))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_long_user_agent_is_cut_between_characters() {
        let long = "é".repeat(400);
        let context = RequestContext::new(None, Some(&long), RequestId::new());
        assert_eq!(context.user_agent.map(|text| text.len()), Some(500));
    }

    #[test]
    fn a_scope_reads_its_own_organization_once() {
        let id = OrganizationId::new();
        let scope = Scope::platform(id, "test").reading([id, OrganizationId::new()]);
        assert_eq!(scope.readable().len(), 2);
    }

    #[test]
    fn one_looks_into_what_one_may_read_and_only_reads_there() {
        let (holding, north, stranger) =
            (OrganizationId::new(), OrganizationId::new(), OrganizationId::new());
        let scope = Scope::platform(holding, "test").reading([north]);
        assert_eq!(scope.looking_into(holding), None);
        assert_eq!(scope.looking_into(stranger), None);
        let looking = scope.looking_into(north).unwrap();
        assert_eq!((looking.organization(), looking.readable()), (north, &[north][..]));
        assert!(looking.only_reads() && !scope.only_reads());
        assert!(looking.permissions().allows("models", "read"));
        assert!(!looking.permissions().allows("models", "create"));
        // From there it goes nowhere, not even back.
        assert_eq!(looking.looking_into(holding), None);
    }

    #[test]
    fn below_a_holding_one_may_do_what_is_given_and_nothing_else() {
        let (holding, subsidiary) = (OrganizationId::new(), OrganizationId::new());
        let scope = Scope::platform(holding, "test").reading([subsidiary]);
        let only = PermissionSet::parse(["approval_votes:create"]).unwrap();
        let below = scope.below(subsidiary, only.clone()).unwrap();
        assert_eq!((below.organization(), below.home()), (subsidiary, Some(holding)));
        assert_eq!(below.readable(), [subsidiary]);
        assert!(below.require("approval_votes", "create").is_ok());
        assert!(below.require("approval_votes", "read").is_err());
        assert_eq!(below.principal(), scope.principal());
        // Neither one's own, nor what is no subsidiary, nor back up again.
        assert_eq!(scope.below(holding, only.clone()), None);
        assert_eq!(scope.below(OrganizationId::new(), only.clone()), None);
        assert_eq!(below.below(holding, only), None);
        assert_eq!(scope.home(), None);
    }
}
