//! How often each value occurs: exactly as long as there are few, else the most frequent ones.
//!
//! Beyond the bound the counts are those of Misra and Gries (1982): with k counters each is too low by at most
//! n / (k + 1). Merged as Agarwal et al. (2012) have it, which keeps that bound.

use std::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use hashbrown::{DefaultHashBuilder, HashMap};

use super::distinct::Sketch;

/// Values that are counted exactly.
pub(crate) const EXACT: usize = 10_000;
/// Bytes of texts that are counted exactly.
const EXACT_BYTES: usize = 1 << 20;
/// Counters beyond that.
const COUNTERS: usize = 1000;

/// Counts of values.
#[derive(Debug, Clone)]
pub(crate) struct Counts<K> {
    times: HashMap<K, u64>,
    bytes: usize,
    /// Set once there are too many values.
    sketch: Option<Sketch>,
    hasher: DefaultHashBuilder,
}

/// A value that can be counted, as it is kept.
pub(crate) trait Key: Hash + Eq + Ord + Clone {
    /// As it comes.
    type Given: Hash + Eq + ?Sized;

    fn of(given: &Self::Given) -> Self;

    /// What it takes beyond its slot.
    fn bytes(&self) -> usize {
        0
    }
}

impl Key for i64 {
    type Given = Self;

    fn of(given: &Self) -> Self {
        *given
    }
}

impl Key for u64 {
    type Given = Self;

    fn of(given: &Self) -> Self {
        *given
    }
}

impl Key for Box<str> {
    type Given = str;

    fn of(given: &str) -> Self {
        given.into()
    }

    fn bytes(&self) -> usize {
        self.len()
    }
}

impl<K: Key + Borrow<K::Given>> Counts<K> {
    /// All sketches that are to be merged share their hasher.
    pub(crate) fn new(hasher: &DefaultHashBuilder) -> Self {
        Self { times: HashMap::new(), bytes: 0, sketch: None, hasher: hasher.clone() }
    }

    pub(crate) fn add(&mut self, value: &K::Given, times: u64) {
        if let Some(sketch) = &mut self.sketch {
            sketch.add(self.hasher.hash_one(value));
        }
        if let Some(count) = self.times.get_mut(value) {
            *count += times;
            return;
        }
        if self.sketch.is_none() {
            let key = K::of(value);
            self.bytes += key.bytes();
            self.times.insert(key, times);
            if self.times.len() > EXACT || self.bytes > EXACT_BYTES {
                self.overflow();
            }
        } else if self.times.len() < COUNTERS {
            self.times.insert(K::of(value), times);
        } else {
            // Each counter gives up what the newcomer brings, and the newcomer what the least of them holds.
            let least = self.times.values().copied().min().unwrap_or(0).min(times);
            self.times.retain(|_, count| {
                *count -= least;
                *count > 0
            });
            if times > least {
                self.times.insert(K::of(value), times - least);
            }
        }
    }

    fn overflow(&mut self) {
        let mut sketch = Sketch::new();
        for key in self.times.keys() {
            sketch.add(self.hasher.hash_one(key));
        }
        self.sketch = Some(sketch);
        self.reduce();
    }

    /// Down to the counters: every count loses what the first one beyond them has.
    fn reduce(&mut self) {
        if self.times.len() <= COUNTERS {
            return;
        }
        let mut sorted: Vec<u64> = self.times.values().copied().collect();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        let cut = sorted[COUNTERS];
        self.times.retain(|_, count| {
            *count = count.saturating_sub(cut);
            *count > 0
        });
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if other.sketch.is_some() && self.sketch.is_none() {
            self.overflow();
        }
        if let Some(sketch) = &mut self.sketch {
            match &other.sketch {
                Some(more) => sketch.merge(more),
                None => other.times.keys().for_each(|key| sketch.add(self.hasher.hash_one(key))),
            }
        }
        for (key, count) in other.times {
            let bytes = key.bytes();
            *self.times.entry(key).or_insert_with(|| {
                self.bytes += bytes;
                0
            }) += count;
        }
        if self.sketch.is_some() {
            self.reduce();
        } else if self.times.len() > EXACT || self.bytes > EXACT_BYTES {
            self.overflow();
        }
    }

    /// How many different values there are.
    pub(crate) fn distinct(&self) -> u64 {
        self.sketch.as_ref().map_or(self.times.len() as u64, Sketch::count)
    }

    pub(crate) fn exact(&self) -> bool {
        self.sketch.is_none()
    }

    /// All values with their counts; only the most frequent ones when they are not exact.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&K, u64)> {
        self.times.iter().map(|(key, count)| (key, *count))
    }

    /// The most frequent values; of those that are equally so, the least.
    pub(crate) fn top(&self, most: usize) -> Vec<(&K, u64)> {
        let mut all: Vec<(&K, u64)> = self.all().collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn counted(values: impl Iterator<Item = i64>) -> Counts<i64> {
        let mut counts = Counts::new(&DefaultHashBuilder::default());
        values.for_each(|value| counts.add(&value, 1));
        counts
    }

    #[test]
    fn few_values_are_exact() {
        let counts = counted((0..1000).map(|n| n % 7));
        assert!(counts.exact());
        assert_eq!(counts.distinct(), 7);
        assert_eq!(counts.top(2), [(&0, 143), (&1, 143)]);
    }

    #[test]
    fn a_frequent_value_is_found_among_many() {
        let counts = counted((0..200_000).map(|n| if n % 10 == 0 { -1 } else { n }));
        assert!(!counts.exact());
        let (value, count) = counts.top(1)[0];
        assert_eq!(*value, -1);
        assert!((20_000 - 200_000 / 1000..=20_000).contains(&count), "{count}");
        let distinct = counts.distinct() as f64;
        assert!((distinct / 180_001.0 - 1.0).abs() < 0.03, "{distinct}");
    }

    #[test]
    fn merged_is_as_good_as_whole() {
        let hasher = DefaultHashBuilder::default();
        let mut parts: Vec<Counts<i64>> = (0..4).map(|_| Counts::new(&hasher)).collect();
        for n in 0..40_000_i64 {
            parts[n as usize % 4].add(&(if n % 3 == 0 { 7 } else { n }), 1);
        }
        let mut whole = parts.remove(0);
        for part in parts {
            whole.merge(part);
        }
        let (value, count) = whole.top(1)[0];
        assert_eq!(*value, 7);
        assert!((13_334 - 40..=13_334).contains(&count), "{count}");
    }
}
