//! Disparities between groups: one file for each family, and the registry that lists them.

mod accuracy_equality;
mod average_odds;
mod between_group_entropy;
mod bias_amplification;
mod calibration_parity;
mod calibration_within_groups;
mod class_balance;
pub(crate) mod class_imbalance;
mod conditional;
mod data_parity;
pub(crate) mod demographic_disparity;
mod demographic_parity;
pub(crate) mod differential_fairness;
mod disparate_impact;
pub(crate) mod each_to_reference;
mod equal_opportunity;
mod equalized_odds;
mod false_discovery_parity;
mod false_omission_parity;
pub(crate) mod kl_divergence;
mod metric_frame;
mod odds_to_reference;
pub(crate) mod peer;
mod predictive_equality;
mod predictive_parity;
mod privileged_rates;
mod statistical_parity;
mod treatment_equality;

use std::{collections::HashMap, sync::OnceLock};

use serde::Serialize;

use crate::{
    AnalysisType,
    metrics::{Metric, Needs, entropy::Alpha},
};
pub(crate) use peer::{Outcome, Outcomes, Peer};

/// The threshold of differences, unless the spec sets another.
pub const DIFFERENCE_THRESHOLD: f64 = 0.1;
/// The threshold of ratios' shortfall 1 - min(r, 1/r), unless the spec sets another: the four-fifths rule.
pub const RATIO_THRESHOLD: f64 = 0.2;

/// A disparity.
#[derive(Debug, Serialize)]
pub struct Definition {
    /// Its stable id; the peers' name where they have one.
    pub id: String,
    /// Other names, under which a threshold may be given too.
    pub aliases: Vec<String>,
    /// Its name for people.
    pub title: String,
    /// How it is computed.
    pub formula: String,
    /// Its least and greatest value; in JSON `null` where there is no bound.
    #[serde(serialize_with = "crate::metrics::serialize_range")]
    pub range: (f64, f64),
    /// Its value when there is no disparity.
    pub ideal: f64,
    /// Where the definition comes from.
    pub source: &'static str,
    /// When it is undefined, and other traps.
    pub edge_cases: &'static str,
    /// What the data must have.
    pub needs: Needs,
    /// The threshold that judges it unless the spec sets another; `None`: it is only judged if the spec does.
    pub default_threshold: Option<f64>,
    /// Which analyses judge it.
    pub family: Family,
    /// Whether the compliance score counts it (its family permitting).
    pub scored: bool,
    #[serde(skip)]
    pub(crate) kind: Kind,
}

/// What a disparity asks about, which decides which analyses judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Are groups selected equally often?
    Selection,
    /// Is the model equally right about each group?
    Errors,
    /// Everything else.
    Other,
}

impl Family {
    /// Whether an analysis of this type judges the family.
    pub fn judged_by(self, analysis: AnalysisType) -> bool {
        match analysis {
            AnalysisType::DemographicParity => self == Self::Selection,
            AnalysisType::EqualizedOdds => self == Self::Errors,
            AnalysisType::IndividualFairness => false,
            AnalysisType::Comprehensive => true,
        }
    }
}

/// Difference or ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Difference,
    Ratio,
}

/// What groups are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Against {
    /// One another.
    Groups,
    /// Everybody.
    Overall,
}

/// How TPR and FPR make one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fold {
    WorstCase,
    Mean,
}

/// The forms of average odds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Average {
    Odds,
    AbsoluteOdds,
    PredictiveValue,
}

