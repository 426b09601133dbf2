//! Sums of whatever size, in twice the digits.

use serde::{Deserialize, Serialize};

/// A sum in double-double arithmetic (Knuth's two-sum): the order of the terms does not show in a result of 53 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Total {
    high: f64,
    low: f64,
}

impl Total {
    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        let sum = self.high + term;
        let other = sum - self.high;
        self.low += (self.high - (sum - other)) + (term - other);
        self.high = sum;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.add(other.high);
        self.low += other.low;
    }

    /// The sum; infinite or NaN when the terms were too great.
    pub(crate) fn value(&self) -> f64 {
        self.high + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_are_not_lost_beside_great_ones() {
        let mut total = Total::default();
        for term in [1e16, 1.0, 1.0, -1e16] {
            total.add(term);
        }
        assert_eq!(total.value(), 2.0);
        let mut other = Total::default();
        other.add(1e-3);
        total.merge(&other);
        assert_eq!(total.value(), 2.001);
    }
}
