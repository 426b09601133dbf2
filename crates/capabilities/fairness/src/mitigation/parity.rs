//! The best decisions with one rate equal in all groups: by draws exactly, by single thresholds within a tolerance.

use std::collections::VecDeque;

use super::{
    Constraint,
    curve::{Curve, Gain},
    hull::Hull,
    rule::ScoreRule,
};

/// Of rates that differ by less than this nobody says that they differ.
const EQUAL: f64 = 1e-12;
/// So much work is done by trying all places; more of it by halving.
const TRY_ALL: usize = 1 << 20;

/// Rate and gain of each cut of a curve, in ascending order.
fn places(
    curve: &Curve,
    constraint: Constraint,
    gain: Gain,
) -> impl Iterator<Item = (f64, f64)> + '_ {
    curve.cuts.iter().map(move |cut| {
        let outcome = curve.outcome(cut);
        (outcome.rate(constraint).unwrap_or(0.0), gain.of(&outcome))
    })
}

/// The best rules whose rates lie within `tolerance` of one another, where scores between two thresholds are drawn.
pub(super) fn drawn(
    curves: &[&Curve],
    constraint: Constraint,
    gain: Gain,
    tolerance: f64,
) -> Vec<ScoreRule> {
    let hulls: Vec<Hull> =
        curves.iter().map(|curve| Hull::new(places(curve, constraint, gain))).collect();
    let tops: Vec<f64> = hulls.iter().map(|hull| hull.top().x).collect();
    // Each group goes as near to its own optimum as the window lets it.
    let rate = |group: usize, low: f64| tops[group].clamp(low, low + tolerance);
    let total = |low: f64| -> f64 {
        hulls.iter().enumerate().map(|(group, hull)| hull.at(rate(group, low)).y).sum()
    };
    let mut lows: Vec<f64> = hulls
        .iter()
        .flat_map(|hull| hull.vertices.iter())
        .flat_map(|vertex| [vertex.x, (vertex.x - tolerance).max(0.0)])
        .collect();
    lows.sort_unstable_by(f64::total_cmp);
    lows.dedup_by(|next, last| *next - *last < EQUAL);
    let low = highest(&lows, hulls.len(), total);
    hulls
        .iter()
        .zip(curves)
        .enumerate()
        .map(|(group, (hull, curve))| {
            let place = hull.at(rate(group, low).min(1.0));
            let rule = |of: usize| curve.rule(&curve.cuts[of]);
            let (left, right) = (rule(place.left.of), rule(place.right.of));
            ScoreRule::mixed(&[(1.0 - place.share, &left), (place.share, &right)])
        })
        .collect()
}

/// Where a concave function is highest, the first of such places. `cost`: how dear it is to compute it.
fn highest(places: &[f64], cost: usize, function: impl Fn(f64) -> f64) -> f64 {
    let (mut from, mut to) = (0, places.len());
    while (to - from) * cost > TRY_ALL {
        let middle = usize::midpoint(from, to);
        if function(places[middle - 1]) < function(places[middle]) {
            from = middle;
        } else {
            to = middle;
        }
    }
    let (mut best, mut most) = (0.0, f64::NEG_INFINITY);
    for place in &places[from..to] {
        let value = function(*place);
        if value > most {
            (best, most) = (*place, value);
        }
    }
    best
}

/// The best single thresholds whose rates lie within `tolerance` of one another.
///
/// A window of that width moves up over all rates; in each group the best cut of those inside it counts.
pub(super) fn single(
    curves: &[&Curve],
    constraint: Constraint,
    gain: Gain,
    tolerance: f64,
) -> Vec<ScoreRule> {
    let groups: Vec<Vec<(f64, f64)>> =
        curves.iter().map(|curve| places(curve, constraint, gain).collect()).collect();
    // (where the window's lower edge is, whether cuts leave it then, group)
    let mut events: Vec<(f64, bool, usize)> = Vec::new();
    for (group, cuts) in groups.iter().enumerate() {
        for (rate, _) in cuts {
            events.push(((rate - tolerance - EQUAL).max(0.0), false, group));
            events.push((*rate, true, group));
        }
    }
    events.sort_unstable_by(|left, right| {
        left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)).then(left.2.cmp(&right.2))
    });
    let mut windows: Vec<Window> = groups.iter().map(|_| Window::default()).collect();
    let (mut filled, mut total) = (0, 0.0);
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut at = 0;
    while let Some((low, ..)) = events.get(at).copied() {
        let end = at + events[at..].partition_point(|event| event.0 <= low);
        for (_, _, group) in events[at..end].iter().filter(|event| !event.1) {
            let window = &mut windows[*group];
            let before = window.value(&groups[*group]);
            window.enter(&groups[*group]);
            let after = window.value(&groups[*group]);
            filled += usize::from(before.is_none());
            total += after.unwrap_or(0.0) - before.unwrap_or(0.0);
        }
        let here = (filled == groups.len()).then_some(total);
        if here.is_some_and(|here| best.as_ref().is_none_or(|(most, _)| here > *most)) {
            best = Some((total, windows.iter().filter_map(Window::best).collect()));
        }
        for (_, _, group) in events[at..end].iter().filter(|event| event.1) {
            let window = &mut windows[*group];
            let before = window.value(&groups[*group]);
            window.leave();
            let after = window.value(&groups[*group]);
            filled -= usize::from(before.is_some() && after.is_none());
            total += after.unwrap_or(0.0) - before.unwrap_or(0.0);
        }
        at = end;
    }
    // Nobody selected is always within the window.
    let chosen = best.map_or_else(|| vec![0; curves.len()], |(_, chosen)| chosen);
    curves.iter().zip(chosen).map(|(curve, cut)| curve.rule(&curve.cuts[cut])).collect()
}

/// The cuts of one group within the window: a queue whose first is the best of them.
#[derive(Default)]
struct Window {
    entered: usize,
    left: usize,
    queue: VecDeque<usize>,
}

impl Window {
    fn enter(&mut self, cuts: &[(f64, f64)]) {
        let next = self.entered;
        while self.queue.back().is_some_and(|last| cuts[*last].1 < cuts[next].1) {
            self.queue.pop_back();
        }
        self.queue.push_back(next);
        self.entered += 1;
    }

    fn leave(&mut self) {
        if self.queue.front() == Some(&self.left) {
            self.queue.pop_front();
        }
        self.left += 1;
    }

    fn best(&self) -> Option<usize> {
        self.queue.front().copied()
    }

    fn value(&self, cuts: &[(f64, f64)]) -> Option<f64> {
        self.best().map(|best| cuts[best].1)
    }
}
