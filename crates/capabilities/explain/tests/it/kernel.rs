//! Kernel SHAP against exact values, and the properties that define Shapley values.

use ephor_explain::{
    CancellationToken, ExplainError, Rows, Scorer,
    kernel::{Estimated, Settings, explain},
};

use crate::{
    black_box::{logistic, made, noise, rf_binary},
    support::{assert_near, first, numbers, rows},
};

fn run(model: &dyn Scorer, rows: &Rows, background: &Rows, settings: &Settings) -> Estimated {
    let found = explain(model, rows, background, settings, &(), &CancellationToken::new()).unwrap();
    let predicted = model.score(rows).unwrap();
    let outputs = model.outputs();
    for row in 0..rows.len() {
        for output in 0..outputs {
            let sum: f64 = found.explanation.row(row, output).iter().sum();
            let whole = predicted[row * outputs + output] - found.explanation.base[output];
            assert!((sum - whole).abs() < 1e-9, "row {row}: {sum} is not {whole}");
        }
    }
    found
}

#[test]
fn enumerated_values_are_exact() {
    let (all, background) = (rows("logistic", "X.csv"), rows("logistic", "background.csv"));
    let found = run(&logistic(), &first(&all, 10), &background, &Settings::default());
    assert_near(&found.explanation.base, &[0.256_773_177_785_362_5], 1e-9);
    let exact = numbers("logistic", "shap_exact_probability_first10.npy");
    assert_near(&found.explanation.values, &exact, 1e-9);
    assert!(found.exact.iter().all(|exact| *exact));
    assert!(found.errors.iter().all(|error| *error == 0.0));
    assert!(found.tried.iter().all(|tried| *tried == 2_046));
}

#[test]
fn both_outputs_of_a_forest_are_explained() {
    let (all, background) = (rows("rf_binary", "X.csv"), rows("rf_binary", "background.csv"));
    let found = run(&rf_binary(), &first(&all, 2), &background, &Settings::default());
    // (row, feature, class) becomes (row, class, feature).
    let shap = numbers("rf_binary", "shap_interventional_probability_first50.npy");
    for row in 0..2 {
        for class in 0..2 {
            let expected: Vec<f64> =
                (0..11).map(|feature| shap[(row * 11 + feature) * 2 + class]).collect();
            assert_near(found.explanation.row(row, class), &expected, 1e-6);
        }
    }
}

#[test]
fn drawn_values_are_as_far_off_as_their_errors_say() {
    let (all, background) = (rows("logistic", "X.csv"), rows("logistic", "background.csv"));
    let exact = numbers("logistic", "shap_exact_probability_first10.npy");
    let (mut squares, mut count) = (0.0, 0.0);
    for seed in 0..6 {
        let settings = Settings { samples: Some(200), seed, ..Settings::default() };
        let found = run(&logistic(), &first(&all, 10), &background, &settings);
        assert!(found.exact.iter().all(|exact| !exact));
        for ((found, error), exact) in
            found.explanation.values.iter().zip(&found.errors).zip(&exact)
        {
            assert!(*error > 0.0 && (found - exact).abs() < 6.0 * error, "{found} {error} {exact}");
            squares += ((found - exact) / error).powi(2);
            count += 1.0;
        }
    }
    let spread = f64::sqrt(squares / count);
    assert!((0.75..1.25).contains(&spread), "{spread}");
}

