//! What the tests share.

use std::{path::PathBuf, sync::Arc};

use arrow::{array::RecordBatch, compute::concat_batches, util::pretty::pretty_format_batches};
use bytes::Bytes;
use ephor_tabular::{Malformed, OpenOptions, Source, Table, TabularError, open};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

pub async fn read(content: impl AsRef<[u8]>) -> Result<Table, TabularError> {
    read_with(content, OpenOptions::default()).await
}

pub async fn read_with(
    content: impl AsRef<[u8]>,
    options: OpenOptions,
) -> Result<Table, TabularError> {
    open(Source::Bytes(Bytes::copy_from_slice(content.as_ref())), options).await
}

/// All rows, in the file's order.
pub async fn batch(table: &Table) -> RecordBatch {
    let batches = table.dataframe().unwrap().collect_partitioned().await.unwrap();
    let all: Vec<RecordBatch> = batches.into_iter().flatten().collect();
    concat_batches(&table.schema(), &all).unwrap()
}

/// The rows as a picture.
pub async fn picture(table: &Table) -> String {
    pretty_format_batches(&[batch(table).await]).unwrap().to_string()
}

/// The types, as `name: type`.
pub fn types(table: &Table) -> Vec<String> {
    table
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{}: {}", field.name(), field.data_type()))
        .collect()
}

pub async fn malformed(content: impl AsRef<[u8]>) -> Malformed {
    match read(content).await {
        Err(TabularError::Malformed(fault)) => fault,
        Err(other) => panic!("refused, but not as malformed: {other}"),
        Ok(_) => panic!("it was taken"),
    }
}

/// The batch as a Parquet file.
pub fn parquet(batch: &RecordBatch, properties: Option<WriterProperties>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), properties).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Files left in a folder and below it.
pub fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

pub fn strings<const N: usize>(values: [Option<&str>; N]) -> arrow::array::ArrayRef {
    Arc::new(arrow::array::StringArray::from(values.to_vec()))
}
