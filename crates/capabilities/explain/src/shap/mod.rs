//! Exact SHAP values of tree ensembles (Lundberg et al. 2020), in time linear in the trees' size.
//!
//! The Shapley value of a feature in a leaf's game is an integral over `t` in [0, 1] of a polynomial in `t`: with probability `t` a
//! feature is known, and without it the row follows the training rows' (or a background row's) ways. Gauss-Legendre points give
//! such an integral exactly, so one walk down and one up a tree add up all leaves at once, whatever its depth: no subset is
//! enumerated, and nothing is divided by what may be small.

mod against;
mod background;
mod game;
mod interactions;
mod limits;
mod linear;
mod parts;
mod path_dependent;
mod paths;
mod probability;
mod quadrature;
mod questions;
mod ready;
mod tables;
mod values;
mod walk;
mod ways;
mod work;

pub use background::interventional;
pub use interactions::interactions;
pub use linear::{linear, linear_in_probability};
pub use path_dependent::path_dependent;
pub use probability::in_probability;
pub use ready::{Ready, takes};
pub(crate) use work::of_each;

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
