//! Sums that do not depend on the order of their terms.

/// Terms in [-1, 1] are kept as multiples of this.
const UNIT: f64 = (1_u64 << 62) as f64;

/// A sum of finite numbers.
///
/// Terms in [-1, 1] are rounded to 2^-62 and added as integers: exact, so that permuting or partitioning the terms changes
/// nothing. Greater ones are added in double-double arithmetic (Knuth's two-sum), which loses less than 1 part in 10^30 per term.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sum {
    fixed: i128,
    high: f64,
    low: f64,
}

impl Sum {
    /// Bytes of the encoded sum.
    pub(crate) const BYTES: usize = 32;

    /// Adds a term so many times.
    #[inline]
    pub(crate) fn add(&mut self, term: f64, times: u64) {
        if term.abs() <= 1.0 {
            self.fixed += i128::from((term * UNIT) as i64) * i128::from(times);
        } else {
            self.add_wide(term * times as f64);
        }
    }

    fn add_wide(&mut self, term: f64) {
        let sum = self.high + term;
        let other = sum - self.high;
        self.low += (self.high - (sum - other)) + (term - other);
        self.high = sum;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.fixed += other.fixed;
        self.add_wide(other.high);
        self.low += other.low;
    }

    pub(crate) fn value(&self) -> f64 {
        // The whole part and the rest are converted apart: an i128 beyond 2^53 units would lose its low bits.
        let whole = (self.fixed >> 62) as f64;
        let rest = (self.fixed & ((1 << 62) - 1)) as f64 / UNIT;
        (self.high + whole) + (self.low + rest)
    }

    /// Whether it can be of so many terms.
    pub(crate) fn is_of(&self, terms: u64) -> bool {
        self.fixed.unsigned_abs() <= u128::from(terms) << 62
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..16].copy_from_slice(&self.fixed.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.high.to_le_bytes());
        bytes[24..].copy_from_slice(&self.low.to_le_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let (mut fixed, mut high, mut low) = ([0; 16], [0; 8], [0; 8]);
        fixed.copy_from_slice(&bytes[..16]);
        high.copy_from_slice(&bytes[16..24]);
        low.copy_from_slice(&bytes[24..]);
        Self {
            fixed: i128::from_le_bytes(fixed),
            high: f64::from_le_bytes(high),
            low: f64::from_le_bytes(low),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn order_and_partition_change_nothing(mut terms in prop::collection::vec(-1.0_f64..=1.0, 0..200), cut in 0_usize..200) {
            let mut one = Sum::default();
            for term in &terms {
                one.add(*term, 1);
            }
            terms.reverse();
            let (left, right) = terms.split_at(cut.min(terms.len()));
            let (mut two, mut three) = (Sum::default(), Sum::default());
            for term in left {
                two.add(*term, 1);
            }
            for term in right {
                three.add(*term, 1);
            }
            two.merge(&three);
            prop_assert_eq!(one, two);
            prop_assert_eq!(one, Sum::from_bytes(one.to_bytes()));
            prop_assert!((one.value() - terms.iter().sum::<f64>()).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn a_term_many_times_is_the_term_added_many_times(term in -1.0_f64..=1.0, times in 0_u64..500) {
            let (mut one, mut many) = (Sum::default(), Sum::default());
            (0..times).for_each(|_| many.add(term, 1));
            one.add(term, times);
            prop_assert_eq!(one, many);
        }
    }

    #[test]
    fn great_terms_keep_the_small_ones() {
        let mut sum = Sum::default();
        for term in [1e16, 1.5, -1e16, 0.25] {
            sum.add(term, 1);
        }
        assert_eq!(sum.value(), 1.75);
    }
}
