//! XGBoost 3.2.0 and shap 0.51.0 on a classifier of 60 trees of depth 4 (Adult, with missing values).

use crate::support::{
    assert_near, first, forest, in_probability, interactions, interventional, numbers,
    path_dependent, rows,
};

const FOLDER: &str = "xgb_binary";

#[test]
fn predictions_are_the_origins() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let margins: Vec<f64> = rows.iter().flat_map(|row| forest.margin(row)).collect();
    let expected = numbers(FOLDER, "pred_margin.npy");
    let scale = expected.iter().fold(1.0_f64, |most, margin| most.max(margin.abs()));
    assert_near(&margins, &expected, 1e-6 * scale);
    let probabilities: Vec<f64> = forest.predict(&rows).unwrap().concat();
    assert_near(&probabilities, &numbers(FOLDER, "pred_prob.npy"), 1e-6);
}

#[test]
fn path_dependent_values_are_both_peers() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let found = path_dependent(&forest, &rows);
    assert_near(&found.base, &[-1.223_949_313_163_757_3], 1e-5);
    assert_near(&found.values, &numbers(FOLDER, "shap_tree_path_dependent.npy"), 1e-5);
    // The last of each row is the base.
    let contributions = numbers(FOLDER, "xgb_pred_contribs.npy");
    let features: Vec<f64> = contributions.chunks(12).flat_map(|row| row[..11].to_vec()).collect();
    assert_near(&found.values, &features, 1e-5);
}

#[test]
fn interactions_are_the_peers() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let found = interactions(&forest, &first(&rows, 50));
    assert_near(&found.values, &numbers(FOLDER, "shap_interactions_first50.npy"), 1e-5);
    // XGBoost's own have a last line and column for the base.
    let own = numbers(FOLDER, "xgb_pred_interactions_first50.npy");
    let features: Vec<f64> = own
        .chunks(12 * 12)
        .flat_map(|row| row.chunks(12).take(11).flat_map(|line| line[..11].to_vec()))
        .collect();
    assert_near(&found.values, &features, 1e-5);
}

#[test]
fn interventional_values_are_those_of_all_coalitions() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let background = crate::support::rows(FOLDER, "background.csv");
    let found = interventional(&forest, &rows, &background);
    assert_near(&found.base, &[-2.112_937_585_373_841], 1e-5);
    assert_near(&found.values, &numbers(FOLDER, "shap_interventional.npy"), 1e-5);
    let few = interventional(&forest, &first(&rows, 5), &first(&background, 20));
    assert_near(&few.base, &numbers(FOLDER, "shap_interventional_BRUTEFORCE_base.npy"), 1e-5);
    assert_near(
        &few.values,
        &numbers(FOLDER, "shap_interventional_BRUTEFORCE_first5_bg20.npy"),
        1e-5,
    );
}

/// Splits on categories, of one and of several; rows with categories that no training row had, and with numbers that are none.
#[test]
fn categories_go_as_in_the_origin() {
    let folder = "xgb_categories";
    let (forest, rows) = (forest(folder, "model.json"), rows(folder, "X.csv"));
    let margins: Vec<f64> = rows.iter().flat_map(|row| forest.margin(row)).collect();
    assert_near(&margins, &numbers(folder, "pred_margin.npy"), 1e-5);
    let found = path_dependent(&forest, &rows);
    let contributions = numbers(folder, "xgb_pred_contribs.npy");
    let features: Vec<f64> = contributions.chunks(4).flat_map(|row| row[..3].to_vec()).collect();
    assert_near(&found.values, &features, 1e-5);
}

/// The same model as UBJSON: bit for bit.
#[test]
fn ubjson_is_the_same_model() {
    let (json, ubjson) = (forest(FOLDER, "model.json"), forest(FOLDER, "model.ubj"));
    assert!(json == ubjson);
    let (rows, background) =
        (rows(FOLDER, "X.csv"), crate::support::rows(FOLDER, "background.csv"));
    assert_eq!(json.predict(&rows).unwrap(), ubjson.predict(&rows).unwrap());
    assert_eq!(path_dependent(&json, &rows), path_dependent(&ubjson, &rows));
    let few = first(&rows, 20);
    assert_eq!(
        interventional(&json, &few, &background),
        interventional(&ubjson, &few, &background)
    );
}

#[test]
fn onnx_predicts_what_its_runtime_does() {
    let (forest, rows) = (forest(FOLDER, "model.onnx"), rows(FOLDER, "X.csv"));
    let expected = numbers(FOLDER, "model_onnxruntime_pred.npy");
    let second: Vec<f64> = expected.chunks(2).map(|both| both[1]).collect();
    assert_near(&forest.predict(&rows).unwrap().concat(), &second, 1e-6);
    let background = crate::support::rows(FOLDER, "background.csv");
    let found = interventional(&forest, &rows, &background);
    assert_near(&found.values, &numbers(FOLDER, "shap_interventional.npy"), 1e-5);
}

#[test]
fn values_in_the_unit_of_the_probability_are_the_peers() {
    let (forest, rows) = (forest(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let background = crate::support::rows(FOLDER, "background.csv");
    let found = in_probability(&forest, &first(&rows, 50), &background);
    assert_near(&found.base, &[0.247_184_634_041_628_1], 1e-6);
    let expected = numbers(FOLDER, "shap_interventional_probability_first50.npy");
    assert_near(&found.values, &expected, 1e-6);
}
