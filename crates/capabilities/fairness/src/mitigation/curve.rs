//! What each threshold would give in a group: true and false positives, from none selected to all.

use super::{Constraint, Objective, rule::ScoreRule};
use crate::tally::{NEGATIVE, POSITIVE, Tally};

/// Who is selected, of whom. In weights.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Outcome {
    pub positives: f64,
    pub negatives: f64,
    pub true_positives: f64,
    pub false_positives: f64,
}

impl Outcome {
    /// The rate that a constraint on one rate makes equal.
    pub(super) fn rate(&self, constraint: Constraint) -> Option<f64> {
        let (part, whole) = match constraint {
            Constraint::DemographicParity => {
                (self.true_positives + self.false_positives, self.positives + self.negatives)
            }
            Constraint::EqualOpportunity | Constraint::EqualizedOdds => {
                (self.true_positives, self.positives)
            }
            Constraint::FalsePositiveRateParity => (self.false_positives, self.negatives),
        };
        (whole > 0.0).then(|| part / whole)
    }

    /// Decisions that are right.
    pub(super) fn right(&self) -> f64 {
        self.true_positives + self.negatives - self.false_positives
    }
}

impl std::ops::Add for Outcome {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            positives: self.positives + other.positives,
            negatives: self.negatives + other.negatives,
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
        }
    }
}

impl std::iter::Sum for Outcome {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// What a right decision counts, by label. Whole numbers, so that sums of unweighted rows are exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gain {
    pub positive: f64,
    pub negative: f64,
}

impl Gain {
    /// Of decisions about so many positive and negative labels.
    pub(super) fn new(objective: Objective, everybody: Outcome) -> Self {
        match objective {
            Objective::Accuracy => Self { positive: 1.0, negative: 1.0 },
            Objective::BalancedAccuracy => {
                Self { positive: everybody.negatives, negative: everybody.positives }
            }
        }
    }

    /// Of these decisions.
    pub(super) fn of(self, outcome: &Outcome) -> f64 {
        self.positive * outcome.true_positives
            + self.negative * (outcome.negatives - outcome.false_positives)
    }
}

/// One threshold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// The lowest selected score's point; all points, if it is their number, and none is selected.
    pub point: usize,
    pub true_positives: f64,
    pub false_positives: f64,
}

/// A group's labelled and scored rows, and what each threshold would give.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    scores: Vec<f64>,
    weights: Vec<[f64; 2]>,
    pub positives: f64,
    pub negatives: f64,
    /// From none selected to all.
    pub cuts: Vec<Cut>,
    /// Width of the bins that scores in [0, 1] are kept in, if they are.
    width: Option<f64>,
}

impl Curve {
    /// Of a group; `width` of the bins of [0, 1], if scores are binned.
    pub(super) fn new(tally: &Tally, width: Option<f64>) -> Self {
        let points = &tally.points;
        let mut above = [0.0, 0.0];
        let mut cuts = Vec::with_capacity(points.len() + 1);
        cuts.push(Cut { point: points.len(), true_positives: 0.0, false_positives: 0.0 });
        for (point, rows) in points.iter().enumerate().rev() {
            above[NEGATIVE] += rows.w[NEGATIVE];
            above[POSITIVE] += rows.w[POSITIVE];
            cuts.push(Cut {
                point,
                true_positives: above[POSITIVE],
                false_positives: above[NEGATIVE],
            });
        }
        Self {
            scores: points.iter().map(|point| point.score).collect(),
            weights: points.iter().map(|point| point.w).collect(),
            positives: above[POSITIVE],
            negatives: above[NEGATIVE],
            cuts,
            width,
        }
    }

    pub(super) fn outcome(&self, cut: &Cut) -> Outcome {
        Outcome {
            positives: self.positives,
            negatives: self.negatives,
            true_positives: cut.true_positives,
            false_positives: cut.false_positives,
        }
    }

    /// The rule that selects what a cut selects.
    pub(super) fn rule(&self, cut: &Cut) -> ScoreRule {
        match (cut.point.checked_sub(1), self.scores.get(cut.point)) {
            (None, _) => ScoreRule::all(),
            (_, None) => ScoreRule::none(),
            (Some(below), Some(score)) => ScoreRule::at(self.between(self.scores[below], *score)),
        }
    }

    /// A threshold between two scores: half way, so that rounding of a score does not matter; with bins, where the upper starts.
    fn between(&self, below: f64, score: f64) -> f64 {
        if let Some(width) = self.width.filter(|_| (0.0..=1.0).contains(&score)) {
            return (score / width).floor() * width;
        }
        let middle = f64::midpoint(below, score);
        if middle > below { middle } else { score }
    }

    /// What a rule gives (on average, where it draws).
    pub(super) fn apply(&self, rule: &ScoreRule) -> Outcome {
        let mut outcome =
            Outcome { positives: self.positives, negatives: self.negatives, ..Outcome::default() };
        for (score, weights) in self.scores.iter().zip(&self.weights) {
            let probability = rule.probability(*score);
            outcome.true_positives += probability * weights[POSITIVE];
            outcome.false_positives += probability * weights[NEGATIVE];
        }
        outcome
    }

    /// What selecting scores above `threshold` gives.
    pub(super) fn above(&self, threshold: f64) -> Outcome {
        let below = self.scores.partition_point(|score| *score <= threshold);
        // Cuts run the other way: the first selects nobody.
        self.outcome(&self.cuts[self.scores.len() - below])
    }
}
