//! Entries as PostgreSQL keeps them.

use chrono::{DateTime, Utc};
use ephor_seal::{Entry, Hash, Header, Payload, leaf};
use uuid::Uuid;

/// One row of `audit.audit_logs`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) created_at: DateTime<Utc>,
    pub(super) actor_type: String,
    pub(super) actor_id: Uuid,
    pub(super) action: String,
    pub(super) entity_type: String,
    pub(super) entity_id: Option<Uuid>,
    pub(super) body: Option<String>,
    pub(super) salt: Option<Vec<u8>>,
    pub(super) erased_by: Option<Uuid>,
    pub(super) body_hash: Option<Vec<u8>>,
}

impl Row {
    /// The row as what was hashed.
    pub(super) fn entry(&self, organization: Uuid) -> Entry<'_> {
        let payload = match (&self.body, &self.salt, self.erased_by, &self.body_hash) {
            (Some(body), Some(salt), ..) => Payload::Kept { salt, body: body.as_bytes() },
            (None, None, Some(by), Some(hash)) => match hash.as_slice().try_into() {
                Ok(body_hash) => Payload::Erased { by, body_hash },
                Err(_) => Payload::Void,
            },
            _ => Payload::Void,
        };
        let header = Header {
            organization,
            entry: self.id,
            micros: self.created_at.timestamp_micros(),
            actor_type: leaf::actor_code(&self.actor_type),
            actor: self.actor_id,
            action: &self.action,
            entity_type: &self.entity_type,
            entity: self.entity_id,
        };
        Entry { header, payload }
    }

    /// Was it written when its id says? The trigger makes both from one reading of the clock, so
    /// that an id leads to the month's partition.
    pub(super) fn agrees_with_its_id(&self) -> bool {
        self.created_at.timestamp_millis() == millis(self.id)
    }
}

/// The milliseconds since 1970 in a UUIDv7.
pub(super) fn millis(id: Uuid) -> i64 {
    (id.as_u128() >> 80) as i64
}

/// The time in a UUIDv7, or 1970 for one that holds none that can be written.
pub(super) fn time(id: Uuid) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis(id)).unwrap_or_default()
}

/// A hash from the database.
pub(super) fn hash(bytes: &[u8]) -> Result<Hash, super::AuditError> {
    bytes.try_into().map_err(|_| super::AuditError::Malformed("hash"))
}
