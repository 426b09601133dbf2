//! A local Parquet file, and how each column that the cube needs is stored in it.

use std::{fs::File, io, path::Path, path::PathBuf, sync::Arc};

use arrow::datatypes::{Schema, SchemaRef};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    basic::Encoding,
    errors::ParquetError,
    file::metadata::{ColumnChunkMetaData, RowGroupMetaData},
};

use super::{column::is_coded, kind::Kind};

/// Rows of an Arrow batch.
const BATCH: usize = 8192;

/// A local Parquet file whose columns can be read here.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// In the layout's order.
    pub(super) columns: Vec<Column>,
    /// The row groups that are asked for.
    pub(super) groups: Vec<usize>,
}

/// How a column is stored.
#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    pub leaf: usize,
    pub kind: Kind,
    /// Rows may be without a value.
    pub optional: bool,
}

impl Source {
    /// The file at `path` with these columns, to be read as `schema` says. A row group is read if its first byte is in one of
    /// the ranges, or if there are none. `None`: it holds something that is not read here.
    pub(crate) fn open(
        path: &Path,
        schema: &SchemaRef,
        names: &[&str],
        ranges: &[(i64, i64)],
    ) -> Result<Option<Self>, ParquetError> {
        let file = open(path)?;
        let length = file.metadata().map_err(failed)?.len();
        let plain = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(schema));
        let Ok(metadata) = ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options)
        else {
            return Ok(None);
        };
        let column = |name: &&str| column(&plain, schema, name);
        let Some(columns) = names.iter().map(column).collect::<Option<Vec<Column>>>() else {
            return Ok(None);
        };
        let groups = metadata.metadata().row_groups();
        if !groups.iter().all(|group| is_sound(group, length)) {
            return Ok(None);
        }
        let groups = (0..groups.len())
            .filter(|index| {
                let start = groups[*index].columns().first().map_or(0, start);
                ranges.is_empty() || ranges.iter().any(|(from, to)| (*from..*to).contains(&start))
            })
            .collect();
        let source = Self { path: path.to_owned(), metadata, columns, groups };
        // Without a row group of codes there is nothing to win.
        let any = source.groups.iter().any(|group| source.is_coded(*group));
        Ok(any.then_some(source))
    }

    /// Rows of the row groups that are asked for.
    pub(crate) fn rows(&self) -> u64 {
        self.groups.iter().map(|group| self.group(*group).num_rows() as u64).sum()
    }

    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The file, opened anew: it has a place of its own.
    pub(super) fn file(&self) -> Result<File, ParquetError> {
        open(&self.path)
    }

    pub(super) fn group(&self, group: usize) -> &RowGroupMetaData {
        self.metadata.metadata().row_group(group)
    }

    /// Whether all columns of the row group are codes, and as long as it.
    pub(super) fn is_coded(&self, group: usize) -> bool {
        let group = self.group(group);
        self.columns.iter().all(|column| {
            let chunk = group.column(column.leaf);
            chunk.num_values() == group.num_rows()
                && (column.kind == Kind::Truth || holds_codes(chunk))
        })
    }

    /// The row group as Arrow batches.
    pub(super) fn batches(&self, group: usize) -> Result<ParquetRecordBatchReader, ParquetError> {
        let leaves = self.columns.iter().map(|column| column.leaf);
        let mask = ProjectionMask::leaves(self.metadata.parquet_schema(), leaves);
        ParquetRecordBatchReaderBuilder::new_with_metadata(self.file()?, self.metadata.clone())
            .with_batch_size(BATCH)
            .with_projection(mask)
            .with_row_groups(vec![group])
            .build()
    }
}

fn open(path: &Path) -> Result<File, ParquetError> {
    File::open(path).map_err(failed)
}

fn failed(error: io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// The column of this name, if it is one that is read here.
fn column(plain: &ArrowReaderMetadata, schema: &Schema, name: &str) -> Option<Column> {
    let descriptor = plain.parquet_schema();
    let leaf = (0..descriptor.num_columns()).find(|leaf| {
        let path = descriptor.column(*leaf).path().clone();
        path.parts().len() == 1 && path.parts()[0] == name
    })?;
    let stored = descriptor.column(leaf);
    if stored.max_rep_level() > 0 || stored.max_def_level() > 1 {
        return None;
    }
    let in_file = plain.schema().field_with_name(name).ok()?.data_type();
    let read = schema.field_with_name(name).ok()?.data_type();
    let kind = Kind::of(stored.physical_type(), in_file, read)?;
    let optional = stored.max_def_level() == 1;
    Some(Column { name: name.to_owned(), leaf, kind, optional })
}

/// Whether all of the row group lies in the file.
fn is_sound(group: &RowGroupMetaData, length: u64) -> bool {
    u32::try_from(group.num_rows()).is_ok()
        && group.columns().iter().all(|chunk| {
            let end = start(chunk).checked_add(chunk.compressed_size());
            start(chunk) >= 0
                && chunk.data_page_offset() >= 0
                && chunk.compressed_size() >= 0
                && end.and_then(|end| u64::try_from(end).ok()).is_some_and(|end| end <= length)
        })
}

/// Where a column begins.
fn start(chunk: &ColumnChunkMetaData) -> i64 {
    chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset())
}

/// Whether all data pages of the column are codes: they say it of themselves.
fn holds_codes(chunk: &ColumnChunkMetaData) -> bool {
    chunk.dictionary_page_offset().is_some()
        && chunk
            .page_encoding_stats_mask()
            .is_some_and(|mask| mask.encodings().all(|encoding: Encoding| is_coded(encoding)))
}
