//! The laws of the fuzz targets, on their corpus and on thousands of inputs made up here.

use proptest::prelude::*;

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/laws.rs"]
mod targets;

use corpus::corpus;

#[test]
fn the_corpus_keeps_the_laws() {
    corpus("filter", targets::filter);
    corpus("cursor", targets::cursor);
    corpus("json", targets::json);
}

/// Words of the grammar in any order: more often nearly right than letters are.
fn nearly() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "or",
        "and",
        "not.",
        "(",
        ")",
        ",",
        "=",
        ".",
        "\"",
        "\\",
        "->",
        "->>",
        "name",
        "count",
        "score",
        "price",
        "open",
        "made_at",
        "due_on",
        "address",
        "tags",
        "metadata",
        "id",
        ".eq.",
        ".neq.",
        ".gt.",
        ".in.(",
        ".like.",
        ".ilike.",
        ".is.null",
        ".is.true",
        ".has.",
        "eq.",
        "in.(",
        "a",
        "*",
        "%",
        "'",
        ";--",
        "17",
        "-1.5",
        "true",
        "2026-01-31",
        "{\"a\":1}",
        "\u{0}",
        "ü",
        " ",
        "drop table x",
    ];
    prop::collection::vec(prop::sample::select(WORDS), 0..24).prop_map(|words| words.concat())
}

/// Tests that are right, on their own and in groups.
fn right() -> impl Strategy<Value = String> {
    const COLUMNS: &[&str] =
        &["name", "count", "score", "price", "made_at", "due_on", "metadata->>a", "tags"];
    const OPERATORS: &[&str] = &["eq", "neq", "gt", "like", "ilike", "has", "not.eq"];
    let value =
        prop_oneof!["[a-z'\";%*$]{0,12}", "-?[0-9]{1,12}", Just("2026-01-31".to_owned()), ".{0,8}"];
    let test = (prop::sample::select(COLUMNS), prop::sample::select(OPERATORS), value).prop_map(
        |(column, operator, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            format!("{column}.{operator}.\"{value}\"")
        },
    );
    prop::collection::vec(test, 1..4).prop_map(|tests| format!("or=({})", tests.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn filters_keep_the_law(text in prop_oneof![nearly(), right(), ".{0,60}"]) {
        targets::filter(text.as_bytes());
    }

    #[test]
    fn cursors_keep_the_law(bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..80), "[A-Za-z0-9_-]{0,80}".prop_map(String::into_bytes)]) {
        targets::cursor(&bytes);
    }

    #[test]
    fn bodies_keep_the_law(text in prop_oneof![".{0,80}", "[\\[\\]{}\",:0-9.e+-]{0,80}"]) {
        targets::json(text.as_bytes());
    }
}
