//! What decisions are like, group by group: before a mitigation and after.

use serde::{Deserialize, Serialize};

use super::{Constraint, curve::Outcome};

/// What decisions (or, of reweighed rows, labels) are like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// The share of decisions that are right, of everybody.
    pub accuracy: Option<f64>,
    /// The mean of true positive and true negative rate, of everybody.
    pub balanced_accuracy: Option<f64>,
    /// Greatest less least share of positive labels of the compared groups.
    pub base_rate_difference: Option<f64>,
    /// Greatest less least selection rate.
    pub demographic_parity_difference: Option<f64>,
    /// Greatest less least true positive rate.
    pub equal_opportunity_difference: Option<f64>,
    /// Greatest less least false positive rate.
    pub false_positive_rate_difference: Option<f64>,
    /// The greater of the differences of true and of false positive rates.
    pub equalized_odds_difference: Option<f64>,
    /// Each group.
    pub groups: Vec<GroupMeasures>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMeasures {
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// The weight of its rows.
    pub weight: f64,
    /// The share of positive labels.
    pub base_rate: Option<f64>,
    /// The share that is selected.
    pub selection_rate: Option<f64>,
    /// Of positive labels, the share that is selected.
    pub true_positive_rate: Option<f64>,
    /// Of negative labels, the share that is selected.
    pub false_positive_rate: Option<f64>,
    /// The share of decisions that are right.
    pub accuracy: Option<f64>,
}

impl Measures {
    /// The disparity that a constraint is about.
    pub fn disparity(&self, constraint: Constraint) -> Option<f64> {
        match constraint {
            Constraint::DemographicParity => self.demographic_parity_difference,
            Constraint::EqualOpportunity => self.equal_opportunity_difference,
            Constraint::FalsePositiveRateParity => self.false_positive_rate_difference,
            Constraint::EqualizedOdds => self.equalized_odds_difference,
        }
    }

    /// Of decisions. Each group comes with whether it is compared.
    pub(super) fn of_decisions(groups: &[(&[String], bool, Outcome)]) -> Self {
        let everybody: Outcome = groups.iter().map(|(_, _, outcome)| *outcome).sum();
        let spread = |constraint| {
            let compared = groups.iter().filter(|(_, is_compared, _)| *is_compared);
            spread(compared.filter_map(|(_, _, outcome)| outcome.rate(constraint)))
        };
        let (tpr, fpr) =
            (spread(Constraint::EqualOpportunity), spread(Constraint::FalsePositiveRateParity));
        let mut measures = Self::of_labels(groups);
        measures.accuracy = accuracy(&everybody);
        measures.balanced_accuracy = balanced(&everybody);
        measures.demographic_parity_difference = spread(Constraint::DemographicParity);
        measures.equal_opportunity_difference = tpr;
        measures.false_positive_rate_difference = fpr;
        measures.equalized_odds_difference = tpr.zip(fpr).map(|(tpr, fpr)| tpr.max(fpr));
        for (measured, (_, _, outcome)) in measures.groups.iter_mut().zip(groups) {
            measured.selection_rate = outcome.rate(Constraint::DemographicParity);
            measured.true_positive_rate = outcome.rate(Constraint::EqualOpportunity);
            measured.false_positive_rate = outcome.rate(Constraint::FalsePositiveRateParity);
            measured.accuracy = accuracy(outcome);
        }
        measures
    }

    /// Of labels alone.
    pub(super) fn of_labels(groups: &[(&[String], bool, Outcome)]) -> Self {
        let compared = groups.iter().filter(|(_, is_compared, _)| *is_compared);
        Self {
            accuracy: None,
            balanced_accuracy: None,
            base_rate_difference: spread(compared.filter_map(|(_, _, outcome)| base_rate(outcome))),
            demographic_parity_difference: None,
            equal_opportunity_difference: None,
            false_positive_rate_difference: None,
            equalized_odds_difference: None,
            groups: groups
                .iter()
                .map(|(values, _, outcome)| GroupMeasures {
                    values: values.to_vec(),
                    weight: outcome.positives + outcome.negatives,
                    base_rate: base_rate(outcome),
                    selection_rate: None,
                    true_positive_rate: None,
                    false_positive_rate: None,
                    accuracy: None,
                })
                .collect(),
        }
    }
}

fn base_rate(outcome: &Outcome) -> Option<f64> {
    share(outcome.positives, outcome.positives + outcome.negatives)
}

pub(super) fn accuracy(outcome: &Outcome) -> Option<f64> {
    share(outcome.right(), outcome.positives + outcome.negatives)
}

pub(super) fn balanced(outcome: &Outcome) -> Option<f64> {
    let sensitivity = share(outcome.true_positives, outcome.positives)?;
    let specificity = share(outcome.negatives - outcome.false_positives, outcome.negatives)?;
    Some(f64::midpoint(sensitivity, specificity))
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Greatest less least; nothing of fewer than two.
pub(super) fn spread(rates: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut count, mut least, mut greatest) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for rate in rates {
        (count, least, greatest) = (count + 1, least.min(rate), greatest.max(rate));
    }
    (count > 1).then_some(greatest - least)
}
