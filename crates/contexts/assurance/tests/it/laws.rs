//! The laws of the fuzz targets, on their corpus and on inputs made up here.

use proptest::prelude::*;

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/schedules.rs"]
mod targets;

use corpus::corpus;

#[test]
fn the_corpus_keeps_the_laws() {
    corpus("schedule", targets::schedule);
    corpus("feed_batch", targets::batch);
}

/// Five fields, most of them right.
fn expressions() -> impl Strategy<Value = String> {
    const FIELDS: &[&str] = &[
        "*", "*/7", "*/31", "0", "1", "7", "29", "31", "59", "1-5", "5/20", "1,13", "feb",
        "FEB,jul", "mon-fri", "sun", "2", "10-2", "*/0", "60", "", "-", ",",
    ];
    prop::collection::vec(prop::sample::select(FIELDS), 4..7).prop_map(|fields| fields.join(" "))
}

/// Rows in any of the formats, with what breaks them.
fn batches() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "{\"a\":1}",
        "{\"a\":null,\"b\":\"x\"}",
        "{\"a\":[1]}",
        "{}",
        "[",
        "]",
        ",",
        "\n",
        "\r\n",
        "\"",
        "a,b",
        "1,2",
        "-0.0",
        "1e999",
        "true",
        "\u{feff}",
        "\\u0000",
        "\u{0}",
        "x",
    ];
    prop::collection::vec(prop::sample::select(PARTS), 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn schedules_keep_the_law(text in prop_oneof![expressions(), "[0-9*,/a-z -]{0,30}"]) {
        targets::schedule(text.as_bytes());
    }

    #[test]
    fn batches_of_rows_keep_the_law(text in prop_oneof![batches(), "[\\[\\]{}\",:0-9.e+\n-]{0,60}"]) {
        targets::batch(text.as_bytes());
    }
}
