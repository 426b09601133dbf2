//! Are there many more of the one than of the others?

use super::{Definition, Peer, peer::About};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    let about = About {
        id: "class_imbalance",
        title: "Class imbalance",
        formula: "(weight of all other groups - weight of the reference group) / weight of both",
        range: (-1.0, 1.0),
        source: "aif360.sklearn class_imbalance; Amazon SageMaker Clarify, class imbalance (CI), of the other sign",
        edge_cases: "Above 0 the others are more. The reference group is the spec's, or the largest. Known exactly for the analysed rows: it has no interval.",
        needs: Needs::Rows,
        peer: Peer::Imbalance,
    };
    vec![about.definition()]
}

/// Its value, from the weights of both sides.
pub(crate) fn value(reference: f64, others: f64) -> Result<f64, &'static str> {
    let both = reference + others;
    if both > 0.0 { Ok((others - reference) / both) } else { Err("no row has a weight above 0") }
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn more_others_are_above_zero() {
        assert_eq!(value(1.0, 3.0), Ok(0.5));
        assert_eq!(value(3.0, 1.0), Ok(-0.5));
        assert!(value(0.0, 0.0).is_err());
    }
}
