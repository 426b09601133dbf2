//! Trees that are large in one way or the other: within memory, and as right as small ones.

use std::sync::Arc;

use ephor_explain::{
    CancellationToken, ExplainError, Forest, Link, Model, Rows,
    model::{Missing, Node, Split, Test, Tree},
    shap::{self, Ready},
};

use crate::support::{
    assert_near, first, forest, in_probability, interventional, path_dependent, rows,
};

fn asks(feature: usize, threshold: f64, left: usize, right: usize, cover: f64) -> Node {
    let test = Test::Less(threshold);
    let split = Split { feature, test, missing: Missing::NaN, missing_left: false };
    Node::Inner { split, left, right, cover }
}

/// A path over so many features, at the end of which a tree of so many levels begins.
fn chain(features: usize, levels: u32) -> Tree {
    let mut nodes = Vec::new();
    let leaves = f64::from(1_u32 << levels);
    for feature in 0..features {
        let (at, cover) = (nodes.len(), leaves + (features - feature) as f64);
        nodes.push(asks(feature, 0.5, at + 2, at + 1, cover));
        nodes.push(Node::Leaf { value: feature as f64 / 10.0, cover: 1.0 });
    }
    let start = nodes.len();
    let inner = (1_usize << levels) - 1;
    for at in 0..=2 * inner {
        let depth = (at + 1).ilog2();
        let cover = f64::from(1_u32 << (levels - depth));
        nodes.push(if at < inner {
            let threshold = (at % 7) as f64 / 7.0 - 0.5;
            asks(at % features, threshold, start + 2 * at + 1, start + 2 * at + 2, cover)
        } else {
            Node::Leaf { value: (at % 11) as f64 - 5.0, cover }
        });
    }
    Tree::new(&nodes, features, "a chain").unwrap()
}

fn of(trees: Vec<Tree>, features: usize) -> Forest {
    Forest {
        features: (0..features).map(|index| format!("f{index}")).collect(),
        trees: trees.into_iter().map(|tree| (0, tree)).collect(),
        base: vec![0.0],
        link: Link::Identity,
        single_precision: false,
    }
}

/// Values by a rule, between -0.5 and 0.5.
fn made_up(count: usize, width: usize) -> Rows {
    let value = |at: usize| ((at * 7_919 + at / width * 104_729) % 1_000) as f64 / 1_000.0 - 0.5;
    Rows::new((0..count * width).map(value).collect(), width)
}

/// A path of 65 features takes 128 points for each edge: three such trees do not fit into memory at once.
#[test]
fn chains_of_many_features_are_explained_batch_by_batch() {
    let tree = chain(65, 14);
    let rows = made_up(2, 65);
    let alone = path_dependent(&of(vec![tree.clone()], 65), &rows);
    let all = path_dependent(&of(vec![tree.clone(), tree.clone(), tree], 65), &rows);
    let expected: Vec<f64> = alone.values.iter().map(|value| 3.0 * value).collect();
    assert_near(&all.values, &expected, 1e-9);
}

#[test]
fn a_tree_that_takes_too_much_is_refused() {
    let (forest, rows) = (of(vec![chain(65, 17)], 65), made_up(1, 65));
    let cancel = CancellationToken::new();
    let refused = shap::path_dependent(&forest, &rows, &(), &cancel).unwrap_err();
    assert_eq!(refused.code(), "too_large");
    assert!(refused.to_string().contains("tree 0 has 262273 nodes"), "{refused}");
    assert!(shap::takes(&forest, None, &cancel).is_err());
    let refused = shap::interventional(&forest, &rows, &rows, &(), &cancel);
    assert!(matches!(refused, Err(ExplainError::TooManyFeatures { found: 65, most: 64 })));
    let taken = shap::takes(&of(vec![chain(65, 10)], 65), None, &cancel).unwrap();
    assert!((1 << 20..64 << 20).contains(&taken), "{taken}");
}

/// Against many rows values are the mean of those against some of them at a time.
#[test]
fn a_wide_forest_is_compared_with_many_rows() {
    let trees = (6..9).map(|features| chain(features, 10)).collect();
    let forest = of(trees, 8);
    let (rows, others) = (made_up(3, 8), made_up(2_000, 8));
    let found = interventional(&forest, &rows, &others);
    let mut expected = vec![0.0; found.values.len()];
    let all: Vec<f64> = others.iter().flatten().copied().collect();
    for some in all.chunks(100 * 8) {
        let some = interventional(&forest, &rows, &Rows::new(some.to_vec(), 8));
        for (sum, value) in expected.iter_mut().zip(&some.values) {
            *sum += value / 20.0;
        }
    }
    assert_near(&found.values, &expected, 1e-9);
    let taken = shap::takes(&forest, Some(2_000), &CancellationToken::new()).unwrap();
    assert!((1 << 20..300 << 20).contains(&taken), "{taken}");
}

#[test]
fn what_is_made_ready_once_gives_the_same_for_each_piece() {
    let forest = forest("xgb_binary", "model.json");
    let (rows, others) = (rows("xgb_binary", "X.csv"), rows("xgb_binary", "background.csv"));
    let (rows, cancel) = (first(&rows, 30), CancellationToken::new());
    let model = Arc::new(Model::Forest(forest.clone()));
    for (is_probability, expected) in [
        (false, interventional(&forest, &rows, &others)),
        (true, in_probability(&forest, &rows, &others)),
    ] {
        let ready = Ready::new(&model, &others, is_probability, &cancel).unwrap().unwrap();
        let mut values = Vec::new();
        let all: Vec<f64> = rows.iter().flatten().copied().collect();
        for piece in all.chunks(10 * rows.width()) {
            let piece = Rows::new(piece.to_vec(), rows.width());
            let found = ready.values(&piece, &(), &cancel).unwrap();
            assert_near(&found.base, &expected.base, 0.0);
            values.extend(found.values);
        }
        assert_near(&values, &expected.values, 1e-12);
    }
    cancel.cancel();
    let stopped = Ready::new(&model, &others, false, &cancel);
    assert!(matches!(stopped, Err(ExplainError::Cancelled)));
}
