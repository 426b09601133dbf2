//! Runs the survey: one thread cuts the file into chunks, the others read them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Seek, SeekFrom},
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::{
    ColumnSurvey, Kept, Kind, Note, Syntax,
    chunk::{ChunkFault, ChunkReader, ChunkSurvey, Clash, place},
    kept::Room,
};
use crate::{
    Malformed, OpenOptions, TabularError,
    csv::{Records, duplicates},
    file::TableFile,
    json::Between,
    split::{Chunk, Elements, Splitter, locate, split},
};

/// A chunk that was read once, and can be found again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub offset: u64,
    pub line: u64,
    pub column: u64,
    pub bytes: usize,
    pub rows: u64,
}

/// What the whole file holds.
#[derive(Debug)]
pub(crate) struct Survey {
    pub columns: IndexMap<String, ColumnSurvey>,
    pub segments: Vec<Segment>,
    /// What is kept of each segment's columns.
    pub kept: Vec<Option<Kept>>,
    pub rows: u64,
    pub notes: Vec<Note>,
}

/// Byte, line and column where the rows begin.
pub(crate) type Start = (u64, u64, u64);

/// Bytes per chunk: enough to keep a thread busy, little enough that a few of them are small beside any memory.
const CHUNK: usize = 4 << 20;
/// Of the memory that a query may take, the part that columns may take that are kept from the first pass.
const KEPT_PART: usize = 2;

/// Reads the whole file, from `start` (byte, line, column) on.
pub(crate) fn survey(
    table: &TableFile,
    file: &mut File,
    syntax: &Syntax,
    names: &[String],
    start: Start,
    options: &OpenOptions,
) -> Result<Survey, TabularError> {
    let (limits, threads) = (&options.limits, options.threads());
    let hasher = DefaultHashBuilder::default();
    let wanted: Vec<bool> = names
        .iter()
        .map(|name| options.only.as_ref().is_none_or(|only| only.contains(name)))
        .collect();
    // Of some columns it is known that they will be read. All of a table may be too much to keep.
    let room = Room::new(options.only.as_ref().map_or(0, |_| options.memory_bytes / KEPT_PART));
    let unique: Vec<AtomicBool> = names.iter().map(|_| AtomicBool::new(false)).collect();
    let reader = ChunkReader {
        syntax,
        names,
        wanted: &wanted,
        limits,
        hasher: &hasher,
        room: &room,
        unique: &unique,
    };
    let merged = Mutex::new(Merged::new(matches!(syntax, Syntax::Json { .. })));
    let stop = AtomicBool::new(false);
    file.seek(SeekFrom::Start(start.0)).map_err(|error| table.error(error))?;
    let splitter = match syntax {
        Syntax::Csv { .. } => Splitter::quoted(),
        Syntax::Json { between: Between::Lines } => Splitter::Lines,
        Syntax::Json { between: Between::Commas } => Splitter::Elements(Elements::default()),
    };
    let limit = limits.record_bytes.min(1 << 30);
    let (give, take) = mpsc::sync_channel::<(usize, Chunk)>(threads);
    let take = Mutex::new(take);
    let outcome = std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((index, chunk)) = next else { break };
                    let found = if stop.load(Ordering::Relaxed)
                        && merged.lock().is_ok_and(|all| all.past_fault(index))
                    {
                        continue;
                    } else {
                        reader.survey(&chunk)
                    };
                    if found.is_err() {
                        stop.store(true, Ordering::Relaxed);
                    }
                    merged.lock().unwrap_or_else(PoisonError::into_inner).add(index, &chunk, found);
                }
            });
        }
        let mut index = 0;
        let mut too_long = None;
        let read = split(&*file, start, splitter, CHUNK, limit, |chunk, cut_short| {
            if cut_short {
                too_long = Some(chunk);
                return ControlFlow::Break(());
            }
            if stop.load(Ordering::Relaxed) || give.send((index, chunk)).is_err() {
                return ControlFlow::Break(());
            }
            index += 1;
            ControlFlow::Continue(())
        });
        drop(give);
        read.map(|()| too_long)
    });
    let merged = merged.into_inner().unwrap_or_else(PoisonError::into_inner);
    // The first fault in the file's order is the one to tell.
    if let Some((_, fault)) = merged.fault {
        return Err(told(table, file, &merged.segments, start, fault)?);
    }
    if let Some(chunk) = outcome? {
        return Err(overlong(&chunk, syntax, limit).into());
    }
    if merged.rows == 0 {
        let (what, hint) = if names.is_empty() {
            ("there are no rows", "A table has one object for each row.")
        } else {
            ("there is a header, but no rows", "Is this the right file?")
        };
        return Err(Malformed::new(what).at(start.1, start.2, start.0).hint(hint).into());
    }
    if let Some(limit) = limits.rows
        && merged.rows > limit
    {
        return Err(TabularError::too_large(
            "the table's rows",
            limit,
            "Give fewer rows, or raise the limit",
        ));
    }
    let keys: Vec<String> = merged.columns.keys().cloned().collect();
    if keys.len() > limits.columns {
        return Err(TabularError::too_large(
            "the table's columns",
            limits.columns as u64,
            "Rows of a table have the same keys",
        ));
    }
    if keys.is_empty() {
        return Err(Malformed::new("the objects have no keys")
            .at(start.1, start.2, start.0)
            .into());
    }
    debug_assert!(duplicates(&keys).is_none());
    let notes = notes(table, file, &merged, start)?;
    let Merged { columns, segments, kept, rows, .. } = merged;
    Ok(Survey { columns, segments, kept, rows, notes })
}

