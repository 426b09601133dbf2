//! From sums to predictions.

use serde::{Deserialize, Serialize};

/// From the sums of the trees to what the model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The sum itself.
    Identity,
    /// `1 / (1 + exp(-scale x sum))`: a probability.
    Logistic {
        /// 1, or LightGBM's `sigmoid`.
        scale: f64,
    },
    /// `exp(sum)`: a mean of counts, amounts or times.
    Exponential,
    /// Shares of the exponentials of all sums: a probability for each class.
    Softmax,
    /// 1 when the sum is greater than 0, else 0.
    Sign,
}

impl Link {
    /// What is predicted.
    pub fn apply(self, mut sums: Vec<f64>) -> Vec<f64> {
        match self {
            Self::Identity => {}
            Self::Logistic { scale } => {
                for sum in &mut sums {
                    *sum = 1.0 / (1.0 + (-scale * *sum).exp());
                }
            }
            Self::Exponential => {
                for sum in &mut sums {
                    *sum = sum.exp();
                }
            }
            Self::Softmax => {
                let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                for sum in &mut sums {
                    *sum = (*sum - most).exp();
                }
                let all: f64 = sums.iter().sum();
                for share in &mut sums {
                    *share /= all;
                }
            }
            Self::Sign => {
                for sum in &mut sums {
                    *sum = f64::from(*sum > 0.0);
                }
            }
        }
        sums
    }
}
