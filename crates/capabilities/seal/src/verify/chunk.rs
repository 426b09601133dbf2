//! The entries of a run of leaves, recomputed.

use std::collections::HashMap;

use chrono::Datelike as _;
use serde::Deserialize;
use uuid::Uuid;

use crate::{Entry, Hash, Payload};

/// A run of leaves as the tree stores them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The index of the first leaf.
    pub first: u64,
    /// The stored leaf hashes.
    pub leaves: Vec<Hash>,
    /// The entry of each leaf.
    pub entries: Vec<Uuid>,
}

/// Why a leaf's entry does not bear it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no such entry.
    Missing,
    /// It has neither body nor erasure.
    Void,
    /// Its leaf hash comes out otherwise.
    Differs(Hash),
}

/// An entry that no leaf of its chunk is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unlisted {
    pub(super) entry: Uuid,
    pub(super) leaf: Option<Hash>,
    /// The first leaf of the chunk in which it was found, when it was in one.
    pub(super) near: Option<u64>,
}

/// A chunk whose leaves were recomputed from its entries.
#[derive(Debug, Default)]
pub struct Checked {
    pub(super) chunk: Chunk,
    pub(super) faults: Vec<(usize, Fault)>,
    pub(super) unlisted: Vec<Unlisted>,
    pub(super) erased: Vec<(usize, Uuid)>,
    pub(super) erasures: Vec<Erasure>,
    pub(super) archives: Vec<Archives>,
}

/// What an entry of action `erase` says that it erased.
#[derive(Debug)]
pub(super) struct Erasure {
    pub(super) by: Uuid,
    pub(super) entries: Vec<Uuid>,
}

/// What an entry of action `archive` says of its organization's trail: for each archived month
/// (years since 0 times twelve, and months) how many entries were archived.
#[derive(Debug)]
pub(super) struct Archives {
    pub(super) by: Uuid,
    pub(super) months: Vec<(i64, u64)>,
}

/// Recomputes the leaves of a chunk from its entries, which may come in any order.
pub fn check<'a>(chunk: Chunk, entries: impl IntoIterator<Item = Entry<'a>>) -> Checked {
    let mut seen = vec![false; chunk.leaves.len()];
    let mut slots: Option<HashMap<Uuid, usize>> = None;
    let mut checked = Checked::default();
    let mut next = 0;
    for entry in entries {
        let id = entry.header.entry;
        // Mostly they come in the order of their leaves.
        let slot = if chunk.entries.get(next) == Some(&id) {
            Some(next)
        } else {
            let slots = slots.get_or_insert_with(|| {
                chunk.entries.iter().enumerate().map(|(slot, id)| (*id, slot)).collect()
            });
            slots.get(&id).copied()
        };
        let leaf = entry.leaf_hash();
        checked.erasures.extend(erasure(&entry));
        checked.archives.extend(archives(&entry));
        let Some(slot) = slot.filter(|slot| !seen.get(*slot).copied().unwrap_or(true)) else {
            checked.unlisted.push(Unlisted { entry: id, leaf, near: Some(chunk.first) });
            continue;
        };
        next = slot + 1;
        seen[slot] = true;
        match (leaf, entry.payload) {
            (None, _) => checked.faults.push((slot, Fault::Void)),
            (Some(leaf), _) if leaf != chunk.leaves[slot] => {
                checked.faults.push((slot, Fault::Differs(leaf)));
            }
            (Some(_), Payload::Erased { by, .. }) => checked.erased.push((slot, by)),
            _ => {}
        }
    }
    let missing = (0..seen.len()).filter(|slot| !seen[*slot]);
    checked.faults.extend(missing.map(|slot| (slot, Fault::Missing)));
    checked.faults.sort_unstable_by_key(|(slot, _)| *slot);
    checked.chunk = chunk;
    checked
}

/// What the entry erased, when it is the record of an erasure.
pub(super) fn erasure(entry: &Entry<'_>) -> Option<Erasure> {
    #[derive(Deserialize)]
    struct Body {
        details: Details,
    }
    #[derive(Deserialize)]
    struct Details {
        erased: Vec<Uuid>,
    }
    let Payload::Kept { body, .. } = entry.payload else { return None };
    if entry.header.action != "erase" {
        return None;
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    Some(Erasure { by: entry.header.entry, entries: body.details.erased })
}

/// What was archived, when the entry is the record of it.
pub(super) fn archives(entry: &Entry<'_>) -> Option<Archives> {
    #[derive(Deserialize)]
    struct Body {
        details: Details,
    }
    #[derive(Deserialize)]
    struct Details {
        archived: Vec<Month>,
    }
    #[derive(Deserialize)]
    struct Month {
        month: String,
        entries: u64,
    }
    let Payload::Kept { body, .. } = entry.payload else { return None };
    // Other tables' archives are recorded under the same word, and say nothing of the trail.
    if entry.header.action != "archive" || entry.header.entity_type != "audit.audit_logs" {
        return None;
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    let months = body.details.archived.iter().filter_map(|one| {
        let (year, month) = one.month.split_once('-')?;
        let (year, month): (i64, i64) = (year.parse().ok()?, month.parse().ok()?);
        Some((year * 12 + month - 1, one.entries))
    });
    Some(Archives { by: entry.header.entry, months: months.collect() })
}

/// The month in which an id of UUIDv7 was made, as [`Archives`] counts months.
pub(super) fn month_of(entry: Uuid) -> i64 {
    let millis = (entry.as_u128() >> 80) as i64;
    chrono::DateTime::from_timestamp_millis(millis)
        .map_or(i64::MIN, |at| i64::from(at.year()) * 12 + i64::from(at.month0()))
}
