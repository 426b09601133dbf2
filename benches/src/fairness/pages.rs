//! The first thing that any reader of Parquet does: pages read from the file and decompressed, their codes not looked at.

use std::{fs::File, os::unix::fs::FileExt as _, path::Path, sync::Arc};

use anyhow::Result;
use bytes::{Buf as _, Bytes, buf::Reader};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    },
    column::page::PageReader as _,
    errors::ParquetError,
    file::{
        reader::{ChunkReader, Length},
        serialized_reader::SerializedPageReader,
    },
};

use super::work::{on_all_processors, read};

/// Reads the pages of the columns of an analysis with this score on all processors, and throws them away.
pub fn read_pages(path: &Path, score: &str) -> Result<()> {
    let file = File::open(path)?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    let wanted = ProjectionMask::columns(metadata.parquet_schema(), read(score));
    let groups = metadata.metadata().row_groups();
    on_all_processors(groups.len(), |numbers| {
        for group in numbers.into_iter().filter_map(|number| groups.get(number)) {
            let columns = group.columns().iter().enumerate();
            for (_, column) in columns.filter(|(leaf, _)| wanted.leaf_included(*leaf)) {
                let (start, length) = column.byte_range();
                let mut bytes = vec![0; length as usize];
                file.read_exact_at(&mut bytes, start)?;
                let chunk = Arc::new(Chunk { start, bytes: bytes.into() });
                let rows = group.num_rows() as usize;
                let mut pages = SerializedPageReader::new(chunk, column, rows, None)?;
                while let Some(page) = pages.get_next_page()? {
                    std::hint::black_box(page);
                }
            }
        }
        Ok(())
    })
}

/// The bytes of one column of one row group, at their place in the file.
struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Chunk {
    /// What lies there, and after it.
    fn at(&self, start: u64) -> Result<Bytes, ParquetError> {
        let skipped = start.checked_sub(self.start).map(|skipped| skipped as usize);
        skipped
            .filter(|skipped| *skipped <= self.bytes.len())
            .map(|skipped| self.bytes.slice(skipped..))
            .ok_or_else(|| ParquetError::EOF("outside the column".to_owned()))
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.at(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.at(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF("a page ends outside its column".to_owned()));
        }
        Ok(bytes.slice(..length))
    }
}
