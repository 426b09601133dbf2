//! A local Parquet file is read by its codes: with the same result as by way of DataFusion, whatever the file is like.

use std::{
    fs::{self, File},
    path::Path,
    sync::{Arc, Mutex},
};

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray,
};
use datafusion::{
    parquet::{
        arrow::ArrowWriter,
        basic::{Compression, ZstdLevel},
        file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion},
    },
    prelude::DataFrame,
};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, CancellationToken, analyze,
    law::{LawSpec, Rule},
};

use crate::support::{CodedParquet, batch, context, run};

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        score: Some("s".to_owned()),
        bootstrap_draws: 200,
        ..AnalysisSpec::new("y", ["sex", "race", "age"])
    }
}

fn chance(row: usize, salt: u64) -> u64 {
    let mixed = (row as u64 + salt * 1_000_003).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
}

/// Rows from some place on; with `gaps` every column lacks some values.
fn rows(from: usize, count: usize, gaps: bool) -> RecordBatch {
    let there = move |row: usize, salt: u64| !gaps || !chance(row, salt + 100).is_multiple_of(13);
    let of = move |salt: u64| (from..from + count).map(move |row| (row, chance(row, salt)));
    let score = |row: usize, chance: u64| match chance % 997 {
        0 => f64::NAN,
        1 => -0.0,
        2 => 0.0,
        // Later rows have scores that earlier ones do not have.
        other => (other % (100 + row as u64 / 1_000)) as f64 / 200.0,
    };
    let sex = |chance: u64| if chance % 5 < 2 { "Female" } else { "Male" };
    let races = ["A", "B", "", "a name of more than twelve bytes", "é"];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(of(0).map(|(row, _)| row as i64)))),
        (
            "sex",
            Arc::new(of(1).map(|(row, c)| there(row, 1).then(|| sex(c))).collect::<StringArray>()),
        ),
        (
            "race",
            Arc::new(
                of(2)
                    .map(|(row, c)| {
                        there(row, 2).then(|| races[c as usize % (1 + row / 2_000).min(5)])
                    })
                    .collect::<StringArray>(),
            ),
        ),
        (
            "age",
            Arc::new(
                of(3)
                    .map(|(row, c)| there(row, 3).then_some((c % 4) as i32 * 10 - 10))
                    .collect::<Int32Array>(),
            ),
        ),
        (
            "y",
            Arc::new(
                of(4)
                    .map(|(row, c)| there(row, 4).then_some(i64::from(c.is_multiple_of(3))))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "p",
            Arc::new(
                of(5).map(|(row, c)| there(row, 5).then_some(c % 7 < 3)).collect::<BooleanArray>(),
            ),
        ),
        (
            "s",
            Arc::new(
                of(6)
                    .map(|(row, c)| there(row, 6).then(|| score(row, c)))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "s32",
            Arc::new(
                of(7)
                    .map(|(row, c)| there(row, 7).then_some((c % 50) as f32 / 49.0))
                    .collect::<Float32Array>(),
            ),
        ),
    ];
    batch(columns)
}

fn write(path: &Path, batches: &[RecordBatch], properties: WriterPropertiesBuilder) {
    let file = File::create(path).unwrap();
    let mut writer =
        ArrowWriter::try_new(file, batches[0].schema(), Some(properties.build())).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

fn small_pages() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_data_page_row_count_limit(700).set_write_batch_size(64)
}

fn table(path: &Path, batch: &RecordBatch) -> DataFrame {
    context(2).read_table(Arc::new(CodedParquet::new(path, &batch.schema()))).unwrap()
}

/// A query that is no bare table goes to DataFusion.
fn by_query(table: DataFrame) -> DataFrame {
    let names: Vec<String> =
        table.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    table.select_columns(&names).unwrap()
}

async fn both(path: &Path, batch: &RecordBatch, spec: &AnalysisSpec) -> AnalysisResult {
    let table = table(path, batch);
    let by_codes = run(table.clone(), spec).await.unwrap();
    let by_query = run(by_query(table), spec).await.unwrap();
    // NaN is not equal to itself: what JSON says is.
    let json = |result: &AnalysisResult| serde_json::to_value(result).unwrap();
    assert!(json(&by_codes) == json(&by_query), "{spec:?}");
    by_codes
}

#[tokio::test]
async fn every_way_of_writing_makes_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    for gaps in [false, true] {
        let batches =
            [(0, 3_000), (3_000, 7_001), (10_001, 5)].map(|(from, count)| rows(from, count, gaps));
        let mut results = Vec::new();
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd] {
                let properties =
                    small_pages().set_writer_version(version).set_compression(compression);
                write(&path, &batches, properties);
                results.push(both(&path, &batches[0], &spec()).await);
            }
        }
        assert!(results.iter().all(|result| result.rows.read == 10_006));
        assert!(results.windows(2).all(|pair| {
            serde_json::to_value(&pair[0]).unwrap() == serde_json::to_value(&pair[1]).unwrap()
        }));
    }
}

#[tokio::test]
async fn row_groups_with_plain_pages_are_read_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let batches = [rows(0, 4_000, true), rows(4_000, 4_000, true)];
    let limited = small_pages().set_dictionary_page_size_limit(300);
    write(&path, &batches, limited);
    both(&path, &batches[0], &spec()).await;
    for plain in ["s", "race", "y"] {
        write(&path, &batches, small_pages().set_column_dictionary_enabled(plain.into(), false));
        both(&path, &batches[0], &spec()).await;
    }
}