/// What is known so far, in the file's order.
#[derive(Debug)]
struct Merged {
    strict: bool,
    next: usize,
    waiting: BTreeMap<usize, (Segment, ChunkSurvey)>,
    columns: IndexMap<String, ColumnSurvey>,
    segments: Vec<Segment>,
    kept: Vec<Option<Kept>>,
    rows: u64,
    fault: Option<(usize, ChunkFault)>,
}

impl Merged {
    fn new(strict: bool) -> Self {
        Self {
            strict,
            next: 0,
            waiting: BTreeMap::new(),
            columns: IndexMap::new(),
            segments: Vec::new(),
            kept: Vec::new(),
            rows: 0,
            fault: None,
        }
    }

    fn past_fault(&self, index: usize) -> bool {
        self.fault.as_ref().is_some_and(|(at, _)| *at < index)
    }

    fn fail(&mut self, index: usize, fault: ChunkFault) {
        if self.fault.as_ref().is_none_or(|(at, _)| index < *at) {
            self.fault = Some((index, fault));
        }
    }

    fn add(&mut self, index: usize, chunk: &Chunk, found: Result<ChunkSurvey, ChunkFault>) {
        match found {
            Err(fault) => self.fail(index, fault),
            Ok(found) => {
                let Chunk { offset, line, column, ref bytes } = *chunk;
                let segment =
                    Segment { offset, line, column, bytes: bytes.len(), rows: found.rows };
                self.waiting.insert(index, (segment, found));
            }
        }
        while let Some((segment, found)) = self.waiting.remove(&self.next) {
            for (name, later) in found.columns {
                let Some(column) = self.columns.get_mut(&name) else {
                    self.columns.insert(name, later);
                    continue;
                };
                let since = later.since;
                if let Err(super::column::Mixed::Kinds { here, before, since: first }) =
                    column.merge(later, self.strict)
                {
                    let fault = Malformed::new("").byte(since);
                    self.fail(
                        self.next,
                        ChunkFault {
                            fault,
                            clash: Some(Box::new(Clash { name, here, before, since: first })),
                        },
                    );
                }
            }
            if segment.rows > 0 {
                self.segments.push(segment);
                self.kept.push(found.kept);
            }
            self.rows += segment.rows;
            self.next += 1;
        }
    }
}

/// The line and column of a byte of the file: found by reading from the chunk that it is in.
fn find(
    table: &TableFile,
    file: &mut File,
    segments: &[Segment],
    start: Start,
    offset: u64,
) -> Result<(u64, u64), TabularError> {
    let before = segments.iter().rev().find(|segment| segment.offset <= offset);
    let (from, line, column) =
        before.map_or(start, |segment| (segment.offset, segment.line, segment.column));
    let bytes = usize::try_from(offset.saturating_sub(from)).unwrap_or(usize::MAX);
    let read = table.read_at(file, from, bytes)?;
    Ok(locate(&read, line, column, read.len()))
}

/// A fault in words. One about clashing kinds says where the other kind stands.
fn told(
    table: &TableFile,
    file: &mut File,
    segments: &[Segment],
    start: Start,
    found: ChunkFault,
) -> Result<TabularError, TabularError> {
    let ChunkFault { fault, clash } = found;
    let Some(clash) = clash else { return Ok(fault.into()) };
    let Clash { name, here, before, since } = *clash;
    let (line, _) = find(table, file, segments, start, since)?;
    let message =
        format!("`{name}` is {} here, but {} in line {line}", here.words(), before.words());
    let made = Malformed::new(message)
        .hint("Write the column's values the same way in every row; a missing one as null.");
    Ok(match (fault.line, fault.column, fault.offset) {
        (Some(line), Some(column), Some(offset)) => made.at(line, column, offset),
        (_, _, Some(offset)) => {
            let (line, column) = find(table, file, segments, start, offset)?;
            made.at(line, column, offset)
        }
        _ => made,
    }
    .into())
}

/// A record that is too long: mostly a quote that is never closed, which its reader finds.
fn overlong(chunk: &Chunk, syntax: &Syntax, limit: usize) -> Malformed {
    if let Syntax::Csv { dialect, .. } = syntax
        && let Ok(text) = std::str::from_utf8(&chunk.bytes)
    {
        let (mut records, mut fields) = (Records::new(text, dialect), Vec::new());
        loop {
            match records.next(&mut fields) {
                Err((at, fault)) => return place(chunk, at, fault),
                Ok(true) => {}
                Ok(false) => break,
            }
        }
    }
    place(
        chunk,
        0,
        Malformed::new(format!("the record that starts here is longer than {limit} bytes"))
            .hint("Is this a table? If it is, raise the limit."),
    )
}

/// Columns that one row made text.
fn notes(
    table: &TableFile,
    file: &mut File,
    merged: &Merged,
    start: Start,
) -> Result<Vec<Note>, TabularError> {
    let mut notes = Vec::new();
    for (name, column) in &merged.columns {
        let (Kind::Text, Some((before, first))) = (column.kind, column.before) else { continue };
        let (line, _) = find(table, file, &merged.segments, start, column.since)?;
        let (first, _) = find(table, file, &merged.segments, start, first)?;
        let message = format!(
            "the column is text: it holds {} in line {first}, but not in line {line}",
            before.words()
        );
        notes.push(Note { column: name.clone(), line, message });
    }
    Ok(notes)
}
