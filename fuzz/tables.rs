//! What holds for every file that is read as a table, whoever wrote it. The fuzz targets and the tests of ephor-tabular share
//! this file.

use std::sync::LazyLock;

use arrow::{
    array::RecordBatch, compute::concat_batches, datatypes::SchemaRef, error::ArrowError,
    util::pretty::pretty_format_batches,
};
use bytes::Bytes;
use ephor_tabular::{Format, Limits, OpenOptions, Source, TabularError, open};
use tokio::runtime::Runtime;

/// CSV: see [`text`].
pub fn csv(input: &[u8]) {
    text(input, Format::Csv);
}

/// Lines of JSON: see [`text`].
pub fn ndjson(input: &[u8]) {
    text(input, Format::Ndjson);
}

/// An array of JSON: see [`text`].
pub fn json(input: &[u8]) {
    text(input, Format::Json);
}

/// Parquet: opening and reading never panic; what was opened has as many rows as it says, or says that it is damaged.
pub fn parquet(input: &[u8]) {
    if let Ok((rows, read)) = table(input, Format::Parquet, 2)
        && let Ok(read) = read
    {
        assert_eq!(read.num_rows() as u64, rows);
    }
}

/// Opening and reading never panic; what was opened can be read to its end, has as many rows as it says, and is the same table
/// whatever number of threads reads it. What is refused says why, and its line is one of the file's.
fn text(input: &[u8], format: Format) {
    match (table(input, format, 1), table(input, format, 3)) {
        (Ok((rows, one)), Ok((again, three))) => {
            let (one, three) = (one.expect("what was opened reads"), three.expect("by three too"));
            assert_eq!((rows, one.num_rows() as u64), (again, rows));
            assert_eq!(shown(&one), shown(&three));
        }
        (Err(one), Err(three)) => {
            assert_eq!(one.to_string(), three.to_string());
            if let TabularError::Malformed(fault) = &one {
                let lines =
                    input.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
                assert!(!fault.message.is_empty());
                assert!(fault.line.is_none_or(|line| (1..=lines).contains(&line)), "{fault}");
            }
        }
        (one, three) => panic!("one thread and three disagree: {one:?}, {three:?}"),
    }
}

fn shown(batch: &RecordBatch) -> String {
    pretty_format_batches(std::slice::from_ref(batch)).expect("a table is shown").to_string()
}

/// The rows that it says it has, and all of them, unless reading them finds damage.
fn table(
    input: &[u8],
    format: Format,
    partitions: usize,
) -> Result<(u64, Result<RecordBatch, String>), TabularError> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("threads")
    });
    let options = OpenOptions {
        format: Some(format),
        memory_bytes: 64 << 20,
        partitions: Some(partitions),
        limits: Limits {
            bytes: Some(1 << 20),
            unpacked_bytes: Some(16 << 20),
            rows: Some(100_000),
            columns: 256,
            record_bytes: 1 << 20,
            page_bytes: 16 << 20,
        },
        ..OpenOptions::default()
    };
    RUNTIME.block_on(async {
        let table = open(Source::Bytes(Bytes::copy_from_slice(input)), options).await?;
        let read = match table.dataframe()?.collect_partitioned().await {
            Ok(batches) => together(&table.schema(), batches).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        Ok((table.rows(), read))
    })
}

fn together(schema: &SchemaRef, batches: Vec<Vec<RecordBatch>>) -> Result<RecordBatch, ArrowError> {
    concat_batches(schema, &batches.into_iter().flatten().collect::<Vec<_>>())
}
