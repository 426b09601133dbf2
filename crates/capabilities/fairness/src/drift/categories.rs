//! A column of categories: how often each comes, up to a bound.

use hashbrown::HashMap;

use super::{Counts, Seen};

/// The most different values that are kept of one column.
pub const MAX_CATEGORIES: usize = 10_000;
/// The most bytes of their names.
pub const MAX_CATEGORY_BYTES: usize = 1 << 20;

/// How many new or gone values are listed.
const LISTED: usize = 20;

/// How often each category comes, of the rows of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Categories {
    counts: HashMap<String, u64>,
    bytes: usize,
    /// There are too many: they are not kept.
    pub is_over: bool,
    /// Rows without a value.
    pub missing: u64,
    pub values: u64,
}

impl Categories {
    pub fn add(&mut self, value: &str) {
        self.add_times(value, 1);
    }

    fn add_times(&mut self, value: &str, times: u64) {
        self.values += times;
        if self.is_over {
            return;
        }
        if let Some(count) = self.counts.get_mut(value) {
            *count += times;
            return;
        }
        self.bytes += value.len();
        if self.counts.len() == MAX_CATEGORIES || self.bytes > MAX_CATEGORY_BYTES {
            self.is_over = true;
            self.counts = HashMap::new();
        } else {
            self.counts.insert(value.to_owned(), times);
        }
    }

    /// What others hold, too.
    pub fn merge(&mut self, other: Self) {
        self.missing += other.missing;
        if other.is_over {
            self.values += other.values;
            self.is_over = true;
            self.counts = HashMap::new();
            return;
        }
        for (value, count) in other.counts {
            self.add_times(&value, count);
        }
    }

    /// What is left without a part of it.
    pub fn without(&self, part: &Self) -> Self {
        let mut left = self.clone();
        left.values = left.values.saturating_sub(part.values);
        left.missing = left.missing.saturating_sub(part.missing);
        for (value, count) in &part.counts {
            if let Some(left) = left.counts.get_mut(value) {
                *left = left.saturating_sub(*count);
            }
        }
        left.counts.retain(|_, count| *count > 0);
        left
    }
}

/// Both tables' categories by name. `None` if there are too many.
pub(super) fn pair(reference: Categories, current: Categories) -> Option<Vec<(String, Counts)>> {
    if reference.is_over || current.is_over {
        return None;
    }
    let mut both: HashMap<String, Counts> = HashMap::with_capacity(reference.counts.len());
    for (table, counts) in [reference.counts, current.counts].into_iter().enumerate() {
        for (value, count) in counts {
            both.entry(value).or_default()[table] += count;
        }
    }
    let mut named: Vec<(String, Counts)> = both.into_iter().collect();
    named.sort_unstable();
    Some(named)
}

/// The categories that only this table has (0: the reference), the most frequent first: those listed, and how many there are.
pub(super) fn only_in(named: &[(String, Counts)], table: usize) -> (Vec<Seen>, u64) {
    let total: u64 = named.iter().map(|(_, counts)| counts[table]).sum();
    let mut only: Vec<&(String, Counts)> =
        named.iter().filter(|(_, counts)| counts[table] > 0 && counts[1 - table] == 0).collect();
    only.sort_by_key(|(_, counts)| std::cmp::Reverse(counts[table]));
    let count = only.len() as u64;
    let seen = |(value, counts): &(String, Counts)| Seen {
        value: value.clone(),
        rows: counts[table],
        share: counts[table] as f64 / total as f64,
    };
    (only.into_iter().take(LISTED).map(seen).collect(), count)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Categories {
        let mut categories = Categories::default();
        for value in values {
            categories.add(value);
        }
        categories
    }

    #[test]
    fn new_and_gone_values_are_listed_with_the_most_frequent_first() {
        let named = pair(of(&["a", "b"]), of(&["a", "d", "c", "c"])).unwrap();
        let (new, count) = only_in(&named, 1);
        let names: Vec<(&str, u64)> =
            new.iter().map(|seen| (seen.value.as_str(), seen.rows)).collect();
        assert_eq!((names, count), (vec![("c", 2), ("d", 1)], 2));
        assert_eq!(only_in(&named, 0).0[0].share, 0.5);
    }

    #[test]
    fn too_many_values_are_counted_and_not_kept() {
        let mut many = Categories::default();
        for row in 0..=MAX_CATEGORIES {
            many.add(&row.to_string());
        }
        assert!(many.is_over && many.values == MAX_CATEGORIES as u64 + 1);
        let mut other = of(&["a"]);
        other.merge(many);
        assert!(other.is_over && other.values == MAX_CATEGORIES as u64 + 2);
        assert!(pair(other, of(&["a"])).is_none());
        assert!(of(&[&"x".repeat(MAX_CATEGORY_BYTES + 1)]).is_over);
    }
}
