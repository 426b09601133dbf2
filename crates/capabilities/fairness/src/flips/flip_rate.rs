//! How many decisions change when the attribute alone is changed.

use super::{Metric, pairs::Pairs};
use crate::{
    disparities::DIFFERENCE_THRESHOLD,
    frame::About,
    metrics::{Better, UNIT},
};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "flip_rate",
        title: "Flip rate",
        formula: "rows whose decision changes with the attribute / rows with both decisions",
        range: UNIT,
        better: Better::Lower,
        source: "Counterfactual fairness: Kusner, Loftus, Russell and Silva 2017; as a rate of changed decisions: Black, Yeom and Fredrikson 2020 (FlipTest)",
        edge_cases: "Rows without one of the decisions are in no rate, and are listed. 0 says that the model does not use the attribute itself; columns that follow from it were left as they are. Black et al. change more than the attribute: the data decide what was changed.",
        difference_threshold: Some(DIFFERENCE_THRESHOLD),
        ratio_threshold: None,
    },
    counted: Pairs::flipped,
};
