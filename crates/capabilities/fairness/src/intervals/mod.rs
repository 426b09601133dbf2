//! How sure a number is: intervals of rates, differences, ratios, means and AUC, alone and simultaneously.
//!
//! Weighted rates use Kish's effective sample size in place of the number of rows.

pub mod bootstrap;
pub mod delong;
pub mod drawn;
pub mod katz;
pub mod newcombe;
pub mod pairs;
pub mod recovered;
pub mod whole;
pub mod widened;
pub mod wilson;

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

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

/// The two-sided quantile of Student's distribution with so many degrees of freedom: 12.7 for 0.95 and one.
pub fn student(confidence: f64, degrees: f64) -> f64 {
    let probability = f64::midpoint(1.0, confidence);
    StudentsT::new(0.0, 1.0, degrees)
        .map_or_else(|_| quantile(probability), |student| student.inverse_cdf(probability))
}

/// The standard normal's quantile.
pub fn quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The probability of a standard normal at least so far from 0.
pub fn two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_quantiles_are_those_of_the_tables() {
        // SciPy 1.17.1: t.ppf((1 + confidence) / 2, degrees).
        for (confidence, degrees, table) in [
            (0.95, 1.0, 12.706_204_736),
            (0.95, 3.0, 3.182_446_305),
            (0.99, 10.0, 3.169_272_673),
            (0.999_99, 4.0, 27.771_647_659),
            (0.95, 511.0, 1.964_617_222),
        ] {
            let found = student(confidence, degrees);
            assert!((found / table - 1.0).abs() < 1e-6, "{confidence} {degrees}: {found}");
        }
    }
}
