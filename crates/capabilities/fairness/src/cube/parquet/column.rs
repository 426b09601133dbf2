//! A column of one row group, page after page.

use std::{fs::File, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::Encoding,
    column::page::{Page, PageReader},
    errors::ParquetError,
    file::{metadata::ColumnChunkMetaData, serialized_reader::SerializedPageReader},
};

use super::{
    axis::MOST_VALUES,
    codes::Codes,
    kind::Kind,
    page::{Damage, DataPage, prefixed},
    unpack::Steps,
    window::Window,
};

/// Why a column cannot be read.
#[derive(Debug)]
pub(super) enum ReadError {
    Parquet(ParquetError),
    Damaged(Damage),
}

impl From<ParquetError> for ReadError {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

impl From<Damage> for ReadError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// The pages of one column of one row group.
pub(super) struct Pages {
    reader: SerializedPageReader<Window>,
    kind: Kind,
    optional: bool,
}

impl Pages {
    pub(super) fn open(
        file: Arc<File>,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        kind: Kind,
        optional: bool,
    ) -> Result<Self, ReadError> {
        let (start, length) = chunk.byte_range();
        let window = Arc::new(Window::new(file, start.saturating_add(length)));
        let reader = SerializedPageReader::new(window, chunk, rows, None)?;
        Ok(Self { reader, kind, optional })
    }

    /// The dictionary's values, which come before all else; `None` if they are very many. Truth values have one of their own.
    pub(super) fn dictionary(&mut self) -> Result<Option<Vec<Bytes>>, ReadError> {
        if self.kind == Kind::Truth {
            return Ok(Some(vec![Bytes::from_static(&[0]), Bytes::from_static(&[1])]));
        }
        let Some(Page::DictionaryPage { buf, num_values, .. }) = self.reader.get_next_page()?
        else {
            return Err(Damage::DICTIONARY.into());
        };
        let count = num_values as usize;
        if count > MOST_VALUES {
            return Ok(None);
        }
        Ok(Some(self.kind.entries(&buf, count)?))
    }

    pub(super) fn next(&mut self) -> Result<DataPage, ReadError> {
        let page = self.reader.get_next_page()?.ok_or(Damage::SHORT)?;
        Ok(DataPage::take_apart(page, self.optional)?)
    }
}

/// A column whose pages are all codes.
pub(super) struct CodedColumn {
    pages: Pages,
    /// What each value adds to its row.
    steps: Steps,
    page: Option<CodedPage>,
    /// What the rows with a value add, while some are without.
    scratch: Vec<u32>,
}

struct CodedPage {
    page: DataPage,
    codes: Codes,
    left: usize,
}

impl CodedColumn {
    pub(super) fn new(pages: Pages, by_code: Vec<u32>) -> Self {
        Self { pages, steps: Steps::new(by_code), page: None, scratch: Vec::new() }
    }

    /// Adds to each of the next rows what its value stands for; a missing value adds nothing.
    pub(super) fn add(&mut self, mut rows: &mut [u32]) -> Result<(), ReadError> {
        while !rows.is_empty() {
            let Some(page) = self.page.as_mut().filter(|page| page.left > 0) else {
                self.page = Some(self.next_page()?);
                continue;
            };
            let (here, rest) = rows.split_at_mut(rows.len().min(page.left));
            page.left -= here.len();
            if let Some(present) = &mut page.page.present {
                let (flags, count) = present.next(here.len())?;
                self.scratch.clear();
                self.scratch.resize(count, 0);
                page.codes.add(&mut self.steps, &mut self.scratch).map_err(|_| Damage::SHORT)?;
                let mut steps = self.scratch.iter();
                for (row, flag) in here.iter_mut().zip(flags) {
                    if *flag == 1 {
                        *row += steps.next().copied().unwrap_or_default();
                    }
                }
            } else {
                page.codes.add(&mut self.steps, here).map_err(|_| Damage::SHORT)?;
            }
            rows = rest;
        }
        Ok(())
    }

    fn next_page(&mut self) -> Result<CodedPage, ReadError> {
        let page = self.pages.next()?;
        let codes = codes(&page, self.pages.kind)?;
        Ok(CodedPage { left: page.rows, codes, page })
    }
}

/// The codes of a page.
fn codes(page: &DataPage, kind: Kind) -> Result<Codes, Damage> {
    if kind == Kind::Truth {
        return match page.encoding {
            Encoding::PLAIN => Ok(Codes::packed(page.values.clone(), 1, page.rows)),
            Encoding::RLE => {
                let (runs, _) = prefixed(&page.values).ok_or(Damage::SHORT)?;
                Ok(Codes::runs(runs, 1))
            }
            _ => Err(Damage::ENCODING),
        };
    }
    if !is_coded(page.encoding) {
        return Err(Damage::ENCODING);
    }
    // A page of missing values alone may be without codes.
    let width = u32::from(page.values.first().copied().unwrap_or(0));
    if width > u32::BITS {
        return Err(Damage::ENCODING);
    }
    Ok(Codes::runs(page.values.slice(page.values.len().min(1)..), width))
}

/// Whether pages of this encoding hold codes of a dictionary.
pub(super) fn is_coded(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY)
}
