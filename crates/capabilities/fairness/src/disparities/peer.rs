//! The peers' conventions that are neither extremes of a metric nor others against the reference group.

use super::{Definition, Family, Kind};
use crate::metrics::{Metric, Needs};

/// Which convention.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    /// Each group by itself against the reference group, as a ratio; the value is the ratio farthest from 1.
    EachToReference { metric: &'static Metric },
    /// The greater of two absolute differences, all others together against the reference group.
    GreaterToReference { metrics: [&'static Metric; 2] },
    /// How far groups' shares are apart as logarithms, smoothed.
    DifferentialFairness(Outcome),
    /// How much farther they are apart in the predictions than in the labels.
    BiasAmplification,
    /// Groups' shares of the rejected less their shares of the accepted, by their sizes.
    DemographicDisparity(Outcome),
    /// Of the reference group's outcomes from all others'.
    Divergence(Outcome),
    /// How many more the others are than the reference group.
    Imbalance,
}

/// What is positive or negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Labels,
    Predictions,
}

/// A group's rows with an outcome, by weight.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Outcomes {
    pub positive: f64,
    pub negative: f64,
}

impl Peer {
    /// Whether it compares with the reference group.
    pub(crate) const fn needs_reference(self) -> bool {
        match self {
            Self::EachToReference { .. }
            | Self::GreaterToReference { .. }
            | Self::Divergence(_)
            | Self::Imbalance => true,
            Self::DifferentialFairness(_)
            | Self::BiasAmplification
            | Self::DemographicDisparity(_) => false,
        }
    }
}

impl Outcome {
    pub(crate) const fn needs(self) -> Needs {
        match self {
            Self::Labels => Needs::Labels,
            Self::Predictions => Needs::Predictions,
        }
    }
}

impl Outcomes {
    pub(crate) fn total(self) -> f64 {
        self.positive + self.negative
    }
}

impl std::ops::Add for Outcomes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { positive: self.positive + other.positive, negative: self.negative + other.negative }
    }
}

impl std::iter::Sum for Outcomes {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}

/// What is told of a convention; the rest is the same of all: they are for information, with 0 for no disparity.
pub(super) struct About {
    pub id: &'static str,
    pub title: &'static str,
    pub formula: &'static str,
    pub range: (f64, f64),
    pub source: &'static str,
    pub edge_cases: &'static str,
    pub needs: Needs,
    pub peer: Peer,
}

impl About {
    pub(super) fn definition(self) -> Definition {
        Definition {
            id: self.id.to_owned(),
            aliases: Vec::new(),
            title: self.title.to_owned(),
            formula: self.formula.to_owned(),
            range: self.range,
            ideal: 0.0,
            source: self.source,
            edge_cases: self.edge_cases,
            needs: self.needs,
            default_threshold: None,
            family: Family::Other,
            scored: false,
            kind: Kind::Peer(self.peer),
        }
    }
}
