//! What goes wrong is told with where and what to do.

use std::time::Duration;

use ephor_cluster::{Address, Location};
use ephor_fairness::{AnalysisError, DataFrame};
use tokio::net::TcpListener;

use crate::support::{
    cluster, executor, files, loopback, people, run, scheduler, spec, there, until,
};

/// Analyses on a cluster that cannot, and tells why.
async fn why(table: DataFrame) -> String {
    match run(table, &spec()).await {
        Err(AnalysisError::Remote(why)) => why.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 500);
    let place = Location::file(&path).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: Address = free.local_addr().unwrap().to_string().parse().unwrap();
    drop(free);
    let table = cluster(address.clone(), 4, Duration::from_secs(1)).table(&place, None).await;
    let why = why(table.unwrap()).await;
    assert!(why.contains(&format!("no scheduler answers at {address}")), "{why}");
}

#[tokio::test]
async fn executors_are_waited_for_and_their_lack_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 500);
    let place = Location::file(&path).unwrap();
    let (_scheduler, address) = scheduler().await;
    let hasty = cluster(address.clone(), 4, Duration::from_secs(1));
    let told = why(hasty.table(&place, None).await.unwrap()).await;
    assert!(told.contains("has had no executor for 1 s"), "{told}");

    let patient = cluster(address.clone(), 4, Duration::from_secs(30));
    let waiting = tokio::spawn(async move { there(&patient, &path, 500, &spec()).await });
    let (only, results) = executor(&address).await;
    waiting.await.unwrap().unwrap();

    // And when the last one dies while it should work.
    let path = folder.path().join("more.parquet");
    people(&path, 400_000);
    let hasty = cluster(address, 40, Duration::from_secs(3));
    let table = hasty.table(&Location::file(&path).unwrap(), None).await.unwrap();
    let asked = tokio::spawn(why(table));
    let before = files(&results);
    until("it has begun", || files(&results) > before + 2).await;
    drop(only);
    let told = tokio::time::timeout(Duration::from_secs(45), asked).await.unwrap().unwrap();
    assert!(told.contains("executor"), "{told}");
}

#[tokio::test]
async fn a_file_that_parts_of_the_cluster_do_not_see_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    people(&path, 500);
    let place = Location::file(&path).unwrap();
    let loopback = loopback(4).await;
    let other = loopback.cluster.table(&place, Some(501)).await.unwrap();
    let told = why(other).await;
    assert!(told.contains("read 500 rows of a table that has 501"), "{told}");

    let gone = loopback.cluster.table(&place, Some(500)).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let told = why(gone).await;
    assert!(told.contains("under the same name"), "{told}");
}
