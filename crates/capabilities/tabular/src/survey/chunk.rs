//! What is learnt from one chunk.

use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::{
    ColumnSurvey, Kind, NullWords, Syntax,
    column::Mixed,
    kept::{EMPTY, Field, Keeper, Kept, MISSING, Room},
};
use crate::{
    Limits, Malformed,
    csv::{Dialect, Records, invalid_utf8},
    json::{Between, Rows, Token, unescape},
    split::{Chunk, locate},
};

/// What is learnt from one chunk.
#[derive(Debug, Default)]
pub(crate) struct ChunkSurvey {
    pub rows: u64,
    /// In the order in which they are first seen.
    pub columns: IndexMap<String, ColumnSurvey>,
    /// The columns themselves, if they are small.
    pub kept: Option<Kept>,
}

/// A fault; if it is about kinds that clash with an earlier value, where that is.
#[derive(Debug)]
pub(crate) struct ChunkFault {
    pub fault: Malformed,
    pub clash: Option<Box<Clash>>,
}

/// Two kinds in one column of JSON.
#[derive(Debug)]
pub(crate) struct Clash {
    pub name: String,
    pub here: Kind,
    pub before: Kind,
    /// Where the first value of the kind before stands.
    pub since: u64,
}

impl From<Malformed> for ChunkFault {
    fn from(fault: Malformed) -> Self {
        Self { fault, clash: None }
    }
}

/// What every chunk is read with.
#[derive(Debug)]
pub(crate) struct ChunkReader<'a> {
    pub syntax: &'a Syntax,
    /// The columns that are known beforehand: CSV's.
    pub names: &'a [String],
    /// Which of them anybody will read.
    pub wanted: &'a [bool],
    pub limits: &'a Limits,
    pub hasher: &'a DefaultHashBuilder,
    /// For what is kept of CSV's columns.
    pub room: &'a Room,
    /// Which of them hold too many texts to keep, by what is known so far.
    pub unique: &'a [AtomicBool],
}

