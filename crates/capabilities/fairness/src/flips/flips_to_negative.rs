//! How many would not be selected if the attribute were another.

use super::Metric;
use crate::{
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "flips_to_negative",
        title: "Flips to negative",
        formula: "rows that are positive, and negative with the attribute changed / rows with both decisions",
        range: UNIT,
        better: Better::Lower,
        source: "Black, Yeom and Fredrikson 2020 (FlipTest): the negative flip set",
        edge_cases: "Of all rows, not of the positive ones: with flips_to_positive it adds up to flip_rate. Many of one group are people whom their attribute alone gets in.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    counted: |pairs| pairs.to_negative,
};
