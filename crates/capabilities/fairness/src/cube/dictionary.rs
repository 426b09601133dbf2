//! The values of one attribute, each with a code.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use super::limits::{MAX_NAME_BYTES, MAX_VALUES, TooMany};

/// The name of the group of those whose attribute is missing.
pub const MISSING_NAME: &str = "(missing)";
/// The name of the group of those whose value is one of so many that they are counted together.
pub const OTHER_NAME: &str = "(other)";
/// The code of the missing value.
pub(crate) const MISSING_CODE: u32 = 0;

/// The values of one attribute, each with a code; code 0 is the missing value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    names: Vec<Box<str>>,
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    bytes: usize,
    /// The code of all that is not in it, if it takes no more.
    other: Option<u32>,
}

impl Dictionary {
    /// A dictionary of these values that takes no more: whatever else is asked for has the code of [`OTHER_NAME`].
    pub(crate) fn closed<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, TooMany> {
        let mut dictionary = Self::default();
        for name in names.filter(|name| *name != OTHER_NAME) {
            dictionary.code(name)?;
        }
        dictionary.other = Some(dictionary.code(OTHER_NAME)?);
        Ok(dictionary)
    }

    /// Whether the code stands for all that is not in a closed dictionary.
    pub(crate) fn is_other(&self, code: u32) -> bool {
        self.other == Some(code)
    }

    /// The code of `name`, a new one if it was never seen. Empty text says nothing: it counts as missing.
    pub(crate) fn code(&mut self, name: &str) -> Result<u32, TooMany> {
        if name.is_empty() || name == MISSING_NAME {
            return Ok(MISSING_CODE);
        }
        let hash = self.hasher.hash_one(name);
        if let Some(code) = self.codes.find(hash, |code| *self.names[*code as usize - 1] == *name) {
            return Ok(*code);
        }
        if let Some(other) = self.other {
            return Ok(other);
        }
        if self.names.len() >= MAX_VALUES {
            return Err(TooMany::Values);
        }
        self.bytes += name.len();
        if self.bytes > MAX_NAME_BYTES {
            return Err(TooMany::Bytes);
        }
        self.names.push(name.into());
        let code = self.names.len() as u32;
        let (names, hasher) = (&self.names, &self.hasher);
        self.codes.insert_unique(hash, code, |code| hasher.hash_one(&*names[*code as usize - 1]));
        Ok(code)
    }

    /// The value with this code.
    pub(crate) fn name(&self, code: u32) -> &str {
        (code as usize)
            .checked_sub(1)
            .and_then(|index| self.names.get(index))
            .map_or(MISSING_NAME, |name| name)
    }

    /// All values with a name, in the order of their codes, from 1.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The code here of each code of a dictionary that has these values in the order of their codes, from 1. What is missing has
    /// the same code everywhere.
    pub(crate) fn codes_of<'a>(
        &mut self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<u32>, TooMany> {
        let mut codes = vec![MISSING_CODE];
        for name in names {
            codes.push(self.code(name)?);
        }
        Ok(codes)
    }

    /// Where the value with each code is among all, by name; what is missing comes first.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut by_name: Vec<usize> = (0..self.names.len()).collect();
        by_name.sort_unstable_by_key(|at| &self.names[*at]);
        let mut ranks = vec![0; self.names.len() + 1];
        (1..).zip(by_name).for_each(|(rank, at)| ranks[at + 1] = rank);
        ranks
    }

    /// How many bits a code needs.
    pub(crate) fn bits(&self) -> u32 {
        usize::BITS - self.names.len().leading_zeros()
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes + self.names.capacity() * 16 + self.codes.allocation_size()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_dictionary_takes_no_more() {
        let mut closed = Dictionary::closed(["a", OTHER_NAME, "b"].into_iter()).unwrap();
        let codes =
            ["", "a", "b", "c", OTHER_NAME, "d", MISSING_NAME].map(|name| closed.code(name));
        assert_eq!(codes, [0, 1, 2, 3, 3, 3, 0].map(Ok));
        assert!(closed.is_other(3) && !closed.is_other(2) && !closed.is_other(MISSING_CODE));
        assert_eq!(closed.names().collect::<Vec<_>>(), ["a", "b", OTHER_NAME]);
        // What is not closed knows no others: the name is a value like any.
        let mut open = Dictionary::default();
        assert_eq!([open.code(OTHER_NAME), open.code("a")], [Ok(1), Ok(2)]);
        assert!(!open.is_other(1));
    }

    #[test]
    fn as_many_values_can_be_kept_as_there_are_codes_but_one() {
        let names: Vec<String> = (0..MAX_VALUES).map(|value| value.to_string()).collect();
        let most = names.iter().skip(1).map(String::as_str);
        assert!(Dictionary::closed(most).is_ok());
        let more = Dictionary::closed(names.iter().map(String::as_str));
        assert_eq!(more.err(), Some(TooMany::Values));
    }
}
