//! What holds for every file that is read as a model, whoever wrote it. The fuzz targets and the tests of ephor-explain share
//! this file.

use ephor_explain::{
    CancellationToken, ExplainError, Forest, Linear, Model, Rows, Scorer as _,
    model::{Node, Tree},
    read, shap,
};

/// Models that are larger are read, but not put to work.
const MOST_FEATURES: usize = 64;
const MOST_NODES: usize = 4_096;

/// Reading never panics, and what is refused says why and where. What was read predicts as many numbers as it says, and what
/// its features add makes its margin; a graph that was read may fail, but never breaks anything.
pub fn model(input: &[u8]) {
    match read(input) {
        Ok((_, model)) => works(&model),
        Err(fault) => assert!(!fault.place.is_empty() && !fault.message.is_empty()),
    }
}

fn works(model: &Model) {
    let width = model.features().len();
    if width == 0 || width > MOST_FEATURES || model.outputs() > MOST_FEATURES {
        return;
    }
    let value = |at: usize| [0.0, 1.0, -1e300, f64::NAN, 2.5, f64::INFINITY, -0.0][at % 7];
    let rows = Rows::new((0..3 * width).map(value).collect(), width);
    match model {
        Model::Forest(forest) => grown(forest, &rows),
        Model::Linear(linear) => summed(linear),
        Model::Graph(_) => {}
    }
    let whole = Rows::new(vec![1.0; width], width);
    match model.score(&whole) {
        Ok(found) => assert_eq!(found.len(), model.outputs()),
        // What a graph computes may still fail, with words.
        Err(ExplainError::Run(told)) => assert!(!told.is_empty()),
        Err(other) => panic!("it has the model's features: {other}"),
    }
}

fn grown(forest: &Forest, rows: &Rows) {
    let nodes: usize = forest.trees.iter().map(|(_, tree)| tree.nodes().len()).sum();
    if nodes > MOST_NODES {
        return;
    }
    let cancel = CancellationToken::new();
    // Hostile shares of training rows make no sense, and no harm.
    drop(shap::path_dependent(forest, rows, &(), &cancel));
    drop(shap::in_probability(forest, rows, rows, &(), &cancel));
    let Ok(found) = shap::interventional(forest, rows, rows, &(), &cancel) else { return };
    let most: f64 = forest.trees.iter().map(|(_, tree)| greatest(tree)).sum();
    let most = forest.base.iter().fold(most, |most, base| most.max(base.abs())) + 1.0;
    if most < 1e100 {
        for (index, row) in rows.iter().enumerate() {
            for (output, margin) in forest.margin(row).into_iter().enumerate() {
                let sum: f64 = found.row(index, output).iter().sum();
                assert!((found.base[output] + sum - margin).abs() <= 1e-6 * most, "row {index}");
            }
        }
    }
}

fn summed(linear: &Linear) {
    let width = linear.features.len();
    let rows = Rows::new((0..3 * width).map(|at| (at % 5) as f64 - 2.0).collect(), width);
    let found = shap::linear(linear, &rows, &rows, &(), &CancellationToken::new());
    let found = found.expect("its rows are whole");
    let most: f64 = linear.coefficients.iter().chain(&linear.intercepts).map(|one| one.abs()).sum();
    if most < 1e100 {
        for (index, row) in rows.iter().enumerate() {
            for (output, margin) in linear.margin(row).into_iter().enumerate() {
                let sum: f64 = found.row(index, output).iter().sum();
                let error = (found.base[output] + sum - margin).abs();
                assert!(error <= 1e-9 * (most + 1.0), "row {index}");
            }
        }
    }
}

fn greatest(tree: &Tree) -> f64 {
    let values = tree.nodes().iter().map(|node| match node {
        Node::Leaf { value, .. } => value.abs(),
        Node::Inner { .. } => 0.0,
    });
    values.fold(0.0, f64::max)
}
