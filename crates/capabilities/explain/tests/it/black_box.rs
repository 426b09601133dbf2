//! Models of the reference data and made-up ones, as methods see them that only ask.

use ephor_explain::{
    ExplainError, Forest, Linear, Link, Model, Rows, Scorer,
    model::{Missing, Node, Split, Test, Tree},
};
use serde_json::Value;

use crate::support::bytes;

pub fn json(folder: &str, file: &str) -> Value {
    serde_json::from_slice(&bytes(folder, file)).unwrap()
}

pub fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// scikit-learn's forest of `rf_binary`: both classes' probabilities.
pub fn rf_binary() -> Model {
    let document = json("rf_binary", "model.json");
    let features = features();
    let trees = document["trees"].as_array().unwrap();
    let mut all = Vec::new();
    for class in 0..2 {
        for tree in trees {
            let left = list(&tree["children_left"]);
            let column = |name: &str| list(&tree[name]);
            let (right, feature, threshold, cover) = (
                column("children_right"),
                column("feature"),
                column("threshold"),
                column("weighted_n_node_samples"),
            );
            let nodes: Vec<Node> = (0..left.len())
                .map(|at| {
                    let cover = cover[at];
                    if left[at] < 0.0 {
                        let share = tree["value"][at][class].as_f64().unwrap();
                        return Node::Leaf { value: share / trees.len() as f64, cover };
                    }
                    let split = Split {
                        feature: feature[at] as usize,
                        test: Test::AtMost(threshold[at]),
                        missing: Missing::NaN,
                        missing_left: false,
                    };
                    Node::Inner { split, left: left[at] as usize, right: right[at] as usize, cover }
                })
                .collect();
            all.push((class, Tree::new(&nodes, features.len(), "a tree").unwrap()));
        }
    }
    let base = vec![0.0, 0.0];
    Model::Forest(Forest {
        features,
        trees: all,
        base,
        link: Link::Identity,
        single_precision: true,
    })
}

/// Both classes' probabilities, or that of class 1 alone.
pub fn logistic() -> Model {
    let document = json("logistic", "model.json");
    Model::Linear(Linear {
        features: features(),
        coefficients: list(&document["coef"]),
        intercepts: vec![document["intercept"].as_f64().unwrap()],
        link: Link::Logistic { scale: 1.0 },
    })
}

fn features() -> Vec<String> {
    let named = json("rf_binary", "permutation_importance.json");
    let names = named["features"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Any function of a row.
pub struct Made<F> {
    names: Vec<String>,
    function: F,
}

pub fn made<F: Fn(&[f64]) -> f64 + Send + Sync>(features: usize, function: F) -> Made<F> {
    Made { names: (0..features).map(|index| format!("f{index}")).collect(), function }
}

impl<F: Fn(&[f64]) -> f64 + Send + Sync> Scorer for Made<F> {
    fn features(&self) -> &[String] {
        &self.names
    }

    fn outputs(&self) -> usize {
        1
    }

    fn score(&self, rows: &Rows) -> Result<Vec<f64>, ExplainError> {
        Ok(rows.iter().map(|row| (self.function)(row)).collect())
    }
}

/// Numbers that look like chance, between 0 and 1, and are the same every time.
pub fn noise(count: usize) -> Vec<f64> {
    (1..=count)
        .map(|place| (place as f64 * 12.9898).sin().mul_add(43_758.547, 0.0).rem_euclid(1.0))
        .collect()
}
