//! Permutation importance against scikit-learn's own.

use ephor_explain::{
    CancellationToken, ExplainError, Rows, Scorer,
    permutation::{Importances, Metric, Settings, by, importance},
};

use crate::{
    black_box::{json, made, noise, rf_binary},
    support::{assert_near, numbers, rows},
};

fn ask(
    model: &dyn Scorer,
    rows: &Rows,
    targets: &[f64],
    metric: Metric,
    seed: u64,
) -> Result<Importances, ExplainError> {
    let settings = Settings { metric, repeats: 5, seed };
    importance(model, rows, targets, &settings, &(), &CancellationToken::new())
}

fn adult() -> (Rows, Vec<f64>) {
    let targets = rows("rf_binary", "perm_y.csv");
    (rows("rf_binary", "perm_X.csv"), targets.iter().flatten().copied().collect())
}

#[test]
fn the_same_permutations_give_the_same_importances() {
    let (rows, targets) = adult();
    let permutations: Vec<Vec<usize>> = numbers("rf_binary", "perm_indices.npy")
        .chunks_exact(2_000)
        .map(|order| order.iter().map(|place| *place as usize).collect())
        .collect();
    let expected = json("rf_binary", "permutation_importance.json");
    let model = rf_binary();
    for (metric, name, baseline) in [
        (Metric::Accuracy, "accuracy", "accuracy"),
        (Metric::RocAuc, "roc_auc", "roc_auc"),
        (Metric::LogLoss, "log_loss", "log_loss"),
    ] {
        let cancel = CancellationToken::new();
        let found = by(&model, &rows, &targets, metric, &permutations, &(), &cancel).unwrap();
        assert_near(&[found.baseline], &[expected["baseline"][baseline].as_f64().unwrap()], 1e-9);
        let saved = expected.as_object().unwrap().iter();
        let saved =
            saved.clone().find(|(key, _)| key.starts_with("with_saved_permutations")).unwrap().1;
        for (feature, found) in found.features.iter().enumerate() {
            let expected: Vec<f64> =
                (0..3).map(|repeat| saved[repeat][feature][name].as_f64().unwrap()).collect();
            assert_near(&found.repeats, &expected, 1e-9);
        }
    }
}

#[test]
fn chance_differs_as_scikit_learns_does() {
    let (rows, targets) = adult();
    let expected = json("rf_binary", "permutation_importance.json");
    let expected = &expected["sklearn_permutation_importance_seed0_5rep"]["roc_auc"];
    let found = ask(&rf_binary(), &rows, &targets, Metric::RocAuc, 1).unwrap();
    for (feature, found) in found.features.iter().enumerate() {
        let mean = expected["mean"][feature].as_f64().unwrap();
        let deviation = expected["std"][feature].as_f64().unwrap().max(found.deviation);
        let error = 5.0 * deviation * (2.0 / 5.0_f64).sqrt() + 1e-4;
        assert!((found.mean - mean).abs() < error, "{feature}: {} {mean} {error}", found.mean);
    }
}

#[test]
fn what_does_not_matter_has_no_importance() {
    let mut values = noise(300 * 4);
    for row in values.chunks_exact_mut(4) {
        row[3] = 7.0;
    }
    let rows = Rows::new(values, 4);
    let model = made(4, |row| 3.0 * row[0] - row[1] + row[3]);
    let targets: Vec<f64> = model.score(&rows).unwrap();
    for metric in [Metric::R2, Metric::MeanSquaredError, Metric::MeanAbsoluteError] {
        let found = ask(&model, &rows, &targets, metric, 0).unwrap();
        let means: Vec<f64> = found.features.iter().map(|feature| feature.mean).collect();
        assert!(means[0] > 2.0 * means[1] && means[1] > 0.0, "{means:?}");
        assert_eq!(means[2..], [0.0, 0.0]);
        assert_eq!(found, ask(&model, &rows, &targets, metric, 0).unwrap());
    }
}

#[test]
fn what_a_metric_cannot_measure_is_refused() {
    let model = made(2, |row| row[0]);
    let rows = Rows::new(vec![0.1, 1.0, 0.9, 2.0], 2);
    for (targets, metric, words) in [
        (&[1.0, 1.0][..], Metric::RocAuc, "one class"),
        (&[1.0, 1.0], Metric::R2, "the same"),
        (&[1.0, f64::NAN], Metric::Accuracy, "row 1 is missing"),
        (&[1.0, 2.0], Metric::LogLoss, "not a class"),
        (&[1.0], Metric::Accuracy, "2 rows, and 1 targets"),
    ] {
        let refused = ask(&model, &rows, targets, metric, 0).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let none = Rows::new(Vec::new(), 2);
    assert!(matches!(ask(&model, &none, &[], Metric::R2, 0), Err(ExplainError::NoRows)));
    let one = ask(&model, &Rows::new(vec![0.1, 1.0], 2), &[0.0], Metric::Accuracy, 0).unwrap();
    assert_eq!((one.baseline, one.features[0].mean), (1.0, 0.0));
    let odd = Rows::new(vec![f64::INFINITY, 1.0], 2);
    assert!(matches!(
        ask(&model, &odd, &[0.0], Metric::Accuracy, 0),
        Err(ExplainError::NoNumber { .. })
    ));
    assert!(matches!(
        ask(
            &rf_binary(),
            &crate::support::rows("rf_binary", "X.csv"),
            &[0.0; 200],
            Metric::MeanSquaredError,
            0
        ),
        Err(ExplainError::Asked(_))
    ));
}
