//! How sure a number is: intervals of rates, differences, ratios, means and AUC, alone and simultaneously.
//!
//! Weighted rates use Kish's effective sample size in place of the number of rows.

pub mod bootstrap;
pub mod delong;
pub mod katz;
pub mod newcombe;
pub mod pairs;
pub mod recovered;
pub mod wilson;

use statrs::distribution::{ContinuousCDF, Normal};

/// A proportion and the (effective) number of rows that it was estimated from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// Between 0 and 1.
    pub p: f64,
    /// Greater than 0.
    pub n: f64,
}

/// The standard normal's two-sided quantile: 1.96 for 0.95.
pub fn z(confidence: f64) -> f64 {
    quantile(f64::midpoint(1.0, confidence))
}

/// The standard normal's quantile.
pub fn quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The probability of a standard normal at least so far from 0.
pub fn two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}
