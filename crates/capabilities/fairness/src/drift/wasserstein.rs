//! The Wasserstein distance in standard deviations.

use super::{ColumnKind, Point, registry::Definition, totals};

pub(super) const DEFINITION: Definition = Definition {
    id: "wasserstein",
    title: "Wasserstein distance",
    formula: "integral of |F(x) - G(x)| dx / standard deviation of the reference",
    range: (0.0, f64::MAX),
    kinds: &[ColumnKind::Number],
    default_threshold: Some(0.1),
    source: "Kantorovich 1942; SciPy wasserstein_distance; scaled as Evidently does, by the population's standard deviation",
    edge_cases: "How far values moved on average, in the reference's standard deviations. Undefined when all values of the reference are the same. A few far outliers move it much.",
};

/// The scaled distance of sorted points; `None` if a table has no values, the reference only one, or numbers are too great.
pub fn wasserstein(points: &[Point]) -> Option<f64> {
    let scaled = distance(points)? / deviation(points)?;
    scaled.is_finite().then_some(scaled)
}

/// The distance in the column's own unit.
pub fn distance(points: &[Point]) -> Option<f64> {
    let counts = || points.iter().map(|point| point.counts);
    let [reference, current] = totals(&counts().collect::<Vec<_>>())?;
    let (mut below, mut sum) = ([0_u64; 2], 0.0);
    for pair in points.windows(2) {
        let [point, next] = pair else { continue };
        below[0] += point.counts[0];
        below[1] += point.counts[1];
        let apart = (below[0] as f64 / reference - below[1] as f64 / current).abs();
        if apart > 0.0 {
            sum += apart * (next.value - point.value);
        }
    }
    Some(sum)
}

/// The standard deviation of the reference's values (of a population); `None` if it is 0 or no number.
pub(super) fn deviation(points: &[Point]) -> Option<f64> {
    let count: u64 = points.iter().map(|point| point.counts[0]).sum();
    let mean =
        points.iter().map(|point| point.counts[0] as f64 / count as f64 * point.value).sum::<f64>();
    let square = |point: &Point| {
        if point.counts[0] == 0 {
            0.0
        } else {
            point.counts[0] as f64 * (point.value - mean).powi(2)
        }
    };
    let variance = points.iter().map(square).sum::<f64>() / count as f64;
    // Rounding alone is no variance.
    let several = points.iter().filter(|point| point.counts[0] > 0).nth(1).is_some();
    (several && variance > 0.0 && variance.is_finite()).then(|| variance.sqrt())
}
