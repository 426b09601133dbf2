//! Many tests at once: some will look significant by chance alone.

/// Holm's step-down p-values: each at most alpha holds the chance of any false finding below alpha, however the tests depend on
/// one another. In the order given.
///
/// Source: Holm 1979; R `p.adjust(method = "holm")`.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let count = p.len() as f64;
    let mut adjusted = vec![1.0; p.len()];
    let mut greatest = 0.0_f64;
    for (rank, at) in ascending(p).into_iter().enumerate() {
        greatest = greatest.max(((count - rank as f64) * p[at]).min(1.0));
        adjusted[at] = greatest;
    }
    adjusted
}

/// The confidence that Holm's steps end at, for tests that are asked by their intervals: of m tests the first are told at
/// 1 - alpha / m, and those that remain at 1 - alpha / (m - the number told), until none more is. `is_told` says of a test whether it
/// is at a confidence.
pub fn holm_level<T>(mut open: Vec<T>, confidence: f64, is_told: impl Fn(&T, f64) -> bool) -> f64 {
    loop {
        let level = 1.0 - (1.0 - confidence) / open.len().max(1) as f64;
        let before = open.len();
        open.retain(|one| !is_told(one, level));
        if open.len() == before || open.is_empty() {
            return level;
        }
    }
}

/// Benjamini and Hochberg's step-up p-values: those at most alpha have, on average, no more than a share alpha of false findings
/// among them (of independent tests, or positively dependent ones). In the order given.
///
/// Source: Benjamini and Hochberg 1995; `SciPy` `false_discovery_control`, R `p.adjust(method = "BH")`.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let count = p.len() as f64;
    let mut adjusted = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (rank, at) in ascending(p).into_iter().enumerate().rev() {
        least = least.min(count / (rank + 1) as f64 * p[at]);
        adjusted[at] = least;
    }
    adjusted
}

fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|left, right| p[*left].total_cmp(&p[*right]));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn steps_by_intervals_end_where_those_by_p_do() {
        for p in
            [&[0.001, 0.02, 0.03, 0.9][..], &[0.009, 0.0124, 0.016, 0.3, 0.7], &[0.2, 0.4], &[]]
        {
            let told = holm(p).into_iter().filter(|p| *p <= 0.05).count();
            let left = (p.len() - told).max(1) as f64;
            let level = holm_level(p.to_vec(), 0.95, |p, level| *p <= 1.0 - level);
            assert!((level - (1.0 - 0.05 / left)).abs() < 1e-12, "{p:?}: {level}");
        }
        // When all are told, nothing more is asked.
        assert!(
            (holm_level(vec![1e-9, 1e-9], 0.95, |p, level| *p <= 1.0 - level) - 0.975).abs()
                < 1e-12
        );
    }

    proptest! {
        #[test]
        fn adjusting_never_makes_more_certain_and_keeps_the_order(p in prop::collection::vec(0.0_f64..=1.0, 0..20)) {
            let (holm, hochberg) = (holm(&p), benjamini_hochberg(&p));
            for at in 0..p.len() {
                prop_assert!(p[at] <= hochberg[at] + 1e-15 && hochberg[at] <= holm[at] + 1e-15 && holm[at] <= 1.0);
                for other in 0..p.len() {
                    prop_assert!(p[at] > p[other] || (holm[at] <= holm[other] && hochberg[at] <= hochberg[other]));
                }
            }
        }
    }
}
