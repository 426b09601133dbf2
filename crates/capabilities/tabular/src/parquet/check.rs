//! Is it what it says it is? A Parquet file can be cut short, lie about its size, or unpack to terabytes.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use ::parquet::{
    errors::ParquetError,
    file::metadata::{ParquetMetaData, ParquetMetaDataReader},
};

use object_store::{ObjectStore, ObjectStoreExt};

use super::pages;
use crate::{Limits, Malformed, TabularError, csv::duplicates, file::TableFile};

const MAGIC: &[u8; 4] = b"PAR1";
/// A footer that is larger than this belongs to no table of ours: 4096 columns of 10 000 row groups take less.
const FOOTER: u64 = 1 << 30;
const CUT: &str = "It was probably cut short; get it again.";

/// Reads a file's footer, and refuses what does not hold together.
pub(crate) fn check(
    table: &TableFile,
    file: &mut File,
    limits: &Limits,
) -> Result<ParquetMetaData, TabularError> {
    let size = file.metadata().map_err(|error| table.error(error))?.len();
    let mut read = |from: u64| -> Result<[u8; 4], TabularError> {
        let mut bytes = [0; 4];
        file.seek(SeekFrom::Start(from))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|error| table.error(error))?;
        Ok(bytes)
    };
    if size < 12 {
        return Err(Malformed::new(format!(
            "a Parquet file has at least 12 bytes, this one has {size}"
        ))
        .byte(0)
        .hint(CUT)
        .into());
    }
    if &read(0)? == b"PARE" {
        return Err(TabularError::unsupported(
            "this Parquet file is encrypted",
            "Decrypt it first",
        ));
    }
    if &read(size - 4)? != MAGIC {
        return Err(Malformed::new("the Parquet file does not end as one does")
            .byte(size - 4)
            .hint(CUT)
            .into());
    }
    let footer = u64::from(u32::from_le_bytes(read(size - 8)?));
    if footer + 12 > size {
        let message = format!("the footer is said to have {footer} bytes, but the file has {size}");
        return Err(Malformed::new(message).byte(size - 8).hint(CUT).into());
    }
    if footer > FOOTER {
        return Err(TabularError::too_large(
            "the Parquet footer's bytes",
            FOOTER,
            "Is this a table?",
        ));
    }
    let start = size - 8 - footer;
    let metadata = ParquetMetaDataReader::new()
        .parse_and_finish(file)
        .map_err(|error| unreadable(&error, start))?;
    hold_together(&metadata, start, limits)?;
    pages::check(table, file, &metadata, limits)?;
    Ok(metadata)
}

/// Reads the footer of an object that Ephor wrote: what it says is trusted, but it may be gone or cut.
pub(crate) async fn stored(
    store: &dyn ObjectStore,
    path: &object_store::path::Path,
    size: u64,
) -> Result<ParquetMetaData, TabularError> {
    let cut = || Malformed::new("the Parquet object does not end as one does").byte(size).hint(CUT);
    let end = store.get_range(path, size.saturating_sub(8)..size).await?;
    let (length, magic) = end.split_at_checked(4).ok_or_else(cut)?;
    let length: [u8; 4] = length.try_into().map_err(|_| cut())?;
    let footer = u64::from(u32::from_le_bytes(length));
    if magic != MAGIC || footer + 12 > size {
        return Err(cut().into());
    }
    let start = size - 8 - footer;
    let bytes = store.get_range(path, start..size - 8).await?;
    ParquetMetaDataReader::decode_metadata(&bytes).map_err(|error| unreadable(&error, start).into())
}

/// A fault that the Parquet reader found.
pub(crate) fn unreadable(error: &ParquetError, offset: u64) -> Malformed {
    let told = error.to_string();
    let told = told.split_once(": ").map_or(told.as_str(), |(_, rest)| rest);
    Malformed::new(format!("the Parquet file is damaged: {told}"))
        .byte(offset)
        .hint("Write it again, or get it again.")
}

fn hold_together(
    metadata: &ParquetMetaData,
    footer: u64,
    limits: &Limits,
) -> Result<(), TabularError> {
    let damaged = |message: String| {
        Malformed::new(message).byte(footer).hint("Write it again, or get it again.")
    };
    let root = metadata.file_metadata().schema_descr().root_schema();
    let names: Vec<String> =
        root.get_fields().iter().map(|field| field.name().to_owned()).collect();
    if names.len() > limits.columns
        || metadata.file_metadata().schema_descr().num_columns() > limits.columns
    {
        return Err(TabularError::too_large(
            "the table's columns",
            limits.columns as u64,
            "Keep the columns that matter, or raise the limit",
        ));
    }
    if let Some((first, second, name)) = duplicates(&names) {
        let message = format!("columns {} and {} are both called `{name}`", first + 1, second + 1);
        return Err(Malformed::new(message).hint("Rename or remove one of them.").into());
    }
    let (mut rows, mut unpacked) = (0_u64, 0_u64);
    for group in metadata.row_groups() {
        rows = rows.saturating_add(
            u64::try_from(group.num_rows())
                .map_err(|_| damaged("a row group has fewer than no rows".into()))?,
        );
        for column in group.columns() {
            let offsets = [Some(column.data_page_offset()), column.dictionary_page_offset()];
            let sizes = [column.compressed_size(), column.uncompressed_size()];
            if offsets.into_iter().flatten().chain(sizes).any(|number| number < 0) {
                return Err(damaged(format!(
                    "the column `{}` has a place or size below 0",
                    column.column_path()
                ))
                .into());
            }
            let (from, bytes) = column.byte_range();
            if from.checked_add(bytes).is_none_or(|end| end > footer) {
                return Err(damaged(format!(
                    "the column `{}` is said to lie past the end of the file",
                    column.column_path()
                ))
                .into());
            }
            unpacked = unpacked
                .saturating_add(u64::try_from(column.uncompressed_size()).unwrap_or(u64::MAX));
        }
    }
    if i64::try_from(rows).ok() != Some(metadata.file_metadata().num_rows()) {
        return Err(damaged(format!(
            "the file is said to have {} rows, its row groups {rows}",
            metadata.file_metadata().num_rows()
        ))
        .into());
    }
    if rows == 0 {
        return Err(Malformed::new("the table has columns, but no rows")
            .hint("Is this the right file?")
            .into());
    }
    if let Some(limit) = limits.rows
        && rows > limit
    {
        return Err(TabularError::too_large(
            "the table's rows",
            limit,
            "Give fewer rows, or raise the limit",
        ));
    }
    if let Some(limit) = limits.unpacked_bytes
        && unpacked > limit
    {
        return Err(TabularError::too_large(
            "the unpacked table's bytes",
            limit,
            "Give fewer rows or columns, or raise the limit",
        ));
    }
    Ok(())
}