#[tokio::test]
async fn every_kind_of_column_and_spec_makes_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let batches = [rows(0, 5_000, true), rows(5_000, 5_000, false)];
    write(&path, &batches, small_pages());
    let base = spec();
    let law = Some(LawSpec::new([Rule::Ll144, Rule::Eeoc]));
    let labels = |positive: &str, target: &str| AnalysisSpec {
        positive_label: Some(positive.to_owned()),
        prediction: None,
        ..AnalysisSpec { target: Some(target.to_owned()), ..base.clone() }
    };
    for spec in [
        AnalysisSpec { prediction: None, ..base.clone() },
        AnalysisSpec { score: None, ..base.clone() },
        AnalysisSpec { score: None, prediction: None, ..base.clone() },
        AnalysisSpec { score: Some("s32".to_owned()), ..base.clone() },
        AnalysisSpec {
            score: Some("age".to_owned()),
            protected: vec!["sex".to_owned()],
            ..base.clone()
        },
        AnalysisSpec {
            prediction: None,
            protected: vec!["p".to_owned(), "id".to_owned()],
            intersection_depth: Some(1),
            ..base.clone()
        },
        AnalysisSpec { weight: Some("s32".to_owned()), ..base.clone() },
        AnalysisSpec { target: None, law: law.clone(), ..base.clone() },
        AnalysisSpec { target: None, prediction: None, law: law.clone(), ..base.clone() },
        AnalysisSpec { target: None, score: None, ..base.clone() },
        AnalysisSpec { law, ..base.clone() },
        AnalysisSpec { protected: vec!["race".to_owned()], ..labels("Female", "sex") },
    ] {
        both(&path, &batches[0], &spec).await;
    }
    // What is no label is refused alike.
    let wrong = AnalysisSpec { target: Some("age".to_owned()), ..base };
    let refused = |result: Result<AnalysisResult, AnalysisError>| result.unwrap_err().to_string();
    let found = table(&path, &batches[0]);
    assert_eq!(
        refused(run(found.clone(), &wrong).await),
        refused(run(by_query(found), &wrong).await)
    );
}

#[tokio::test]
async fn codes_of_every_width_are_read_as_the_parquet_crate_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    for bits in 0..15_u32 {
        let (count, values) = (20_000_usize, 1 << bits);
        // Runs and single values in turn.
        let value = |row: usize| {
            let row = if (row / 300).is_multiple_of(3) { row / 77 * 77 } else { row };
            (chance(row, u64::from(bits)) % values) as i64
        };
        let group = Int64Array::from_iter_values((0..count).map(value));
        let label =
            BooleanArray::from_iter((0..count).map(|row| Some(chance(row, 50).is_multiple_of(3))));
        let batch = batch(vec![("g", Arc::new(group)), ("y", Arc::new(label))]);
        write(&path, std::slice::from_ref(&batch), small_pages());
        let spec = AnalysisSpec { bootstrap_draws: 0, ..AnalysisSpec::new("y", ["g"]) };
        both(&path, &batch, &spec).await;
    }
}

#[tokio::test]
async fn many_values_are_read_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    // So many ids that their combinations cannot be counted side by side, in the second row group at the latest.
    let batches = [rows(0, 1_500, false), rows(1_500, 20_000, false)];
    write(&path, &batches, WriterProperties::builder());
    let spec = AnalysisSpec {
        protected: vec!["id".to_owned(), "race".to_owned()],
        bootstrap_draws: 0,
        intersection_depth: Some(1),
        ..spec()
    };
    let result = both(&path, &batches[0], &spec).await;
    assert_eq!(result.attributes[0].groups.len(), 21_500);
}

#[tokio::test]
async fn progress_ends_with_all_rows_and_cancelling_stops_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let batches = [rows(0, 3_000, false), rows(3_000, 3_000, false)];
    write(&path, &batches, small_pages());
    let last = Mutex::new((0, None));
    let progress = |done: u64, total: Option<u64>| *last.lock().unwrap() = (done, total);
    let cancel = CancellationToken::new();
    analyze(table(&path, &batches[0]), &spec(), &progress, &cancel).await.unwrap();
    assert_eq!(*last.lock().unwrap(), (6_000, Some(6_000)));

    let stop = cancel.clone();
    let progress = move |_done: u64, _total: Option<u64>| stop.cancel();
    let ended = analyze(table(&path, &batches[0]), &spec(), &progress, &cancel).await;
    assert!(matches!(ended, Err(AnalysisError::Cancelled)), "{ended:?}");
}

#[tokio::test]
async fn damaged_files_are_refused_or_read_and_never_worse() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let batches = [rows(0, 3_000, true)];
    let uncompressed = small_pages().set_compression(Compression::UNCOMPRESSED);
    write(&path, &batches, uncompressed);
    let whole = fs::read(&path).unwrap();
    let spec = AnalysisSpec { bootstrap_draws: 0, ..spec() };
    // A byte changed, somewhere in pages and their headers: an error or a result, no panic (which would be `Engine`).
    let pages = whole.len()
        - 8
        - u32::from_le_bytes(whole[whole.len() - 8..][..4].try_into().unwrap()) as usize;
    let mut refused = 0;
    for step in 0..400 {
        let mut damaged = whole.clone();
        damaged[4 + chance(step, 1) as usize % (pages - 4)] = chance(step, 2) as u8;
        fs::write(&path, &damaged).unwrap();
        match run(table(&path, &batches[0]), &spec).await {
            Ok(_) => {}
            Err(AnalysisError::Remote(why)) => panic!("{why}"),
            Err(AnalysisError::Engine(why)) => panic!("{why}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 20, "{refused}");
    for length in [whole.len() - 1, pages, 100, 0] {
        fs::write(&path, &whole[..length]).unwrap();
        let table = table(&path, &batches[0]);
        assert!(matches!(run(table, &spec).await, Err(AnalysisError::Read(_))), "{length}");
    }
}
