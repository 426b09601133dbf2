//! scikit-learn 1.9.1 and shap 0.51.0 on a forest of 40 trees (Adult), with an output for each of two classes.

use crate::support::{
    assert_near, first, forest, in_probability, interactions, interventional, numbers,
    path_dependent, rows,
};

const FOLDER: &str = "rf_binary";

/// Arrays of (rows, features, classes) as we have them: row by row, class by class.
fn by_class(file: &str) -> Vec<f64> {
    let of_row = |row: &[f64]| -> Vec<f64> {
        (0..2).flat_map(|class| row.chunks(2).map(move |both| both[class])).collect()
    };
    numbers(FOLDER, file).chunks(22).flat_map(of_row).collect()
}

#[test]
fn predictions_are_the_origins() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let shares: Vec<f64> = forest.predict(&rows).unwrap().concat();
    assert_near(&shares, &numbers(FOLDER, "pred_prob.npy"), 1e-12);
}

#[test]
fn onnx_predicts_what_its_runtime_does() {
    let (forest, rows) = (forest(FOLDER, "model.onnx"), rows(FOLDER, "X.csv"));
    let expected = numbers(FOLDER, "model_onnxruntime_pred.npy");
    let second: Vec<f64> = expected.chunks(2).map(|both| both[1]).collect();
    assert_near(&forest.predict(&rows).unwrap().concat(), &second, 1e-6);
}

#[test]
fn path_dependent_values_are_the_peers() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let found = path_dependent(&forest, &rows);
    assert_near(&found.base, &[0.759_084_487_577_162_8, 0.240_915_512_422_837_15], 1e-9);
    assert_near(&found.values, &by_class("shap_tree_path_dependent.npy"), 1e-9);
}

#[test]
fn interactions_are_the_peers() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let found = interactions(&forest, &first(&rows, 50));
    // Of (rows, features, features, classes) row by row, class by class.
    let expected: Vec<f64> = numbers(FOLDER, "shap_interactions_first50.npy")
        .chunks(11 * 11 * 2)
        .flat_map(|row| (0..2).flat_map(move |class| row.chunks(2).map(move |both| both[class])))
        .collect();
    assert_near(&found.values, &expected, 1e-9);
}

#[test]
fn interventional_values_are_those_of_all_coalitions() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let background = crate::support::rows(FOLDER, "background.csv");
    let found = interventional(&forest, &rows, &background);
    assert_near(&found.values, &by_class("shap_interventional.npy"), 1e-6);
    let (few, others) = (first(&rows, 5), first(&background, 20));
    let found = interventional(&forest, &few, &others);
    assert_near(&found.base, &numbers(FOLDER, "shap_interventional_BRUTEFORCE_base.npy"), 1e-9);
    let expected = by_class("shap_interventional_BRUTEFORCE_first5_bg20.npy");
    assert_near(&found.values, &expected, 1e-9);
    // Of the shares of classes the margin is the probability.
    let few = first(&rows, 50);
    let found = in_probability(&forest, &few, &background);
    assert_near(&found.values, &by_class("shap_interventional_probability_first50.npy"), 1e-6);
}
