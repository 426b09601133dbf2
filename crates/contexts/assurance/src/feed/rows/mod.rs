//! Rows as programs push them: NDJSON, a JSON array or CSV. All of a batch is read before any of it
//! is kept, and everything that is wrong with it is told at once, by row and column.

mod cell;
mod csv;
mod faults;
mod json;
mod sheet;

use ephor_kernel::{Code, Problem};

use super::columns::FeedColumn;
use sheet::Sheet;

/// Bytes of a batch, at most.
pub const MAX_BATCH_BYTES: usize = 4 << 20;
/// Rows of a batch, at most.
pub const MAX_BATCH_ROWS: usize = 20_000;

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// An object on each line.
    Ndjson,
    /// An array of objects.
    Json,
    /// A line of names, then a line of values each.
    Csv,
}

impl BatchFormat {
    /// The format that a media type names.
    pub(crate) fn of(media_type: &str) -> Result<Self, Problem> {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines" => Ok(Self::Ndjson),
            "application/json" => Ok(Self::Json),
            "text/csv" => Ok(Self::Csv),
            _ => Err(Problem::new(
                Code::UnsupportedMediaType,
                "Rows come as application/x-ndjson, as application/json (an array of objects) or as text/csv; \
                 the header `content-type` says which",
            )),
        }
    }
}

/// A batch that is as the row feed's rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The columns: those that were known, or those that this batch, the first, has.
    pub columns: Vec<FeedColumn>,
    /// The rows as lines of JSON arrays, in the order of the columns.
    pub body: Vec<u8>,
    /// How many there are.
    pub rows: usize,
}

/// What is wrong with a batch, and how many of its rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong, by row and column.
    pub problem: Problem,
    /// How many rows it is wrong with; 0 if no row could be looked at.
    pub wrong_rows: usize,
}

/// Reads a batch. Without `columns` it is the first, and fixes them.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(format: BatchFormat, bytes: &[u8], columns: &[FeedColumn]) -> Result<Batch, Refused> {
    let mut sheet = Sheet::new(columns);
    let read = std::str::from_utf8(bytes)
        .map_err(|error| {
            let at = error.valid_up_to();
            Problem::new(Code::Malformed, format!("The body is not UTF-8 from byte {at} on"))
        })
        .and_then(|text| {
            // What some programs write at the beginning of UTF-8.
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            match format {
                BatchFormat::Ndjson => json::lines(text, &mut sheet),
                BatchFormat::Json => json::array(text, &mut sheet),
                BatchFormat::Csv => csv::records(text, &mut sheet),
            }
        });
    match read {
        Ok(()) => sheet.finish(),
        Err(problem) => Err(Refused { problem, wrong_rows: 0 }),
    }
}

