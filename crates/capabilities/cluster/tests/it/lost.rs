//! Executors that die in the middle, and analyses that are cancelled there.

use std::time::{Duration, Instant};

use ephor_cluster::Location;
use ephor_fairness::{AnalysisError, CancellationToken, analyze};

use crate::support::{files, here, loopback, people, spec, there, until, whole};

/// So many that there is still much to do when the first of it is seen to be done, on a slow machine too.
const ROWS: usize = 400_000;
/// Each has a row group of its own.
const PARTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_dies_in_the_middle_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, ROWS);
    let mut loopback = loopback(PARTS).await;
    let expected = here(&path, &spec()).await.unwrap();

    let (cluster, path) = (loopback.cluster.clone(), path.clone());
    let asked = tokio::spawn(async move { there(&cluster, &path, ROWS, &spec()).await });
    let (victim, results) = loopback.executors.remove(0);
    until("the executor has done something", || files(&results) > 2).await;
    drop(victim);
    assert!(!asked.is_finished(), "it was over before the executor died");
    let found = tokio::time::timeout(Duration::from_mins(1), asked).await.unwrap();
    assert_eq!(whole(&found.unwrap().unwrap()), whole(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_is_cancelled_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, ROWS);
    let loopback = loopback(PARTS).await;
    let place = Location::file(&path).unwrap();
    let table = loopback.cluster.table(&place, None).await.unwrap();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let asked = tokio::spawn(async move { analyze(table, &spec(), &(), &stop).await });
    let done = || loopback.executors.iter().map(|(_, results)| files(results)).sum::<usize>();
    until("something is done", || done() > 2).await;
    cancel.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), asked).await.unwrap().unwrap();
    assert!(matches!(ended, Err(AnalysisError::Cancelled)), "{ended:?}");
    loopback.cluster.settle().await;
    // Tasks that ran may end; then nothing is done any more, though most was still to do.
    let deadline = Instant::now() + Duration::from_secs(30);
    let (mut after, mut since) = (done(), Instant::now());
    while since.elapsed() < Duration::from_secs(1) {
        assert!(Instant::now() < deadline, "it still works: {after} files");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let now = done();
        if now != after {
            (after, since) = (now, Instant::now());
        }
    }
    assert!(after < PARTS, "{after} files");
    // And the cluster is free for others.
    assert!(there(&loopback.cluster, &path, ROWS, &spec()).await.is_ok());
}
