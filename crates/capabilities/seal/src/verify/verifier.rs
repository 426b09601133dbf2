//! Takes checked chunks in order, rebuilds the tree, and holds it against the checkpoints.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::{
    Checked, Erased, Finding, Verification,
    chunk::{Fault, Unlisted, archives, erasure, month_of},
};
use crate::{Checkpoint, Entry, Hash, KeyRing, NoteError, Tree};

/// A checkpoint as it is stored, and what came of checking its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    size: u64,
    root: Hash,
    note: String,
    signed: Result<Checkpoint, NoteError>,
}

impl CheckpointRecord {
    /// Checks the signature (the dear part of it: this may run on any thread) of a note that is
    /// stored beside a size and a root.
    pub fn check(size: u64, root: Hash, note: String, origin: &str, keys: &KeyRing) -> Self {
        let signed = keys.checkpoint(&note, origin).and_then(|signed| {
            if signed.size == size && signed.root == root {
                Ok(signed)
            } else {
                Err(NoteError::Malformed("the size or root kept beside it is not the signed one"))
            }
        });
        Self { size, root, note, signed }
    }
}

/// A leaf whose entry does not bear it out.
#[derive(Debug)]
struct Faulty {
    entry: Uuid,
    stored: Hash,
    fault: Fault,
}

/// Verifies one organization's tree.
#[derive(Debug)]
pub struct Verifier {
    organization: Uuid,
    /// Checkpoints that are still ahead, by size.
    ahead: BTreeMap<u64, Vec<CheckpointRecord>>,
    tree: Tree,
    /// The tree at the newest checkpoint that holds, and that checkpoint.
    proven: Tree,
    proof: Option<String>,
    /// Leaves after it.
    since: Vec<(Hash, Uuid)>,
    /// Sizes of the checkpoints after it: the ends of the sealer's batches.
    ends: Vec<u64>,
    /// The size of the first signed checkpoint that could not be reached.
    broken: Option<u64>,
    faulty: BTreeMap<u64, Faulty>,
    unlisted: Vec<Unlisted>,
    erased: Vec<(Option<u64>, Erased)>,
    erasures: HashMap<Uuid, HashSet<Uuid>>,
    /// What each record of an archive says: entries by month.
    archives: HashMap<Uuid, Vec<(i64, u64)>>,
    queued: u64,
    queued_faults: Vec<Finding>,
    findings: Vec<Finding>,
}

