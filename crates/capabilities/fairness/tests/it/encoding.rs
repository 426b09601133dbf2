//! Dictionary codes must survive from the Parquet file to the function: that is where the speed is.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Schema},
};
use datafusion::{
    parquet::arrow::ArrowWriter,
    physical_plan::{ExecutionPlan, displayable, execute_stream},
    prelude::{ParquetReadOptions, SessionConfig, SessionContext},
};
use ephor_fairness::{AnalysisSpec, analyze_cube, cube};
use futures::StreamExt;

use crate::support::{CodedParquet, Find, FindIn, batch, run, value};

fn spec() -> AnalysisSpec {
    AnalysisSpec {
        prediction: Some("p".to_owned()),
        bootstrap_draws: 0,
        ..AnalysisSpec::new("y", ["sex", "race"])
    }
}

fn write(path: &std::path::Path, rows: usize) -> Arc<Schema> {
    let text = |names: &[&str], step: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter(
            (0..rows).map(|row| (row % 97 != 0).then(|| names[row / step % names.len()])),
        ))
    };
    let bits = |every: usize| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| i64::from(row % every == 0))))
    };
    let batch = batch(vec![
        ("sex", text(&["Female", "Male"], 1)),
        ("race", text(&["A", "B", "C"], 5)),
        ("y", bits(3)),
        ("p", bits(4)),
    ]);
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    // Several row groups: each has its own dictionary.
    for start in (0..rows).step_by(rows / 3) {
        writer.write(&batch.slice(start, (rows / 3).min(rows - start))).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    batch.schema()
}

fn source(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match plan.children().first() {
        Some(child) => source(child),
        None => Arc::clone(plan),
    }
}

#[tokio::test]
async fn codes_survive_to_the_function() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    let schema = write(&path, 30_000);
    let context = SessionContext::new_with_config(
        SessionConfig::new().with_target_partitions(1).with_batch_size(1_000),
    );
    let table = context.read_table(Arc::new(CodedParquet::new(&path, &schema))).unwrap();

    let plan = ephor_fairness::scan_plan(table.clone(), &spec())
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(shown.contains("fair_cube") && shown.contains("DataSourceExec"), "{shown}");
    // Nothing between the file and the function casts or unpacks.
    assert!(!shown.to_lowercase().contains("cast("), "{shown}");
    let source = source(&plan);
    assert_eq!(source.schema().fields().len(), 4, "only the columns of the spec are read");
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    assert_eq!(source.schema().field_with_name("sex").unwrap().data_type(), &dictionary, "{shown}");

    // What EXPLAIN cannot show: the batches of a row group share one dictionary, the file's own. A reader that unpacks and
    // packs again makes one for each batch.
    let batches: Vec<RecordBatch> =
        execute_stream(source, context.task_ctx()).unwrap().map(Result::unwrap).collect().await;
    assert!(batches.len() >= 30, "{}", batches.len());
    let values = |batch: &RecordBatch| {
        batch.column_by_name("sex").unwrap().as_any_dictionary().values().to_data()
    };
    let shared =
        batches.windows(2).filter(|pair| values(&pair[0]).ptr_eq(&values(&pair[1]))).count();
    assert!(
        shared >= batches.len() - 6,
        "only {shared} of {} batches share their dictionary with the one before",
        batches.len()
    );

    let plain =
        context.read_parquet(path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    let (encoded, plain) = (run(table, &spec()).await.unwrap(), run(plain, &spec()).await.unwrap());
    assert_eq!(encoded, plain);
    assert_eq!(encoded.rows.read, 30_000);
    assert!(encoded.attribute("sex").group("(missing)").n > 300);
}

#[tokio::test]
async fn text_views_integers_and_partitions_make_the_same_result() {
    let rows = 4_000;
    let names = |row: usize| ["short", "a name of more than twelve bytes", "é"][row % 3];
    let text = StringArray::from_iter_values((0..rows).map(names));
    let label: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..rows).map(|row| i64::from(row % 7 < 3))));
    let spec = AnalysisSpec { bootstrap_draws: 0, ..AnalysisSpec::new("y", ["g"]) };
    let mut results = Vec::new();
    let dictionary = DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8));
    for kind in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
        let column = arrow::compute::cast(&text, &kind).unwrap();
        let whole = batch(vec![("g", column), ("y", label.clone())]);
        let parts = vec![whole.slice(0, 1_234), whole.slice(1_234, rows - 1_234)];
        results.push(run(crate::support::table(vec![whole]), &spec).await.unwrap());
        results.push(run(crate::support::table(parts), &spec).await.unwrap());
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(value(results[0].attribute("g").group("é"), "count"), Some(1_333.0));

    // Integers group by their text.
    let mut made = cube::Cube::new(cube::Layout {
        attributes: 1,
        label: true,
        prediction: false,
        score: false,
        weight: false,
        positive: None,
        threshold: 0.5,
    });
    made.update(&[
        Arc::new(Int64Array::from_iter(
            (0..rows as i64).map(|row| (row % 5 != 0).then_some(row % 5 - 2)),
        )),
        label,
    ])
    .unwrap();
    let result = analyze_cube(&made, &spec).unwrap();
    let names: Vec<&str> =
        result.attribute("g").groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["(missing)", "-1", "0", "1", "2"]);
}
