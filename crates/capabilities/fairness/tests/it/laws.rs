//! The laws of the fuzz targets, on their corpus and on thousands of inputs made up here.

use std::{
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use ephor_fairness::{
    MitigationArtifact,
    cube::{Cube, Layout},
    task::TaskSpec,
};
use proptest::prelude::*;
use serde_json::{Value, from_str};

#[path = "../../../../../fuzz/corpus.rs"]
mod corpus;
#[path = "../../../../../fuzz/states.rs"]
mod states;
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

#[test]
fn specifications_mitigations_and_cubes_of_the_corpus_keep_the_laws() {
    corpus("spec", states::spec);
    corpus("mitigation", states::mitigation);
    corpus("cube", states::cube);
    let read = |target: &str, name: &str| fs::read_to_string(folder(target).join(name)).unwrap();
    for name in ["binary", "scores", "regression", "multiclass", "ranking"] {
        TaskSpec::read(&from_str(&read("spec", name)).unwrap()).unwrap();
    }
    for name in ["thresholds", "weights", "drawn"] {
        let artifact: MitigationArtifact = from_str(&read("mitigation", name)).unwrap();
        assert!(artifact.faults().is_empty(), "{name}");
    }
    // Room is made for a cube's attributes before anything else is read.
    for name in ["many_attributes", "many_cells", "many_scores", "great_length"] {
        Cube::from_bytes(&fs::read(folder("cube").join(name)).unwrap()).unwrap_err();
    }
}

static STATE: LazyLock<Vec<u8>> = LazyLock::new(state);

/// The state of a small cube of two attributes, labels, predictions, scores and weights.
fn state() -> Vec<u8> {
    let layout = Layout {
        attributes: 2,
        label: true,
        prediction: true,
        score: true,
        weight: true,
        positive: None,
        threshold: 0.5,
    };
    let rows = 0..40_i64;
    let bit = |rows: std::ops::Range<i64>, every: i64| {
        Arc::new(Int64Array::from_iter_values(rows.map(|row| i64::from(row % every == 0))))
            as ArrayRef
    };
    let names = rows.clone().map(|row| format!("g{}", row % 3));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(names)),
        bit(rows.clone(), 4),
        bit(rows.clone(), 2),
        bit(rows.clone(), 5),
        Arc::new(Float64Array::from_iter_values(rows.clone().map(|row| row as f64 / 64.0))),
        Arc::new(Float64Array::from_iter_values(rows.map(|row| (row % 4) as f64))),
    ];
    let mut cube = Cube::new(layout);
    cube.update(&columns).unwrap();
    cube.to_bytes()
}

/// A specification or a mitigation of the corpus, of which some values are others.
fn changed(target: &'static str, names: &'static [&'static str]) -> impl Strategy<Value = String> {
    const VALUES: &[&str] =
        &["null", "-1", "1e308", "\"\"", "[]", "{}", "\"a\\u0000\"", "true", "0.5", "[\"sex\"]"];
    let place = any::<prop::sample::Index>();
    let changes = prop::collection::vec((place, prop::sample::select(VALUES)), 1..4);
    (prop::sample::select(names), changes).prop_map(move |(name, changes)| {
        let text = fs::read_to_string(folder(target).join(name)).unwrap();
        let mut json: Value = from_str(&text).unwrap();
        for (place, value) in changes {
            let mut pointers = Vec::new();
            pointers_of(&json, "", &mut pointers);
            let pointer = &pointers[place.index(pointers.len())];
            if let Some(found) = json.pointer_mut(pointer) {
                *found = from_str(value).unwrap();
            }
        }
        json.to_string()
    })
}

/// Where each value is.
fn pointers_of(json: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match json {
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                pointers_of(value, &format!("{here}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers_of(value, &format!("{here}/{name}"), found);
            }
        }
        _ => {}
    }
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

    #[test]
    fn specifications_keep_the_law(text in prop_oneof![
        changed("spec", &["binary", "scores", "regression", "multiclass", "ranking"]),
        "[\\[\\]{}\",:0-9.e+-]{0,40}",
    ]) {
        states::spec(text.as_bytes());
    }

    #[test]
    fn mitigations_keep_the_law(text in changed("mitigation", &["thresholds", "weights", "drawn"])) {
        states::mitigation(text.as_bytes());
    }

    #[test]
    fn cubes_keep_the_law(
        at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let mut bytes = STATE.clone();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        states::cube(&bytes);
    }
}