/// How a disparity is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Extremes of a metric over groups, Fairlearn's convention.
    Extremes { metric: &'static Metric, form: Form, against: Against },
    /// TPR and FPR together, Fairlearn's convention.
    Odds { form: Form, fold: Fold, against: Against },
    /// All others together against the reference group, AIF360's convention.
    Privileged { metric: &'static Metric, form: Form },
    /// Mean of two differences, all others together against the reference group.
    Average(Average),
    /// Entropy of the groups' mean benefits.
    Entropy { alpha: Alpha, all_groups: bool, variation: bool },
    /// The extremes of a rate over pairs of groups, each pair compared within strata.
    Conditional { metric: &'static Metric, form: Form },
    /// The extremes of the share of positive labels over groups within each bin of scores.
    Bins { fold: Fold },
    /// Another of the peers' conventions, for information.
    Peer(Peer),
}

/// All disparities, in the order in which results list them.
pub fn registry() -> &'static [Definition] {
    static REGISTRY: OnceLock<Vec<Definition>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        [
            demographic_parity::definitions(),
            equal_opportunity::definitions(),
            equalized_odds::definitions(),
            predictive_parity::definitions(),
            false_discovery_parity::definitions(),
            false_omission_parity::definitions(),
            predictive_equality::definitions(),
            treatment_equality::definitions(),
            accuracy_equality::definitions(),
            calibration_parity::definitions(),
            calibration_within_groups::definitions(),
            class_balance::definitions(),
            conditional::definitions(),
            statistical_parity::definitions(),
            disparate_impact::definitions(),
            privileged_rates::definitions(),
            average_odds::definitions(),
            between_group_entropy::definitions(),
            odds_to_reference::definitions(),
            each_to_reference::definitions(),
            data_parity::definitions(),
            class_imbalance::definitions(),
            kl_divergence::definitions(),
            demographic_disparity::definitions(),
            differential_fairness::definitions(),
            bias_amplification::definitions(),
            metric_frame::definitions(),
        ]
        .into_iter()
        .flatten()
        .collect()
    })
}

impl Definition {
    /// Its id, then its other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str)
    }
}

/// The disparity with this id or alias.
pub fn find(id: &str) -> Option<&'static Definition> {
    static BY_ID: OnceLock<HashMap<&'static str, &'static Definition>> = OnceLock::new();
    BY_ID
        .get_or_init(|| {
            registry()
                .iter()
                .flat_map(|definition| definition.names().map(move |name| (name, definition)))
                .collect()
        })
        .get(id)
        .copied()
}

/// What Fairlearn calls difference and ratio, between groups and to overall, of one metric: four definitions.
fn extremes(
    metric: &'static Metric,
    name: &str,
    title: &str,
    source: &'static str,
) -> Vec<Definition> {
    let id = metric.id;
    let unit = metric.range == crate::metrics::UNIT;
    let difference_range = if unit { (0.0, 1.0) } else { (0.0, f64::MAX) };
    let make = |suffix: &str, words: &str, formula: String, form, against| Definition {
        id: format!("{name}_{suffix}"),
        aliases: Vec::new(),
        title: format!("{title} {words}"),
        formula,
        range: if form == Form::Ratio { (0.0, 1.0) } else { difference_range },
        ideal: if form == Form::Ratio { 1.0 } else { 0.0 },
        source,
        edge_cases: "Groups in which the metric is undefined are left out and listed; fewer than two groups are not comparable. A ratio is undefined when the greater value is 0, or when a value is negative.",
        needs: metric.needs,
        default_threshold: None,
        family: Family::Other,
        scored: false,
        kind: Kind::Extremes { metric, form, against },
    };
    vec![
        make(
            "difference",
            "difference",
            format!("max {id} - min {id} over groups"),
            Form::Difference,
            Against::Groups,
        ),
        make(
            "ratio",
            "ratio",
            format!("min {id} / max {id} over groups"),
            Form::Ratio,
            Against::Groups,
        ),
        make(
            "difference_to_overall",
            "difference to everybody",
            format!("max over groups of |{id} - overall {id}|"),
            Form::Difference,
            Against::Overall,
        ),
        make(
            "ratio_to_overall",
            "ratio to everybody",
            format!("min over groups of min({id} / overall {id}, overall {id} / {id})"),
            Form::Ratio,
            Against::Overall,
        ),
    ]
}

/// The same with the default thresholds, so that analyses of the family judge the comparisons between groups.
fn judged(definitions: Vec<Definition>, family: Family, scored: bool) -> Vec<Definition> {
    definitions
        .into_iter()
        .map(|definition| {
            let Kind::Extremes { form, against, .. } = definition.kind else { return definition };
            let threshold =
                if form == Form::Ratio { RATIO_THRESHOLD } else { DIFFERENCE_THRESHOLD };
            Definition {
                default_threshold: (against == Against::Groups).then_some(threshold),
                family,
                scored: scored && form == Form::Difference && against == Against::Groups,
                ..definition
            }
        })
        .collect()
}

