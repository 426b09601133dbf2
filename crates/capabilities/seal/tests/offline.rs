//! Whatever is done to an exported trail is found and named.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ephor_seal::{
    Checkpoint, Entry, Finding, Hash, Header, KeyRing, Payload, RotationNote, SealKey, Tree, Trust,
    Verification,
    export::{self, BlockEncoder, ExportError, Section},
    leaf::body_hash,
    organization_origin, verify_export,
};
use proptest::prelude::*;
use uuid::Uuid;

const ORGANIZATION: Uuid = Uuid::from_u128(0x0190_a000_0000_7000_8000_0000_0000_0001);

#[derive(Clone)]
struct Row {
    id: Uuid,
    action: &'static str,
    salt: Vec<u8>,
    body: String,
    erased: Option<(Uuid, Hash)>,
    void: bool,
}

impl Row {
    fn entry(&self) -> Entry<'_> {
        let payload = match self.erased {
            _ if self.void => Payload::Void,
            Some((by, body_hash)) => Payload::Erased { by, body_hash },
            None => Payload::Kept { salt: &self.salt, body: self.body.as_bytes() },
        };
        let header = Header {
            organization: ORGANIZATION,
            entry: self.id,
            micros: 1_700_000_000_000_000 + self.id.as_u128() as i64,
            actor_type: 1,
            actor: Uuid::from_u128(5),
            action: self.action,
            entity_type: "registry.models",
            entity: (self.id.as_u128().is_multiple_of(2)).then_some(self.id),
        };
        Entry { header, payload }
    }

    fn erase(&mut self, by: Uuid) {
        self.erased = Some((by, body_hash(&self.salt, self.body.as_bytes())));
    }
}

/// A trail as a database holds it: every part can be tampered with on its own.
#[derive(Clone)]
struct Trail {
    rows: Vec<Row>,
    slots: Vec<(Hash, Uuid)>,
    notes: Vec<(u64, String)>,
    queue: Vec<(Uuid, Hash)>,
    keys: Vec<SealKey>,
    rotations: Vec<RotationNote>,
}

impl Trail {
    /// Entries 1, 2, 3 …, sealed in batches of these sizes; the last is an erasure's record.
    fn sealed(batches: &[u64]) -> Self {
        let key = SealKey::from_seed(&[1; 32]);
        let mut trail = Self {
            rows: Vec::new(),
            slots: Vec::new(),
            notes: Vec::new(),
            queue: Vec::new(),
            keys: vec![key.clone()],
            rotations: Vec::new(),
        };
        let mut tree = Tree::new();
        for batch in batches {
            for _ in 0..*batch {
                let number = trail.rows.len() as u128 + 1;
                let row = trail.add_row(number, "insert", format!("{{\"new\":{number}}}"));
                let leaf = row.entry().leaf_hash().unwrap();
                trail.slots.push((leaf, row.id));
                tree.append(leaf, |_, _| {});
            }
            trail.sign(&tree, &key);
        }
        trail
    }

    fn add_row(&mut self, number: u128, action: &'static str, body: String) -> Row {
        let id = Uuid::from_u128(number);
        let row = Row { id, action, salt: vec![number as u8; 32], body, erased: None, void: false };
        self.rows.push(row.clone());
        row
    }

    fn sign(&mut self, tree: &Tree, key: &SealKey) {
        let origin = organization_origin(ORGANIZATION);
        let checkpoint = Checkpoint { origin, size: tree.size(), root: tree.root() };
        self.notes.push((tree.size(), checkpoint.sign(key).to_string()));
    }

    fn row(&mut self, number: u128) -> &mut Row {
        self.rows.iter_mut().find(|row| row.id == Uuid::from_u128(number)).unwrap()
    }

    fn section(&self) -> Section {
        Section {
            organization: ORGANIZATION,
            exported_at: chrono::DateTime::from_timestamp(0, 0).unwrap(),
            public_keys: self.keys.iter().map(|key| key.public().to_string()).collect(),
            rotations: self.rotations.iter().map(|note| note.note.to_string()).collect(),
        }
    }

