//! The law of the fuzz target, on its corpus and on damaged files of it.

use std::{fs, path::Path};

use proptest::prelude::*;

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/models.rs"]
mod targets;

#[test]
fn the_corpus_keeps_the_law() {
    corpus::corpus("model", targets::model);
}

/// All files of the corpus.
fn files() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/model");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn damaged_files_keep_the_law(
        file in prop::sample::select(files()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut content = file;
        for (at, byte) in damage {
            let at = at.index(content.len());
            content[at] = byte;
        }
        if let Some(cut) = cut {
            content.truncate(cut.index(content.len()));
        }
        targets::model(&content);
    }

    #[test]
    fn bytes_keep_the_law(head in prop::sample::select(vec![&b"{L"[..], b"{\"kind\":", b"tree\n", b"\x08\x01", b""]), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        targets::model(&[head, &bytes[..]].concat());
    }
}
