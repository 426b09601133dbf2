//! How much room the sets of categories of a model may take.

use crate::Malformed;

/// 128 MiB: a category of eight digits makes a set of two megabytes, and a file may hold very many of them.
const MOST_WORDS: usize = 1 << 24;

/// The words that the sets of a model may still take.
pub(super) struct Sets(usize);

impl Sets {
    pub(super) fn new() -> Self {
        Self(MOST_WORDS)
    }

    /// Takes so many of them.
    pub(super) fn take(&mut self, words: usize, place: &str) -> Result<(), Malformed> {
        self.0 = self.0.checked_sub(words).ok_or_else(|| {
            Malformed::new(place, "the sets of categories take more than 128 MiB.")
                .hint("Number the categories from 0 on, without gaps.")
        })?;
        Ok(())
    }
}
