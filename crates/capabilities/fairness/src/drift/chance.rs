//! How likely chance alone makes a metric look worse than is accepted: its interval, asked at every level.

use crate::intervals::two_sided;

/// Beyond so many standard errors a p is 0 in all but name.
const FAR: f64 = 37.0;
/// So often a range of levels is halved: until it is as narrow as numbers are.
const HALVINGS: u32 = 50;

/// The greatest p at which what was found would still be beyond: `is_beyond` says so at a two-sided normal quantile, and holds at 0.
pub(super) fn p_value(is_beyond: impl Fn(f64) -> bool) -> f64 {
    if is_beyond(FAR) {
        return two_sided(FAR);
    }
    let (mut beyond, mut within) = (0.0, FAR);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(beyond, within);
        if is_beyond(middle) {
            beyond = middle;
        } else {
            within = middle;
        }
    }
    two_sided(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_is_where_the_interval_meets_the_threshold() {
        // 0.1 with a standard error of 0.02, against 0.05.
        let p = p_value(|z| 0.1 - 0.02 * z > 0.05);
        assert!((p - two_sided(2.5)).abs() < 1e-12, "{p}");
        assert_eq!(p_value(|_| true), two_sided(FAR));
        assert!(p_value(|z| z <= 0.0) > 0.999_999);
    }
}
