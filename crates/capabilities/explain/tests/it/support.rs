//! Files of `tests/data`, and comparisons.

use std::path::PathBuf;

use ephor_explain::{CancellationToken, Explanation, Forest, Linear, Model, Rows, read, shap};
use serde_json::Value;

fn path(folder: &str, file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder).join(file)
}

pub fn bytes(folder: &str, file: &str) -> Vec<u8> {
    std::fs::read(path(folder, file)).unwrap()
}

pub fn forest(folder: &str, file: &str) -> Forest {
    forest_of(&bytes(folder, file))
}

pub fn forest_of(content: &[u8]) -> Forest {
    let Model::Forest(forest) = read(content).unwrap().1 else { panic!("it is no forest") };
    forest
}

pub fn model(folder: &str, file: &str) -> Model {
    read(&bytes(folder, file)).unwrap_or_else(|fault| panic!("{file}: {fault}")).1
}

pub fn linear(folder: &str, file: &str) -> Linear {
    let Model::Linear(linear) = model(folder, file) else { panic!("it is not linear") };
    linear
}

pub fn json(folder: &str, file: &str) -> Value {
    serde_json::from_slice(&bytes(folder, file)).unwrap()
}

/// Numbers of JSON, one list of all; null is missing.
pub fn flat(json: &Value) -> Vec<f64> {
    match json {
        Value::Array(all) => all.iter().flat_map(flat).collect(),
        one => vec![one.as_f64().unwrap_or(f64::NAN)],
    }
}

/// Rows of CSV under a head; an empty field is missing.
pub fn rows(folder: &str, file: &str) -> Rows {
    let text = String::from_utf8(bytes(folder, file)).unwrap();
    let mut lines = text.lines();
    let width = lines.next().unwrap().split(',').count();
    let value = |field: &str| if field.is_empty() { f64::NAN } else { field.parse().unwrap() };
    Rows::new(lines.flat_map(|line| line.split(',').map(value)).collect(), width)
}

pub fn first(rows: &Rows, count: usize) -> Rows {
    Rows::new(rows.iter().take(count).flatten().copied().collect(), rows.width())
}

/// The numbers of an array that `numpy.save` wrote: little-endian, row by row: whole ones, or of 32 or 64 bits.
pub fn numbers(folder: &str, file: &str) -> Vec<f64> {
    let bytes = bytes(folder, file);
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let head = String::from_utf8_lossy(&bytes[10..10 + length]).into_owned();
    assert!(head.contains("'fortran_order': False"), "{head}");
    let data = &bytes[10 + length..];
    if head.contains("<f4") {
        data.as_chunks().0.iter().map(|four| f64::from(f32::from_le_bytes(*four))).collect()
    } else if head.contains("<i8") {
        data.as_chunks().0.iter().map(|eight| i64::from_le_bytes(*eight) as f64).collect()
    } else {
        assert!(head.contains("<f8"), "{head}");
        data.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight)).collect()
    }
}

/// All are as near as `tolerance`.
pub fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(error <= tolerance, "value {place}: {found} is not {expected}, by {error}");
    }
}

/// base + sum of the values = margin, for every row and output.
pub fn assert_efficient(forest: &Forest, rows: &Rows, explained: &Explanation) {
    for (index, row) in rows.iter().enumerate() {
        for (output, margin) in forest.margin(row).into_iter().enumerate() {
            let sum: f64 = explained.row(index, output).iter().sum();
            assert!((explained.base[output] + sum - margin).abs() < 1e-9, "row {index}");
        }
    }
}

pub fn path_dependent(forest: &Forest, rows: &Rows) -> Explanation {
    let found = shap::path_dependent(forest, rows, &(), &CancellationToken::new()).unwrap();
    assert_efficient(forest, rows, &found);
    found
}

pub fn interventional(forest: &Forest, rows: &Rows, background: &Rows) -> Explanation {
    let cancel = CancellationToken::new();
    let found = shap::interventional(forest, rows, background, &(), &cancel).unwrap();
    assert_efficient(forest, rows, &found);
    found
}

pub fn interactions(forest: &Forest, rows: &Rows) -> Explanation {
    let found = shap::interactions(forest, rows, &(), &CancellationToken::new()).unwrap();
    assert_efficient(forest, rows, &found);
    found
}

pub fn in_probability(forest: &Forest, rows: &Rows, background: &Rows) -> Explanation {
    let cancel = CancellationToken::new();
    let found = shap::in_probability(forest, rows, background, &(), &cancel).unwrap();
    for (index, predicted) in forest.predict(rows).unwrap().iter().enumerate() {
        for (output, predicted) in predicted.iter().enumerate() {
            let sum: f64 = found.row(index, output).iter().sum();
            assert!((found.base[output] + sum - predicted).abs() < 1e-9, "row {index}");
        }
    }
    found
}
