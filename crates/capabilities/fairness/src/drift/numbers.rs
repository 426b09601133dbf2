//! A column of numbers, kept exactly as long as there is room.

use hashbrown::HashMap;

use super::{NumberPrecision, Point, wasserstein::deviation};

/// The most different numbers that are kept of one column.
pub const MAX_NUMBERS: usize = 32_768;

/// How often each number comes, of the rows of one table.
///
/// Numbers are kept as whole numbers that are ordered as they are. When there are too many, all lose their last bit, and so on:
/// neighbours fall together, the finest that there is room for. What is left depends on the numbers alone, not on their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// How many bits are lost.
    lost: u32,
    counts: HashMap<u64, u64>,
    /// Rows without a number.
    pub missing: u64,
    /// Of these, NaN and infinities.
    pub invalid: u64,
    pub values: u64,
}

impl Numbers {
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.missing += 1;
            self.invalid += 1;
            return;
        }
        self.values += 1;
        *self.counts.entry(key(value) >> self.lost).or_insert(0) += 1;
        while self.counts.len() > MAX_NUMBERS {
            self.lose(self.lost + 1);
        }
    }

    /// Loses bits, until so many are lost.
    fn lose(&mut self, lost: u32) {
        if lost <= self.lost {
            return;
        }
        let more = lost - self.lost;
        let mut counts: HashMap<u64, u64> = HashMap::with_capacity(self.counts.len());
        for (key, count) in self.counts.drain() {
            *counts.entry(key >> more).or_insert(0) += count;
        }
        (self.lost, self.counts) = (lost, counts);
    }

    /// What others hold, too.
    pub fn merge(&mut self, mut other: Self) {
        self.lose(other.lost);
        other.lose(self.lost);
        for (key, count) in other.counts {
            *self.counts.entry(key).or_insert(0) += count;
        }
        self.missing += other.missing;
        self.invalid += other.invalid;
        self.values += other.values;
        while self.counts.len() > MAX_NUMBERS {
            self.lose(self.lost + 1);
        }
    }
}

impl Numbers {
    /// What is left without a part of it.
    pub fn without(&self, part: &Self) -> Self {
        let mut left = self.clone();
        left.values = left.values.saturating_sub(part.values);
        left.missing = left.missing.saturating_sub(part.missing);
        left.invalid = left.invalid.saturating_sub(part.invalid);
        let more = left.lost.saturating_sub(part.lost);
        for (key, count) in &part.counts {
            if let Some(left) = left.counts.get_mut(&(key >> more)) {
                *left = left.saturating_sub(*count);
            }
        }
        left.counts.retain(|_, count| *count > 0);
        left
    }
}

/// Both tables' numbers in order, equally exact.
pub(super) fn pair(mut reference: Numbers, mut current: Numbers) -> (Vec<Point>, NumberPrecision) {
    let lost = reference.lost.max(current.lost);
    reference.lose(lost);
    current.lose(lost);
    let mut both: HashMap<u64, [u64; 2]> = HashMap::with_capacity(reference.counts.len());
    for (table, counts) in [reference.counts, current.counts].into_iter().enumerate() {
        for (key, count) in counts {
            both.entry(key).or_default()[table] += count;
        }
    }
    let mut keys: Vec<(u64, [u64; 2])> = both.into_iter().collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    let points: Vec<Point> = keys
        .iter()
        .map(|(key, counts)| Point { value: middle(*key, lost), counts: *counts })
        .collect();
    if lost == 0 {
        return (points, NumberPrecision { exact: true, ks_error: 0.0, wasserstein_error: 0.0 });
    }
    // Within one bin the distributions may part by what the bin holds, and a number may be moved by half of its width.
    let [left, right] = [reference.values.max(1) as f64, current.values.max(1) as f64];
    let (mut ks_error, mut moved) = (0.0_f64, 0.0);
    for (key, [p, q]) in keys {
        let (p, q) = (p as f64 / left, q as f64 / right);
        let (lower, upper) = edges(key, lost);
        ks_error = ks_error.max(p).max(q);
        moved += (p + q) * (upper / 2.0 - lower / 2.0);
    }
    let wasserstein_error = deviation(&points).map_or(0.0, |deviation| moved / deviation);
    let wasserstein_error = if wasserstein_error.is_finite() { wasserstein_error } else { 0.0 };
    (points, NumberPrecision { exact: false, ks_error, wasserstein_error })
}

const SIGN: u64 = 1 << 63;

/// A whole number that is ordered as the number is.
fn key(value: f64) -> u64 {
    // A negative zero is zero.
    let bits = (value + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn number(key: u64) -> f64 {
    let value = f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN });
    if value.is_nan() { f64::MAX } else { value.clamp(f64::MIN, f64::MAX) }
}

/// The least and the greatest number that have this key once so many bits are lost.
fn edges(key: u64, lost: u32) -> (f64, f64) {
    let least = key << lost;
    (number(least), number(least | ((1 << lost) - 1)))
}

fn middle(key: u64, lost: u32) -> f64 {
    let (lower, upper) = edges(key, lost);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Numbers {
        let mut numbers = Numbers::default();
        for value in values {
            numbers.add(*value);
        }
        numbers
    }

    proptest! {
        #[test]
        fn keys_are_ordered_as_numbers_are(one in any::<f64>(), other in any::<f64>()) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert_eq!(one.partial_cmp(&other), Some(key(one).cmp(&key(other))));
            prop_assert_eq!(number(key(one)), one);
            let (lower, upper) = edges(key(one) >> 20, 20);
            prop_assert!(lower <= one && one <= upper);
        }
    }

    #[test]
    fn many_numbers_lose_bits_and_their_order_changes_nothing() {
        let values: Vec<f64> =
            (0..100_000).map(|row| f64::from(row * 7_919 % 100_003) / 7.0).collect();
        let turned: Vec<f64> = values.iter().rev().copied().collect();
        let (points, precision) = pair(of(&values), of(&turned));
        assert!(!precision.exact && points.len() <= MAX_NUMBERS);
        assert!(points.iter().all(|point| point.counts[0] == point.counts[1]));
        assert!(precision.ks_error < 1e-3 && precision.wasserstein_error < 1e-3, "{precision:?}");
        let (first, second) = values.split_at(60_000);
        let mut merged = of(second);
        merged.merge(of(first));
        assert_eq!(pair(merged, of(&[])).0, pair(of(&values), of(&[])).0);
    }

    #[test]
    fn what_is_no_finite_number_is_missing() {
        let numbers = of(&[f64::NAN, f64::INFINITY, -0.0, 0.0, f64::MAX, f64::MIN]);
        assert_eq!((numbers.missing, numbers.invalid, numbers.values), (2, 2, 4));
        let (points, precision) = pair(numbers, of(&[]));
        assert!(precision.exact && points.iter().all(|point| point.value.is_finite()));
        assert_eq!(points.len(), 3);
    }
}