impl ChunkReader<'_> {
    pub(crate) fn survey(&self, chunk: &Chunk) -> Result<ChunkSurvey, ChunkFault> {
        let text = utf8(chunk)?;
        match self.syntax {
            Syntax::Csv { dialect, nulls } => {
                self.csv(text, chunk, dialect, nulls).map_err(ChunkFault::from)
            }
            Syntax::Json { between } => self.json(text, chunk, *between),
        }
    }

    fn csv(
        &self,
        text: &str,
        chunk: &Chunk,
        dialect: &Dialect,
        nulls: &NullWords,
    ) -> Result<ChunkSurvey, Malformed> {
        let width = self.names.len();
        let mut columns = vec![ColumnSurvey::new(width, self.hasher); width];
        let (mut records, mut fields, mut rows) = (Records::new(text, dialect), Vec::new(), 0);
        let mut scratch = String::new();
        let keeper = |(wanted, unique): (&bool, &AtomicBool)| {
            (*wanted && !unique.load(Ordering::Relaxed)).then(|| Keeper::new(self.hasher))
        };
        let mut keepers: Option<Vec<Option<Keeper>>> =
            self.room.is_open().then(|| self.wanted.iter().zip(self.unique).map(keeper).collect());
        loop {
            let start = records.position();
            if !records.next(&mut fields).map_err(|(at, fault)| place(chunk, at, fault))? {
                break;
            }
            if fields.len() != width {
                if let [only] = fields.as_slice()
                    && only.start == only.end
                    && !only.quoted
                {
                    continue;
                }
                let at = fields.get(width).map_or(start, |first_over| first_over.start);
                let fault = Malformed::new(format!(
                    "this record has {} {}, but the table has {width}",
                    fields.len(),
                    if fields.len() == 1 { "field" } else { "fields" },
                ))
                .hint(format!(
                    "Check the delimiter ({}), and put fields that hold it in quotes.",
                    char::from(dialect.delimiter).escape_default()
                ));
                return Err(place(chunk, at, fault));
            }
            rows += 1;
            let wanted = columns.iter_mut().zip(&fields).zip(self.wanted).enumerate();
            for (index, ((column, span), _)) in wanted.filter(|(_, (_, wanted))| **wanted) {
                let field = span.text(text, &mut scratch);
                let keeper = keepers.as_mut().and_then(|keepers| keepers.get_mut(index)?.as_mut());
                if span.quoted && field.is_empty() {
                    column.empty();
                    if let Some(keeper) = keeper {
                        keeper.none(EMPTY);
                    }
                    continue;
                }
                if !span.quoted && nulls.holds(field) {
                    if let Some(keeper) = keeper {
                        keeper.none(MISSING);
                    }
                    continue;
                }
                match keeper.map_or(Field::New, |keeper| keeper.text(field, column.is_text())) {
                    Field::Known => column.again(),
                    Field::New => column.field(field, chunk.offset + span.start as u64),
                    Field::TooMany => {
                        // The column alone is given up, here and in later chunks: who reads others needs no second pass, and
                        // who reads it, too, finds the others.
                        if let Some(unique) = self.unique.get(index) {
                            unique.store(true, Ordering::Relaxed);
                        }
                        if let Some(keeper) =
                            keepers.as_mut().and_then(|keepers| keepers.get_mut(index))
                        {
                            *keeper = None;
                        }
                        column.field(field, chunk.offset + span.start as u64);
                    }
                }
            }
        }
        let kept = keepers
            .filter(|keepers| keepers.iter().any(Option::is_some))
            .and_then(|keepers| Kept::new(keepers, self.room));
        let columns = self.names.iter().cloned().zip(columns).collect();
        Ok(ChunkSurvey { rows, columns, kept })
    }

    fn json(&self, text: &str, chunk: &Chunk, between: Between) -> Result<ChunkSurvey, ChunkFault> {
        let mut columns: IndexMap<String, ColumnSurvey> = IndexMap::new();
        let (mut source, mut rows, mut clash) = (Rows::new(text, between), 0_u64, None);
        let mut scratch = String::new();
        loop {
            let (row, mut expected) = (rows + 1, 0);
            let found = source.next(|key, token, at| {
                // Rows mostly have the same keys in the same order.
                let index = match columns.get_index(expected) {
                    Some((name, _)) if name == key => expected,
                    _ => match columns.get_index_of(key) {
                        Some(index) => index,
                        None if columns.len() >= self.limits.columns => {
                            let message = format!(
                                "there are more than {} different keys",
                                self.limits.columns
                            );
                            return Err(
                                Malformed::new(message).hint("Rows of a table have the same keys.")
                            );
                        }
                        None => {
                            let made = ColumnSurvey::new(self.limits.columns.min(64), self.hasher);
                            columns.insert_full(key.to_owned(), made).0
                        }
                    },
                };
                expected = index + 1;
                let Some((name, column)) = columns.get_index_mut(index) else { return Ok(()) };
                if column.row == row {
                    return Err(Malformed::new(format!(
                        "the key `{name}` comes twice in this object"
                    )));
                }
                column.row = row;
                if let Token::Text(raw) = token
                    && unescape(raw, &mut scratch).is_err()
                {
                    let message = format!("the text of `{key}` has an escape that is no character");
                    return Err(Malformed::new(message).hint(
                        "Half of a pair such as \\ud83d\\ude00 stands for nothing by itself.",
                    ));
                }
                column.token(name, token, chunk.offset + at as u64).map_err(|mixed| match mixed {
                    Mixed::Wide(fault) => fault,
                    Mixed::Kinds { here, before, since } => {
                        clash = Some(Box::new(Clash { name: name.clone(), here, before, since }));
                        Malformed::new("")
                    }
                })
            });
            match found {
                Ok(Some(_)) => rows += 1,
                Ok(None) => break,
                Err((at, fault)) => {
                    return Err(ChunkFault { fault: place(chunk, at, fault), clash });
                }
            }
        }
        for column in columns.values_mut() {
            column.row = 0;
        }
        Ok(ChunkSurvey { rows, columns, kept: None })
    }
}

/// A chunk's text.
pub(crate) fn utf8(chunk: &Chunk) -> Result<&str, Malformed> {
    std::str::from_utf8(&chunk.bytes).map_err(|error| {
        invalid_utf8(&chunk.bytes, error.valid_up_to(), chunk.line, chunk.column, chunk.offset)
    })
}

/// A fault at a byte of a chunk, with its place in the file.
pub(crate) fn place(chunk: &Chunk, at: usize, fault: Malformed) -> Malformed {
    let (line, column) = locate(&chunk.bytes, chunk.line, chunk.column, at);
    fault.at(line, column, chunk.offset + at as u64)
}
