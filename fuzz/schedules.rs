//! What holds for every schedule and every batch of rows, whoever wrote it. The fuzz targets and the tests of ephor-assurance
//! share this file.

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use ephor_assurance::{
    feed::{BatchFormat, read_batch},
    schedule::Schedule,
};
use serde_json::Value;

/// A cron expression: reading never panics, what is refused says why. What was read has a next minute from any moment, which
/// lies after it, and is the next one from every moment between.
pub fn schedule(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let schedule = match Schedule::parse(text) {
        Ok(schedule) => schedule,
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a word: {text}");
            return assert!(faults.iter().all(|fault| !fault.is_empty()));
        }
    };
    let spaced = format!("\t{}  ", text.to_ascii_uppercase());
    assert_eq!(Schedule::parse(&spaced), Ok(schedule), "{text}");
    for moment in [0, 951_782_399, 1_767_225_600, 4_107_542_399] {
        let moment = DateTime::from_timestamp(moment, 1).expect("a moment");
        let next = schedule.next_after(moment).expect("it was read, so it runs");
        assert!(next > moment && next.second() == 0 && next.nanosecond() == 0, "{text}");
        let before = next - TimeDelta::seconds(1);
        assert_eq!(schedule.next_after(before.max(moment)), Some(next), "{text}");
        assert_eq!(schedule.last_until(next, next), next, "{text}");
    }
    // At the end of all time there is none, and nothing breaks.
    let _ = schedule.next_after(DateTime::<Utc>::MAX_UTC);
}

/// A batch of rows that a program pushed, in each format: reading never panics, what is refused says why, and what was read
/// has rows as wide as its columns, whose names differ.
pub fn batch(input: &[u8]) {
    for format in [BatchFormat::Ndjson, BatchFormat::Json, BatchFormat::Csv] {
        let batch = match read_batch(format, input, &[]) {
            Ok(batch) => batch,
            Err(refused) => {
                assert!(!refused.problem.detail.is_empty(), "refused without a word");
                assert!(refused.problem.faults.iter().all(|fault| !fault.message.is_empty()));
                continue;
            }
        };
        let mut names: Vec<&str> =
            batch.columns.iter().map(|column| column.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        let lines = batch.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut rows = 0;
        for line in lines {
            let row: Value = serde_json::from_slice(line).expect("a line of JSON");
            assert_eq!(row.as_array().map(Vec::len), Some(batch.columns.len()));
            rows += 1;
        }
        assert_eq!(rows, batch.rows);
    }
}
