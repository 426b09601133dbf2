//! CSV whose columns are named beforehand: what is kept of the first pass is what a second one would read.

use arrow::{array::RecordBatch, compute::concat_batches};
use ephor_tabular::{OpenOptions, Source, open};

use crate::support::{batch, read_with, types};

const NAMES: [&str; 8] = ["name", "n", "x", "day", "zone", "ok", "late", "blank"];

/// A few chunks of rows; `late` is a number in all rows but one.
fn people(rows: usize) -> String {
    let mut csv = NAMES.join(",") + ",unread\n";
    for row in 0..rows {
        let name = match row % 7 {
            0 => "\"Smith, \"\"J\"\"\"",
            1 => "\"\"",
            2 => "",
            3 => "\"NA\"",
            4 => "NULL",
            _ => "Zoë",
        };
        let n = if row % 11 == 0 { String::new() } else { (row % 300).to_string() };
        let x = if row % 5 == 0 { "1e3".to_owned() } else { format!("{}.25", row % 900) };
        let day = row % 28 + 1;
        let ok = ["true", "FALSE", "NA"][row % 3];
        let late = if row + 1_000 == rows { "none".to_owned() } else { (row % 4).to_string() };
        let blank = if row % 2 == 0 { "" } else { "\"\"" };
        csv.push_str(&format!(
            "{name},{n},{x},2024-02-{day:02},2024-02-{day:02}T10:00:00+01:00,{ok},{late},{blank},{row} is what nobody reads\n"
        ));
    }
    csv
}

fn only() -> OpenOptions {
    let only = NAMES.map(str::to_owned).to_vec();
    OpenOptions { only: Some(only), partitions: Some(2), ..OpenOptions::default() }
}

#[tokio::test]
async fn what_is_kept_is_what_a_second_pass_reads() {
    let csv = people(120_000);
    assert!(csv.len() > 9 << 20, "{}", csv.len());
    let kept = read_with(&csv, only()).await.unwrap();
    let read = read_with(&csv, OpenOptions { memory_bytes: 1, ..only() }).await.unwrap();
    assert_eq!(types(&kept), types(&read));
    assert_eq!(kept.notes(), read.notes());
    assert_eq!(kept.notes()[0].column, "late");
    for names in [&NAMES[..], &["day", "name"], &["unread"], &["late", "unread"]] {
        let columns = |table: &ephor_tabular::Table| {
            table.dataframe().unwrap().select_columns(names).unwrap()
        };
        let (mut found, mut wanted) = (Vec::new(), Vec::new());
        for (table, all) in [(&kept, &mut found), (&read, &mut wanted)] {
            let parts = columns(table).collect_partitioned().await.unwrap();
            all.extend(parts.into_iter().flatten());
        }
        let schema = found[0].schema();
        let found = concat_batches(&schema, &found).unwrap();
        assert_eq!(found, concat_batches(&schema, &wanted).unwrap(), "{names:?}");
        assert_eq!(found.num_rows(), 120_000);
    }
}

#[tokio::test]
async fn the_file_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, people(2_000)).unwrap();
    let table = open(Source::Path(path.clone()), only()).await.unwrap();
    let there = table.dataframe().unwrap().select_columns(&NAMES).unwrap().count().await.unwrap();
    assert_eq!(there, 2_000);
    std::fs::remove_file(&path).unwrap();
    let columns = table.dataframe().unwrap().select_columns(&NAMES).unwrap();
    let rows: usize = columns.collect().await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 2_000);
    // A column that nobody asked for beforehand is not there any more.
    assert!(
        table.dataframe().unwrap().select_columns(&["unread"]).unwrap().collect().await.is_err()
    );
}

#[tokio::test]
async fn a_column_that_does_not_repeat_is_given_up_alone() {
    // Some chunks of it.
    let mut csv = "id,g,h\n".to_owned();
    (0..500_000).for_each(|row| {
        let none = if row % 50 == 0 { "" } else { "h" };
        csv.push_str(&format!("{row}.5,group {},{none}{}\n", row % 3, row % 700));
        // A line without fields is no row.
        if row % 1_000 == 0 {
            csv.push('\n');
        }
    });
    assert!(csv.len() > 8 << 20, "{}", csv.len());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    std::fs::write(&path, &csv).unwrap();
    let only = Some(["id", "g", "h"].map(str::to_owned).to_vec());
    let options = OpenOptions { only, partitions: Some(2), ..OpenOptions::default() };
    let plain = read_with(&csv, OpenOptions { only: None, ..options.clone() }).await.unwrap();
    let table = open(Source::Path(path.clone()), options).await.unwrap();
    assert_eq!(types(&table), types(&plain));
    // What is kept and what is read anew are of the same rows.
    assert_eq!(batch(&table).await, batch(&plain).await);
    // Who needs the others alone needs no file any more.
    std::fs::remove_file(&path).unwrap();
    let names = ["h", "g"];
    let columns =
        |table: &ephor_tabular::Table| table.dataframe().unwrap().select_columns(&names).unwrap();
    let (mut found, mut wanted) = (Vec::new(), Vec::new());
    for (table, all) in [(&table, &mut found), (&plain, &mut wanted)] {
        let parts = columns(table).collect_partitioned().await.unwrap();
        all.extend(parts.into_iter().flatten());
    }
    let schema = found[0].schema();
    let found = concat_batches(&schema, &found).unwrap();
    assert_eq!(found, concat_batches(&schema, &wanted).unwrap());
    assert_eq!(found.num_rows(), 500_000);
    assert!(table.dataframe().unwrap().select_columns(&["id"]).unwrap().collect().await.is_err());
}

#[tokio::test]
async fn a_column_that_does_not_repeat_is_read_again() {
    let mut csv = "id,g\n".to_owned();
    (0..300_000).for_each(|row| csv.push_str(&format!("{row}.5,{}\n", row % 3)));
    let only = Some(vec!["id".to_owned(), "g".to_owned()]);
    let options = OpenOptions { only, ..OpenOptions::default() };
    let table = read_with(&csv, options.clone()).await.unwrap();
    let plain = read_with(&csv, OpenOptions { only: None, ..options }).await.unwrap();
    assert_eq!(types(&table), types(&plain));
    assert_eq!(batch(&table).await, batch(&plain).await);
}
