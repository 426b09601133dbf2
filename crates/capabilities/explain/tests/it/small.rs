//! Small models of all kinds, as JSON of scikit-learn and as ONNX: predictions, and all coalitions of their features.

use ephor_explain::{
    CancellationToken, Explanation, Forest, Format, Model, Rows, Scorer as _, read, shap,
};

use crate::{
    enumerated::{game, shapley},
    support::{
        assert_near, bytes, first, flat, in_probability, interventional, json, model,
        path_dependent,
    },
};

const FOLDER: &str = "small";
const FEATURES: usize = 4;

/// The rows that a model's predictions are of.
fn rows_of(name: &str, expected: &serde_json::Value) -> Rows {
    let rows = match name {
        "modes" | "ensemble" => "whole",
        "tree_with_gaps" => "rows_with_gaps",
        _ => "rows",
    };
    Rows::new(flat(&expected[rows]), FEATURES)
}

fn each(kind: &str, act: impl Fn(&str, Format, Model, Rows, Vec<f64>)) {
    let expected = json(FOLDER, "expected.json");
    let all = expected[kind].as_object().unwrap();
    assert!(all.len() >= 12, "{kind}: {}", all.len());
    for (name, predicted) in all {
        let (format, model) = read(&bytes(FOLDER, &format!("{name}.{kind}")))
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        act(name, format, model, rows_of(name, &expected), flat(predicted));
    }
}

/// Of two classes, a model of one output predicts the second's probability.
fn assert_predicts(name: &str, model: &Model, rows: &Rows, expected: &[f64], tolerance: f64) {
    let found = model.score(rows).unwrap();
    let second: Vec<f64> = if found.len() * 2 == expected.len() {
        expected.chunks(2).map(|both| both[1]).collect()
    } else {
        expected.to_vec()
    };
    assert_eq!(found.len(), second.len(), "{name}");
    for (place, (found, expected)) in found.iter().zip(&second).enumerate() {
        let near = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(near, "{name}, value {place}: {found} is not {expected}");
    }
}

#[test]
fn parameters_of_scikit_learn_predict_what_it_does() {
    each("json", |name, format, model, rows, expected| {
        assert_eq!(format, Format::SklearnJson);
        assert_eq!(model.features(), ["age", "income", "debt", "years"], "{name}");
        assert_predicts(name, &model, &rows, &expected, 1e-9);
    });
}

#[test]
fn onnx_predicts_what_its_runtime_does() {
    each("onnx", |name, format, model, rows, expected| {
        assert_eq!(format, Format::Onnx);
        let given = if name == "columns" { "age" } else { "f0" };
        assert_eq!(model.features()[0], given, "{name}");
        assert_predicts(name, &model, &rows, &expected, 1e-5);
    });
}

/// A row with a background row's values where they are not known.
fn mixed(row: &[f64], other: &[f64], known: u32) -> Vec<f64> {
    let value = |at: usize| if known >> at & 1 == 1 { row[at] } else { other[at] };
    (0..FEATURES).map(value).collect()
}

/// Against every background row, all coalitions.
fn assert_enumerated(
    name: &str,
    margin: impl Fn(&[f64]) -> Vec<f64>,
    rows: &Rows,
    found: &Explanation,
) {
    let (few, background) = split(rows);
    for (index, row) in few.iter().enumerate() {
        for output in 0..found.base.len() {
            let expected = shapley(FEATURES, |known| {
                let sum: f64 =
                    background.iter().map(|other| margin(&mixed(row, other, known))[output]).sum();
                sum / background.len() as f64
            });
            for (found, expected) in found.row(index, output).iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
                    "{name}, row {index}: {found} is not {expected}"
                );
            }
        }
    }
}

/// Some to explain, and the others to compare with.
fn split(rows: &Rows) -> (Rows, Rows) {
    let others = rows.iter().skip(6).flatten().copied().collect();
    (first(rows, 6), Rows::new(others, FEATURES))
}

#[test]
fn interventional_values_are_those_of_all_coalitions() {
    for kind in ["json", "onnx"] {
        each(kind, |name, _, model, rows, _| {
            let (few, background) = split(&rows);
            match model {
                Model::Forest(forest) => {
                    let found = interventional(&forest, &few, &background);
                    assert_enumerated(name, |row| forest.margin(row), &rows, &found);
                }
                Model::Linear(linear) => {
                    let cancel = CancellationToken::new();
                    let found = shap::linear(&linear, &few, &background, &(), &cancel).unwrap();
                    assert_enumerated(name, |row| linear.margin(row), &rows, &found);
                }
                Model::Graph(_) => panic!("{name} is known from inside"),
            }
        });
    }
}

/// Where the file says how many training rows went which way.
#[test]
fn path_dependent_values_are_those_of_all_coalitions() {
    each("json", |name, _, model, rows, _| {
        let Model::Forest(forest) = model else { return };
        let few = first(&rows, 6);
        let found = path_dependent(&forest, &few);
        for (index, row) in few.iter().enumerate() {
            for output in 0..forest.outputs() {
                let seen: Vec<f64> = row.iter().map(|value| f64::from(*value as f32)).collect();
                let expected = shapley(FEATURES, game(&forest, &seen, output));
                for (found, expected) in found.row(index, output).iter().zip(expected) {
                    let near = (found - expected).abs() < 1e-9 * expected.abs().max(1.0);
                    assert!(near, "{name}, row {index}: {found} is not {expected}");
                }
            }
        }
    });
}

#[test]
fn onnx_has_no_ways_of_training_rows() {
    let Model::Forest(forest) = model(FOLDER, "boosted_two.onnx") else { panic!("no forest") };
    let rows = Rows::new(vec![0.0; FEATURES], FEATURES);
    let refused = shap::path_dependent(&forest, &rows, &(), &CancellationToken::new());
    assert!(refused.unwrap_err().to_string().contains("use interventional ones"));
}

/// Against each background row the margin's values are scaled to the difference of the probabilities.
#[test]
fn values_of_probabilities_are_scaled_row_by_row() {
    for (name, scale) in [("boosted_two", 1.0), ("boosted_exponential", 2.0)] {
        let Model::Forest(forest) = model(FOLDER, &format!("{name}.json")) else {
            panic!("no forest")
        };
        let rows = rows_of(name, &json(FOLDER, "expected.json"));
        let (few, background) = split(&rows);
        let found = in_probability(&forest, &few, &background);
        let predict = |forest: &Forest, row: &[f64]| forest.link.apply(forest.margin(row))[0];
        for (index, row) in few.iter().enumerate() {
            let mut expected = vec![0.0; FEATURES];
            for other in background.iter() {
                let values = shapley(FEATURES, |known| forest.margin(&mixed(row, other, known))[0]);
                let margins = forest.margin(row)[0] - forest.margin(other)[0];
                let one = predict(&forest, row);
                let slope = if margins == 0.0 {
                    scale * one * (1.0 - one)
                } else {
                    (one - predict(&forest, other)) / margins
                };
                for (sum, value) in expected.iter_mut().zip(values) {
                    *sum += value * slope / background.len() as f64;
                }
            }
            assert_near(found.row(index, 0), &expected, 1e-9);
        }
    }
    let Model::Forest(forest) = model(FOLDER, "boosted_three.json") else { panic!("no forest") };
    let rows = Rows::new(vec![0.0; FEATURES], FEATURES);
    let refused = shap::in_probability(&forest, &rows, &rows, &(), &CancellationToken::new());
    assert!(refused.unwrap_err().to_string().contains("one probability"));
}
