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
