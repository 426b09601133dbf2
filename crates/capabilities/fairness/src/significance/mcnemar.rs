//! `McNemar`'s exact test of pairs: do more change one way than the other?

/// The exact p of `McNemar`'s test, two-sided, of the pairs that changed one way and of those that changed the other: each way was
/// as likely. `None` if none changed. Takes time with the square root of the pairs.
///
/// Source: `McNemar` 1947; statsmodels `mcnemar(exact=True)`, R `binom.test(one, one + other)`.
pub fn exact(one: u64, other: u64) -> Option<f64> {
    let changed = one.checked_add(other).filter(|changed| *changed > 0)?;
    if one == other {
        return Some(1.0);
    }
    let (few, middle) = (one.min(other), changed / 2);
    // From one count to the next the probability changes by a ratio of whole numbers; that of the middle counts as 1.
    let (mut weight, mut half, mut tail) = (1.0_f64, 0.0, 0.0);
    for count in (0..=middle).rev() {
        half += weight;
        if count <= few {
            tail += weight;
        }
        weight *= count as f64 / (changed - count + 1) as f64;
        if weight < f64::MIN_POSITIVE {
            break;
        }
    }
    // Both halves have the middle if there is one.
    let all = if changed % 2 == 0 { 2.0 * half - 1.0 } else { 2.0 * half };
    Some((2.0 * tail / all).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_scipy_at_every_size() {
        // SciPy 1.17.1: binomtest(one, one + other).pvalue.
        for (one, other, peer) in [
            (0, 1, 1.0),
            (4, 1, 0.375),
            (3, 17, 0.002_576_828_002_929_687_5),
            (25, 10, 0.016_673_847_800_120_715),
            (180, 240, 0.003_937_856_047_126_103),
            (5_000, 5_200, 0.048_787_963_126_822_34),
            (1_500_000, 1_503_000, 0.083_521_620_856_302_55),
            (0, 40, 1.818_989_403_545_856_5e-12),
            (7, 7, 1.0),
        ] {
            let found = exact(one, other).unwrap_or_default();
            assert!((found - peer).abs() <= 1e-9 * peer, "{one} {other}: {found} is not {peer}");
        }
        assert_eq!(exact(0, 0), None);
    }
}
