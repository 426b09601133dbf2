//! Metering: requests of one kind are counted together in memory, and written in batches.

use std::{collections::HashMap, sync::Arc};

use ephor_kernel::OrganizationId;
use uuid::Uuid;

/// Kinds of requests between two batches, beyond which it is no longer told whose they were; at
/// twice as many, nor what they were. They are counted in any case.
const MOST_KINDS: usize = 10_000;

/// Requests that are recorded as one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub organization: OrganizationId,
    /// Method and route: `GET /v1/models/{id}`.
    pub endpoint: Arc<str>,
    pub status: u16,
    pub user: Option<Uuid>,
}

/// How many, and how long they took together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Total {
    pub count: u64,
    pub milliseconds: f64,
}

/// What was counted since the last batch.
#[derive(Debug, Default)]
pub(crate) struct Batch(pub HashMap<Kind, Total>);

impl Batch {
    /// Counts a request, or puts back requests whose batch could not be written.
    pub fn add(&mut self, mut kind: Kind, total: Total) {
        if !self.0.contains_key(&kind) {
            if self.0.len() >= MOST_KINDS {
                kind.user = None;
            }
            if self.0.len() >= 2 * MOST_KINDS {
                (kind.endpoint, kind.status) = (Arc::from("other"), 200);
            }
        }
        let entry = self.0.entry(kind).or_default();
        entry.count += total.count;
        entry.milliseconds += total.milliseconds;
    }

    /// How many requests of each organization are in it.
    pub fn by_organization(&self) -> HashMap<OrganizationId, u64> {
        let mut counts = HashMap::new();
        for (kind, total) in &self.0 {
            *counts.entry(kind.organization).or_insert(0) += total.count;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Total = Total { count: 1, milliseconds: 2.0 };

    #[test]
    fn requests_of_one_kind_are_one_row_and_none_is_lost_when_there_are_many_kinds() {
        let organization = OrganizationId::new();
        let mut batch = Batch::default();
        let all = 3 * MOST_KINDS;
        for number in 0..all {
            let endpoint = Arc::from(format!("GET /v1/{}", number % (MOST_KINDS + 10)));
            let user = Some(Uuid::from_u128(number as u128));
            batch.add(Kind { organization, endpoint, status: 200, user }, ONE);
        }
        assert!(batch.0.len() <= 2 * MOST_KINDS + 1, "{}", batch.0.len());
        assert_eq!(batch.by_organization()[&organization], all as u64);
    }
}
