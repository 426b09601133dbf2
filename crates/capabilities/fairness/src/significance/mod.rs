//! Could chance alone have made a disparity? Tests of selections in groups, alone, over strata and over many groups, of means,
//! and what a sample could have shown at all.
//!
//! They count rows: weights have no place in an exact test. All are two-sided.

pub mod adjust;
pub mod all_pairs;
pub mod aucs;
pub mod chi_square;
pub mod deviations;
pub mod fisher;
pub mod flip_flop;
pub mod mcnemar;
pub mod power;
pub mod stratified;
pub mod student;

use serde::{Deserialize, Serialize};

/// How many of a group were selected (or have whatever else is tested), of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Those selected; at most `of`.
    pub selected: u64,
    /// All of the group.
    pub of: u64,
}

impl Selection {
    /// Of `of` people, `selected` were selected.
    pub fn new(selected: u64, of: u64) -> Self {
        Self { selected: selected.min(of), of }
    }

    /// The selection rate; `None` in an empty group.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.selected as f64 / self.of as f64)
    }

    /// Those who were not selected.
    pub fn rejected(self) -> u64 {
        self.of - self.selected
    }

    /// Selected where it was not, and the other way about.
    #[must_use]
    pub fn complement(self) -> Self {
        Self { selected: self.rejected(), of: self.of }
    }
}

impl std::ops::Add for Selection {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { selected: self.selected + other.selected, of: self.of + other.of }
    }
}

impl std::iter::Sum for Selection {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), std::ops::Add::add)
    }
}
