//! Metrics and disparities by name, for whoever looks one up.

use serde::Serialize;

use crate::{
    disparities::{self, Definition},
    fault, flips,
    frame::About,
    individual,
    metrics::{self, Metric},
    multiclass, ranking, regression,
};

/// What a name stands for.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A metric of one group.
    Metric(&'static Metric),
    /// A disparity between groups.
    Disparity(&'static Definition),
}

/// The metrics of an analysis of other than yes and no.
#[derive(Debug, Clone, Serialize)]
pub struct Kind {
    /// What kind: the word of `--task`, or the type of analysis.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Each makes four disparities: `…_difference`, `…_ratio`, `…_difference_to_reference`, `…_ratio_to_reference`.
    pub metrics: Vec<&'static About>,
    /// The disparities that are no difference or ratio of these.
    pub disparities: Vec<&'static About>,
}

/// The analyses of other than yes and no, each with its metrics.
pub fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            id: "regression",
            title: "Metrics of predicted numbers",
            metrics: regression::registry().iter().map(|metric| &metric.about).collect(),
            disparities: regression::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "multiclass",
            title: "Metrics of predicted classes",
            metrics: multiclass::registry().iter().map(|metric| &metric.about).collect(),
            disparities: multiclass::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "ranking",
            title: "Metrics of ranked lists",
            metrics: ranking::METRICS.iter().collect(),
            disparities: ranking::DISPARITIES.iter().collect(),
        },
        Kind {
            id: "individual_fairness",
            title: "Metrics of individuals",
            metrics: vec![&individual::ABOUT],
            disparities: Vec::new(),
        },
        Kind {
            id: "flips",
            title: "Metrics of decisions under a changed attribute",
            metrics: flips::registry().iter().map(|metric| &metric.about).collect(),
            disparities: flips::DISPARITIES.iter().collect(),
        },
    ]
}

/// The metric or disparity with this id or alias.
pub fn find(name: &str) -> Option<Entry> {
    metrics::find(name).map(Entry::Metric).or_else(|| disparities::find(name).map(Entry::Disparity))
}

/// Of all ids and aliases, the one that somebody who typed `name` most likely meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let metrics = metrics::registry()
        .iter()
        .flat_map(|metric| std::iter::once(&metric.id).chain(metric.aliases).copied());
    fault::nearest(name, metrics.chain(disparities::registry().iter().flat_map(Definition::names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_or_the_nearest_is_known() {
        assert!(matches!(find("recall"), Some(Entry::Metric(metric)) if metric.id == "tpr"));
        assert!(
            matches!(find("for_parity_ratio"), Some(Entry::Disparity(found)) if found.id == "for_ratio")
        );
        assert!(find("selection_rat").is_none());
        assert_eq!(nearest("selection_rat"), Some("selection_rate"));
    }

    #[test]
    fn no_name_is_both() {
        for metric in metrics::registry() {
            for name in std::iter::once(&metric.id).chain(metric.aliases) {
                assert!(disparities::find(name).is_none(), "{name} is a disparity too");
            }
        }
    }
}
