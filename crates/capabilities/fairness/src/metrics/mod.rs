//! The metrics of one group: one file each, and the registry that lists them.

use serde::{Serialize, Serializer};

use crate::{
    lanes::{Lanes, Table},
    tally::{Count, Matrix, Tally},
};

/// A measure that is a smooth function of the confusion matrix.
macro_rules! smooth {
    ($of:expr) => {
        $crate::metrics::Measure::Matrix($crate::metrics::Smooth {
            one: $of,
            many: |table, out| $crate::lanes::of_matrices(table, out, $of),
        })
    };
}

macro_rules! metrics {
    ($($file:ident),+ $(,)?) => {
        $(mod $file;)+
        static REGISTRY: &[&Metric] = &[$(&$file::METRIC),+];
    };
}

metrics! {
    count, share, base_rate, selection_rate, predicted_positive_share, true_positive_rate, false_positive_rate, true_negative_rate,
    false_negative_rate, positive_predictive_value, negative_predictive_value, false_discovery_rate,
    false_omission_rate, accuracy, zero_one_loss, balanced_accuracy, f1, matthews_correlation, treatment_ratio,
    generalized_entropy_0, generalized_entropy_half, theil, generalized_entropy_2, generalized_entropy_3,
    coefficient_of_variation, mean_score, mean_score_positives, mean_score_negatives, generalized_false_negative_rate,
    generalized_true_negative_rate, brier,
    log_loss, mean_absolute_error, mean_squared_error, roc_auc, kolmogorov_smirnov, calibration_error,
    calibration_in_the_large,
}

pub(crate) mod entropy;
pub(crate) mod reliability;

/// A metric of one group.
#[derive(Debug, Serialize)]
pub struct Metric {
    /// Its stable id; the peers' name where they have one.
    pub id: &'static str,
    /// Other names that the peers give it.
    pub aliases: &'static [&'static str],
    /// Its name for people.
    pub title: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// Its least and greatest value; in JSON `null` where there is no bound.
    #[serde(serialize_with = "serialize_range")]
    pub range: (f64, f64),
    /// Which way is better.
    pub better: Better,
    /// What the data must have.
    pub needs: Needs,
    /// Where the definition comes from.
    pub source: &'static str,
    /// When it is undefined, and other traps.
    pub edge_cases: &'static str,
    #[serde(skip)]
    pub(crate) measure: Measure,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Greater is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither: only differences between groups matter.
    Neither,
}

impl Better {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Neither => "neither: only differences between groups matter",
        }
    }
}

/// What the data must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Nothing but rows.
    Rows,
    /// Labels.
    Labels,
    /// Predictions.
    Predictions,
    /// Labels and predictions.
    Decisions,
    /// Scores.
    Scores,
    /// Labels and scores.
    Ranking,
    /// Labels and scores in [0, 1].
    Probabilities,
}

impl Needs {
    /// Whether labels are among it.
    pub const fn labels(self) -> bool {
        match self {
            Self::Labels | Self::Decisions | Self::Ranking | Self::Probabilities => true,
            Self::Rows | Self::Predictions | Self::Scores => false,
        }
    }

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Labels => "labels",
            Self::Predictions => "predictions",
            Self::Decisions => "labels and predictions",
            Self::Scores => "scores",
            Self::Ranking => "labels and scores",
            Self::Probabilities => "labels and scores between 0 and 1",
        }
    }
}

/// Why a metric is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Undefined(pub &'static str);

/// A value that was estimated from rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub value: f64,
    /// Variance of the value, if it is known.
    pub variance: Option<f64>,
    /// The most that the value is too great on average; 0 if it is unbiased.
    pub bias: f64,
    /// Rows that it was estimated from.
    pub n: u64,
}

