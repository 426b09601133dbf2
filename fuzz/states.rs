//! What holds for every specification, mitigation and cube that is read, whoever wrote it. The fuzz targets and the tests of
//! ephor-fairness share this file.

use arrow::datatypes::{DataType, Field, Schema};
use ephor_fairness::{Fault, MitigationArtifact, cube::Cube, mitigation::Rules, task::TaskSpec};
use serde_json::Value;

/// A specification of an analysis: reading never panics, what is refused says why and where, and what was read is written and
/// read as the same, and can be checked against any columns.
pub fn spec(input: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(input) else { return };
    match TaskSpec::read(&json) {
        Ok(spec) => {
            let written = spec.to_json().expect("it is written");
            assert_eq!(TaskSpec::read(&written).as_ref(), Ok(&spec), "{written}");
            told(&spec.faults());
            told(&spec.column_faults(&columns()));
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a word: {json}");
            told(&faults);
        }
    }
}

/// A mitigation: reading never panics, and what was read is written and read as the same. One without faults decides by
/// probabilities, whatever the score.
pub fn mitigation(input: &[u8]) {
    let Ok(artifact) = serde_json::from_slice::<MitigationArtifact>(input) else { return };
    let again = serde_json::to_string(&artifact).expect("it is written");
    let again: MitigationArtifact = serde_json::from_str(&again).expect("what was written reads");
    assert_eq!(again, artifact);
    let faults = artifact.faults();
    told(&faults);
    let Rules::Scores { fallback, groups, .. } = &artifact.rules else { return };
    if !faults.is_empty() {
        return;
    }
    let rules = groups.iter().map(|group| &group.rule).chain([fallback]);
    for rule in rules {
        let steps = rule.steps.iter().map(|step| step.from);
        for score in steps.chain([f64::NEG_INFINITY, -0.0, 0.5, f64::MAX, f64::NAN]) {
            let probability = rule.probability(score);
            assert!((0.0..=1.0).contains(&probability), "{probability} at {score}");
            let is_certain = probability == 0.0 || probability == 1.0;
            assert!(is_certain || !artifact.is_deterministic());
        }
    }
}

/// A cube's state: reading never panics nor takes room that the bytes do not fill, and what was read is written as a state of the
/// same cells.
pub fn cube(input: &[u8]) {
    let Ok(read) = Cube::from_bytes(input) else { return };
    let again = Cube::from_bytes(&read.to_bytes()).expect("what was written reads");
    assert_eq!(again.cells(), read.cells());
    assert_eq!(again.to_bytes().len(), read.to_bytes().len());
}

/// Columns of several kinds.
fn columns() -> Schema {
    let field = |name: &str, kind: DataType| Field::new(name, kind, true);
    let list = DataType::new_list(DataType::Int64, true);
    Schema::new(vec![
        field("y", DataType::Int64),
        field("p", DataType::Float64),
        field("sex", DataType::Utf8),
        field("", DataType::Boolean),
        field("list", list),
    ])
}

fn told(faults: &[Fault]) {
    for fault in faults {
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{fault:?}");
        assert!(fault.where_.is_empty() || fault.where_.starts_with('/'), "{fault:?}");
    }
}
