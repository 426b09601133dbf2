//! What a verification says.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One thing that is not as it was sealed. Indexes are those of leaves, from 0; ranges go from
/// the first to before the second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// The entry's content is not what was sealed (or, with no index, what was queued).
    Altered {
        /// The entry.
        entry: Uuid,
        /// Its leaf.
        index: Option<u64>,
    },
    /// The entry was sealed (or, with no index, queued) and is gone.
    Deleted {
        /// The entry.
        entry: Uuid,
        /// Its leaf.
        index: Option<u64>,
    },
    /// The entry was neither sealed nor queued: no trigger wrote it.
    Inserted {
        /// The entry.
        entry: Uuid,
    },
    /// The entry stands at another place than where it was sealed.
    Reordered {
        /// The entry.
        entry: Uuid,
        /// Where it stands.
        index: u64,
        /// Where it was sealed.
        belongs: u64,
    },
    /// The entry is as it was sealed; the tree's stored hash of it was altered.
    HashAltered {
        /// The entry.
        entry: Uuid,
        /// Its leaf.
        index: u64,
    },
    /// The entry is as it was sealed; the tree's list says another id in its place.
    Mislabelled {
        /// The entry.
        entry: Uuid,
        /// Its leaf.
        index: u64,
        /// The id that is listed.
        listed: Uuid,
    },
    /// Among these entries one or more were altered, deleted, inserted or reordered, in the
    /// entries and in the tree alike, so that only the signature tells.
    Unproven {
        /// The first leaf.
        from: u64,
        /// The leaf after the last.
        to: u64,
        /// The entries that now stand there.
        entries: Vec<Uuid>,
        /// How many entries follow, which can't be proven because of these.
        following: u64,
    },
    /// No checkpoint vouches for the entries at the end of the tree.
    Unsigned {
        /// The first leaf.
        from: u64,
        /// The leaf after the last.
        to: u64,
        /// The entries.
        entries: Vec<Uuid>,
    },
    /// A signed checkpoint counts entries that the tree no longer has.
    CutOff {
        /// The first leaf that is gone.
        from: u64,
        /// The leaf after the last that is gone.
        to: u64,
    },
    /// The export or the tree lacks these leaves.
    Gap {
        /// The first leaf.
        from: u64,
        /// The leaf after the last.
        to: u64,
    },
    /// A checkpoint is not what a trusted key signed.
    Checkpoint {
        /// The tree's size that it states.
        size: u64,
        /// What is wrong with it.
        fault: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |index: &Option<u64>| match index {
            Some(index) => format!("leaf {index}"),
            None => "not yet sealed".to_owned(),
        };
        match self {
            Self::Altered { entry, index } => {
                write!(f, "altered: entry {entry} ({})", place(index))
            }
            Self::Deleted { entry, index } => {
                write!(f, "deleted: entry {entry} ({})", place(index))
            }
            Self::Inserted { entry } => {
                write!(f, "inserted: entry {entry} was neither sealed nor queued")
            }
            Self::Reordered { entry, index, belongs } => {
                write!(
                    f,
                    "reordered: entry {entry} stands at leaf {index}, sealed as leaf {belongs}"
                )
            }
            Self::HashAltered { entry, index } => write!(
                f,
                "altered: the tree's hash of leaf {index}; its entry {entry} is as it was sealed"
            ),
            Self::Mislabelled { entry, index, listed } => write!(
                f,
                "altered: leaf {index} is listed as entry {listed}; it is entry {entry}, as sealed"
            ),
            Self::Unproven { from, to, entries, following } => {
                write!(
                    f,
                    "altered: leaves {from} to {} are not those that were signed; one or more of these entries were altered, deleted, inserted or reordered: {}",
                    to - 1,
                    list(entries)
                )?;
                if *following > 0 {
                    write!(
                        f,
                        "; the {following} entries after them can't be proven because of that"
                    )?;
                }
                Ok(())
            }
            Self::Unsigned { from, to, entries } => write!(
                f,
                "unsigned: no checkpoint vouches for leaves {from} to {}: {}",
                to - 1,
                list(entries)
            ),
            Self::CutOff { from, to } => write!(
                f,
                "deleted: leaves {from} to {} were signed and are gone with their part of the tree",
                to - 1
            ),
            Self::Gap { from, to } => write!(f, "deleted: leaves {from} to {} are missing", to - 1),
            Self::Checkpoint { size, fault } => {
                write!(f, "altered: the checkpoint at {size} entries: {fault}")
            }
        }
    }
}

fn list(entries: &[Uuid]) -> String {
    entries.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}

/// An entry whose body was erased by right: another entry records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The entry.
    pub entry: Uuid,
    /// The entry that records the erasure.
    pub by: Uuid,
}

/// The outcome of verifying one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The tenant.
    pub organization: Uuid,
    /// How many entries the tree has.
    pub sealed: u64,
    /// How many of them, from the first on, a trusted checkpoint proves.
    pub proven: u64,
    /// How many entries are written and not sealed yet.
    pub queued: u64,
    /// How many sealed entries were archived: their bodies are in the object store.
    #[serde(default)]
    pub archived: u64,
    /// The newest checkpoint that holds, as a signed note.
    pub checkpoint: Option<String>,
    /// Entries whose bodies were erased by right.
    pub erased: Vec<Erased>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// Is all as it was sealed?
    pub fn verified(&self) -> bool {
        self.findings.is_empty()
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.verified() { "verified" } else { "NOT VERIFIED" };
        write!(
            f,
            "{word}: organization {}, {} entries sealed, {} proven, {} waiting to be sealed",
            self.organization, self.sealed, self.proven, self.queued
        )?;
        if self.archived > 0 {
            write!(f, ", {} archived", self.archived)?;
        }
        for erased in &self.erased {
            write!(f, "\n  entry {} erased by {}", erased.entry, erased.by)?;
        }
        for finding in &self.findings {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}
