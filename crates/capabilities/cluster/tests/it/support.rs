//! Parts of a cluster that can be killed, tables for them, and analyses here and there.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use ephor_cluster::{
    Address, Cluster, ClusterOptions, Executor, ExecutorOptions, Location, Scheduler,
    SchedulerOptions,
};
use ephor_fairness::{
    AnalysisError, AnalysisResult, AnalysisSpec, CancellationToken, DataFrame, analyze,
};
use ephor_tabular::{OpenOptions, Source, open};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use tokio::{runtime::Runtime, sync::oneshot};

/// What runs in threads of its own; dropping it kills it.
pub struct Part(Option<Runtime>);

impl Part {
    fn new() -> (Self, tokio::runtime::Handle) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let handle = runtime.handle().clone();
        (Self(Some(runtime)), handle)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

pub async fn scheduler() -> (Part, Address) {
    let (part, threads) = Part::new();
    let (tell, told) = oneshot::channel();
    threads.spawn(async move {
        let options = SchedulerOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            executor_timeout: Duration::from_secs(2),
            ..SchedulerOptions::default()
        };
        let scheduler = Scheduler::bind(options).await.unwrap();
        tell.send(scheduler.address()).unwrap();
        scheduler.run(std::future::pending()).await.unwrap();
    });
    (part, told.await.unwrap().to_string().parse().unwrap())
}

/// An executor with one slot, and its folder.
pub async fn executor(scheduler: &Address) -> (Part, PathBuf) {
    let (part, threads) = Part::new();
    let (tell, told) = oneshot::channel();
    let options = ExecutorOptions {
        listen: ([127, 0, 0, 1], 0).into(),
        slots: 1,
        memory_bytes: Some(256 << 20),
        heartbeat: Duration::from_secs(1),
        ..ExecutorOptions::new(scheduler.clone())
    };
    threads.spawn(async move {
        let executor = Executor::prepare(options).unwrap();
        tell.send(executor.folder().to_owned()).unwrap();
        executor.run().await.unwrap();
    });
    (part, told.await.unwrap())
}

/// A scheduler and two executors.
pub struct Loopback {
    pub cluster: Cluster,
    pub executors: Vec<(Part, PathBuf)>,
    _scheduler: Part,
}

pub async fn loopback(parts: usize) -> Loopback {
    let (part, address) = scheduler().await;
    let executors = vec![executor(&address).await, executor(&address).await];
    let cluster = cluster(address, parts, Duration::from_secs(20));
    cluster.ready().await.unwrap();
    Loopback { cluster, executors, _scheduler: part }
}

pub fn cluster(address: Address, parts: usize, patience: Duration) -> Cluster {
    let options = ClusterOptions { partitions: parts, least_part_bytes: 1, patience };
    Cluster::new(address, options)
}

/// People with groups, labels, predictions (also those under a changed attribute), scores, weights and lists of five; a row group
/// has 100 rows.
pub fn people(path: &Path, rows: usize) {
    let hash = |row: usize, salt: u64| {
        let mixed = (row as u64 + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32
    };
    let words = |salt, words: &'static [&'static str]| -> ArrayRef {
        // What is missing must be missing there too.
        let word =
            |row| Some(words[hash(row, salt) as usize % words.len()]).filter(|word| *word != "?");
        Arc::new((0..rows).map(word).collect::<StringArray>())
    };
    // Rows of one list lie all over the file, and some are of none.
    let list = |row| Some(hash(row, 9) as usize % (rows / 5)).filter(|list| list % 50 > 0);
    let bits = |salt, share: u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(
            (0..rows).map(|row| i64::from(hash(row, salt) % 100 < share)),
        ))
    };
    let numbers = |salt, scale: f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(
            (0..rows).map(|row| hash(row, salt) as f64 / f64::from(u32::MAX) * scale),
        ))
    };
    let table = RecordBatch::try_from_iter([
        ("id", Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef),
        ("sex", words(1, &["female", "male", "other"])),
        ("race", words(2, &["a", "b", "c", "?", "é"])),
        ("job", words(3, &["clerk", "driver"])),
        ("y", bits(4, 40)),
        ("p", bits(5, 45)),
        ("s", numbers(6, 1.0)),
        ("w", numbers(7, 3.0)),
        ("q", bits(8, 45)),
        (
            "list",
            Arc::new(
                (0..rows).map(|row| list(row).map(|list| list as i64)).collect::<Int64Array>(),
            ),
        ),
    ])
    .unwrap();
    // The writer goes one call deeper for each of them.
    let group = 100.max(rows / 40);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, table.schema(), Some(properties)).unwrap();
    writer.write(&table).unwrap();
    writer.close().unwrap();
}

pub fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        score: Some("s".to_owned()),
        bootstrap_draws: 200,
        ..AnalysisSpec::new("y", ["sex", "race"])
    }
}

pub async fn run(table: DataFrame, spec: &AnalysisSpec) -> Result<AnalysisResult, AnalysisError> {
    analyze(table, spec, &(), &CancellationToken::new()).await
}

pub async fn here(path: &Path, spec: &AnalysisSpec) -> Result<AnalysisResult, AnalysisError> {
    let table = open(Source::Path(path.to_owned()), OpenOptions::default()).await.unwrap();
    run(table.dataframe().unwrap(), spec).await
}

pub async fn there(
    cluster: &Cluster,
    path: &Path,
    rows: usize,
    spec: &AnalysisSpec,
) -> Result<AnalysisResult, AnalysisError> {
    let place = Location::file(path).unwrap();
    run(cluster.table(&place, Some(rows as u64)).await.unwrap(), spec).await
}

/// Every bit of it.
pub fn whole(result: &AnalysisResult) -> String {
    serde_json::to_string_pretty(result).unwrap()
}

/// How many files lie in a folder and those in it.
pub fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 })
        .sum()
}

/// Looks until it is so; a minute at most.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