/// One of AIF360's: all others together against the reference group.
fn privileged(id: &str, title: &str, metric: &'static Metric, form: Form) -> Definition {
    let name = metric.id;
    let unit = metric.range == crate::metrics::UNIT;
    Definition {
        id: id.to_owned(),
        aliases: Vec::new(),
        title: title.to_owned(),
        formula: match form {
            Form::Difference => {
                format!("{name} of all other groups together - {name} of the reference group")
            }
            Form::Ratio => {
                format!("{name} of all other groups together / {name} of the reference group")
            }
        },
        range: match form {
            Form::Difference if unit => (-1.0, 1.0),
            Form::Difference => (f64::MIN, f64::MAX),
            Form::Ratio => (0.0, f64::MAX),
        },
        ideal: if form == Form::Ratio { 1.0 } else { 0.0 },
        source: "AIF360 ClassificationMetric: unprivileged - privileged, unprivileged / privileged",
        edge_cases: "The reference group is the spec's, or the largest. Undefined if the rate of either side is, or if a ratio's reference rate is 0 (AIF360: inf; Aequitas: 10.0).",
        needs: metric.needs,
        default_threshold: None,
        family: Family::Other,
        scored: false,
        kind: Kind::Privileged { metric, form },
    }
}

/// The same under other names too: `name` with each definition's ending.
fn also_named(definitions: Vec<Definition>, name: &str) -> Vec<Definition> {
    definitions
        .into_iter()
        .map(|mut definition| {
            if let Kind::Extremes { metric, .. } = definition.kind
                && let Some(ending) = definition.id.strip_prefix(metric.id)
            {
                definition.aliases.push(format!("{name}{ending}"));
            }
            definition
        })
        .collect()
}

/// Signed difference and ratio of all other groups together to the reference group.
fn to_reference(
    metric: &'static Metric,
    name: &str,
    title: &str,
    source: &'static str,
) -> Vec<Definition> {
    [(Form::Difference, "difference"), (Form::Ratio, "ratio")]
        .into_iter()
        .map(|(form, noun)| Definition {
            source,
            edge_cases: "The reference group is the spec's, or the largest. Undefined if the value of either side is, or if a ratio's reference value is not above 0.",
            ..privileged(
                &format!("{name}_{noun}_to_reference"),
                &format!("{title} {noun} against the reference group"),
                metric,
                form,
            )
        })
        .collect()
}

/// The metric with this id. A name that is not in the registry makes an empty family, which a test finds.
fn metric(id: &str) -> Option<&'static Metric> {
    crate::metrics::find(id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_registry_names_everything_once_and_says_all_of_it() {
        let mut ids = HashSet::new();
        for definition in registry() {
            for name in definition.names() {
                assert!(ids.insert(name), "{name} is there twice");
            }
            assert_eq!(
                definition
                    .names()
                    .map(|name| find(name).map(|found| &found.id))
                    .collect::<Vec<_>>(),
                vec![Some(&definition.id); definition.aliases.len() + 1]
            );
            for text in [
                definition.title.as_str(),
                definition.formula.as_str(),
                definition.source,
                definition.edge_cases,
            ] {
                assert!(!text.is_empty(), "{} leaves a text empty", definition.id);
            }
            assert!(definition.range.0 < definition.range.1, "{}", definition.id);
        }
    }

    #[test]
    fn every_metric_has_its_comparisons() {
        let compared: HashSet<(&str, Form, Against)> = registry()
            .iter()
            .filter_map(|definition| match definition.kind {
                Kind::Extremes { metric, form, against } => Some((metric.id, form, against)),
                _ => None,
            })
            .collect();
        // Shares of a whole are no rates of groups.
        let is_rate = |metric: &&&Metric| !["share", "ppr"].contains(&metric.id);
        for metric in crate::metrics::registry().iter().filter(is_rate) {
            for form in [Form::Difference, Form::Ratio] {
                for against in [Against::Groups, Against::Overall] {
                    assert!(
                        compared.contains(&(metric.id, form, against)),
                        "{} {form:?} {against:?}",
                        metric.id
                    );
                }
            }
        }
    }

    #[test]
    fn the_compliance_score_counts_exactly_three() {
        let scored: Vec<&str> = registry()
            .iter()
            .filter(|definition| definition.scored)
            .map(|definition| definition.id.as_str())
            .collect();
        assert_eq!(
            scored,
            [
                "demographic_parity_difference",
                "equal_opportunity_difference",
                "equalized_odds_difference"
            ]
        );
    }
}
