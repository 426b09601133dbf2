//! How much memory the values of a file may take.

use std::cell::Cell;

use crate::Malformed;

/// Whatever the file's length.
const LEAST: usize = 64 << 20;
/// So many bytes for each byte of the file. Models of XGBoost and scikit-learn take less than three.
const EACH: usize = 4;
/// What the allocator takes beside each part of the heap.
const BESIDE: usize = 16;

/// The bytes that the values of a file may still take.
pub(super) struct Budget {
    most: usize,
    left: Cell<usize>,
}

/// There is no more room.
#[derive(Debug)]
pub(super) struct Full;

impl Budget {
    /// For a file of so many bytes.
    pub(super) fn of(length: usize) -> Self {
        let most = length.saturating_mul(EACH).saturating_add(LEAST);
        Self { most, left: Cell::new(most) }
    }

    /// Without what every file may take.
    #[cfg(test)]
    pub(super) fn tight(length: usize) -> Self {
        let most = length * EACH;
        Self { most, left: Cell::new(most) }
    }

    fn take(&self, bytes: usize) -> Result<(), Full> {
        let left = self.left.get().checked_sub(bytes);
        // When it does not fit, nothing does any more: who asks later learns it too.
        self.left.set(left.unwrap_or(0));
        left.map(drop).ok_or(Full)
    }

    fn give(&self, bytes: usize) {
        self.left.set(self.left.get().saturating_add(bytes));
    }

    /// A text of its own.
    pub(super) fn text(&self, text: &str) -> Result<Box<str>, Full> {
        if !text.is_empty() {
            self.take(text.len() + BESIDE)?;
        }
        Ok(text.into())
    }

    /// Adds one to a list, whose room grows with it.
    pub(super) fn push<T>(&self, all: &mut Vec<T>, one: T) -> Result<(), Full> {
        if all.len() == all.capacity() {
            let more = all.capacity().max(4);
            let beside = if all.capacity() == 0 { BESIDE } else { 0 };
            self.take(more * size_of::<T>() + beside)?;
            all.reserve_exact(more);
        }
        all.push(one);
        Ok(())
    }

    /// A list to which nothing is added any more.
    pub(super) fn closed<T>(&self, all: Vec<T>) -> Box<[T]> {
        self.give((all.capacity() - all.len()) * size_of::<T>());
        all.into_boxed_slice()
    }

    /// Takes back what a list took that is no more.
    pub(super) fn dropped<T>(&self, all: Vec<T>) {
        if all.capacity() > 0 {
            self.give(all.capacity() * size_of::<T>() + BESIDE);
        }
    }

    /// What is wrong with a file that does not fit.
    pub(super) fn fault(&self, place: impl Into<String>) -> Malformed {
        let message = format!(
            "its values take more than {} MiB of memory, which no model of this size does.",
            self.most >> 20
        );
        Malformed::new(place, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_and_given_back() {
        let budget = Budget { most: 1_000, left: Cell::new(1_000) };
        let mut all = Vec::new();
        for number in 0..5_i64 {
            budget.push(&mut all, number).unwrap();
        }
        assert_eq!(budget.left.get(), 1_000 - 16 - 8 * 8);
        let all = budget.closed(all);
        assert_eq!(budget.left.get(), 1_000 - 16 - 8 * 5);
        assert_eq!(&*all, [0, 1, 2, 3, 4]);
        budget.dropped(Vec::<i64>::new());
        assert!(budget.text(&"a".repeat(2_000)).is_err());
        assert!(budget.text("").is_ok());
        assert!(budget.text("a").is_err());
    }
}
