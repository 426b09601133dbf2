//! Aequitas' disparities: each group by itself against the reference group, as a ratio.

use super::{Definition, Kind, Peer, metric, peer::About};

/// Aequitas' name of each, and the metric.
const ALL: [(&str, &str); 10] = [
    ("ppr_disparity", "ppr"),
    ("pprev_disparity", "selection_rate"),
    ("precision_disparity", "ppv"),
    ("fdr_disparity", "fdr"),
    ("for_disparity", "for"),
    ("fpr_disparity", "fpr"),
    ("fnr_disparity", "fnr"),
    ("tpr_disparity", "tpr"),
    ("tnr_disparity", "tnr"),
    ("npv_disparity", "npv"),
];

pub(super) fn definitions() -> Vec<Definition> {
    ALL.into_iter()
        .filter_map(|(id, rate)| {
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

/// Their ids with their metrics, in Aequitas' order.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static crate::metrics::Metric)> {
    super::registry().iter().filter_map(|definition| match definition.kind {
        Kind::Peer(Peer::EachToReference { metric }) => Some((definition.id.as_str(), metric)),
        _ => None,
    })
}