    fn export(&self) -> Vec<u8> {
        let mut out = Vec::new();
        export::begin(&mut out, &self.section(), true).unwrap();
        let mut notes = self.notes.iter().peekable();
        let mut placed = std::collections::HashSet::new();
        for (at, slots) in (0..).step_by(256).zip(self.slots.chunks(256)) {
            while let Some((_, note)) = notes.next_if(|(size, _)| *size <= at + slots.len() as u64)
            {
                export::note(&mut out, note);
            }
            let mut block = BlockEncoder::new(at);
            for (leaf, id) in slots {
                block.leaf(leaf, *id);
                for row in self.rows.iter().filter(|row| row.id == *id) {
                    block.entry(&row.entry());
                    placed.insert(row.id);
                }
            }
            if at == 0 {
                // Rows that the tree does not know stand anywhere.
                let known = |row: &&Row| {
                    self.slots.iter().any(|(_, id)| *id == row.id)
                        || self.queue.iter().any(|(id, _)| *id == row.id)
                };
                for row in self.rows.iter().filter(|row| !known(row)) {
                    block.entry(&row.entry());
                }
            }
            block.finish(&mut out);
        }
        for (_, note) in notes {
            export::note(&mut out, note);
        }
        let mut queue = BlockEncoder::new(0);
        for (id, hash) in &self.queue {
            queue.queued(*id, hash);
            for row in self.rows.iter().filter(|row| row.id == *id) {
                queue.entry(&row.entry());
            }
        }
        queue.finish_queue(&mut out);
        export::end(&mut out, self.slots.len() as u64, self.queue.len() as u64);
        out
    }

