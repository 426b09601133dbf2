//! Leaves against vectors that a third implementation made; SQL is held to the same file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use ephor_seal::{Entry, Header, Payload, leaf, merkle};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    organization_id: Uuid,
    id: Uuid,
    micros: i64,
    actor_type: String,
    actor_id: Uuid,
    action: String,
    entity_type: String,
    entity_id: Option<Uuid>,
    salt: String,
    body: String,
    body_hash: String,
    integrity_hash: String,
}

#[test]
fn leaves_are_those_of_the_vectors() {
    let file: File = serde_json::from_str(include_str!("vectors/leaf.json")).unwrap();
    assert!(file.vectors.len() >= 4);
    for vector in file.vectors {
        let salt = hex::decode(&vector.salt).unwrap();
        let header = Header {
            organization: vector.organization_id,
            entry: vector.id,
            micros: vector.micros,
            actor_type: leaf::actor_code(&vector.actor_type),
            actor: vector.actor_id,
            action: &vector.action,
            entity_type: &vector.entity_type,
            entity: vector.entity_id,
        };
        let kept =
            Entry { header, payload: Payload::Kept { salt: &salt, body: vector.body.as_bytes() } };
        let body_hash = kept.body_hash().unwrap();
        assert_eq!(hex::encode(body_hash), vector.body_hash);
        assert_eq!(hex::encode(kept.leaf_hash().unwrap()), vector.integrity_hash);
        // The leaf data of a receipt is what RFC 6962 hashes.
        assert_eq!(hex::encode(merkle::leaf(&header.leaf_data(&body_hash))), vector.integrity_hash);
        // Erasure keeps the leaf.
        let erased = Entry { header, payload: Payload::Erased { by: Uuid::nil(), body_hash } };
        assert_eq!(erased.leaf_hash(), kept.leaf_hash());
        assert_eq!(Entry { header, payload: Payload::Void }.leaf_hash(), None);
    }
}

#[test]
fn actor_words_and_codes_agree() {
    for code in 1..=4 {
        assert_eq!(leaf::actor_code(leaf::actor_word(code).unwrap()), code);
    }
    assert_eq!(leaf::actor_word(0), None);
    assert_eq!(leaf::actor_code("nobody"), 0);
}
