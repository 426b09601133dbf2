//! Keys, notes, checkpoints, receipts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ephor_seal::{
    Checkpoint, KeyError, KeyRing, Note, NoteError, PublicKey, RotationNote, SealKey, TlogProof,
    Tree, checkpoint::instance_origin, merkle, organization_origin, proof::ProofError,
};
use proptest::prelude::*;
use uuid::Uuid;

/// The example of Go's `golang.org/x/mod/sumdb/note`, which signs the same bytes.
const GO_SECRET: &str =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\
    \n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_note_is_signed_and_read_as_go_does() {
    let key = SealKey::parse(GO_SECRET).unwrap();
    assert_eq!(key.public(), PublicKey::parse(GO_PUBLIC).unwrap());
    assert_eq!(key.public().named("PeterNeumann"), GO_PUBLIC);
    let note = Note::parse(GO_NOTE).unwrap();
    assert_eq!(note.to_string(), GO_NOTE);
    assert_eq!(key.sign(note.text.clone(), "PeterNeumann").to_string(), GO_NOTE);
    assert_eq!(KeyRing::new([key.public()]).check(&note, "PeterNeumann"), Ok(key.public()));
}

fn key(number: u8) -> SealKey {
    SealKey::from_seed(&[number; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint { origin: organization_origin(Uuid::from_u128(7)), size: 12, root: [9; 32] }
}

#[test]
fn a_checkpoint_reads_back_and_only_under_its_own_origin_and_key() {
    let signed = checkpoint().sign(&key(1)).to_string();
    let keys = KeyRing::new([key(1).public()]);
    let origin = checkpoint().origin;
    assert_eq!(keys.checkpoint(&signed, &origin), Ok(checkpoint()));
    let other = organization_origin(Uuid::from_u128(8));
    assert!(matches!(keys.checkpoint(&signed, &other), Err(NoteError::UnknownKey(_))));
    let strangers = KeyRing::new([key(2).public()]);
    assert!(matches!(strangers.checkpoint(&signed, &origin), Err(NoteError::UnknownKey(_))));
    let altered = signed.replace("\n12\n", "\n13\n");
    assert_eq!(keys.checkpoint(&altered, &origin), Err(NoteError::WrongSignature(origin)));
    assert_ne!(instance_origin(Uuid::nil()), organization_origin(Uuid::nil()));
}

#[test]
fn malformed_notes_and_checkpoints_say_why() {
    for text in [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name AAAA",
        "text\n\n— name !\n",
        "a\tb\n\n— n AAAAAAAA\n",
        "text\n\n— a+b AAAAAAAA\n",
        "text\n\nname AAAAAAAA\n",
    ] {
        assert!(matches!(Note::parse(text), Err(NoteError::Malformed(_))), "{text:?}");
    }
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert!(Checkpoint::parse(&format!("o\n1\n{root}\nextension\n")).is_ok());
    for text in [
        "o\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("o\n01\n{root}\n"),
        format!("o\n-1\n{root}\n"),
        format!("o\n1\n{}\n", &root[4..]),
        format!("o\n1\n{root}\n\nx\n"),
    ] {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
}

#[test]
fn rotation_joins_keys_both_ways_and_only_when_both_signed() {
    let at = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    let notes: Vec<_> = [(1, 2), (2, 3)]
        .iter()
        .map(|(from, to)| RotationNote::new(&key(*from), &key(*to), at).note.to_string())
        .map(|text| RotationNote::parse(&text).unwrap())
        .collect();
    for trusted in 1..=3 {
        let mut keys = KeyRing::new([key(trusted).public()]);
        keys.follow(&notes);
        assert_eq!(keys.keys().len(), 3);
    }
    let mut stranger = KeyRing::new([key(9).public()]);
    stranger.follow(&notes);
    assert_eq!(stranger.keys().len(), 1);

    let mut half = RotationNote::new(&key(1), &key(2), at).note;
    half.signatures.pop();
    assert!(matches!(RotationNote::parse(&half.to_string()), Err(NoteError::UnknownKey(_))));
    assert!(RotationNote::parse(&checkpoint().sign(&key(1)).to_string()).is_err());
}

#[cfg(unix)]
#[test]
fn a_key_file_is_made_once_and_only_for_its_owner() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = std::env::temp_dir().join(format!("ephor-seal-key-{}", std::process::id()));
    let path = folder.join("deep/seal.key");
    let (made, new) = SealKey::load_or_create(&path).unwrap();
    assert!(new);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (loaded, new) = SealKey::load_or_create(&path).unwrap();
    assert!(!new);
    assert_eq!(loaded.public(), made.public());
    assert_eq!(SealKey::parse(&made.to_text()).unwrap().public(), made.public());
    assert!(!format!("{made:?}").contains("PRIVATE"));

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = SealKey::load_or_create(&path).unwrap_err();
    assert!(matches!(error, KeyError::Exposed(_, 0o640)));
    assert!(error.to_string().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();

    fs::write(&path, "rubbish\n").unwrap();
    let error = SealKey::load(&path).unwrap_err().to_string();
    assert!(error.contains("seal.key") && !error.contains("rubbish"), "{error}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_key_with_the_wrong_id_is_refused() {
    for text in [
        "",
        "ephor",
        &GO_PUBLIC.replace("c74f20a3", "c74f20a4"),
        &GO_PUBLIC.replace("ARpc", "ARpd"),
    ] {
        assert!(PublicKey::parse(text).is_err(), "{text}");
    }
    assert!(SealKey::parse(&GO_SECRET.replace("c74f20a3", "c74f20a4")).is_err());
    assert!(SealKey::parse(GO_PUBLIC).is_err());
}

#[test]
fn two_keys_are_never_the_same() {
    assert_ne!(SealKey::generate().unwrap().public(), SealKey::generate().unwrap().public());
}

#[test]
fn a_receipt_reads_back_and_proves_its_entry_alone() {
    let leaves: Vec<_> = (0..300_u32).map(|number| merkle::leaf(&number.to_be_bytes())).collect();
    let mut tree = Tree::new();
    for leaf in &leaves {
        tree.append(*leaf, |_, _| {});
    }
    let stated = Checkpoint { size: 300, root: tree.root(), ..checkpoint() };
    let path = merkle::resolve(&leaves, &merkle::inclusion_path(256, 300).unwrap());
    let proof = TlogProof {
        extra: Some(b"leaf data".to_vec()),
        index: 256,
        path,
        checkpoint: stated.sign(&key(1)).to_string(),
    };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra bGVhZiBkYXRh\nindex 256\n"));
    assert_eq!(TlogProof::parse(&text).unwrap(), proof);
    let keys = KeyRing::new([key(1).public()]);
    assert_eq!(proof.verify(&leaves[256], &stated.origin, &keys), Ok(stated.clone()));
    assert_eq!(
        proof.verify(&leaves[255], &stated.origin, &keys),
        Err(ProofError::NotIncluded { index: 256, size: 300 })
    );
    let strangers = KeyRing::new([key(2).public()]);
    assert!(proof.verify(&leaves[256], &stated.origin, &strangers).is_err());

    for wrong in [
        text.replace("@v1", "@v2"),
        text.replace("index 256", "index 0256"),
        text.replace("\n\n", "\n"),
        text.replace("extra b", "extra %"),
    ] {
        assert!(matches!(
            TlogProof::parse(&wrong),
            Err(ProofError::Malformed(_) | ProofError::Checkpoint(_))
        ));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "(?s).{0,200}") {
        let _ = Note::parse(&text);
        let _ = Checkpoint::parse(&text);
        let _ = TlogProof::parse(&text);
        let _ = PublicKey::parse(&text);
        let _ = SealKey::parse(&text);
        let _ = RotationNote::parse(&text);
    }
}
