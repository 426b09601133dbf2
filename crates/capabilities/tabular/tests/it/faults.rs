//! Broken files: refused, with the place and what to do.

use ephor_tabular::{Format, Limits, OpenOptions, Source, TabularError, open};
use proptest::prelude::*;

use crate::support::{malformed, read, read_with};

#[tokio::test]
async fn every_fault_has_its_line_and_column() {
    for (content, line, column, words) in [
        ("a,b\n1,2\n3\n", 3, 1, "1 field, but the table has 2"),
        ("a,b\n1,2\n3,4,5\n", 3, 5, "3 fields, but the table has 2"),
        ("a,b\n1,2\n\"x\n y\",3\n4,5,6\n", 5, 5, "3 fields"),
        ("a,b\n1,5\" pipe\n", 2, 4, "quote within a field"),
        ("a,b\n1,\"x\"y\n", 2, 6, "after the field's closing quote"),
        ("a,b\n1,\"never\n2,3\n", 2, 3, "never closed"),
        ("a,b\n1,x\0y\n", 2, 4, "NUL"),
        ("a,b\n1,\"x\0y\"\n", 2, 5, "NUL"),
        ("a,b\r1,2\r", 1, 4, "carriage return"),
        ("a,b,a\n1,2,3\n", 1, 5, "columns 1 and 3 are both called `a`"),
        ("a,b\n", 2, 1, "no rows"),
        ("a,b", 1, 1, "no rows"),
        ("", 1, 1, "empty"),
        (" \n\n ", 1, 1, "empty"),
        ("{\"a\":1}\n{\"a\":}\n", 2, 6, "not a JSON object"),
        ("{\"a\":1}\n[1]\n", 2, 1, "not a JSON object"),
        ("{\"a\":1}\n{\"a\":\"x\"}\n", 2, 6, "`a` is text here, but an integer in line 1"),
        (
            "{\"a\":[1]}\n{\"a\":2}\n",
            2,
            6,
            "`a` is an integer here, but an object or a list in line 1",
        ),
        ("{\"a\":1,\"a\":2}\n", 1, 12, "comes twice"),
        ("{\"a\":123456789012345678901}\n", 1, 6, "does not fit into 64 bits"),
        ("{\"a\":NaN}\n", 1, 6, "not a JSON object"),
        ("{\n\"a\":1}\n", 1, 1, "not a JSON object"),
        ("{}\n{}\n", 1, 1, "no keys"),
        ("[]", 1, 2, "no rows"),
        ("[{\"a\":1}", 1, 9, "not closed"),
        ("[{\"a\":1},]", 1, 10, "comma after the last object"),
        ("[{\"a\":1},,{\"a\":2}]", 1, 10, "comma where an object should be"),
        ("[{\"a\":1} {\"a\":2}]", 1, 10, "comma is missing"),
        ("[{\"a\":1}] x", 1, 11, "more after the end"),
        ("[\n {\"a\":1},\n 5]", 3, 2, "not a JSON object"),
        ("[1, 2]", 1, 2, "not a JSON object"),
    ] {
        let fault = malformed(content).await;
        assert!(fault.message.contains(words), "{content:?}: {fault}");
        assert_eq!((fault.line, fault.column), (Some(line), Some(column)), "{content:?}: {fault}");
        assert!(fault.to_string().contains(&format!("line {line}, column {column}")), "{fault}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let fault = malformed(b"a,b\nM\xc3\xbcller,1\nM\xfcller,2\n").await;
    assert_eq!((fault.line, fault.column, fault.offset), (Some(3), Some(2), Some(15)));
    assert!(fault.hint.unwrap().contains("LATIN1"));
    let fault = malformed(b"na\xefve,b\n1,2\n").await;
    assert_eq!((fault.line, fault.column), (Some(1), Some(3)));
    let fault = malformed(b"\xff\xfea\0,\0b\0").await;
    assert!(fault.message.contains("UTF-16"));
}

#[tokio::test]
async fn packed_files_are_to_be_unpacked() {
    for start in
        [&b"PK\x03\x04rest"[..], b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh9", b"\xd0\xcf\x11\xe0"]
    {
        let error = read(start).await.unwrap_err();
        assert!(matches!(error, TabularError::Unsupported { .. }), "{error}");
        assert!(error.is_input() && error.to_string().contains("Unpack"), "{error}");
    }
}

#[tokio::test]
async fn limits_are_kept() {
    let limited = |limits: Limits| OpenOptions { limits, ..OpenOptions::default() };
    for (limits, content) in [
        (Limits { bytes: Some(10), ..Limits::default() }, "a,b\n1,2\n3,4\n"),
        (Limits { rows: Some(1), ..Limits::default() }, "a,b\n1,2\n3,4\n"),
        (Limits { columns: 1, ..Limits::default() }, "a,b\n1,2\n3,4\n"),
    ] {
        let error = read_with(content, limited(limits)).await.unwrap_err();
        assert!(matches!(error, TabularError::TooLarge { .. }), "{error}");
    }
    let keys = (0..20).fold(String::new(), |keys, key| keys + &format!("{{\"k{key}\":1}}\n"));
    let error =
        read_with(keys, limited(Limits { columns: 10, ..Limits::default() })).await.unwrap_err();
    assert!(error.to_string().contains("more than 10 different keys"), "{error}");
}

/// A quote that is never closed swallows the rest: the fault must name where it was opened, not fill the memory.
#[tokio::test]
async fn an_endless_record_is_refused() {
    let limits = Limits { record_bytes: 1 << 20, ..Limits::default() };
    let options = || OpenOptions { limits: limits.clone(), ..OpenOptions::default() };
    let open_quote = format!("a,b\n1,2\n3,\"{}", "x\n".repeat(10 << 20));
    let Err(TabularError::Malformed(fault)) = read_with(open_quote, options()).await else {
        panic!()
    };
    assert_eq!((fault.line, fault.column), (Some(3), Some(3)), "{fault}");
    let long_line = format!("a\n1\n{}\n", "x".repeat(20 << 20));
    let Err(TabularError::Malformed(fault)) = read_with(long_line, options()).await else {
        panic!()
    };
    assert!(fault.message.contains("longer than") && fault.line == Some(3), "{fault}");
    let long_header = "x".repeat(20 << 20);
    let Err(TabularError::Malformed(fault)) = read_with(long_header, options()).await else {
        panic!()
    };
    assert_eq!(fault.line, Some(1), "{fault}");
}

/// Whichever thread meets its fault first, the first one of the file is told.
#[tokio::test]
async fn the_first_fault_of_a_large_file_is_told() {
    let line = "0123456789,0123456789,0123456789,abcdefghij\n";
    let rows = (24 << 20) / line.len();
    let mut content = String::from("a,b,c,d\n");
    for row in 0..rows {
        content += if row == rows / 3 || row == rows / 2 { "1,2,3\n" } else { line };
    }
    let fault = malformed(content).await;
    assert_eq!(fault.line, Some(rows as u64 / 3 + 2), "{fault}");
}

#[tokio::test]
async fn kinds_that_clash_in_different_chunks_are_found() {
    let filler = format!("{{\"b\":\"{}\"}}\n", "x".repeat(1000));
    let mut content = String::from("{\"a\":1,\"b\":\"\"}\n");
    content += &filler.repeat(9000);
    content += "{\"a\":\"text\"}\n";
    content += &filler.repeat(9000);
    let fault = malformed(content).await;
    assert_eq!((fault.line, fault.column), (Some(9002), Some(6)), "{fault}");
    assert!(fault.message.contains("an integer in line 1"), "{fault}");
}

#[tokio::test]
async fn what_was_said_of_the_format_must_hold() {
    for (format, content) in [(Format::Parquet, "a,b\n1,2\n"), (Format::Json, "a,b\n1,2\n")] {
        let options = OpenOptions { format: Some(format), ..OpenOptions::default() };
        let error = read_with(content, options).await.unwrap_err();
        assert!(error.to_string().contains(format.as_str()), "{error}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let error = open(Source::Path("no/such.csv".into()), OpenOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("no/such.csv"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error =
        open(Source::Path(folder.path().to_owned()), OpenOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("folder"), "{error}");
}

/// Opens and reads it all: a table that opens must also be readable, and nothing may panic.
fn survives(content: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        if let Ok(table) = read(content).await {
            let rows = table.dataframe().unwrap().collect().await.unwrap();
            let rows: usize = rows.iter().map(arrow::array::RecordBatch::num_rows).sum();
            assert_eq!(rows as u64, table.rows());
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_csv_breaks_it(content in "[a1,;\"\n\r\t.\\-{}\u{e9} \0]{0,120}") {
        survives(content.as_bytes());
    }

    #[test]
    fn no_json_breaks_it(content in "[\\[{]?[\\[\\]{}:,\"ab1.e\\\\ntrue \n]{0,120}") {
        survives(content.as_bytes());
    }

    #[test]
    fn no_bytes_break_it(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&content);
    }
}
