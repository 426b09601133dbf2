//! At which values a feature is looked at.

use serde::{Deserialize, Serialize};

use crate::{
    ExplainError, Rows,
    statistics::{ascending, cunnane, distinct, quantile},
};

/// At which values a feature is looked at. A feature with fewer values than `points` is looked at at all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grid {
    /// As far from one another between two quantiles: scikit-learn's, from 0.05 to 0.95.
    Even {
        /// How many.
        points: usize,
        /// The share of rows below the first.
        from: f64,
        /// The share of rows below the last.
        to: f64,
    },
    /// With as many rows between them, from the least to the greatest.
    Quantiles {
        /// How many.
        points: usize,
    },
    /// All values that occur: of categories.
    Distinct,
    /// These.
    Given(Vec<f64>),
}

/// More would not be told apart, and cost.
const MOST: usize = 10_000;

impl Grid {
    /// scikit-learn's, of so many points.
    pub fn even(points: usize) -> Self {
        Self::Even { points, from: 0.05, to: 0.95 }
    }

    /// In ascending order, but for what is given.
    pub(super) fn of(&self, rows: &Rows, feature: usize) -> Result<Vec<f64>, ExplainError> {
        let fault = |message: String| Err(ExplainError::Asked(vec![message]));
        let values = ascending(rows.iter().map(|row| row[feature]));
        let all = distinct(values.clone());
        if all.is_empty() {
            return fault(format!("feature {feature} has no value in any row"));
        }
        let grid = match self {
            Self::Even { points, .. } | Self::Quantiles { points }
                if !(2..=MOST).contains(points) =>
            {
                return fault(format!("points: between 2 and {MOST}"));
            }
            Self::Even { from, to, .. } if !(0.0 <= *from && from < to && *to <= 1.0) => {
                return fault(
                    "from and to: shares between 0 and 1, the first the lesser".to_owned(),
                );
            }
            Self::Even { points, .. } | Self::Quantiles { points } if all.len() < *points => all,
            Self::Even { points, from, to } => {
                let (first, last) = (cunnane(&values, *from), cunnane(&values, *to));
                let step = (last - first) / (*points - 1) as f64;
                let mut even: Vec<f64> =
                    (0..*points).map(|place| first + step * place as f64).collect();
                even[*points - 1] = last;
                distinct(even)
            }
            Self::Quantiles { points } => {
                let share = |place: usize| place as f64 / (*points - 1) as f64;
                distinct((0..*points).map(|place| quantile(&values, share(place))).collect())
            }
            Self::Distinct => all,
            Self::Given(given) => given.clone(),
        };
        if grid.is_empty() || grid.iter().any(|value| !value.is_finite()) {
            return fault("the values to look at are none, or not all numbers".to_owned());
        }
        if grid.len() > MOST {
            return fault(format!(
                "feature {feature} has {} values; at most {MOST} are looked at",
                grid.len()
            ));
        }
        Ok(grid)
    }
}
