//! Against the definition: all coalitions of made-up forests, deep ones, categorical ones and such of several outputs.

use ephor_explain::{
    Forest, Link, Rows,
    model::{Missing, Node, Split, Test, Tree},
};
use proptest::prelude::*;

use crate::support::{assert_near, interactions, interventional, path_dependent};

const FEATURES: usize = 5;

/// What a tree answers when the features of `known` are: others follow the training rows' shares.
pub fn followed(nodes: &[Node], at: usize, row: &[f64], known: u32) -> f64 {
    match &nodes[at] {
        Node::Leaf { value, .. } => *value,
        Node::Inner { split, left, right, cover } => {
            if known >> split.feature & 1 == 1 {
                followed(nodes, if split.left(row) { *left } else { *right }, row, known)
            } else {
                [*left, *right]
                    .into_iter()
                    .map(|child| nodes[child].cover() / cover * followed(nodes, child, row, known))
                    .sum()
            }
        }
    }
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// Shapley values of a game of so many, by the definition.
pub fn shapley(features: usize, game: impl Fn(u32) -> f64) -> Vec<f64> {
    let worth: Vec<f64> = (0_u32..1 << features).map(game).collect();
    (0..features)
        .map(|feature| {
            (0_usize..1 << features)
                .filter(|set| set >> feature & 1 == 0)
                .map(|set| {
                    let size = set.count_ones() as usize;
                    let weight =
                        factorial(size) * factorial(features - size - 1) / factorial(features);
                    weight * (worth[set | 1 << feature] - worth[set])
                })
                .sum()
        })
        .collect()
}

/// Half of the Shapley interaction index of two features.
fn interaction(game: impl Fn(u32) -> f64, i: usize, j: usize) -> f64 {
    (0_u32..1 << FEATURES)
        .filter(|set| set >> i & 1 == 0 && set >> j & 1 == 0)
        .map(|set| {
            let size = set.count_ones() as usize;
            let weight =
                factorial(size) * factorial(FEATURES - size - 2) / (2.0 * factorial(FEATURES - 1));
            let both = game(set | 1 << i | 1 << j) + game(set);
            weight * (both - game(set | 1 << i) - game(set | 1 << j))
        })
        .sum()
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        (-2.0..2.0).prop_map(Test::Less),
        (-2.0..2.0).prop_map(Test::AtMost),
        (0_u64..8).prop_map(|set| Test::Among(vec![set])),
        (0_u64..8).prop_map(|set| Test::NotAmong(vec![set])),
    ]
}

/// A tree of at most so many levels, whose covers add up.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = (-3.0..3.0, 0.5..20.0).prop_map(|(value, cover)| vec![Node::Leaf { value, cover }]);
    let nodes = leaf.prop_recursive(7, 60, 2, |inner| {
        let missing = prop_oneof![Just(Missing::NaN), Just(Missing::Zero), Just(Missing::Never)];
        (0..FEATURES, test(), missing, any::<bool>(), inner.clone(), inner).prop_map(
            |(feature, test, missing, missing_left, left, right)| {
                let split = Split { feature, test, missing, missing_left };
                let cover = left[0].cover() + right[0].cover();
                let (first, second) = (1, 1 + left.len());
                let mut nodes = vec![Node::Inner { split, left: first, right: second, cover }];
                for (part, start) in [(left, first), (right, second)] {
                    nodes.extend(part.into_iter().map(|node| match node {
                        Node::Inner { split, left, right, cover } => {
                            Node::Inner { split, left: left + start, right: right + start, cover }
                        }
                        leaf @ Node::Leaf { .. } => leaf,
                    }));
                }
                nodes
            },
        )
    });
    nodes.prop_map(|nodes| Tree::new(&nodes, FEATURES, "a tree").unwrap())
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -2.5..2.5_f64, 2 => (0..3_i32).prop_map(f64::from), 1 => Just(f64::NAN)]
}

fn rows(count: usize) -> impl Strategy<Value = Rows> {
    proptest::collection::vec(value(), count * FEATURES).prop_map(|all| Rows::new(all, FEATURES))
}

fn forest() -> impl Strategy<Value = Forest> {
    proptest::collection::vec((0..2_usize, tree()), 1..4).prop_map(|trees| Forest {
        features: (0..FEATURES).map(|index| format!("f{index}")).collect(),
        trees,
        base: vec![0.25, -1.0],
        link: Link::Identity,
        single_precision: false,
    })
}

/// The game of a row and an output.
pub fn game<'a>(forest: &'a Forest, row: &'a [f64], output: usize) -> impl Fn(u32) -> f64 + 'a {
    move |known| {
        let trees = forest.trees.iter().filter(|(to, _)| *to == output);
        trees.map(|(_, tree)| followed(tree.nodes(), 0, row, known)).sum()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn path_dependent_values_are_shapley_values(forest in forest(), rows in rows(3)) {
        let (found, pairs) = (path_dependent(&forest, &rows), interactions(&forest, &rows));
        for (index, row) in rows.iter().enumerate() {
            for output in 0..2 {
                let game = game(&forest, row, output);
                assert_near(found.row(index, output), &shapley(FEATURES, &game), 1e-9);
                let pairs = pairs.row(index, output);
                for (i, j) in [(0, 1), (2, 4), (4, 2), (3, 0)] {
                    assert_near(&[pairs[i * FEATURES + j]], &[interaction(&game, i, j)], 1e-9);
                }
            }
        }
    }

    #[test]
    fn interventional_values_are_shapley_values(forest in forest(), rows in rows(3), background in rows(4)) {
        let found = interventional(&forest, &rows, &background);
        for (index, row) in rows.iter().enumerate() {
            for output in 0..2 {
                let expected = shapley(FEATURES, |known| {
                    let sum: f64 = background
                        .iter()
                        .map(|other| {
                            let mixed: Vec<f64> = (0..FEATURES)
                                .map(|feature| if known >> feature & 1 == 1 { row[feature] } else { other[feature] })
                                .collect();
                            forest.margin(&mixed)[output]
                        })
                        .sum();
                    sum / background.len() as f64
                });
                assert_near(found.row(index, output), &expected, 1e-9);
            }
        }
    }

    /// So many rows that trees are looked up in tables get what each of them gets alone, when its trees are walked.
    #[test]
    fn tables_give_what_walks_give(forest in forest(), rows in rows(30), background in rows(4)) {
        let many = Rows::new(rows.iter().flatten().copied().collect::<Vec<_>>().repeat(100), FEATURES);
        let (paths, backgrounds) = (path_dependent(&forest, &many), interventional(&forest, &many, &background));
        for (index, row) in rows.iter().enumerate() {
            let alone = Rows::new(row.to_vec(), FEATURES);
            let (path, behind) = (path_dependent(&forest, &alone), interventional(&forest, &alone, &background));
            for output in 0..2 {
                for at in [index, index + 30 * 99] {
                    assert_near(paths.row(at, output), path.row(0, output), 1e-9);
                    assert_near(backgrounds.row(at, output), behind.row(0, output), 1e-9);
                }
            }
        }
    }
}
