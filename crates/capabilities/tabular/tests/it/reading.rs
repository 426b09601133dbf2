//! What good files are read as.

use ephor_tabular::{Format, OpenOptions, Source, open};

use crate::support::{batch, picture, read, read_with, types};

#[tokio::test]
async fn columns_that_nobody_will_read_are_not_looked_at() {
    let options = OpenOptions { only: Some(vec!["x".to_owned()]), ..OpenOptions::default() };
    let table = read_with("n,x\n1,1.5\n2,2.5\n", options.clone()).await.unwrap();
    assert_eq!(types(&table), ["n: Dictionary(Int32, Utf8)", "x: Float64"]);
    assert_eq!(table.rows(), 2);
    let fault = read_with("n,x\n1\n", options).await.unwrap_err();
    assert!(fault.to_string().contains("line 2"), "{fault}");
}

#[tokio::test]
async fn each_column_gets_the_type_that_all_rows_agree_with() {
    let table = read(
        "id,ok,n,x,day,at,zone,name,code,mixed\n\
         1,true,5,1.5,2024-02-29,2024-02-29T10:00,2024-02-29T10:00:00+01:00,Ann,007,1\n\
         2,False,,2,2024-03-01,2024-03-01 11:30:15.25,2024-03-01T00:00Z,Bob,012,2\n\
         3,TRUE,-7,1e3,NA,,NULL,\"Smith, J\",100,x\n",
    )
    .await
    .unwrap();
    assert_eq!(
        types(&table),
        [
            "id: Int64",
            "ok: Boolean",
            "n: Int64",
            "x: Float64",
            "day: Date32",
            "at: Timestamp(µs)",
            "zone: Timestamp(µs, \"UTC\")",
            "name: Dictionary(Int32, Utf8)",
            "code: Dictionary(Int32, Utf8)",
            "mixed: Dictionary(Int32, Utf8)",
        ]
    );
    insta::assert_snapshot!(picture(&table).await);
    assert_eq!(table.rows(), 3);
    assert_eq!(table.format(), Format::Csv);
    let [note] = table.notes() else { panic!("{:?}", table.notes()) };
    assert_eq!((note.column.as_str(), note.line), ("mixed", 4));
    assert!(note.message.contains("an integer in line 2"), "{note}");
}

