//! How much of what varies within a group is predicted.

use super::{
    Moments,
    metrics::{Found, Measure, Metric},
};
use crate::{frame::About, metrics::Better};

pub(super) const METRIC: Metric = Metric {
    about: About {
        id: "r2",
        title: "R²",
        formula: "1 - sum((y - prediction)²) / sum((y - mean y)²), the mean being the group's",
        range: (f64::MIN, 1.0),
        better: Better::Higher,
        source: "scikit-learn r2_score",
        edge_cases: "Undefined where all of a group's true numbers are equal (scikit-learn: 1.0 or 0.0), and of one row. Negative when the group's mean predicts better. Its interval is of the delta method on the sums of powers.",
        difference_threshold: None,
        ratio_threshold: None,
    },
    measure: Measure::Sometimes(r_squared),
};

fn r_squared(sums: &Moments) -> Result<Found, &'static str> {
    let [m1, m2, m3, m4] = [0, 1, 2, 3].map(|power| sums.mean(&sums.truth[power]));
    let variance = m2 - m1 * m1;
    // Rounding alone is no variance.
    if sums.count.n < 2 || variance <= 1e-13 * m2 {
        return Err("all of the group's true numbers are equal");
    }
    let (error, error2) = (sums.mean(&sums.squared[0]), sums.mean(&sums.squared[1]));
    // A row's influence is a residual² + b (z - mean)², whose mean is 0.
    let (a, b) = (-1.0 / variance, error / (variance * variance));
    let [q1, q2] = [0, 1].map(|power| sums.mean(&sums.mixed[power]));
    let mixed = q2 - 2.0 * m1 * q1 + m1 * m1 * error;
    let fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1 * m1 * m2 - 3.0 * m1.powi(4);
    let influence = a * a * error2 + 2.0 * a * b * mixed + b * b * fourth;
    Ok((1.0 - error / variance, sums.variance_of_mean(0.0, influence)))
}
