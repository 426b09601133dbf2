//! How much each count found before, so that PostgreSQL may keep the plans of counts.
//!
//! PostgreSQL keeps the plan that suited whoever asked first, and a plan for fifty rows is a bad one for a
//! million. So a kept count carries its size in its text: those of one size share a plan, and no others.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, PoisonError},
};

use super::Statement;

/// More questions than this are forgotten, all at once: to learn one anew costs one planning.
const MOST: usize = 1 << 14;

/// The sizes of the counts that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    known: Mutex<HashMap<Question, Size>>,
    state: RandomState,
}

/// A count with its values, as a hash: a clash costs a plan that suits less well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question(u64);

/// The order of magnitude of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(usize);

const MARKS: [&str; 8] = [
    "\n-- up to 15",
    "\n-- 16 to 255",
    "\n-- 256 to 4095",
    "\n-- 4096 to 16383",
    "\n-- 16384 to 65535",
    "\n-- 65536 to 262143",
    "\n-- 262144 to 1048575",
    "\n-- 1048576 and more",
];

impl Size {
    fn of(count: i64) -> Self {
        const LEAST: [i64; 7] = [16, 256, 4_096, 16_384, 65_536, 262_144, 1_048_576];
        Self(LEAST.partition_point(|least| *least <= count))
    }

    /// What the statement's text ends with.
    pub(crate) fn mark(self) -> &'static str {
        MARKS[self.0]
    }
}

impl Sizes {
    pub(crate) fn question(&self, statement: &Statement) -> Question {
        Question(self.state.hash_one((&statement.sql, &statement.values)))
    }

    /// What the question was last answered with.
    pub(crate) fn known(&self, question: Question) -> Option<Size> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&question).copied()
    }

    pub(crate) fn learn(&self, question: Question, count: i64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&question) {
            known.clear();
        }
        known.insert(question, Size::of(count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bound;

    fn question(sizes: &Sizes, value: i64) -> Question {
        sizes.question(&Statement {
            sql: "select $1".to_owned(),
            values: vec![Bound::Number(value)],
        })
    }

    #[test]
    fn a_size_is_known_once_it_was_counted_and_follows_the_count() {
        let sizes = Sizes::default();
        let (one, other) = (question(&sizes, 1), question(&sizes, 2));
        assert_eq!(sizes.known(one), None);
        sizes.learn(one, 300);
        assert_eq!(sizes.known(one).map(Size::mark), Some("\n-- 256 to 4095"));
        assert_eq!(sizes.known(other), None);
        sizes.learn(one, 4_096);
        assert_eq!(sizes.known(one).map(Size::mark), Some("\n-- 4096 to 16383"));
    }

    #[test]
    fn each_count_has_a_mark() {
        let marks =
            [0, 15, 16, 255, 65_535, 262_143, 262_144, i64::MAX].map(|n| Size::of(n).mark());
        assert_eq!(marks[0], marks[1]);
        assert_eq!(marks[2], marks[3]);
        assert_eq!(marks[4], "\n-- 16384 to 65535");
        assert_eq!(marks[5], "\n-- 65536 to 262143");
        assert_eq!(marks[6], "\n-- 262144 to 1048575");
        assert_eq!(marks[7], "\n-- 1048576 and more");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let sizes = Sizes::default();
        for value in 0..=MOST as i64 {
            sizes.learn(question(&sizes, value), 1);
        }
        assert!(sizes.known.lock().unwrap().len() <= MOST);
        assert!(sizes.known(question(&sizes, MOST as i64)).is_some());
    }
}