impl Verifier {
    /// Verifies the tree of an organization.
    pub fn new(organization: Uuid) -> Self {
        Self {
            organization,
            ahead: BTreeMap::new(),
            tree: Tree::new(),
            proven: Tree::new(),
            proof: None,
            since: Vec::new(),
            ends: Vec::new(),
            broken: None,
            faulty: BTreeMap::new(),
            unlisted: Vec::new(),
            erased: Vec::new(),
            erasures: HashMap::new(),
            archives: HashMap::new(),
            queued: 0,
            queued_faults: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// How many leaves were taken.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Adds a checkpoint. It must come before the chunk that holds its last leaf.
    pub fn checkpoint(&mut self, record: CheckpointRecord) {
        if record.size <= self.tree.size() {
            let fault = "it is out of order".to_owned();
            self.findings.push(Finding::Checkpoint { size: record.size, fault });
        } else {
            self.ahead.entry(record.size).or_default().push(record);
        }
    }

    /// Takes the next chunk.
    pub fn take(&mut self, checked: Checked) {
        let Checked { chunk, faults, unlisted, erased, erasures, archives } = checked;
        let first = self.tree.size();
        if chunk.first != first {
            // What follows can't be placed: say so once, and let the tree stand still.
            if self.broken.is_none() {
                self.findings.push(Finding::Gap { from: first, to: chunk.first.max(first + 1) });
                self.broken = Some(first);
                self.since.clear();
            }
        }
        for (slot, fault) in faults {
            let (entry, stored) = (chunk.entries[slot], chunk.leaves[slot]);
            self.faulty.insert(chunk.first + slot as u64, Faulty { entry, stored, fault });
        }
        self.unlisted.extend(unlisted);
        self.erased.extend(erased.into_iter().map(|(slot, by)| {
            (Some(chunk.first + slot as u64), Erased { entry: chunk.entries[slot], by })
        }));
        for erasure in erasures {
            self.erasures.entry(erasure.by).or_default().extend(erasure.entries);
        }
        self.archives.extend(archives.into_iter().map(|record| (record.by, record.months)));
        for (leaf, entry) in chunk.leaves.iter().zip(&chunk.entries) {
            self.tree.append(*leaf, |_, _| {});
            if self.broken.is_none() {
                self.since.push((*leaf, *entry));
            }
            while let Some(due) = self.ahead.first_entry()
                && *due.key() <= self.tree.size()
            {
                for record in due.remove() {
                    self.compare(record);
                }
            }
        }
    }

    /// Takes an entry that waits to be sealed, with the hash that is queued for it; `None` when
    /// there is no such entry any more.
    pub fn queued(&mut self, id: Uuid, queued: Hash, entry: Option<&Entry<'_>>) {
        self.queued += 1;
        let finding = match entry.map(Entry::leaf_hash) {
            None => Some(Finding::Deleted { entry: id, index: None }),
            Some(leaf) if leaf != Some(queued) => Some(Finding::Altered { entry: id, index: None }),
            Some(_) => None,
        };
        let intact = finding.is_none();
        self.queued_faults.extend(finding);
        if let Some(entry) = entry.filter(|_| intact) {
            if let Some(erasure) = erasure(entry) {
                self.erasures.entry(erasure.by).or_default().extend(erasure.entries);
            }
            self.archives.extend(archives(entry).map(|record| (record.by, record.months)));
            if let crate::Payload::Erased { by, .. } = entry.payload {
                self.erased.push((None, Erased { entry: id, by }));
            }
        }
    }

    /// Takes an entry that is neither in the tree nor queued.
    pub fn unlisted(&mut self, entry: Uuid, leaf: Option<Hash>) {
        self.unlisted.push(Unlisted { entry, leaf, near: None });
    }

    fn compare(&mut self, record: CheckpointRecord) {
        if self.broken.is_some() {
            return;
        }
        self.ends.push(record.size);
        match &record.signed {
            Err(error) => self.bad_checkpoint(record.size, error.to_string()),
            Ok(signed) if signed.root == self.tree.root() => self.prove(record),
            Ok(_) => self.repair(record),
        }
    }

    fn bad_checkpoint(&mut self, size: u64, fault: String) {
        self.findings.push(Finding::Checkpoint { size, fault });
    }

    /// All leaves up to here are those that were signed.
    fn prove(&mut self, record: CheckpointRecord) {
        self.proven.clone_from(&self.tree);
        self.proof = Some(record.note);
        self.since.clear();
        self.ends.clear();
    }

    /// Looks for what was done to the leaves since the last proven checkpoint.
    fn repair(&mut self, record: CheckpointRecord) {
        let base = self.proven.size();
        let stored = std::mem::take(&mut self.since);
        let computed: Vec<_> = (base..)
            .zip(&stored)
            .map(|(index, (leaf, entry))| match self.faulty.get(&index) {
                Some(Faulty { fault: Fault::Differs(own), .. }) => (*own, *entry),
                _ => (*leaf, *entry),
            })
            .collect();
        for attempt in [&computed, &self.sorted(&stored), &self.sorted(&computed)] {
            let mut tree = self.proven.clone();
            for (leaf, _) in attempt {
                tree.append(*leaf, |_, _| {});
            }
            if tree.root() == record.root {
                self.explain(&stored, attempt);
                self.tree = tree;
                self.prove(record);
                return;
            }
        }
        self.broken = Some(record.size);
        self.since = stored;
    }

    /// The sealer sorts each batch by id: so its order can be restored.
    fn sorted(&self, leaves: &[(Hash, Uuid)]) -> Vec<(Hash, Uuid)> {
        let mut sorted = leaves.to_vec();
        let base = self.proven.size();
        let mut from = 0;
        for end in &self.ends {
            let to = ((end - base) as usize).min(sorted.len());
            sorted[from..to].sort_unstable_by_key(|(_, entry)| *entry);
            from = to;
        }
        sorted
    }

    /// What differs between the leaves as stored and those that were signed.
    fn explain(&mut self, stored: &[(Hash, Uuid)], signed: &[(Hash, Uuid)]) {
        let base = self.proven.size();
        let places: HashMap<_, _> = signed.iter().map(|(_, id)| *id).zip(base..).collect();
        for (index, ((leaf, entry), (right, was))) in (base..).zip(stored.iter().zip(signed)) {
            if entry != was {
                let belongs = places.get(entry).copied().unwrap_or(index);
                self.findings.push(Finding::Reordered { entry: *entry, index, belongs });
            } else if leaf != right {
                self.findings.push(Finding::HashAltered { entry: *entry, index });
                self.faulty.remove(&index);
            }
        }
    }

    /// Says what was found.
    pub fn finish(mut self) -> Verification {
        let sealed = self.tree.size();
        for record in std::mem::take(&mut self.ahead).into_values().flatten() {
            match record.signed {
                Ok(signed) => {
                    self.findings.push(Finding::CutOff { from: sealed, to: signed.size });
                }
                Err(error) => self.bad_checkpoint(record.size, error.to_string()),
            }
        }
        let from = self.proven.size();
        let entries = |to: u64| {
            self.since.iter().take((to - from) as usize).map(|(_, entry)| *entry).collect()
        };
        match self.broken {
            Some(to) if to > from && !self.since.is_empty() => {
                self.findings.push(Finding::Unproven {
                    from,
                    to,
                    entries: entries(to),
                    following: sealed.saturating_sub(to),
                });
            }
            None if sealed > from => {
                self.findings.push(Finding::Unsigned {
                    from,
                    to: sealed,
                    entries: entries(sealed),
                });
            }
            _ => {}
        }
        let archived = self.judge_archives();
        self.judge_leaves();
        let erased = self.judge_erasures();
        self.findings.append(&mut self.queued_faults);
        Verification {
            organization: self.organization,
            sealed,
            proven: self.proven.size(),
            queued: self.queued,
            archived,
            checkpoint: self.proof,
            erased,
            findings: self.findings,
        }
    }

    /// Entries of months that an intact record says were archived are where they belong: their leaves
    /// stay, and prove the archive. Answers how many. More gone than were archived are not.
    fn judge_archives(&mut self) -> u64 {
        let doubtful: HashSet<Uuid> = self
            .faulty
            .values()
            .map(|faulty| faulty.entry)
            .chain(self.unlisted.iter().map(|unlisted| unlisted.entry))
            .collect();
        let mut allowed: HashMap<i64, u64> = HashMap::new();
        for (record, months) in &self.archives {
            if !doubtful.contains(record) {
                allowed.extend(months.iter().copied());
            }
        }
        if allowed.is_empty() {
            return 0;
        }
        let has_twin: HashSet<Uuid> = self.unlisted.iter().map(|other| other.entry).collect();
        let is_gone =
            |faulty: &Faulty| faulty.fault == Fault::Missing && !has_twin.contains(&faulty.entry);
        let mut gone: HashMap<i64, u64> = HashMap::new();
        for faulty in self.faulty.values().filter(|faulty| is_gone(faulty)) {
            *gone.entry(month_of(faulty.entry)).or_default() += 1;
        }
        gone.retain(|month, count| allowed.get(month).is_some_and(|entries| *count <= *entries));
        self.faulty
            .retain(|_, faulty| !(is_gone(faulty) && gone.contains_key(&month_of(faulty.entry))));
        gone.values().sum()
    }

    /// Names each leaf's fault, and each entry that is in no leaf.
    fn judge_leaves(&mut self) {
        let places: HashMap<Hash, u64> =
            self.faulty.iter().map(|(index, faulty)| (faulty.stored, *index)).collect();
        let mut found: HashSet<usize> = HashSet::new();
        for (&index, faulty) in &self.faulty {
            let entry = faulty.entry;
            let finding = match faulty.fault {
                Fault::Void => Finding::Altered { entry, index: Some(index) },
                Fault::Differs(own) => {
                    // A second entry of the same id may be the one that was sealed.
                    let twin = self.unlisted.iter().position(|unlisted| {
                        unlisted.entry == entry && unlisted.leaf == Some(faulty.stored)
                    });
                    found.extend(twin);
                    match places.get(&own) {
                        _ if twin.is_some() => Finding::Inserted { entry },
                        Some(&belongs) => Finding::Reordered { entry, index, belongs },
                        None => Finding::Altered { entry, index: Some(index) },
                    }
                }
                Fault::Missing => {
                    let find =
                        |fits: &dyn Fn(&Unlisted) -> bool| self.unlisted.iter().position(fits);
                    let other = find(&|unlisted| unlisted.leaf == Some(faulty.stored))
                        .or_else(|| find(&|unlisted| unlisted.entry == entry));
                    found.extend(other);
                    match other.map(|other| &self.unlisted[other]) {
                        None => Finding::Deleted { entry, index: Some(index) },
                        Some(other) if other.leaf != Some(faulty.stored) => {
                            Finding::Altered { entry, index: Some(index) }
                        }
                        Some(other) if other.entry == entry => Finding::Reordered {
                            entry,
                            index: other.near.unwrap_or(index),
                            belongs: index,
                        },
                        Some(other) => {
                            Finding::Mislabelled { entry: other.entry, index, listed: entry }
                        }
                    }
                }
            };
            self.findings.push(finding);
        }
        let inserted = self.unlisted.iter().enumerate().filter(|(at, _)| !found.contains(at));
        self.findings
            .extend(inserted.map(|(_, unlisted)| Finding::Inserted { entry: unlisted.entry }));
    }

    /// An erasure is by right when an entry that is itself intact records it.
    fn judge_erasures(&mut self) -> Vec<Erased> {
        for entry in self.findings.iter().filter_map(Finding::entry) {
            self.erasures.remove(&entry);
        }
        let mut rightly = Vec::new();
        for (index, erased) in std::mem::take(&mut self.erased) {
            let recorded = self.erasures.get(&erased.by);
            if recorded.is_some_and(|entries| entries.contains(&erased.entry)) {
                rightly.push(erased);
            } else {
                self.findings.push(Finding::Altered { entry: erased.entry, index });
            }
        }
        rightly
    }
}

impl Finding {
    /// The entry whose own content or presence is in question.
    fn entry(&self) -> Option<Uuid> {
        match self {
            Self::Altered { entry, .. }
            | Self::Deleted { entry, .. }
            | Self::Inserted { entry } => Some(*entry),
            _ => None,
        }
    }
}
