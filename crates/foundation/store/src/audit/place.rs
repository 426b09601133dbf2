//! Where entries are in their tree, and which checkpoint was the first to prove them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use ephor_kernel::EntryId;
use serde::Serialize;
use uuid::Uuid;

use crate::{OrgTx, StoreError};

/// Where an entry is in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Its leaf, counted from 0.
    pub index: u64,
    /// The first checkpoint that covers it.
    pub checkpoint: Option<Covering>,
    /// When it was last recomputed and found to be as it was sealed; none when that was not done since.
    pub verified_at: Option<DateTime<Utc>>,
}

/// A checkpoint that covers an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covering {
    /// How many entries it covers.
    pub size: u64,
    /// The tree's root, in hexadecimal.
    pub root: String,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
}

/// The places of these entries of the transaction's organization; what is not sealed has none.
pub async fn places(
    tx: &mut OrgTx,
    entries: &[EntryId],
) -> Result<HashMap<EntryId, Place>, StoreError> {
    let organization = tx.organization().uuid();
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.uuid()).collect();
    let bundles = sqlx::query!(
        "select b.position, b.entries from audit.entry_bundles as b
         where b.organization_id = $1
           and exists (select from unnest($2::uuid[]) as e (id) where e.id between b.first_entry and b.last_entry)",
        organization,
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut leaves: Vec<(Uuid, i64)> = Vec::new();
    for bundle in &bundles {
        for (place, id) in bundle.entries.as_chunks::<16>().0.iter().enumerate() {
            let id = Uuid::from_bytes(*id);
            if ids.contains(&id) {
                leaves.push((
                    id,
                    bundle.position * ephor_seal::tile::WIDTH.cast_signed() + place as i64,
                ));
            }
        }
    }
    let indexes: Vec<i64> = leaves.iter().map(|(_, index)| *index).collect();
    let covering = sqlx::query!(
        r#"select i.leaf as "leaf!", c.last_sequence_number, c.root_hash, c.created_at,
                  (select max(v.verified_at) from audit.audit_checkpoints as v
                    where v.organization_id = $1 and v.verified_at is not null and v.last_sequence_number > i.leaf) as verified_at
             from unnest($2::bigint[]) as i (leaf)
            cross join lateral (
                  select k.last_sequence_number, k.root_hash, k.created_at from audit.audit_checkpoints as k
                   where k.organization_id = $1 and k.last_sequence_number > i.leaf
                   order by k.last_sequence_number limit 1) as c"#,
        organization,
        &indexes,
    )
    .fetch_all(tx.conn())
    .await?;
    let covering: HashMap<i64, _> = covering.into_iter().map(|row| (row.leaf, row)).collect();
    Ok(leaves
        .into_iter()
        .map(|(id, index)| {
            let found = covering.get(&index);
            let place = Place {
                index: index.cast_unsigned(),
                checkpoint: found.map(|row| Covering {
                    size: row.last_sequence_number.cast_unsigned(),
                    root: hex::encode(&row.root_hash),
                    signed_at: row.created_at,
                }),
                verified_at: found.and_then(|row| row.verified_at),
            };
            (EntryId::from(id), place)
        })
        .collect())
}
