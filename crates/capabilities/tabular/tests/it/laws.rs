//! The laws of the fuzz targets, on their corpus and on inputs made up here.

use std::{
    fs,
    path::{Path, PathBuf},
};

use proptest::prelude::*;

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/tables.rs"]
mod targets;

use corpus::corpus;

#[test]
fn the_corpus_keeps_the_laws() {
    corpus("csv", targets::csv);
    corpus("ndjson", targets::ndjson);
    corpus("json_table", targets::json);
    corpus("parquet", targets::parquet);
}

/// Each byte of a file damaged, one at a time.
#[test]
fn parquet_keeps_the_law_whichever_byte_is_damaged() {
    let plain = fs::read(plain()).unwrap();
    for at in 0..plain.len() {
        for byte in [0x00, 0x81, plain[at] ^ 1] {
            let mut whole = plain.clone();
            whole[at] = byte;
            targets::parquet(&whole);
        }
    }
}

fn plain() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/parquet/plain")
}

/// Pieces of records in any order: more often nearly right than letters are.
fn records(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat())
}

const CSV: &[&str] = &[
    "a",
    "b",
    ",",
    ";",
    "\t",
    "|",
    "\n",
    "\r\n",
    "\r",
    "\"",
    "\"\"",
    "1",
    "-2.5",
    "1e9",
    "NA",
    "true",
    "2026-01-31",
    " ",
    "'",
    "\u{feff}",
    "ü",
    "\0",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\"",
    "\"a\":1",
    "\"b\":\"x\"",
    "{\"a\":1}",
    "{\"a\":null,\"b\":true}",
    "1",
    "-2.5e3",
    "null",
    "\"",
    "\\",
    "\\u00",
    "\n",
    " ",
    "ü",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn csv_keeps_the_law(text in prop_oneof![records(CSV), ".{0,60}"]) {
        targets::csv(text.as_bytes());
    }

    #[test]
    fn ndjson_keeps_the_law(text in prop_oneof![records(JSON), ".{0,60}"]) {
        targets::ndjson(text.as_bytes());
    }

    #[test]
    fn json_keeps_the_law(text in prop_oneof![records(JSON).prop_map(|text| format!("[{text}")), ".{0,60}"]) {
        targets::json(text.as_bytes());
    }

    #[test]
    fn parquet_keeps_the_law(bytes in prop::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), byte: u8) {
        targets::parquet(&[b"PAR1", &bytes[..], b"PAR1"].concat());
        let mut whole = fs::read(plain()).unwrap();
        let at = at.index(whole.len());
        whole[at] = byte;
        targets::parquet(&whole);
    }
}
