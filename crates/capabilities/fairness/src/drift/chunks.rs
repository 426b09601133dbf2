//! Thresholds from the reference itself: how much its chunks differ from the rest of it.

use std::collections::BTreeMap;

use super::{
    compare, jensen_shannon, l_infinity, psi,
    registry::Definition,
    scan::{Part, Tally},
    wasserstein,
};

/// The most chunks.
pub const MAX_CHUNKS: usize = 100;
/// The fewest that say how much chunks differ.
pub const MIN_CHUNKS: usize = 3;
/// A distance is accepted up to the chunks' mean and so many of their standard deviations.
const DEVIATIONS: f64 = 3.0;

const DISTANCES: [&Definition; 4] = [
    &wasserstein::DEFINITION,
    &jensen_shannon::DEFINITION,
    &psi::DEFINITION,
    &l_infinity::DEFINITION,
];

/// All parts of a column together.
pub(super) fn whole(parts: &[Part], column: usize) -> Option<Tally> {
    let mut tallies = parts.iter().filter_map(|part| part.tallies.get(column));
    let mut whole = tallies.next()?.clone();
    tallies.for_each(|tally| whole.merge(tally.clone()));
    Some(whole)
}

/// The threshold of each distance of a column: the mean and three standard deviations of the distances of each chunk from the
/// rest. Chunks of fewer than `min_rows` values say nothing, and fewer than [`MIN_CHUNKS`] give no threshold.
///
/// Source: `NannyML`, standard deviation threshold.
pub(super) fn thresholds(
    parts: &[Part],
    column: usize,
    whole: &Tally,
    min_rows: u64,
) -> BTreeMap<&'static str, f64> {
    let mut values: BTreeMap<&'static str, Vec<f64>> = BTreeMap::new();
    for tally in parts.iter().filter_map(|part| part.tallies.get(column)) {
        let rest = whole.without(tally);
        if tally.values() < min_rows || rest.values() < min_rows {
            continue;
        }
        for (test, value) in compare::values(&DISTANCES, rest, tally.clone()) {
            values.entry(test).or_default().push(value);
        }
    }
    values
        .into_iter()
        .filter(|(_, values)| values.len() >= MIN_CHUNKS)
        .map(|(test, values)| (test, upper(&values)))
        .collect()
}

fn upper(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    mean + DEVIATIONS * variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_three_deviations_above_the_mean() {
        assert!((upper(&[0.1, 0.2, 0.3]) - 0.5).abs() < 1e-12);
    }
}
