//! Files many times larger than the memory that reading them takes. In a process of its own, so that its peak is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(target_os = "linux")]

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use ephor_tabular::{Destination, OpenOptions, Source, convert_to_parquet, open, profile};
use object_store::local::LocalFileSystem;
use tokio_util::{io::ReaderStream, sync::CancellationToken};

/// The most memory that the process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn written(
    path: &Path,
    row: impl Fn(u64) -> String,
    start: &str,
    between: &str,
    end: &str,
    rows: u64,
) -> u64 {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(start.as_bytes()).unwrap();
    for number in 0..rows {
        if number > 0 {
            file.write_all(between.as_bytes()).unwrap();
        }
        file.write_all(row(number).as_bytes()).unwrap();
    }
    file.write_all(end.as_bytes()).unwrap();
    file.into_inner().unwrap().metadata().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let filler = "x".repeat(200);
    let csv = |row: u64| {
        format!("{row},{},{}.5,\"{filler} {row}\"", ["F", "M"][row as usize % 2], row % 100)
    };
    let json = |row: u64| {
        format!(
            "{{\"id\":{row},\"sex\":\"{}\",\"text\":\"{filler} {row}\"}}",
            ["F", "M"][row as usize % 2]
        )
    };
    let rows = 1_500_000;
    let before = peak();
    let mut sizes = 0;
    for (name, size) in [
        ("a.csv", written(&at("a.csv"), csv, "id,sex,x,text\n", "\n", "\n", rows)),
        ("a.ndjson", written(&at("a.ndjson"), json, "", "\n", "\n", rows / 3)),
        ("a.json", written(&at("a.json"), json, "[", ",\n", "]", rows / 3)),
    ] {
        sizes += size;
        let options =
            OpenOptions { memory_bytes: 32 << 20, partitions: Some(2), ..OpenOptions::default() };
        let table = open(Source::Path(at(name)), options.clone()).await.unwrap();
        assert_eq!(profile(&table).await.unwrap().rows, table.rows(), "{name}");
        let store = Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
        let destination = Destination { store, path: format!("{name}.parquet").into() };
        let body =
            ReaderStream::with_capacity(tokio::fs::File::open(at(name)).await.unwrap(), 1 << 20);
        let cancel = CancellationToken::new();
        let converted =
            convert_to_parquet(body, &destination, options, &|_| {}, &cancel).await.unwrap();
        assert_eq!(converted.rows, table.rows(), "{name}");
    }
    let grown = peak() - before;
    assert!(sizes > 500 << 20, "{sizes}");
    assert!(grown < 250 << 20, "{grown} bytes for files of {sizes}");
}
