//! Exact SHAP values of tree ensembles (Lundberg et al. 2020), in time linear in the trees' size.
//!
//! The Shapley value of a feature in a leaf's game is an integral over `t` in [0, 1] of a polynomial in `t`: with probability `t` a
//! feature is known, and without it the row follows the training rows' (or a background row's) ways. Gauss-Legendre points give
//! such an integral exactly, so one walk down and one up a tree add up all leaves at once, whatever its depth: no subset is
//! enumerated, and nothing is divided by what may be small.

mod background;
mod interactions;
mod path_dependent;
mod paths;
mod quadrature;
mod work;

pub use background::interventional;
pub use interactions::interactions;
pub use path_dependent::path_dependent;

use crate::{ExplainError, model::Tree};
use paths::{Prepared, edges, most_features};

/// What each feature adds to each output, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What is predicted of nobody in particular, by output: with the features' values it makes the margin.
    pub base: Vec<f64>,
    /// The values: row by row, in a row output by output, in an output feature by feature.
    pub values: Vec<f64>,
    /// How many features.
    pub features: usize,
}

impl Explanation {
    /// The values of a row for an output.
    pub fn row(&self, row: usize, output: usize) -> &[f64] {
        let start = (row * self.base.len() + output) * self.features;
        &self.values[start..start + self.features]
    }
}

/// The most features of a path: half as many points as that are needed.
const MOST: usize = 256;

/// A tree with as many points as its paths need.
trait Walk: Send + Sync {
    /// Adds what each feature adds for a row.
    fn walk(&self, row: &[f64], room: &mut Room, values: &mut [f64]);

    /// Adds half of what each pair of features adds together, at both of its places.
    fn pairs(&self, row: &[f64], room: &mut Room, values: &mut [f64], features: usize);
}

/// Room for what a walk remembers, kept from row to row.
#[derive(Debug, Default)]
struct Room {
    followed: Vec<bool>,
    numbers: Vec<f64>,
}

fn prepared(tree: &Tree) -> Result<Box<dyn Walk + '_>, ExplainError> {
    let edges = edges(tree);
    // A product of d - 1 factors has the degree d - 1.
    Ok(match most_features(&edges) {
        0..=2 => Box::new(Prepared::<1>::new(edges)),
        3..=4 => Box::new(Prepared::<2>::new(edges)),
        5..=6 => Box::new(Prepared::<3>::new(edges)),
        7..=8 => Box::new(Prepared::<4>::new(edges)),
        9..=10 => Box::new(Prepared::<5>::new(edges)),
        11..=12 => Box::new(Prepared::<6>::new(edges)),
        13..=16 => Box::new(Prepared::<8>::new(edges)),
        17..=32 => Box::new(Prepared::<16>::new(edges)),
        33..=64 => Box::new(Prepared::<32>::new(edges)),
        65..=MOST => Box::new(Prepared::<128>::new(edges)),
        found => return Err(ExplainError::TooManyFeatures { found, most: MOST }),
    })
}

/// Who wants to know how far the work is: `done` rows of `all`.
pub trait Progress: Send + Sync {
    /// Called a few times a second at most.
    fn rows(&self, done: usize, all: usize);
}

impl Progress for () {
    fn rows(&self, _: usize, _: usize) {}
}

impl<F: Fn(usize, usize) + Send + Sync> Progress for F {
    fn rows(&self, done: usize, all: usize) {
        self(done, all);
    }
}
