//! A data page taken apart: which rows have a value, and the values' bytes.

use bytes::Bytes;
use parquet::{basic::Encoding, column::page::Page};

use super::{codes::Codes, unpack::Steps};

/// A data page of a column that is not nested.
#[derive(Debug)]
pub(super) struct DataPage {
    pub rows: usize,
    pub encoding: Encoding,
    /// Which rows have a value; `None` if all have.
    pub present: Option<Present>,
    pub values: Bytes,
}

/// Which rows have a value.
#[derive(Debug)]
pub(super) struct Present {
    levels: Codes,
    steps: Steps,
    flags: Vec<u32>,
}

impl Present {
    fn new(levels: Codes) -> Self {
        Self { levels, steps: Steps::new(vec![0, 1]), flags: Vec::new() }
    }

    /// One for each of the next rows that has a value, 0 for the others; and how many have.
    pub(super) fn next(&mut self, rows: usize) -> Result<(&[u32], usize), Damage> {
        self.flags.clear();
        self.flags.resize(rows, 0);
        self.levels.add(&mut self.steps, &mut self.flags).map_err(|_| Damage::LEVELS)?;
        if self.flags.iter().any(|flag| *flag > 1) {
            return Err(Damage::LEVELS);
        }
        let present = self.flags.iter().sum::<u32>() as usize;
        Ok((&self.flags, present))
    }
}

/// What is wrong with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage(pub &'static str);

impl Damage {
    pub(super) const SHORT: Self = Self("it has fewer values than rows");
    pub(super) const LEVELS: Self = Self("its levels are no levels of it");
    pub(super) const ENCODING: Self = Self("a page is not encoded as the footer says");
    pub(super) const CODE: Self = Self("a code is not in the dictionary");
    pub(super) const DICTIONARY: Self = Self("its dictionary cannot be read");
}

impl DataPage {
    /// `optional`: rows may be without a value.
    pub(super) fn take_apart(page: Page, optional: bool) -> Result<Self, Damage> {
        let (rows, encoding, levels, values) = match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
                let rows = num_values as usize;
                let (levels, values) = if optional {
                    let (levels, values) = first_levels(buf, def_level_encoding, rows)?;
                    (Some(levels), values)
                } else {
                    (None, buf)
                };
                (rows, encoding, levels, values)
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let begin = rep_levels_byte_len as usize;
                let end = begin.checked_add(def_levels_byte_len as usize);
                let end = end.filter(|end| *end <= buf.len()).ok_or(Damage::LEVELS)?;
                let levels = optional.then(|| Codes::runs(buf.slice(begin..end), 1));
                (num_values as usize, encoding, levels, buf.slice(end..))
            }
            Page::DictionaryPage { .. } => return Err(Damage("it has two dictionaries")),
        };
        let present =
            levels.and_then(|mut levels| (!levels.are_all(1, rows)).then(|| Present::new(levels)));
        Ok(Self { rows, encoding, present, values })
    }
}

/// The levels before a page's values, of the first version of pages.
fn first_levels(buf: Bytes, encoding: Encoding, rows: usize) -> Result<(Codes, Bytes), Damage> {
    #[allow(deprecated)]
    if encoding == Encoding::BIT_PACKED {
        // Of old: packed from the highest bit down, without runs.
        let size = rows.div_ceil(8);
        let bytes = buf.get(..size).ok_or(Damage::LEVELS)?;
        let turned: Vec<u8> = bytes.iter().map(|byte| byte.reverse_bits()).collect();
        return Ok((Codes::packed(turned.into(), 1, rows), buf.slice(size..)));
    }
    let (levels, values) = prefixed(&buf).ok_or(Damage::LEVELS)?;
    Ok((Codes::runs(levels, 1), values))
}

/// Bytes with their length before them, and what follows them.
pub(super) fn prefixed(buf: &Bytes) -> Option<(Bytes, Bytes)> {
    let length = u32::from_le_bytes(*buf.first_chunk::<4>()?) as usize;
    let end = length.checked_add(4).filter(|end| *end <= buf.len())?;
    Some((buf.slice(4..end), buf.slice(end..)))
}
