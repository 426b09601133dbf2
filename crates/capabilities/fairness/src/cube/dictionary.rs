//! The values of one attribute, each with a code.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use super::limits::{MAX_NAME_BYTES, MAX_VALUES, TooMany};

/// The name of the group of those whose attribute is missing.
pub const MISSING_NAME: &str = "(missing)";
/// The code of the missing value.
pub(crate) const MISSING_CODE: u32 = 0;

/// The values of one attribute, each with a code; code 0 is the missing value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dictionary {
    names: Vec<Box<str>>,
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    bytes: usize,
}

impl Dictionary {
    /// The code of `name`, a new one if it was never seen. Empty text says nothing: it counts as missing.
    pub(crate) fn code(&mut self, name: &str) -> Result<u32, TooMany> {
        if name.is_empty() || name == MISSING_NAME {
            return Ok(MISSING_CODE);
        }
        let hash = self.hasher.hash_one(name);
        if let Some(code) = self.codes.find(hash, |code| *self.names[*code as usize - 1] == *name) {
            return Ok(*code);
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

    /// How many bits a code needs.
    pub(crate) fn bits(&self) -> u32 {
        usize::BITS - self.names.len().leading_zeros()
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes + self.names.capacity() * 16 + self.codes.allocation_size()
    }
}
