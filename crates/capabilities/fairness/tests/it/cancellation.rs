//! Progress is told, and cancelling stops the scan.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use arrow::{
    array::{Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, SchemaRef},
};
use datafusion::{
    catalog::streaming::StreamingTable,
    execution::{SendableRecordBatchStream, TaskContext},
    physical_plan::{stream::RecordBatchStreamAdapter, streaming::PartitionStream},
    prelude::DataFrame,
};
use ephor_fairness::{AnalysisError, AnalysisSpec, CancellationToken, analyze};
use futures::stream;

use crate::support::context;

/// A table of so many batches, which counts those that were taken from it.
#[derive(Debug)]
struct Endless {
    schema: SchemaRef,
    batches: u64,
    taken: Arc<AtomicU64>,
}

impl PartitionStream for Endless {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = 1_000;
        let batch = RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                Arc::new(StringArray::from_iter_values(
                    (0..rows).map(|row| if row % 2 == 0 { "a" } else { "b" }),
                )),
                Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row % 3 / 2))),
            ],
        )
        .unwrap();
        let taken = Arc::clone(&self.taken);
        let batches = (0..self.batches).map(move |_| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok(batch.clone())
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(batches)))
    }
}

fn endless(batches: u64) -> (DataFrame, Arc<AtomicU64>) {
    let schema = Arc::new(Schema::new(vec![
        Field::new("g", DataType::Utf8, true),
        Field::new("y", DataType::Int64, true),
    ]));
    let taken = Arc::new(AtomicU64::new(0));
    let partition = Endless { schema: Arc::clone(&schema), batches, taken: Arc::clone(&taken) };
    let table = StreamingTable::try_new(schema, vec![Arc::new(partition)]).unwrap();
    (context(2).read_table(Arc::new(table)).unwrap(), taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_stops_the_scan() {
    let (table, taken) = endless(u64::MAX);
    let cancel = CancellationToken::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let (stop, notes) = (cancel.clone(), Arc::clone(&told));
    // Cancels as soon as there is progress: no clock decides.
    let progress = move |done: u64, _total: Option<u64>| {
        notes.lock().unwrap().push(done);
        if done > 0 {
            stop.cancel();
        }
    };
    let started = Instant::now();
    let ended = analyze(table, &AnalysisSpec::new("y", ["g"]), &progress, &cancel).await;
    assert!(matches!(ended, Err(AnalysisError::Cancelled)), "{ended:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(told.lock().unwrap().is_sorted());
    // Nothing is read any more.
    let after = taken.load(Ordering::Relaxed);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(taken.load(Ordering::Relaxed), after);
}

#[tokio::test]
async fn what_is_cancelled_before_it_starts_reads_nothing() {
    let (table, taken) = endless(u64::MAX);
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert!(matches!(
        analyze(table, &AnalysisSpec::new("y", ["g"]), &(), &cancel).await,
        Err(AnalysisError::Cancelled)
    ));
    assert_eq!(taken.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn progress_ends_with_all_rows() {
    let (table, _) = endless(50);
    let last = Mutex::new((0, None));
    let progress = |done: u64, total: Option<u64>| *last.lock().unwrap() = (done, total);
    let result =
        analyze(table, &AnalysisSpec::new("y", ["g"]), &progress, &CancellationToken::new())
            .await
            .unwrap();
    assert_eq!(*last.lock().unwrap(), (50_000, Some(50_000)));
    assert_eq!(result.rows.read, 50_000);
}
