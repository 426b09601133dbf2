//! The greatest difference of any category's share.

use super::{ColumnKind, Counts, registry::Definition, shares};

pub(super) const DEFINITION: Definition = Definition {
    id: "l_infinity",
    title: "L-infinity distance",
    formula: "max over categories of |q - p|",
    range: (0.0, 1.0),
    kinds: &[ColumnKind::Category],
    default_threshold: Some(0.1),
    source: "Chebyshev distance of the shares; NannyML, TensorFlow Data Validation",
    edge_cases: "It sees the one category that moved most, and is blind to many small moves.",
};

/// The distance of the counts of categories; `None` if a table has no values.
pub fn l_infinity(cells: &[Counts]) -> Option<f64> {
    Some(shares(cells)?.map(|[p, q]| (q - p).abs()).fold(0.0, f64::max))
}