    fn verify(&self) -> Verification {
        let keys = KeyRing::new([self.keys[0].public()]);
        let mut all = verify_export(&*self.export(), &Trust::Keys(keys), None).unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

#[test]
fn an_untouched_trail_is_verified() {
    for batches in [&[][..], &[1], &[3, 1, 256, 700], &[1; 300], &[1000]] {
        let trail = Trail::sealed(batches);
        let said = trail.verify();
        let count = batches.iter().sum::<u64>();
        assert!(said.verified(), "{said}");
        assert_eq!((said.sealed, said.proven), (count, count));
        assert_eq!(said.checkpoint.as_ref(), trail.notes.last().map(|(_, note)| note));
        assert!(said.to_string().starts_with("verified: organization 0190a000"));
    }
}

#[test]
fn an_altered_entry_is_named() {
    let mut trail = Trail::sealed(&[10, 500]);
    trail.row(300).body.push(' ');
    trail.row(20).action = "delete";
    trail.row(21).salt[0] ^= 1;
    trail.row(22).void = true;
    let said = trail.verify();
    let expected = [20, 21, 22, 300]
        .map(|number| Finding::Altered { entry: id(number), index: Some(number as u64 - 1) });
    assert_eq!(said.findings, expected);
    assert_eq!(said.proven, 510, "the tree itself holds");
    assert!(
        said.to_string().contains("altered: entry 00000000-0000-0000-0000-00000000012c (leaf 299)")
    );
}

#[test]
fn a_deleted_and_an_inserted_entry_are_named() {
    let mut trail = Trail::sealed(&[10, 500]);
    trail.rows.retain(|row| row.id != id(400));
    trail.add_row(9_999, "insert", "{}".to_owned());
    // A second row under the id of a sealed one.
    let twin = Row { body: "{\"new\":0}".to_owned(), ..trail.row(3).clone() };
    trail.rows.insert(0, twin);
    assert_eq!(
        trail.verify().findings,
        [
            Finding::Inserted { entry: id(3) },
            Finding::Deleted { entry: id(400), index: Some(399) },
            Finding::Inserted { entry: id(9_999) },
        ]
    );
}

#[test]
fn entries_that_changed_places_in_the_tree_are_named() {
    // In the list of ids alone.
    let mut trail = Trail::sealed(&[10, 500]);
    let (left, right) = (trail.slots[4].1, trail.slots[7].1);
    (trail.slots[4].1, trail.slots[7].1) = (right, left);
    let swapped = [
        Finding::Reordered { entry: id(8), index: 4, belongs: 7 },
        Finding::Reordered { entry: id(5), index: 7, belongs: 4 },
    ];
    assert_eq!(trail.verify().findings, swapped);
    // In ids and leaf hashes alike: only the signed root tells, and the order of a batch.
    let mut trail = Trail::sealed(&[10, 500]);
    trail.slots.swap(4, 7);
    let said = trail.verify();
    assert_eq!(said.findings, swapped);
    assert_eq!(said.proven, 510, "what follows is still proven");
}

#[test]
fn an_altered_hash_in_the_tree_is_told_from_an_altered_entry() {
    let mut trail = Trail::sealed(&[10, 500]);
    trail.slots[33].0[0] ^= 1;
    let said = trail.verify();
    assert_eq!(said.findings, [Finding::HashAltered { entry: id(34), index: 33 }]);
    assert_eq!(said.proven, 510);
    // The list names an id that does not exist.
    let mut trail = Trail::sealed(&[10]);
    trail.slots[3].1 = id(77);
    assert_eq!(
        trail.verify().findings,
        [Finding::Mislabelled { entry: id(4), index: 3, listed: id(77) }]
    );
}

#[test]
fn an_entry_rewritten_with_its_hash_in_the_tree_is_narrowed_to_its_batch() {
    let mut trail = Trail::sealed(&[10, 5, 20]);
    trail.row(12).body = "{\"new\":\"forged\"}".to_owned();
    trail.slots[11].0 = trail.row(12).entry().leaf_hash().unwrap();
    let said = trail.verify();
    assert_eq!(
        said.findings,
        [Finding::Unproven {
            from: 10,
            to: 15,
            entries: (11..=15).map(id).collect(),
            following: 20,
        }]
    );
    assert_eq!(said.proven, 10);
}

#[test]
fn a_tree_cut_off_or_unsigned_at_its_end_is_found() {
    let mut trail = Trail::sealed(&[10, 5, 20]);
    trail.rows.truncate(32);
    trail.slots.truncate(32);
    let said = trail.verify();
    assert!(said.findings.contains(&Finding::CutOff { from: 32, to: 35 }), "{said}");
    let mut trail = Trail::sealed(&[10, 5, 20]);
    trail.notes.pop();
    let said = trail.verify();
    let entries = (16..=35).map(id).collect();
    assert_eq!(said.findings, [Finding::Unsigned { from: 15, to: 35, entries }]);
}

#[test]
fn a_checkpoint_that_no_trusted_key_signed_is_found() {
    let trail = Trail::sealed(&[10, 300]);
    let stranger = KeyRing::new([SealKey::from_seed(&[2; 32]).public()]);
    let said = verify_export(&*trail.export(), &Trust::Keys(stranger), None).unwrap().remove(0);
    assert!(
        said.findings
            .iter()
            .any(|finding| matches!(finding, Finding::Checkpoint { size: 310, .. })),
        "{said}"
    );
    assert_eq!(said.proven, 0);

    // Forged with another key, over a forged tree.
    let mut forged = Trail::sealed(&[10, 300]);
    forged.row(4).body = "{}".to_owned();
    forged.slots[3].0 = forged.row(4).entry().leaf_hash().unwrap();
    let mut tree = Tree::new();
    forged.slots.iter().for_each(|(leaf, _)| tree.append(*leaf, |_, _| {}));
    forged.notes.clear();
    forged.sign(&tree, &SealKey::from_seed(&[2; 32]));
    let said = forged.verify();
    assert!(!said.verified());
    assert_eq!(said.proven, 0);
}

#[test]
fn after_a_rotation_the_first_key_still_verifies_all() {
    let mut trail = Trail::sealed(&[10, 300]);
    let (old, new) = (trail.keys[0].clone(), SealKey::from_seed(&[3; 32]));
    let at = chrono::DateTime::from_timestamp(0, 0).unwrap();
    let row = trail.add_row(311, "insert", "{}".to_owned());
    trail.slots.push((row.entry().leaf_hash().unwrap(), row.id));
    let mut tree = Tree::new();
    trail.slots.iter().for_each(|(leaf, _)| tree.append(*leaf, |_, _| {}));
    trail.sign(&tree, &new);
    assert!(!trail.verify().verified());
    trail.rotations.push(RotationNote::new(&old, &new, at));
    let said = trail.verify();
    assert!(said.verified(), "{said}");
    assert_eq!(said.proven, 311);
}

#[test]
fn an_erased_entry_is_told_from_one_that_was_nulled() {
    let mut trail = Trail::sealed(&[10, 5]);
    let body = format!("{{\"details\":{{\"erased\":[\"{}\"],\"reason\":\"asked\"}}}}", id(4));
    let record = trail.add_row(16, "erase", body);
    trail.queue.push((record.id, record.entry().leaf_hash().unwrap()));
    trail.row(4).erase(record.id);
    let said = trail.verify();
    assert!(said.verified(), "{said}");
    assert_eq!((said.sealed, said.queued), (15, 1));
    assert_eq!(
        said.erased.iter().map(|erased| (erased.entry, erased.by)).collect::<Vec<_>>(),
        [(id(4), id(16))]
    );
    assert!(said.to_string().contains("erased by 00000000-0000-0000-0000-000000000010"));

    // Erased, it says, by an entry that says nothing of it.
    trail.row(5).erase(record.id);
    assert_eq!(trail.verify().findings, [Finding::Altered { entry: id(5), index: Some(4) }]);
    // A header that was altered after the erasure.
    let mut trail = trail;
    trail.rows[4].erased = None;
    trail.row(4).action = "delete";
    assert_eq!(trail.verify().findings, [Finding::Altered { entry: id(4), index: Some(3) }]);
}

#[test]
fn a_queued_entry_that_was_altered_or_deleted_is_named() {
    let mut trail = Trail::sealed(&[3]);
    for number in 4..=6 {
        let row = trail.add_row(number, "insert", "{}".to_owned());
        trail.queue.push((row.id, row.entry().leaf_hash().unwrap()));
    }
    assert!(trail.verify().verified());
    trail.row(5).body = "{ }".to_owned();
    trail.rows.retain(|row| row.id != id(6));
    assert_eq!(
        trail.verify().findings,
        [
            Finding::Altered { entry: id(5), index: None },
            Finding::Deleted { entry: id(6), index: None },
        ]
    );
}

#[test]
fn a_file_that_is_none_or_stops_early_says_so() {
    let whole = Trail::sealed(&[300]).export();
    let trust = Trust::Export;
    assert!(matches!(verify_export(&b"PK"[..], &trust, None), Err(ExportError::NotAnExport)));
    for length in [21, 24, 30, 400, whole.len() - 1] {
        let outcome = verify_export(&whole[..length], &trust, None);
        let whole_frames = length == 21;
        assert_eq!(outcome.is_ok(), whole_frames, "{length}: {outcome:?}");
    }
    assert!(verify_export(&*whole, &trust, None).unwrap()[0].verified());
    let mut strange = whole.clone();
    strange[21] = b'?';
    let error = verify_export(&*strange, &trust, None).unwrap_err();
    assert!(error.to_string().contains("damaged at byte 21"), "{error}");
}

#[test]
fn a_block_left_out_is_a_gap() {
    let trail = Trail::sealed(&[1000]);
    let mut out = Vec::new();
    export::begin(&mut out, &trail.section(), true).unwrap();
    export::note(&mut out, &trail.notes[0].1);
    for first in [0, 512] {
        let mut block = BlockEncoder::new(first);
        for (leaf, entry) in &trail.slots[first as usize..first as usize + 256] {
            block.leaf(leaf, *entry);
            block.entry(&trail.rows[entry.as_u128() as usize - 1].entry());
        }
        block.finish(&mut out);
    }
    export::end(&mut out, 1000, 0);
    let keys = KeyRing::new([trail.keys[0].public()]);
    let said = verify_export(&*out, &Trust::Keys(keys), None).unwrap().remove(0);
    assert!(said.findings.contains(&Finding::Gap { from: 256, to: 512 }), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// One flipped bit anywhere: it is found, or the file is refused, or it was in what proves
    /// nothing (the time of the export, a key that is named and not trusted).
    #[test]
    fn a_flipped_bit_is_never_overlooked(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let trail = Trail::sealed(&[40, 3]);
        let whole = trail.export();
        let keys = Trust::Keys(KeyRing::new([trail.keys[0].public()]));
        let head = 21 + 5 + serde_json::to_vec(&trail.section()).unwrap().len();
        let at = head + at.index(whole.len() - head);
        let mut altered = whole.clone();
        altered[at] ^= 1_u8 << bit;
        if let Ok(said) = verify_export(&*altered, &keys, None) {
            // The count of queued entries at the very end binds nothing.
            prop_assert!(!said[0].verified() || at >= whole.len() - 8, "byte {at}: {}", said[0]);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"ephor-audit-export 1\n".to_vec();
        file.extend_from_slice(&bytes);
        let _ = verify_export(&*file, &Trust::Export, None);
    }
}
