//! What DataFusion is given: codes, partitions, projections, statistics.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Int32Type},
};
use datafusion::physical_plan::{displayable, execute_stream_partitioned};
use ephor_tabular::{OpenOptions, Table};
use futures::StreamExt;
use parquet::file::properties::WriterProperties;

use crate::support::{parquet, read_with, types};

fn options() -> OpenOptions {
    OpenOptions { partitions: Some(4), ..OpenOptions::default() }
}

fn many() -> RecordBatch {
    let rows = 40_000;
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let groups: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..rows).map(|row| ["a", "b", "c"][row as usize % 3]),
    ));
    let names: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("{row:0>40}"))));
    RecordBatch::try_from_iter([("id", ids), ("group", groups), ("name", names)]).unwrap()
}

/// Every batch of a column that is asked for alone.
async fn column(table: &Table, name: &str) -> Vec<ArrayRef> {
    let frame = table.dataframe().unwrap().select_columns(&[name]).unwrap();
    let context = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await.unwrap();
    let mut arrays = Vec::new();
    for mut stream in execute_stream_partitioned(plan, context).unwrap() {
        while let Some(batch) = stream.next().await {
            arrays.push(Arc::clone(batch.unwrap().column(0)));
        }
    }
    arrays
}

#[tokio::test]
async fn codes_survive_from_parquet() {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10_000))
        .set_dictionary_page_size_limit(16 << 10)
        .build();
    let table = read_with(parquet(&many(), Some(properties)), options()).await.unwrap();
    assert_eq!(
        types(&table),
        ["id: Int64", "group: Dictionary(Int32, Utf8)", "name: Utf8"],
        "texts whose pages fell back to plain are plain"
    );
    let arrays = column(&table, "group").await;
    for array in &arrays {
        let codes = array.as_dictionary::<Int32Type>();
        assert!(codes.values().len() <= 3, "the dictionary is the file's, not one made row by row");
    }
    assert_eq!(arrays.iter().map(Array::len).sum::<usize>(), 40_000);
}

#[tokio::test]
async fn batches_of_a_csv_share_their_dictionary() {
    let mut content = String::from("id,group\n");
    (0..40_000).for_each(|row| content += &format!("{row},{}\n", ["a", "b", "c"][row % 3]));
    let table = read_with(content, OpenOptions { partitions: Some(1), ..options() }).await.unwrap();
    let arrays = column(&table, "group").await;
    assert!(arrays.len() > 3);
    let first = arrays[0].as_dictionary::<Int32Type>().values().to_data();
    for array in &arrays {
        assert!(array.as_dictionary::<Int32Type>().values().to_data().ptr_eq(&first));
    }
}

#[tokio::test]
async fn plans_project_and_split() {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10_000)).build();
    let table = read_with(parquet(&many(), Some(properties)), options()).await.unwrap();
    let frame = table.dataframe().unwrap().select_columns(&["group"]).unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    assert_eq!(plan.properties().partitioning.partition_count(), 4);
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("projection=[group]"), "{shown}");

    let table = read_with("a,b,c\n1,2,3\n", options()).await.unwrap();
    let frame = table.dataframe().unwrap().select_columns(&["c"]).unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("TextScan: partitions=1, columns=[c]"), "{shown}");
    #[allow(deprecated, reason = "what is asked is the plan itself")]
    let rows = plan.partition_statistics(None).unwrap().num_rows;
    assert_eq!(rows.get_value(), Some(&1));
}

#[tokio::test]
async fn what_is_stored_as_views_or_large_texts_is_codes_too() {
    let plain = many();
    for kind in [
        DataType::Utf8View,
        DataType::LargeUtf8,
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
    ] {
        let group = arrow::compute::cast(plain.column(1), &kind).unwrap();
        let file = parquet(&RecordBatch::try_from_iter([("group", group)]).unwrap(), None);
        let table = read_with(file, options()).await.unwrap();
        assert_eq!(types(&table), ["group: Dictionary(Int32, Utf8)"], "{kind}");
        assert_eq!(
            column(&table, "group").await.iter().map(Array::len).sum::<usize>(),
            40_000,
            "{kind}"
        );
    }
}