#[tokio::test]
async fn quoting_decides_what_is_missing() {
    let table = read("a,b,c\nNA,\"NA\",1\n,\"\",\"\"\nx,y,3\n").await.unwrap();
    insta::assert_snapshot!(picture(&table).await, @r"
    +---+----+---+
    | a | b  | c |
    +---+----+---+
    |   | NA | 1 |
    |   |    |   |
    | x | y  | 3 |
    +---+----+---+
    ");
    let all = batch(&table).await;
    assert_eq!(all.column(0).null_count(), 2);
    assert_eq!(all.column(1).null_count(), 0, "a quoted empty text is a text");
    assert_eq!(all.column(2).null_count(), 1, "but no number");
    let words = OpenOptions { null_words: vec!["?".into()], ..OpenOptions::default() };
    let table = read_with("a\n?\n5\n", words).await.unwrap();
    assert_eq!(types(&table), ["a: Int64"]);
}

#[tokio::test]
async fn marks_line_ends_delimiters_and_blanks() {
    for content in [
        "\u{feff}a,b\r\n1,x\r\n2,y\r\n",
        "a;b\n1;x\n2;y",
        "a\tb\n1\tx\n2\ty\n",
        "a | b\n1 | x\n2 | y\n",
        "a, b\n1, \"x\"\n\n2, y\n\n",
    ] {
        let table = read(content).await.unwrap();
        assert_eq!(types(&table), ["a: Int64", "b: Dictionary(Int32, Utf8)"], "{content:?}");
        assert_eq!(table.rows(), 2, "{content:?}");
    }
    let kept = OpenOptions { trim: false, ..OpenOptions::default() };
    let table = read_with("a,b\n 1,x\n", kept).await.unwrap();
    assert_eq!(
        types(&table)[0],
        "a: Dictionary(Int32, Utf8)",
        "a blank is part of the field when it is not taken off"
    );
}

#[tokio::test]
async fn names_are_made_where_there_are_none() {
    let table = read(",x,\n0,1,2\n").await.unwrap();
    assert_eq!(types(&table), ["column_1: Int64", "x: Int64", "column_3: Int64"]);
    let headless = OpenOptions { header: false, ..OpenOptions::default() };
    let table = read_with("1,a\n2,b\n", headless).await.unwrap();
    assert_eq!(types(&table), ["column_1: Int64", "column_2: Dictionary(Int32, Utf8)"]);
    assert_eq!(table.rows(), 2);
}

#[tokio::test]
async fn one_column_may_have_empty_lines() {
    let table = read("a\n1\n\n3\n").await.unwrap();
    assert_eq!(table.rows(), 3);
    assert_eq!(batch(&table).await.column(0).null_count(), 1);
}

#[tokio::test]
async fn json_in_both_shapes() {
    let lines = "{\"a\":1,\"b\":\"x\",\"c\":{\"d\":[1]}}\n\n{\"b\":null,\"a\":2.5,\"e\":true}\n";
    let array =
        " [ {\"a\":1,\"b\":\"x\",\"c\":{\"d\":[1]}} ,\n {\"b\":null,\"a\":2.5,\"e\":true} ] \n";
    let (lines, array) = (read(lines).await.unwrap(), read(array).await.unwrap());
    assert_eq!((lines.format(), array.format()), (Format::Ndjson, Format::Json));
    assert_eq!(picture(&lines).await, picture(&array).await);
    assert_eq!(
        types(&lines),
        ["a: Float64", "b: Dictionary(Int32, Utf8)", "c: Dictionary(Int32, Utf8)", "e: Boolean"]
    );
    insta::assert_snapshot!(picture(&lines).await, @r#"
    +-----+---+-----------+------+
    | a   | b | c         | e    |
    +-----+---+-----------+------+
    | 1.0 | x | {"d":[1]} |      |
    | 2.5 |   |           | true |
    +-----+---+-----------+------+
    "#);
}

#[tokio::test]
async fn json_texts_are_unescaped() {
    let table = read("{\"a\":\"x\\ny \\u00e9 \\\"q\\\"\"}\n").await.unwrap();
    let all = batch(&table).await;
    let text = arrow::compute::cast(all.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
    let text = text.as_any().downcast_ref::<arrow::array::StringArray>().unwrap();
    assert_eq!(text.value(0), "x\ny é \"q\"");
}

/// A file of many chunks: quoted line ends, so that a wrong cut would show; texts that repeat and texts that do not.
#[tokio::test]
async fn a_file_of_many_chunks_is_read_whole_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big.csv");
    let mut content = String::from("id,sex,note,name\n");
    let rows = 300_000_u64;
    for id in 0..rows {
        let sex = if id % 3 == 0 { "F" } else { "M" };
        content += &format!(
            "{id},{sex},\"line {}\nand \"\"more\"\", of it {}\",name {id}\n",
            id % 7,
            "x".repeat(20)
        );
    }
    std::fs::write(&path, &content).unwrap();
    assert!(content.len() > 5 * (4 << 20), "more than a few chunks");
    let options =
        OpenOptions { partitions: Some(3), memory_bytes: 16 << 20, ..OpenOptions::default() };
    let table = open(Source::Path(path), options).await.unwrap();
    assert_eq!(
        types(&table),
        [
            "id: Int64",
            "sex: Dictionary(Int32, Utf8)",
            "note: Dictionary(Int32, Utf8)",
            "name: Utf8"
        ]
    );
    assert_eq!(table.rows(), rows);
    let frame = table.dataframe().unwrap().select_columns(&["id"]).unwrap();
    let ids: Vec<i64> = frame
        .collect_partitioned()
        .await
        .unwrap()
        .iter()
        .flatten()
        .flat_map(|batch| {
            let ids = batch.column(0).as_any().downcast_ref::<arrow::array::Int64Array>().unwrap();
            ids.values().to_vec()
        })
        .collect();
    assert!(ids.iter().copied().eq(0..rows as i64));
    assert_eq!(table.dataframe().unwrap().count().await.unwrap() as u64, rows);
}

#[tokio::test]
async fn a_limit_ends_the_scan() {
    let table = read("a\n1\n2\n3\n").await.unwrap();
    let rows = table.dataframe().unwrap().limit(0, Some(2)).unwrap().collect().await.unwrap();
    assert_eq!(rows.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 2);
}

#[tokio::test]
async fn a_spooled_file_goes_with_its_table() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        OpenOptions { temporary: Some(folder.path().to_owned()), ..OpenOptions::default() };
    let table = read_with("a\n1\n", options).await.unwrap();
    let copy = table.clone();
    drop(table);
    assert_eq!(batch(&copy).await.num_rows(), 1);
    drop(copy);
    assert!(crate::support::files(folder.path()).is_empty());
}