/// A batch has more rows than one may have.
fn too_many() -> Problem {
    Problem::new(
        Code::TooLarge,
        format!("A batch has at most {MAX_BATCH_ROWS} rows; send them in several"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{super::columns::FeedType, *};

    fn known() -> Vec<FeedColumn> {
        [
            ("y", FeedType::Integer),
            ("p", FeedType::Number),
            ("sex", FeedType::Text),
            ("ok", FeedType::Boolean),
        ]
        .map(|(name, kind)| FeedColumn { name: name.to_owned(), kind })
        .into()
    }

    fn pointers(refused: &Refused) -> Vec<(String, String)> {
        let faults = refused.problem.faults.iter();
        faults.map(|fault| (fault.pointer.to_string(), fault.code.to_string())).collect()
    }

    const LINES: &str = "{\"y\":1,\"p\":0.5,\"sex\":\"f\",\"ok\":true}\n\n{\"ok\":null,\"sex\":\"\\u00e9\\\"\",\"p\":2,\"y\":-0.0}\n";
    const BODY: &str = "[1,0.5,\"f\",true]\n[0,2,\"\u{e9}\\\"\",null]\n";

    #[test]
    fn the_three_formats_say_the_same() {
        let array = format!("[{}]", LINES.trim().replace("\n\n", ","));
        let csv = "sex,y,p,ok\r\nf,1,0.5,true\r\n\"\u{e9}\"\"\",0,2,\r\n";
        for (format, text) in
            [(BatchFormat::Ndjson, LINES), (BatchFormat::Json, &array), (BatchFormat::Csv, csv)]
        {
            let batch = read(format, text.as_bytes(), &known()).unwrap();
            assert_eq!(std::str::from_utf8(&batch.body).unwrap(), BODY, "{format:?}");
            assert_eq!((batch.rows, batch.columns), (2, known()));
        }
    }

    #[test]
    fn the_first_batch_fixes_the_columns() {
        let batch = read(
            BatchFormat::Ndjson,
            b"{\"b\":1,\"a\":\"x\",\"c\":null}\n{\"a\":\"y\",\"b\":2.5,\"c\":false}",
            &[],
        )
        .unwrap();
        let told: Vec<_> = batch.columns.iter().map(|it| (it.name.as_str(), it.kind)).collect();
        assert_eq!(
            told,
            [("b", FeedType::Number), ("a", FeedType::Text), ("c", FeedType::Boolean)]
        );
        let batch =
            read(BatchFormat::Csv, b"zip,n,ok,t\n01234,1,true,x\n99999,,false,2\n", &[]).unwrap();
        let told: Vec<_> = batch.columns.iter().map(|it| it.kind).collect();
        assert_eq!(told, [FeedType::Text, FeedType::Number, FeedType::Boolean, FeedType::Text]);
    }

    #[test]
    fn everything_that_is_wrong_is_told_by_row_and_column() {
        let text = "{\"y\":1.5,\"p\":\"x\",\"sex\":3,\"ok\":1}\n[1]\n{\"y\":1,\"p\":1,\"sex\":\"f\",\"ok\":true}\n{\"y\":1,\"y\":2,\"age\":3}\n{nope\n";
        let refused = read(BatchFormat::Ndjson, text.as_bytes(), &known()).unwrap_err();
        assert_eq!((refused.problem.code, refused.wrong_rows), (Code::Invalid, 4));
        let told = pointers(&refused);
        for (pointer, code) in [
            ("/0/y", "type"),
            ("/0/p", "type"),
            ("/0/sex", "type"),
            ("/0/ok", "type"),
            ("/1", "type"),
            ("/3/y", "repeated"),
            ("/3/age", "unknown_column"),
            ("/3/p", "missing"),
            ("/3/sex", "missing"),
            ("/3/ok", "missing"),
            ("/4", "malformed"),
        ] {
            assert!(told.contains(&(pointer.into(), code.into())), "{pointer} {code}: {told:?}");
        }
        assert!(
            refused.problem.faults.iter().any(|fault| fault.message.contains("Line 5")),
            "{told:?}"
        );
    }

    #[test]
    fn many_faults_are_counted_and_some_are_told() {
        let text = "{}\n".repeat(5_000);
        let refused = read(BatchFormat::Ndjson, text.as_bytes(), &known()).unwrap_err();
        assert_eq!(refused.wrong_rows, 5_000);
        assert!(refused.problem.faults.len() <= 101, "{}", refused.problem.faults.len());
        assert!(refused.problem.faults.last().unwrap().message.contains("19900"));
    }

    #[test]
    fn what_is_hostile_is_refused() {
        let long = format!("{{\"{}\":1}}", "x".repeat(300));
        let deep = format!("{{\"y\":{}", "[".repeat(100_000));
        let many = "{\"a\":1}\n".repeat(MAX_BATCH_ROWS + 1);
        let wide = format!(
            "{{{}}}",
            (0..501).map(|n| format!("\"c{n}\":1")).collect::<Vec<_>>().join(",")
        );
        for text in [
            "",
            "\n\n",
            "{}",
            "null",
            "{\"a\":1e999}",
            "{\"a\":NaN}",
            "{\"a\":null}",
            "{\"a\":[1]}",
            "{\"a\":\"\\u0000\"}",
            "{\"a\":18446744073709551615}",
            "{\"a\":1}\n{\"a\":\"x\"}",
            &long,
            &deep,
            &many,
            &wide,
        ] {
            let refused = read(BatchFormat::Ndjson, text.as_bytes(), &[]);
            assert!(refused.is_err(), "{}", &text[..text.len().min(60)]);
        }
        for text in ["", "[", "[]", "{}", "[{\"a\":1}", "[{\"a\":1}] 2", "[1]"] {
            assert!(read(BatchFormat::Json, text.as_bytes(), &[]).is_err(), "{text}");
        }
        for text in [
            "",
            "a",
            "a\n",
            "a,a\n1,2\n",
            "a,b\n1\n",
            "a\n\"x\n",
            "a\n\"x\"y\n",
            ",\n1,2\n",
            "a\nx\0\n",
        ] {
            assert!(read(BatchFormat::Csv, text.as_bytes(), &[]).is_err(), "{text}");
        }
        for text in ["NaN", "inf", "1e999", "0x1", "1,5"] {
            let column = [FeedColumn { name: "a".into(), kind: FeedType::Number }];
            assert!(
                read(BatchFormat::Csv, format!("a\n{text}\n").as_bytes(), &column).is_err(),
                "{text}"
            );
        }
        assert!(read(BatchFormat::Csv, b"a\n\xff\n", &[]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), text in "[\\[\\]{}\",:a0-9\\n]{0,60}") {
            for format in [BatchFormat::Ndjson, BatchFormat::Json, BatchFormat::Csv] {
                let _ = read(format, &bytes, &[]);
                let _ = read(format, text.as_bytes(), &known());
            }
        }
    }
}
