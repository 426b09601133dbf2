//! Does the model treat groups less alike than the labels do?

use super::{Definition, Peer, peer::About};
use crate::metrics::Needs;

pub(super) fn definitions() -> Vec<Definition> {
    let about = About {
        id: "differential_fairness_bias_amplification",
        title: "Differential fairness bias amplification",
        formula: "smoothed empirical differential fairness of predictions - of labels",
        range: (f64::MIN, f64::MAX),
        source: "Foulds et al. 2020; AIF360 differential_fairness_bias_amplification, aif360.sklearn df_bias_amplification (concentration 1)",
        edge_cases: "Above 0 the predictions are farther apart than the labels. Undefined where either is.",
        needs: Needs::Decisions,
        peer: Peer::BiasAmplification,
    };
    vec![about.definition()]
}
