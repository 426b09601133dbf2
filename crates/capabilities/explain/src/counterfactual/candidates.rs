//! Values at which a forest decides.

use crate::{
    Forest,
    model::{Node, Test},
};

/// By feature, the values on both sides of every threshold of a forest's trees.
pub fn thresholds(forest: &Forest) -> Vec<Vec<f64>> {
    let mut all = vec![Vec::new(); forest.features.len()];
    let single = forest.single_precision;
    let nodes = forest.trees.iter().flat_map(|(_, tree)| tree.nodes());
    for node in nodes {
        let Node::Inner { split, .. } = node else { continue };
        match split.test {
            Test::Less(threshold) => all[split.feature].extend(sides(threshold, false, single)),
            Test::AtMost(threshold) => all[split.feature].extend(sides(threshold, true, single)),
            Test::Among(_) | Test::NotAmong(_) | Test::OneOf(_) => {}
        }
    }
    for values in &mut all {
        values.sort_by(f64::total_cmp);
        values.dedup();
    }
    all
}

/// The last number that the model takes for less than a threshold (or for it, where that is on the same side), and the first that
/// it does not. What sees numbers of 32 bits may have thresholds between two of them.
fn sides(threshold: f64, with: bool, single: bool) -> [f64; 2] {
    let below = |value: f64| value < threshold || (with && value == threshold);
    let step = |value: f64, up: bool| match (single, up) {
        (true, true) => f64::from((value as f32).next_up()),
        (true, false) => f64::from((value as f32).next_down()),
        (false, true) => value.next_up(),
        (false, false) => value.next_down(),
    };
    let near = if single { f64::from(threshold as f32) } else { threshold };
    if below(near) { [near, step(near, true)] } else { [step(near, false), near] }
}

#[cfg(test)]
mod tests {
    use super::sides;

    #[test]
    fn both_sides_of_a_threshold_are_told_apart() {
        for threshold in [0.1, 0.5, -2.5, f64::from(0.1_f32), 16_777_217.0, 1e-46, 0.0] {
            for (single, with) in [(true, true), (true, false), (false, true), (false, false)] {
                let [low, high] = sides(threshold, with, single);
                let seen = |value: f64| if single { f64::from(value as f32) } else { value };
                let yes = |value: f64| {
                    if with { seen(value) <= threshold } else { seen(value) < threshold }
                };
                assert!(yes(low) && !yes(high), "{threshold}: {low}, {high}");
                assert!(seen(low) == low && seen(high) == high);
            }
        }
    }
}
