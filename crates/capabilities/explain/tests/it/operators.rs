//! Graphs of every family of operators: as onnxruntime answers, and refused where they would take more than they may.

use ephor_explain::{CancellationToken, ExplainError, Model, Rows, Scorer as _, read};

use crate::support::{assert_near, bytes, flat, json};

const FOLDER: &str = "operators";
const FEATURES: usize = 12;

fn rows() -> Rows {
    Rows::new(flat(&json(FOLDER, "expected.json")["rows"]), FEATURES)
}

/// What is wrong with a model's predictions.
fn differs(name: &str, rows: &Rows, expected: &[f64]) -> Option<String> {
    let model = match read(&bytes(FOLDER, &format!("{name}.onnx"))) {
        Ok((_, model)) => model,
        Err(fault) => return Some(format!("{name}: {fault}")),
    };
    let found = match model.score(rows) {
        Ok(found) => found,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    if found.len() != expected.len() {
        return Some(format!("{name}: {} numbers, not {}", found.len(), expected.len()));
    }
    let mut pairs = found.iter().zip(expected).enumerate();
    let (place, (found, expected)) = pairs.find(|(_, (found, expected))| {
        let error = (*found - *expected).abs();
        error.is_nan() || error > 1e-5 * expected.abs().max(1.0)
    })?;
    Some(format!("{name}, value {place}: {found} is not {expected}"))
}

#[test]
fn operators_answer_as_onnxruntime_does() {
    let (expected, rows) = (json(FOLDER, "expected.json"), rows());
    let all = expected["predicted"].as_object().unwrap();
    assert!(all.len() >= 17);
    let faults: Vec<String> =
        all.iter().filter_map(|(name, predicted)| differs(name, &rows, &flat(predicted))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn operators_that_take_too_much_are_refused() {
    let expected = json(FOLDER, "expected.json");
    let all = expected["refused"].as_object().unwrap();
    assert!(all.len() >= 32);
    let told = all.iter().filter_map(|(name, words)| {
        let words = words.as_str().unwrap();
        match read(&bytes(FOLDER, &format!("{name}.onnx"))) {
            Ok(_) => Some(format!("{name} is read")),
            Err(fault) if fault.to_string().contains(words) => None,
            Err(fault) => Some(format!("{name}: {fault}")),
        }
    });
    let faults: Vec<String> = told.collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Cells and convolutions keep nothing of the rows that were asked with one.
#[test]
fn steps_and_windows_do_not_mix_rows() {
    let rows = rows();
    for name in ["lstm", "gru", "sequence"] {
        let model: Model = read(&bytes(FOLDER, &format!("{name}.onnx"))).unwrap().1;
        let many: Vec<f64> = (0..150).flat_map(|at| rows.row(at % rows.len()).to_vec()).collect();
        let all = model.predict(&Rows::new(many, FEATURES)).unwrap();
        assert_eq!(all.len(), 150);
        for (at, found) in all.iter().enumerate().step_by(7) {
            let row = Rows::new(rows.row(at % rows.len()).to_vec(), FEATURES);
            assert_near(found, &model.predict(&row).unwrap()[0], 1e-5);
        }
    }
}

/// Between two batches of one question, too.
#[test]
fn graphs_are_given_up() {
    let (rows, cancel) = (rows(), CancellationToken::new());
    let model: Model = read(&bytes(FOLDER, "beside.onnx")).unwrap().1;
    assert_eq!(model.score_until(&rows, &cancel).unwrap(), model.score(&rows).unwrap());
    cancel.cancel();
    assert!(matches!(model.score_until(&rows, &cancel), Err(ExplainError::Cancelled)));
}

#[test]
fn inputs_of_columns_are_one_of_rows() {
    let model: Model = read(&bytes(FOLDER, "columns.onnx")).unwrap().1;
    let names = model.features();
    assert_eq!(
        (names.len(), &names[..3]),
        (FEATURES, &["age", "income", "rest_0"].map(String::from)[..])
    );
}