/// How a metric is computed, which decides how its interval is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measure {
    /// Known without error.
    Exact(fn(&Tally) -> f64),
    /// A proportion: rows that have it, of rows that could; and why it is undefined if there are none of these.
    Rate(fn(&Tally) -> (Count, Count), &'static str),
    /// A smooth function of the confusion matrix.
    Matrix(Smooth),
    /// The mean of something over rows, and these rows: everybody's is the groups' means, weighted by their rows.
    Mean(fn(&Tally) -> Result<Estimate, Undefined>, fn(&Tally) -> Count),
    /// Any other value with a variance of its own.
    Estimate(fn(&Tally) -> Result<Estimate, Undefined>),
}

/// A smooth function of the confusion matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Smooth {
    /// Of one.
    pub one: fn(&Matrix) -> Result<f64, Undefined>,
    /// Of one for each bootstrap draw, NaN where it is undefined.
    pub many: fn(&Table, &mut Lanes),
}

pub(crate) const NO_LABELS: &str = "the group has no labelled rows";
pub(crate) const NO_PREDICTIONS: &str = "the group has no predictions";
pub(crate) const NO_POSITIVES: &str = "the group has no positive labels";
pub(crate) const NO_NEGATIVES: &str = "the group has no negative labels";
pub(crate) const NO_SELECTED: &str = "nobody in the group is predicted positive";
pub(crate) const NO_REJECTED: &str = "nobody in the group is predicted negative";
pub(crate) const NO_SCORES: &str = "the group has no scores";
pub(crate) const NO_DECISIONS: &str = "the group has no rows with both label and prediction";
pub(crate) const NOT_PROBABILITIES: &str = "the scores are not all between 0 and 1";

/// All metrics, in the order in which results list them.
pub fn registry() -> &'static [&'static Metric] {
    REGISTRY
}

/// The metric with this id or alias.
pub fn find(id: &str) -> Option<&'static Metric> {
    REGISTRY.iter().copied().find(|metric| metric.id == id || metric.aliases.contains(&id))
}

/// The mean of a row-wise quantity, from its weighted sum and the weighted sum of its squares.
pub(crate) fn mean(
    count: Count,
    sum: f64,
    squares: Option<f64>,
    none: &'static str,
) -> Result<Estimate, Undefined> {
    if count.w <= 0.0 {
        return Err(Undefined(none));
    }
    let value = sum / count.w;
    let effective = count.effective();
    let variance = squares
        .filter(|_| effective > 1.0)
        .map(|squares| ((squares / count.w - value * value).max(0.0)) / (effective - 1.0));
    Ok(Estimate { value, variance, bias: 0.0, n: count.n })
}

/// numerator / denominator, or why not.
pub(crate) fn ratio(
    numerator: f64,
    denominator: f64,
    none: &'static str,
) -> Result<f64, Undefined> {
    if denominator > 0.0 { Ok(numerator / denominator) } else { Err(Undefined(none)) }
}

/// A range's two bounds, `None` where there is none.
pub fn bounds(range: (f64, f64)) -> [Option<f64>; 2] {
    [range.0, range.1].map(|bound| (bound.abs() < f64::MAX).then_some(bound))
}

pub(crate) fn serialize_range<S: Serializer>(
    range: &(f64, f64),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    bounds(*range).serialize(serializer)
}

/// The interval in which a proportion lies.
pub(crate) const UNIT: (f64, f64) = (0.0, 1.0);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_registry_names_everything_once_and_says_all_of_it() {
        let mut names = HashSet::new();
        for metric in registry() {
            for name in std::iter::once(&metric.id).chain(metric.aliases) {
                assert!(names.insert(*name), "{name} is named twice");
            }
            for text in [metric.title, metric.formula, metric.source, metric.edge_cases] {
                assert!(!text.is_empty(), "{} leaves a text empty", metric.id);
            }
            assert!(metric.range.0 < metric.range.1, "{}", metric.id);
        }
        assert_eq!(find("recall").map(|metric| metric.id), Some("tpr"));
    }
}
