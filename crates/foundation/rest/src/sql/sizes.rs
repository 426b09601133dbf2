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

const MARKS: [&str; 3] = ["\n-- up to 15", "\n-- 16 to 255", "\n-- 256 to 4095"];

impl Size {
    /// `None` when the count is so large that planning it is little beside it, and a plan that was made for other values
    /// costs more than it spares: it is planned for its own.
    fn of(count: i64) -> Option<Self> {
        const BEYOND: [i64; MARKS.len()] = [16, 256, 4_096];
        BEYOND.iter().position(|beyond| count < *beyond).map(Self)
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
        let Some(size) = Size::of(count) else {
            known.remove(&question);
            return;
        };
        if known.len() >= MOST && !known.contains_key(&question) {
            known.clear();
        }
        known.insert(question, size);
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
        sizes.learn(one, 40);
        assert_eq!(sizes.known(one).map(Size::mark), Some("\n-- 16 to 255"));
        sizes.learn(one, 4_096);
        assert_eq!(sizes.known(one), None);
    }

    #[test]
    fn each_count_has_a_mark_but_the_largest() {
        let marks = [0, 15, 16, 255, 4_095, 4_096, i64::MAX].map(|n| Size::of(n).map(Size::mark));
        assert_eq!(marks[0], marks[1]);
        assert_eq!(marks[2], marks[3]);
        assert_eq!(marks[4], Some("\n-- 256 to 4095"));
        assert_eq!(marks[5..], [None, None]);
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
