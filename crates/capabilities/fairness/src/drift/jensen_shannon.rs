//! The Jensen-Shannon distance.

use super::{
    Counts,
    registry::{BOTH, Definition},
    shares,
};

pub(super) const DEFINITION: Definition = Definition {
    id: "jensen_shannon",
    title: "Jensen-Shannon distance",
    formula: "sqrt((KL(p, m) + KL(q, m)) / 2) with m = (p + q) / 2 and logarithms to base 2",
    range: (0.0, 1.0),
    kinds: BOTH,
    default_threshold: Some(0.1),
    source: "Lin 1991; Endres and Schindelin 2003; SciPy jensenshannon(p, q, base=2)",
    edge_cases: "0 for equal shares, 1 for tables that have no value in common. Bins of numbers are the reference's deciles. With few rows chance alone makes it greater than 0.",
};

/// The distance of the counts of bins; `None` if a table has no values.
pub fn jensen_shannon(cells: &[Counts]) -> Option<f64> {
    let divergence = |share: f64, middle: f64| {
        if share > 0.0 { share * (share / middle).log2() } else { 0.0 }
    };
    let part = |[p, q]: [f64; 2]| {
        let middle = f64::midpoint(p, q);
        divergence(p, middle) + divergence(q, middle)
    };
    let sum: f64 = shares(cells)?.map(part).sum();
    Some((sum / 2.0).clamp(0.0, 1.0).sqrt())
}
