//! Aequitas' disparities: each group by itself against the reference group, as a ratio.

use super::{Definition, Peer, metric, peer::About};
use crate::metrics::Metric;

/// Aequitas' name of each, the metric, and Aequitas' name of its parity, in Aequitas' order.
const ALL: [(&str, &str, &str); 10] = [
    ("ppr_disparity", "ppr", "statistical_parity"),
    ("pprev_disparity", "selection_rate", "impact_parity"),
    ("precision_disparity", "ppv", "precision_parity"),
    ("fdr_disparity", "fdr", "fdr_parity"),
    ("for_disparity", "for", "for_parity"),
    ("fpr_disparity", "fpr", "fpr_parity"),
    ("fnr_disparity", "fnr", "fnr_parity"),
    ("tpr_disparity", "tpr", "tpr_parity"),
    ("tnr_disparity", "tnr", "tnr_parity"),
    ("npv_disparity", "npv", "npv_parity"),
];

pub(super) fn definitions() -> Vec<Definition> {
    ALL.into_iter()
        .filter_map(|(id, rate, _)| {
            let metric = metric(rate)?;
            let rate = metric.id;
            let about = About {
                id,
                title: "",
                formula: "",
                range: (0.0, f64::MAX),
                source: "Aequitas Bias.get_disparity_predefined_groups, get_disparity_major_group",
                edge_cases: "The reference group is the spec's, or the largest. Its value is the group's whose ratio is farthest from 1; every group's, and whether it is parity at tau, is in the result's parity. Undefined where the reference group's rate is undefined or 0 (Aequitas: 10.0 in place of infinity); groups without the rate are left out and listed.",
                needs: metric.needs,
                peer: Peer::EachToReference { metric },
            };
            Some(Definition {
                title: format!("{} ratio of the farthest group to the reference group", metric.title),
                formula: format!("of the {rate} of each other group / {rate} of the reference group, the one farthest from 1"),
                ideal: 1.0,
                ..about.definition()
            })
        })
        .collect()
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EachToReference {
    /// The disparity's id.
    pub id: &'static str,
    /// Of what it is the ratio.
    pub metric: &'static Metric,
    /// Aequitas' name of what it is when that is near enough to 1.
    pub parity: &'static str,
}

/// All of them, in Aequitas' order.
pub(crate) fn all() -> impl Iterator<Item = EachToReference> {
    ALL.into_iter().filter_map(|(id, rate, parity)| {
        Some(EachToReference { id, metric: metric(rate)?, parity })
    })
}
