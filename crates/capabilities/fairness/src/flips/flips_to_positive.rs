//! How many would be selected if the attribute were another.

use super::Metric;
use crate::{
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "flips_to_positive",
        title: "Flips to positive",
        formula: "rows that are negative, and positive with the attribute changed / rows with both decisions",
        range: UNIT,
        better: Better::Lower,
        source: "Black, Yeom and Fredrikson 2020 (FlipTest): the positive flip set",
        edge_cases: "Of all rows, not of the negative ones: with flips_to_negative it adds up to flip_rate. Many of one group are people whom their attribute alone keeps out.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    counted: |pairs| pairs.to_positive,
};
