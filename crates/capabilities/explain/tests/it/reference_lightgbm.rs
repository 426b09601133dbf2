//! LightGBM 4.7.0 on a classifier with categorical splits and missing values (Adult). Where shap 0.51.0 is wrong, the truth is
//! an enumeration of all coalitions.

use crate::support::{
    assert_near, first, forest, interactions, interventional, numbers, path_dependent, rows,
};

const FOLDER: &str = "lgb_binary_cat";

#[test]
fn predictions_are_the_origins() {
    let (forest, rows) = (forest(FOLDER, "model.txt"), rows(FOLDER, "X.csv"));
    let margins: Vec<f64> = rows.iter().flat_map(|row| forest.margin(row)).collect();
    assert_near(&margins, &numbers(FOLDER, "pred_margin.npy"), 1e-9);
    let probabilities: Vec<f64> = forest.predict(&rows).unwrap().concat();
    assert_near(&probabilities, &numbers(FOLDER, "pred_prob.npy"), 1e-9);
}

#[test]
fn path_dependent_values_are_those_of_all_coalitions() {
    let (forest, rows) = (forest(FOLDER, "model.txt"), rows(FOLDER, "X.csv"));
    let found = path_dependent(&forest, &rows);
    let contributions = numbers(FOLDER, "lgb_pred_contrib.npy");
    let features: Vec<f64> = contributions.chunks(12).flat_map(|row| row[..11].to_vec()).collect();
    assert_near(&found.values, &features, 1e-9);
    assert_near(&found.values[..33], &numbers(FOLDER, "shap_tpd_ENUMERATED_first3.npy"), 1e-9);
}

#[test]
fn interactions_are_those_of_all_coalitions() {
    let (forest, rows) = (forest(FOLDER, "model.txt"), rows(FOLDER, "X.csv"));
    let found = interactions(&forest, &first(&rows, 3));
    let expected = numbers(FOLDER, "shap_tpd_interactions_ENUMERATED_first3.npy");
    assert_near(&found.values, &expected, 1e-9);
}

#[test]
fn interventional_values_are_those_of_all_coalitions() {
    let (forest, rows) = (forest(FOLDER, "model.txt"), rows(FOLDER, "X.csv"));
    let background = crate::support::rows(FOLDER, "background.csv");
    let few = interventional(&forest, &first(&rows, 5), &first(&background, 20));
    assert_near(&few.base, &numbers(FOLDER, "shap_interventional_BRUTEFORCE_base.npy"), 1e-9);
    assert_near(
        &few.values,
        &numbers(FOLDER, "shap_interventional_BRUTEFORCE_first5_bg20.npy"),
        1e-9,
    );
}

/// Sets of categories are chains of equalities there.
#[test]
fn onnx_predicts_what_its_runtime_does() {
    let (of_onnx, rows) = (forest(FOLDER, "model.onnx"), rows(FOLDER, "X.csv"));
    let expected = numbers(FOLDER, "model_onnxruntime_pred.npy");
    let second: Vec<f64> = expected.chunks(2).map(|both| both[1]).collect();
    assert_near(&of_onnx.predict(&rows).unwrap().concat(), &second, 1e-6);
    let background = crate::support::rows(FOLDER, "background.csv");
    let few = interventional(&of_onnx, &first(&rows, 5), &first(&background, 20));
    let expected = numbers(FOLDER, "shap_interventional_BRUTEFORCE_first5_bg20.npy");
    assert_near(&few.values, &expected, 1e-5);
}
