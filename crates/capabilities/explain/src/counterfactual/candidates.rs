//! Values at which a forest decides.

use crate::{
    Forest,
    model::{Node, Test},
};

/// By feature, the values on both sides of every threshold of a forest's trees.
pub fn thresholds(forest: &Forest) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); forest.features.len()];
    // The next number that the model tells from another one.
    let single = forest.single_precision;
    let down = |value: f64| {
        if single { f64::from((value as f32).next_down()) } else { value.next_down() }
    };
    let up = |value: f64| {
        if single { f64::from((value as f32).next_up()) } else { value.next_up() }
    };
    let nodes = forest.trees.iter().flat_map(|(_, tree)| tree.nodes());
    for node in nodes {
        let Node::Inner { split, .. } = node else { continue };
        match split.test {
            Test::Less(threshold) => all[split.feature].extend([down(threshold), threshold]),
            Test::AtMost(threshold) => all[split.feature].extend([threshold, up(threshold)]),
            Test::Among(_) | Test::NotAmong(_) | Test::OneOf(_) => {}
        }
    }
    for values in &mut all {
        values.sort_by(f64::total_cmp);
        values.dedup();
    }
    all
}
