//! Which other feature goes with what a feature adds?

use super::{Dependence, Interactions, Sample, moments::correlation};

/// So many ranges of the feature's own values.
const RANGES: usize = 10;
/// Correlations of fewer rows say nothing.
const LEAST: usize = 5;

/// The features of a sample with their partners, the one that counts most first.
pub(super) fn dependences(
    sample: &Sample,
    pairs: Option<&Interactions>,
    most: usize,
) -> Vec<Dependence> {
    let places = 0..sample.features.len().min(most);
    places
        .filter(|place| sample.x[*place].iter().flatten().next().is_some())
        .filter(|place| sample.values[*place].iter().any(|value| *value != 0.0))
        .map(|place| Dependence {
            feature: sample.features[place],
            partner: match pairs {
                Some(pairs) => by_pairs(pairs, sample.features[place]),
                None => by_ranges(sample, place),
            },
        })
        .collect()
}

fn by_pairs(pairs: &Interactions, feature: usize) -> Option<usize> {
    let place = pairs.features.iter().position(|other| *other == feature)?;
    let others = pairs.size[place].iter().enumerate().filter(|(other, _)| *other != place);
    greatest(others.map(|(other, size)| (pairs.features[other], *size)))
}

fn by_ranges(sample: &Sample, place: usize) -> Option<usize> {
    let (x, values) = (&sample.x[place], &sample.values[place]);
    let mut order: Vec<usize> = (0..x.len()).filter(|row| x[*row].is_some()).collect();
    order.sort_by(|one, two| {
        let both = x[*one].unwrap_or_default().total_cmp(&x[*two].unwrap_or_default());
        both.then(one.cmp(two))
    });
    if order.len() < 2 * LEAST {
        return None;
    }
    let ranges: Vec<&[usize]> = order.chunks(order.len().div_ceil(RANGES).max(LEAST)).collect();
    let others = (0..sample.features.len()).filter(|other| *other != place);
    greatest(others.map(|other| {
        let sizes = ranges.iter().filter(|range| range.len() >= LEAST).map(|range| {
            let with = range.iter().filter_map(|row| Some((sample.x[other][*row]?, values[*row])));
            correlation(with).unwrap_or_default().abs()
        });
        (sample.features[other], sizes.sum::<f64>())
    }))
}

/// The first of the greatest, if it is more than nothing.
fn greatest(sizes: impl Iterator<Item = (usize, f64)>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (feature, size) in sizes {
        if size > 0.0 && best.is_none_or(|(_, most)| size > most) {
            best = Some((feature, size));
        }
    }
    best.map(|(feature, _)| feature)
}
