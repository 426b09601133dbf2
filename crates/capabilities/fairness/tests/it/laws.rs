//! The laws of the fuzz targets, on their corpus and on thousands of inputs made up here.

use std::{fs, path::Path};

use proptest::prelude::*;

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/gates.rs"]
mod targets;

use corpus::corpus;

fn folder(target: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(target)
}

#[test]
fn the_corpus_keeps_the_laws() {
    corpus("policy", targets::policy);
    corpus("baseline", targets::baseline);
    let whole = fs::read_to_string(folder("baseline").join("whole")).unwrap();
    // A corpus of nothing but refused inputs would hold nothing to the laws.
    ephor_fairness::gate::read_baseline(&whole).unwrap();
    let whole = fs::read_to_string(folder("policy").join("whole")).unwrap();
    ephor_fairness::gate::Policy::read(&whole).unwrap();
}

/// Lines of policies in any order, some of them right.
fn nearly() -> impl Strategy<Value = String> {
    const LINES: &[&str] = &[
        "fail_on = 'regression'",
        "fail_on = 'never'",
        "min_rows = 10",
        "min_rows = 1.5",
        "min_compliance_score = 1e2",
        "required_attributes = ['sex', '']",
        "required_attributes = ['a|b']",
        "metrics = ['overall.accuracy >= 0.8', 'a.b.tpr<=-1']",
        "metrics = ['groups.recall >= 1e-300']",
        "[thresholds]",
        "for_parity_ratio = 0.2",
        "for_ratio = 0.2",
        "demographic_parity_difference = 0",
        "[attributes.sex.thresholds]",
        "[attributes.'a.b'.thresholds]",
        "[[allow]]",
        "id = 'tpr'",
        "id = 'recall'",
        "attribute = 'sex'",
        "reason = 'ü\u{1b}'",
        "expires = 2026-12-31",
        "expires = '2026-12-31'",
        "expires = 12:00:00",
        "{\"thresholds\": {}}",
        "a = [",
        "]",
        "x = true",
    ];
    prop::collection::vec(prop::sample::select(LINES), 0..14).prop_map(|lines| lines.join("\n"))
}

/// The whole baseline with some of its words replaced.
fn altered() -> impl Strategy<Value = String> {
    const WORDS: &[&str] =
        &["null", "-1e308", "1e308", "\"\"", "[]", "0", "\"fail\"", "{}", "\"a\\u0000\""];
    let place = any::<prop::sample::Index>();
    prop::collection::vec((place, prop::sample::select(WORDS)), 1..4).prop_map(|changes| {
        let text = fs::read_to_string(folder("baseline").join("whole")).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (place, word) in changes {
            let at = place.index(lines.len());
            let comma = if lines[at].ends_with(',') { "," } else { "" };
            if let Some((name, _)) =
                lines[at].split_once(": ").filter(|(_, value)| !value.ends_with(['{', '[']))
            {
                lines[at] = format!("{name}: {word}{comma}");
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn policies_keep_the_law(text in prop_oneof![nearly(), ".{0,60}", "[a-z_=\\[\\]{}\"'.0-9\n -]{0,60}"]) {
        targets::policy(text.as_bytes());
    }

    #[test]
    fn baselines_keep_the_law(text in prop_oneof![altered(), "[\\[\\]{}\",:0-9.e+-]{0,80}"]) {
        targets::baseline(text.as_bytes());
    }
}
