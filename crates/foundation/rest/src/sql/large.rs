//! The organizations that are known to have a large share of a table, whose lists are planned for them alone.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use ephor_kernel::OrganizationId;

/// From so many rows on an organization is large: it gets statements of its own, which each connection keeps.
const LARGE: i64 = 1 << 12;
/// More than this are forgotten, all at once: each costs one count to be known again.
const MOST: usize = 1 << 12;

/// A table's resource, and an organization that has many of its rows.
type Share = (&'static str, OrganizationId);

/// What counts have told of organizations.
#[derive(Debug, Default)]
pub(crate) struct Large(Mutex<HashSet<Share>>);

impl Large {
    pub(crate) fn knows(&self, resource: &'static str, organization: OrganizationId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&(resource, organization))
    }

    /// Learns from a count; one that counted only some of the rows (`in_part`) can't tell that it is not large.
    pub(crate) fn learn(
        &self,
        resource: &'static str,
        organization: OrganizationId,
        count: i64,
        in_part: bool,
    ) {
        let share = (resource, organization);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if count >= LARGE {
            if known.len() >= MOST && !known.contains(&share) {
                known.clear();
            }
            known.insert(share);
        } else if !in_part {
            known.remove(&share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_large_in_a_table_by_its_count() {
        let (large, one, other) = (Large::default(), OrganizationId::new(), OrganizationId::new());
        large.learn("models", one, LARGE - 1, false);
        assert!(!large.knows("models", one));
        large.learn("models", one, LARGE, true);
        assert!(large.knows("models", one));
        assert!(!large.knows("models", other) && !large.knows("risks", one));
        // A few of its rows say nothing of all of them.
        large.learn("models", one, 3, true);
        assert!(large.knows("models", one));
        large.learn("models", one, 3, false);
        assert!(!large.knows("models", one));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let large = Large::default();
        for _ in 0..=MOST {
            large.learn("models", OrganizationId::new(), LARGE, false);
        }
        assert!(large.0.lock().is_ok_and(|known| known.len() <= MOST));
    }
}
