//! Puts a target's corpus to its law; the tests of the laws share this file.

use std::{fs, path::Path};

/// Every input of the target's corpus, of which there are at least five.
pub fn corpus(target: &str, law: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(target);
    let mut read = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        law(&fs::read(entry.unwrap().path()).unwrap());
        read += 1;
    }
    assert!(read >= 5, "{} holds {read} inputs", folder.display());
}
