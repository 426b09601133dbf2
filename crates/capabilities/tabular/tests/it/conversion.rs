//! Streams to Parquet in an object store: whole, or not at all.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use ephor_tabular::{
    Converted, Destination, Limits, OpenOptions, Progress, Source, Stage, TabularError,
    convert_to_parquet, open,
};
use futures::{Stream, StreamExt, stream};
use object_store::{
    ObjectStore, ObjectStoreExt, local::LocalFileSystem, memory::InMemory, prefix::PrefixStore,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::support::{files, parquet, picture, read, strings, types};

fn pieces(content: &[u8], size: usize) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> =
        content.chunks(size.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

fn memory() -> Destination {
    Destination { store: Arc::new(InMemory::new()), path: "datasets/o/d.parquet".into() }
}

async fn convert(content: &[u8], destination: &Destination) -> Result<Converted, TabularError> {
    let cancel = CancellationToken::new();
    convert_to_parquet(pieces(content, 1000), destination, OpenOptions::default(), &|_| {}, &cancel)
        .await
}

#[tokio::test]
async fn what_is_stored_is_what_came() {
    let destination = memory();
    let content = "id,name,x\n1,Ann,0.5\n2,,\n3,\"Smith, J\",2\n";
    let converted = convert(content.as_bytes(), &destination).await.unwrap();
    let object = destination.store.get(&destination.path).await.unwrap().bytes().await.unwrap();
    assert_eq!(converted.bytes, object.len() as u64);
    assert_eq!(converted.sha256, hex::encode(Sha256::digest(&object)));
    assert_eq!((converted.rows, converted.source_bytes), (3, content.len() as u64));
    let source =
        Source::Object { store: Arc::clone(&destination.store), path: destination.path.clone() };
    let stored = open(source, OpenOptions::default()).await.unwrap();
    let direct = read(content).await.unwrap();
    assert_eq!(picture(&stored).await, picture(&direct).await);
    assert_eq!(types(&stored), types(&direct));
    assert_eq!(converted.profile, ephor_tabular::profile(&stored).await.unwrap());
}

#[tokio::test]
async fn what_is_stored_under_a_prefix_is_read_from_there() {
    let store: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(InMemory::new(), "some/prefix"));
    let destination = Destination { store, ..memory() };
    convert(b"a,b\n1,x\n2,y\n", &destination).await.unwrap();
    let source =
        Source::Object { store: Arc::clone(&destination.store), path: destination.path.clone() };
    let stored = open(source, OpenOptions::default()).await.unwrap();
    assert_eq!(stored.rows(), 2);
    let direct = read("a,b\n1,x\n2,y\n").await.unwrap();
    assert_eq!(picture(&stored).await, picture(&direct).await);
}

#[tokio::test]
async fn progress_is_told_in_order() {
    let told = Mutex::new(Vec::new());
    let progress = |now: Progress| told.lock().unwrap().push(now);
    let content = "a\n1\n2\n";
    convert_to_parquet(
        pieces(content.as_bytes(), 2),
        &memory(),
        OpenOptions::default(),
        &progress,
        &CancellationToken::new(),
    )
    .await
    .unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.is_sorted_by_key(|now| (now.stage as u8, now.done)));
    assert_eq!(told.last(), Some(&Progress { stage: Stage::Writing, done: 2, total: Some(2) }));
}

#[tokio::test]
async fn a_fault_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let destination = Destination { store, path: "datasets/o/d.parquet".into() };
    let options =
        || OpenOptions { temporary: Some(temporary.path().to_owned()), ..OpenOptions::default() };
    let cancel = CancellationToken::new();
    let broken = "a,b\n1,2\n3\n".as_bytes();
    let error = convert_to_parquet(pieces(broken, 3), &destination, options(), &|_| {}, &cancel)
        .await
        .unwrap_err();
    assert!(matches!(error, TabularError::Malformed(_)), "{error}");
    let hung_up = pieces(b"a,b\n1,2\n", 100)
        .chain(stream::iter([Err(io::Error::other("the client hung up"))]));
    let error =
        convert_to_parquet(hung_up, &destination, options(), &|_| {}, &cancel).await.unwrap_err();
    assert!(
        matches!(error, TabularError::Io(_)) && error.to_string().contains("hung up"),
        "{error}"
    );
    let limits = Limits { bytes: Some(100), ..Limits::default() };
    let limited = OpenOptions { limits, ..options() };
    let endless = stream::repeat_with(|| Ok(Bytes::from_static(b"a,b\n")));
    let error =
        convert_to_parquet(endless, &destination, limited, &|_| {}, &cancel).await.unwrap_err();
    assert!(matches!(error, TabularError::TooLarge { .. }), "{error}");
    assert_eq!(files(folder.path()), Vec::<std::path::PathBuf>::new());
    assert_eq!(files(temporary.path()), Vec::<std::path::PathBuf>::new());
}

