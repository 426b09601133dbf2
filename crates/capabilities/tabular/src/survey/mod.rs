//! The first pass over a file: what its columns hold, whether every record is whole, and where chunks begin.

mod chunk;
mod column;
mod kept;
mod kind;
mod run;

pub(crate) use column::ColumnSurvey;
pub(crate) use kept::{EMPTY, FIRST, Kept, KeptColumn, MISSING};
pub(crate) use kind::{Kind, date, instant, timestamp};
pub(crate) use run::{Segment, Survey, survey};

use crate::{csv::Dialect, json::Between};

/// How rows are written.
#[derive(Debug, Clone)]
pub(crate) enum Syntax {
    Csv { dialect: Dialect, nulls: NullWords },
    Json { between: Between },
}

/// The words that mean a missing value.
#[derive(Debug, Clone)]
pub(crate) struct NullWords {
    words: Vec<String>,
    empty: bool,
    longest: usize,
}

impl NullWords {
    pub(crate) fn new(words: &[String]) -> Self {
        Self {
            words: words.iter().filter(|word| !word.is_empty()).cloned().collect(),
            empty: words.iter().any(String::is_empty),
            longest: words.iter().map(String::len).max().unwrap_or(0),
        }
    }

    pub(crate) fn holds(&self, field: &str) -> bool {
        match field.len() {
            0 => self.empty,
            length if length > self.longest => false,
            _ => self.words.iter().any(|word| word == field),
        }
    }
}

/// Something about the data that whoever uses them may want to know.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The column.
    pub column: String,
    /// The line that it is about.
    pub line: u64,
    /// What it is.
    pub message: String,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`, line {}: {}", self.column, self.line, self.message)
    }
}
