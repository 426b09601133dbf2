//! scikit-learn 1.9.1 and shap 0.51.0 on a logistic regression (Adult, standardised).

use ephor_explain::{CancellationToken, ExplainError, Link, Rows, Scorer as _, shap};

use crate::support::{assert_near, first, linear, model, numbers, rows};

const FOLDER: &str = "logistic";

#[test]
fn predictions_are_the_origins() {
    let (linear, rows) = (linear(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let margins: Vec<f64> = rows.iter().flat_map(|row| linear.margin(row)).collect();
    assert_near(&margins, &numbers(FOLDER, "pred_margin.npy"), 1e-9);
    let predicted = model(FOLDER, "model.json").score(&rows).unwrap();
    assert_near(&predicted, &numbers(FOLDER, "pred_prob.npy"), 1e-9);
}

#[test]
fn onnx_predicts_what_its_runtime_does() {
    let (linear, rows) = (linear(FOLDER, "model.onnx"), rows(FOLDER, "X.csv"));
    assert_eq!(linear.link, Link::Logistic { scale: 1.0 });
    let expected = numbers(FOLDER, "model_onnxruntime_pred.npy");
    let second: Vec<f64> = expected.chunks(2).map(|both| both[1]).collect();
    assert_near(&linear.predict(&rows).unwrap().concat(), &second, 1e-6);
}

#[test]
fn values_are_the_peers() {
    let (linear, rows) = (linear(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let background = crate::support::rows(FOLDER, "background.csv");
    let cancel = CancellationToken::new();
    let found = shap::linear(&linear, &rows, &background, &(), &cancel).unwrap();
    assert_near(&found.base, &[-1.472_452_227_668_887_8], 1e-9);
    assert_near(&found.values, &numbers(FOLDER, "shap_linear_interventional.npy"), 1e-9);
    for (index, row) in rows.iter().enumerate() {
        let sum: f64 = found.row(index, 0).iter().sum();
        assert_near(&[found.base[0] + sum], &linear.margin(row), 1e-9);
    }
}

#[test]
fn what_is_missing_is_told() {
    let (linear, rows) = (linear(FOLDER, "model.json"), rows(FOLDER, "X.csv"));
    let (cancel, few) = (CancellationToken::new(), first(&rows, 3));
    let none = Rows::new(Vec::new(), rows.width());
    let refused = shap::linear(&linear, &few, &none, &(), &cancel);
    assert!(matches!(refused, Err(ExplainError::NoBackground)));
    let mut values: Vec<f64> = few.iter().flatten().copied().collect();
    values[rows.width() + 2] = f64::NAN;
    let gaps = Rows::new(values, rows.width());
    let refused = shap::linear(&linear, &gaps, &few, &(), &cancel).unwrap_err().to_string();
    assert!(refused.contains("row 1 has no finite value of `capital_gain`"), "{refused}");
    let refused = shap::linear(&linear, &gaps, &few, &(), &cancel).unwrap_err().after(500);
    assert!(refused.to_string().contains("row 501 has no finite value"), "{refused}");
    let refused = shap::linear(&linear, &few, &gaps, &(), &cancel).unwrap_err().after(500);
    assert!(refused.to_string().contains("row 1 of the background has no finite"), "{refused}");
    cancel.cancel();
    let stopped = shap::linear(&linear, &few, &few, &(), &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}
