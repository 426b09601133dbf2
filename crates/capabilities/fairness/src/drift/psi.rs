//! The population stability index.

use super::{
    Counts,
    registry::{BOTH, Definition},
    shares,
};

pub(super) const DEFINITION: Definition = Definition {
    id: "psi",
    title: "Population stability index",
    formula: "sum over bins or categories of (q - p) ln(q / p)",
    range: (0.0, f64::MAX),
    kinds: BOTH,
    default_threshold: Some(0.2),
    source: "Siddiqi 2006, Credit Risk Scorecards; bins are the reference's deciles",
    edge_cases: "A share below 0.0001 counts as 0.0001, so that an empty bin does not make it infinite (Evidently: the same of 0). By custom, 0.1 is a small shift and 0.2 a large one. Symmetric for categories; of numbers the reference decides on the bins.",
};

/// The least share that counts.
const LEAST: f64 = 0.0001;

/// The index of the counts of bins; `None` if a table has no values.
pub fn psi(cells: &[Counts]) -> Option<f64> {
    let shares = shares(cells)?;
    let part = |[p, q]: [f64; 2]| {
        let (p, q) = (p.max(LEAST), q.max(LEAST));
        (q - p) * (q / p).ln()
    };
    Some(shares.map(part).sum())
}