/// The whole of the input is there, but it unpacks to more than is allowed: found while writing.
#[tokio::test]
async fn a_bomb_that_shows_late_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let destination = Destination { store, path: "d.parquet".into() };
    // A text that is not counted as much while it is packed: many rows of one code.
    let text = "x".repeat(1000);
    let values: arrow::array::ArrayRef =
        Arc::new(arrow::array::StringArray::from_iter_values((0..50_000).map(|_| &text)));
    let batch = arrow::array::RecordBatch::try_from_iter([("a", values)]).unwrap();
    let bomb = parquet(&batch, None);
    let limits = Limits { unpacked_bytes: Some(100 << 10), ..Limits::default() };
    let options = OpenOptions { limits, ..OpenOptions::default() };
    let converted = convert_to_parquet(
        pieces(&bomb, 4096),
        &destination,
        options,
        &|_| {},
        &CancellationToken::new(),
    )
    .await;
    assert!(matches!(converted, Err(TabularError::TooLarge { .. })), "{converted:?}");
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_cancelled_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let destination = Destination { store, path: "d.parquet".into() };
    let mut content = String::from("a,b\n");
    (0..300_000).for_each(|row| content += &format!("{row},{}\n", row * 7));
    for at in [Stage::Receiving, Stage::Checking, Stage::Writing] {
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let progress = move |now: Progress| {
            if now.stage == at {
                stop.cancel();
            }
        };
        let body = pieces(content.as_bytes(), 64 << 10);
        let converted =
            convert_to_parquet(body, &destination, OpenOptions::default(), &progress, &cancel)
                .await;
        assert!(matches!(converted, Err(TabularError::Cancelled)), "{at:?}: {converted:?}");
        assert!(files(folder.path()).is_empty(), "{at:?}");
    }
}

#[tokio::test]
async fn parquet_is_taken_in_as_well() {
    let batch =
        arrow::array::RecordBatch::try_from_iter([("a", strings([Some("x"), None, Some("x")]))])
            .unwrap();
    let converted = convert(&parquet(&batch, None), &memory()).await.unwrap();
    assert_eq!(converted.rows, 3);
    assert_eq!(converted.profile.columns[0].nulls, 1);
}

/// A value of a table, to be written as CSV by the test itself.
#[derive(Debug, Clone)]
enum Cell {
    Missing,
    Integer(i64),
    Number(f64),
    Text(String),
}

fn cells() -> impl Strategy<Value = Vec<Vec<Cell>>> {
    let column = prop_oneof![Just(0_u8), Just(1), Just(2),];
    (proptest::collection::vec(column, 1..5), 1_usize..40).prop_flat_map(|(kinds, rows)| {
        let columns: Vec<_> = kinds
            .into_iter()
            .map(|kind| {
                let value = match kind {
                    0 => any::<i64>().prop_map(Cell::Integer).boxed(),
                    1 => any::<f64>()
                        .prop_filter("finite", |value| value.is_finite())
                        .prop_map(Cell::Number)
                        .boxed(),
                    _ => "[ -~\u{e9}\u{1f600}\n\r\"]{0,12}".prop_map(Cell::Text).boxed(),
                };
                let cell = prop_oneof![4 => value, 1 => Just(Cell::Missing)];
                proptest::collection::vec(cell, rows)
            })
            .collect();
        columns
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// CSV in, Parquet stored, opened again: every value is there, at its place.
    #[test]
    fn every_value_survives(columns in cells()) {
        let rows = columns[0].len();
        let mut content = (0..columns.len()).map(|index| format!("c{index}")).collect::<Vec<_>>().join(",");
        // A second column keeps rows of one missing value from being empty lines.
        content += ",end\n";
        for row in 0..rows {
            for column in &columns {
                match &column[row] {
                    Cell::Missing => {}
                    Cell::Integer(value) => content += &value.to_string(),
                    Cell::Number(value) => content += &format!("{value:?}"),
                    Cell::Text(text) => content += &format!("\"{}\"", text.replace('"', "\"\"")),
                }
                content += ",";
            }
            content += "1\n";
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let destination = memory();
            convert(content.as_bytes(), &destination).await.unwrap();
            let source = Source::Object { store: Arc::clone(&destination.store), path: destination.path.clone() };
            let stored = open(source, OpenOptions::default()).await.unwrap();
            let batch = crate::support::batch(&stored).await;
            assert_eq!(batch.num_rows(), rows);
            for (index, column) in columns.iter().enumerate() {
                let array = batch.column(index);
                let numbers = arrow::compute::cast(array, &arrow::datatypes::DataType::Float64).ok();
                let texts = arrow::compute::cast(array, &arrow::datatypes::DataType::Utf8).unwrap();
                let texts = texts.as_any().downcast_ref::<arrow::array::StringArray>().unwrap();
                let all_number_like = array.data_type().is_numeric();
                for (row, cell) in column.iter().enumerate() {
                    use arrow::array::Array;
                    match cell {
                        Cell::Missing => assert!(texts.is_null(row), "{cell:?}"),
                        Cell::Integer(value) => assert_eq!(texts.value(row), value.to_string()),
                        Cell::Number(value) => {
                            let numbers = numbers.as_ref().unwrap();
                            let numbers = numbers.as_any().downcast_ref::<arrow::array::Float64Array>().unwrap();
                            assert_eq!(numbers.value(row).to_bits(), value.to_bits());
                        }
                        // Texts that all read as numbers are numbers: a quote does not make a text.
                        Cell::Text(_) if all_number_like || !matches!(array.data_type(), arrow::datatypes::DataType::Dictionary(..) | arrow::datatypes::DataType::Utf8) => {}
                        Cell::Text(text) => assert_eq!(texts.value(row), text),
                    }
                }
            }
        });
    }
}
