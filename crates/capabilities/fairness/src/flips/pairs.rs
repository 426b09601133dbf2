//! Rows by their decision before and after the change.

use serde::{Deserialize, Serialize};

use crate::tally::Count;

/// The rows of a group that have both decisions.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(super) struct Pairs {
    /// All of them.
    pub(super) all: Count,
    /// Negative as they are, positive with the attribute changed.
    pub(super) to_positive: Count,
    /// Positive as they are, negative with the attribute changed.
    pub(super) to_negative: Count,
}

impl Pairs {
    pub(super) fn add(&mut self, before: bool, after: bool, weight: f64) {
        let one = Count { n: 1, w: weight, w2: weight * weight };
        self.all += one;
        match (before, after) {
            (false, true) => self.to_positive += one,
            (true, false) => self.to_negative += one,
            _ => {}
        }
    }

    pub(super) fn merged(mut self, other: &Self) -> Self {
        self.all += other.all;
        self.to_positive += other.to_positive;
        self.to_negative += other.to_negative;
        self
    }

    /// Those whose decision flips, either way.
    pub(super) fn flipped(&self) -> Count {
        self.to_positive + self.to_negative
    }
}
