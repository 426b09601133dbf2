//! The columns as queries see them.

use std::sync::Arc;

use ::parquet::{arrow::parquet_to_arrow_schema, basic::Encoding, file::metadata::ParquetMetaData};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::unreadable;
use crate::TabularError;

/// The table's schema: texts whose pages hold codes stay codes, other texts are plain.
pub(crate) fn table_schema(metadata: &ParquetMetaData) -> Result<SchemaRef, TabularError> {
    let file = metadata.file_metadata();
    let read = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
        .map_err(|error| unreadable(&error, 0))?;
    let fields: Vec<Field> = read
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let kind = if !text(field.data_type()) {
                field.data_type().clone()
            } else if coded(metadata, index) {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            } else {
                DataType::Utf8
            };
            Field::new(field.name(), kind, field.is_nullable())
        })
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

fn text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => text(value),
        _ => false,
    }
}

/// Does every row group keep the column of this root as codes?
fn coded(metadata: &ParquetMetaData, root: usize) -> bool {
    let descriptor = metadata.file_metadata().schema_descr();
    let Some(leaf) =
        (0..descriptor.num_columns()).find(|&leaf| descriptor.get_column_root_idx(leaf) == root)
    else {
        return false;
    };
    metadata.row_groups().iter().all(|group| {
        let column = group.column(leaf);
        let coded =
            |encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        column.dictionary_page_offset().is_some()
            && match column.page_encoding_stats_mask() {
                // The pages say it of themselves: no data page fell back to plain text.
                Some(mask) => mask.encodings().all(coded),
                None => column.encodings().any(coded),
            }
    })
}
