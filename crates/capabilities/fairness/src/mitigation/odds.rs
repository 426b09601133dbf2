//! The best decisions with true and false positive rates equal in all groups (Hardt, Price and Srebro 2016).

use super::{
    curve::{Curve, Gain},
    hull::Hull,
    rule::ScoreRule,
};

/// The rule of each group that gives all groups the same true and false positive rate, the best such pair.
pub(super) fn equal(curves: &[&Curve], gain: Gain) -> Vec<ScoreRule> {
    let hulls: Vec<Hull> = curves
        .iter()
        .map(|curve| {
            Hull::new(curve.cuts.iter().map(|cut| {
                (cut.false_positives / curve.negatives, cut.true_positives / curve.positives)
            }))
        })
        .collect();
    let positives: f64 = curves.iter().map(|curve| curve.positives).sum();
    let negatives: f64 = curves.iter().map(|curve| curve.negatives).sum();
    let value =
        |x: f64, y: f64| gain.positive * positives * y + gain.negative * negatives * (1.0 - x);
    // What all groups reach is what the worst of them reaches.
    let reach = |x: f64| hulls.iter().map(|hull| hull.at(x).y).fold(1.0, f64::min);
    let mut starts: Vec<f64> =
        hulls.iter().flat_map(|hull| hull.vertices.iter().map(|vertex| vertex.x)).collect();
    starts.sort_unstable_by(f64::total_cmp);
    starts.dedup();
    let mut best = (0.0, reach(0.0));
    let mut place = 0;
    for (index, x) in starts.iter().enumerate() {
        let y = reach(*x);
        if value(*x, y) > value(best.0, best.1) {
            (best, place) = ((*x, y), index);
        }
    }
    // The objective is concave: only beside the best start can hulls cross at a better place.
    for pair in starts[place.saturating_sub(1)..starts.len().min(place + 2)].windows(2) {
        let (x, y) = crossing(&hulls, (pair[0], pair[1]), value);
        if value(x, y) > value(best.0, best.1) {
            best = (x, y);
        }
    }
    hulls.iter().zip(curves).map(|(hull, curve)| reach_down(hull, curve, best)).collect()
}

/// The best place between two starts, where all hulls are straight.
fn crossing(hulls: &[Hull], (from, to): (f64, f64), value: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let width = to - from;
    let lines: Vec<(f64, f64)> =
        hulls.iter().map(|hull| (hull.at(from).y, hull.at(to).y)).collect();
    let height = |line: (f64, f64), share: f64| line.0 + share * (line.1 - line.0);
    let order = |left: &&(f64, f64), right: &&(f64, f64)| {
        left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1))
    };
    let swapped = |line: &(f64, f64)| (line.1, line.0);
    let Some(mut left) = lines.iter().min_by(order).copied() else { return (from, 0.0) };
    let mut right = lines
        .iter()
        .min_by(|one, other| order(&&swapped(one), &&swapped(other)))
        .copied()
        .unwrap_or(left);
    // A line lower than both where they cross takes the place of one of them.
    for _ in 0..=lines.len() {
        let slopes = (left.1 - left.0) - (right.1 - right.0);
        if slopes <= 0.0 {
            break;
        }
        let share = ((right.0 - left.0) / slopes).clamp(0.0, 1.0);
        let crossed = height(left, share);
        let lowest = lines
            .iter()
            .min_by(|one, other| height(**one, share).total_cmp(&height(**other, share)));
        let Some(lowest) = lowest.filter(|line| height(**line, share) < crossed - 1e-15) else {
            return (from + share * width, crossed);
        };
        let rises = value(to, lowest.1) > value(from, lowest.0);
        if rises {
            left = *lowest;
        } else {
            right = *lowest;
        }
    }
    (from, left.0)
}

/// A group's rule for a place on or below its hull: on the hull above it, mixed with draws that ignore the score.
fn reach_down(hull: &Hull, curve: &Curve, (x, y): (f64, f64)) -> ScoreRule {
    let place = hull.at(x);
    let rule = |of: usize| curve.rule(&curve.cuts[of]);
    let (left, right) = (rule(place.left.of), rule(place.right.of));
    let ignored = if place.y > x { ((place.y - y) / (place.y - x)).clamp(0.0, 1.0) } else { 0.0 };
    ScoreRule::mixed(&[
        ((1.0 - ignored) * (1.0 - place.share), &left),
        ((1.0 - ignored) * place.share, &right),
        (ignored * x, &ScoreRule::all()),
        (ignored * (1.0 - x), &ScoreRule::none()),
    ])
}