#[test]
fn it_stops_at_a_precision() {
    let noise = noise(20 * 21);
    let background = Rows::new(noise[20..].to_vec(), 20);
    let row = Rows::new(noise[..20].to_vec(), 20);
    let model = made(20, |row| row.iter().sum::<f64>().sin() * row[0] + row[1] * row[2]);
    let ask = |precision| {
        let settings = Settings { precision: Some(precision), seed: 3, ..Settings::default() };
        let found = run(&model, &row, &background, &settings);
        assert!(found.errors.iter().all(|error| *error < precision), "{:?}", found.errors);
        found.tried[0]
    };
    let (rough, fine) = (ask(0.01), ask(0.0005));
    assert!(rough < fine, "{rough} {fine}");
    // Few features: when chance does not suffice, all coalitions are tried.
    let small = made(12, |row| row.iter().product());
    let background = Rows::new(noise[12..60].to_vec(), 12);
    let row = Rows::new(noise[..12].to_vec(), 12);
    let settings = Settings { precision: Some(1e-12), ..Settings::default() };
    assert!(run(&small, &row, &background, &settings).exact[0]);
}

#[test]
fn dummies_get_nothing_and_equals_the_same() {
    let noise = noise(30 * 9);
    let mut values = noise.clone();
    for row in values.chunks_exact_mut(9) {
        (row[1], row[8]) = (row[0], 4.0);
    }
    let all = Rows::new(values, 9);
    // The first two are the same to the model, the third is none of its concern, and the last does not vary.
    let model =
        made(9, |row| (row[0] + row[1]) * row[3] + row[4] * row[8] - row[5] * row[6] * row[7]);
    let found = run(&model, &first(&all, 3), &all, &Settings::default());
    for row in 0..3 {
        let values = found.explanation.row(row, 0);
        assert!((values[0] - values[1]).abs() < 1e-10, "{values:?}");
        assert!(values[2].abs() < 1e-10 && values[8] == 0.0, "{values:?}");
    }
}

#[test]
fn one_feature_has_it_all_and_a_seed_repeats() {
    let model = made(1, |row| row[0] * row[0]);
    let (row, background) = (Rows::new(vec![5.0], 1), Rows::new(vec![1.0, 2.0, 3.0], 1));
    let found = run(&model, &row, &background, &Settings::default());
    assert_near(&found.explanation.values, &[25.0 - 14.0 / 3.0], 1e-12);
    let noise = noise(15 * 8);
    let model = made(15, |row| row.iter().product::<f64>() + row[3]);
    let all = Rows::new(noise, 15);
    let ask = |rows: &Rows, seed| {
        let settings = Settings { samples: Some(100), seed, ..Settings::default() };
        run(&model, rows, &all, &settings).explanation.values
    };
    assert_eq!(ask(&first(&all, 1), 1), ask(&first(&all, 2), 1)[..15]);
    assert_ne!(ask(&first(&all, 1), 1), ask(&first(&all, 1), 2));
}

#[test]
fn what_cannot_be_is_refused() {
    let model = made(2, |row| row[0]);
    let (row, none) = (Rows::new(vec![1.0, 2.0], 2), Rows::new(Vec::new(), 2));
    let ask = |rows: &Rows, background: &Rows, settings: Settings| {
        explain(&model, rows, background, &settings, &(), &CancellationToken::new())
    };
    let refused = ask(&row, &none, Settings::default());
    assert!(matches!(refused, Err(ExplainError::NoBackground)));
    let settings = Settings { samples: Some(0), precision: Some(f64::NAN), seed: 0 };
    let Err(ExplainError::Asked(faults)) = ask(&row, &row, settings) else { panic!("it is wrong") };
    assert_eq!(faults.len(), 2);
    let missing = Rows::new(vec![f64::NAN, 2.0], 2);
    let refused = ask(&missing, &row, Settings::default());
    assert!(matches!(refused, Err(ExplainError::NoNumber { .. })));
    let cancel = CancellationToken::new();
    cancel.cancel();
    let stopped = explain(&model, &row, &row, &Settings::default(), &(), &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
    let nothing = ask(&none, &row, Settings::default()).unwrap();
    assert!(nothing.explanation.values.is_empty());
    // Where a row is the background, nothing is added.
    let same = ask(&row, &row, Settings::default()).unwrap();
    assert_eq!(same.explanation.values, [0.0, 0.0]);
}
