//! Parquet files that were cut, damaged, or made to do harm.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use ephor_tabular::{Limits, OpenOptions, TabularError, profile};
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use crate::support::{batch, malformed, parquet, read, read_with, strings, types};

fn sample() -> Vec<u8> {
    let rows = 2000;
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let names: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("name {}", row % 5))));
    parquet(&RecordBatch::try_from_iter([("id", ids), ("name", names)]).unwrap(), None)
}

#[tokio::test]
async fn a_good_one_is_read() {
    let table = read(sample()).await.unwrap();
    assert_eq!(types(&table), ["id: Int64", "name: Dictionary(Int32, Utf8)"]);
    assert_eq!(table.rows(), 2000);
    assert_eq!(batch(&table).await.num_rows(), 2000);
}

#[tokio::test]
async fn one_that_was_cut_is_refused() {
    let whole = sample();
    for kept in [4, 11, 12, whole.len() / 2, whole.len() - 1] {
        let fault = malformed(&whole[..kept]).await;
        assert!(fault.offset.is_some(), "{kept}: {fault}");
        assert!(fault.hint.is_some(), "{kept}: {fault}");
    }
    // A footer that names more than there is.
    let mut longer = whole.clone();
    let at = longer.len() - 8;
    longer[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let fault = malformed(&longer).await;
    assert!(fault.message.contains("footer"), "{fault}");
    // The start is gone: the footer points beyond what is left.
    let mut headless = b"PAR1".to_vec();
    headless.extend_from_slice(&whole[whole.len() / 2..]);
    assert!(matches!(read(headless).await, Err(TabularError::Malformed(_))));
}

#[tokio::test]
async fn columns_of_one_name_are_refused() {
    let schema = Schema::new(vec![
        Field::new("a", DataType::Utf8, true),
        Field::new("a", DataType::Utf8, true),
    ]);
    let columns = vec![strings([Some("x")]), strings([Some("y")])];
    let fault =
        malformed(parquet(&RecordBatch::try_new(Arc::new(schema), columns).unwrap(), None)).await;
    assert!(fault.message.contains("both called `a`"), "{fault}");
}

#[tokio::test]
async fn no_rows_are_refused() {
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
    let fault = malformed(parquet(&RecordBatch::new_empty(schema), None)).await;
    assert!(fault.message.contains("no rows"), "{fault}");
}

/// A few kilobytes that unpack to many megabytes: refused by what the file says, before a page is unpacked.
#[tokio::test]
async fn a_bomb_is_refused_by_its_own_words() {
    let huge: ArrayRef = Arc::new(StringArray::from_iter_values(["x".repeat(40 << 20)]));
    let properties = WriterProperties::builder()
        .set_compression(parquet::basic::Compression::ZSTD(parquet::basic::ZstdLevel::default()))
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let bomb = parquet(&RecordBatch::try_from_iter([("a", huge)]).unwrap(), Some(properties));
    assert!(bomb.len() < 64 << 10, "{}", bomb.len());
    for limits in [
        Limits { unpacked_bytes: Some(10 << 20), ..Limits::default() },
        Limits { page_bytes: 10 << 20, ..Limits::default() },
    ] {
        let options = OpenOptions { limits, ..OpenOptions::default() };
        let error = read_with(&bomb, options).await.unwrap_err();
        assert!(matches!(error, TabularError::TooLarge { .. }), "{error}");
    }
}

/// Arrow's reader panics at this one.
#[tokio::test]
async fn what_the_reader_does_not_expect_is_a_fault_of_the_file() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/parquet/panicking");
    let table = read(std::fs::read(file).unwrap()).await.unwrap();
    let error = TabularError::from(table.dataframe().unwrap().collect().await.unwrap_err());
    assert!(
        error.is_input() && error.to_string().contains("the Parquet file is damaged"),
        "{error}"
    );
    assert!(profile(&table).await.unwrap_err().is_input());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Any byte changed: read or refused, but no panic and no flood.
    #[test]
    fn a_damaged_byte_does_no_harm(at in any::<proptest::sample::Index>(), byte: u8) {
        let mut bytes = sample();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            if let Ok(table) = read(bytes).await {
                // The engine may find the damage later than we do; it must say so, not die.
                let _ = table.dataframe().unwrap().collect().await;
            }
        });
    }
}
