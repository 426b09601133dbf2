//! One segment of a file, as batches of the columns that are asked for.

use std::{
    fs::File,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use arrow::{
    array::{RecordBatch, RecordBatchOptions},
    datatypes::SchemaRef,
    error::ArrowError,
};
use hashbrown::HashMap;

use super::{builder::Builder, provider::Delimited, recalled::Recalled};
use crate::{
    TabularError,
    csv::{Dialect, Records},
    file::changed,
    json::{Between, Rows, Token, unescape},
    split::Chunk,
    survey::{NullWords, Segment, Syntax},
};

/// Reads segments one after the other.
pub(crate) struct Decoder<'a> {
    table: &'a Delimited,
    schema: SchemaRef,
    /// The columns of the table that are asked for.
    projection: Vec<usize>,
    /// Which builder a column of the table goes to.
    wanted: Vec<Option<usize>>,
    builders: Vec<Builder>,
    batch_rows: usize,
    /// Opened for the first segment that is not kept.
    file: Option<File>,
}

/// What is kept of a segment, beside what is read of it anew.
struct Beside<'k, 'a> {
    /// By the place of the columns that are asked for.
    kept: &'k [Option<Recalled<'a>>],
    /// The segment's rows.
    rows: usize,
}

impl Beside<'_, '_> {
    const NOTHING: Self = Self { kept: &[], rows: 0 };
}

/// Arrays that do not go together.
pub(super) fn broken(error: ArrowError) -> TabularError {
    TabularError::from(datafusion::error::DataFusionError::from(error))
}

type Give<'g> = dyn FnMut(RecordBatch) -> ControlFlow<()> + 'g;

impl<'a> Decoder<'a> {
    /// For the columns that `projection` counts, as `schema` has them.
    pub(crate) fn new(
        table: &'a Delimited,
        projection: &[usize],
        schema: SchemaRef,
        batch_rows: usize,
    ) -> Self {
        let mut wanted = vec![None; table.columns.len()];
        let mut builders = Vec::with_capacity(projection.len());
        for (slot, &column) in projection.iter().enumerate() {
            wanted[column] = Some(slot);
            let (_, kind, repeats) = table.columns[column];
            builders.push(Builder::new(kind, repeats));
        }
        let projection = projection.to_vec();
        Self { table, schema, projection, wanted, builders, batch_rows, file: None }
    }

    /// Gives the batches of the segment at this place.
    pub(crate) fn read(
        &mut self,
        segment: usize,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        let table = self.table;
        let Segment { offset, line, column, bytes, rows } = table.segments[segment];
        if self.builders.is_empty() {
            return self.rows_alone(rows, give);
        }
        let kept = self.kept(segment)?;
        if kept.iter().all(Option::is_some) {
            return self.recalled(&kept, rows as usize, give);
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(table.file.open()?),
        };
        let bytes = table.file.read_at(file, offset, bytes)?;
        let chunk = Chunk { offset, line, column, bytes };
        let text = std::str::from_utf8(&chunk.bytes).map_err(|_| changed())?;
        match &table.syntax {
            Syntax::Csv { dialect, nulls } => {
                let beside = Beside { kept: &kept, rows: rows as usize };
                self.csv(text, dialect, nulls, &beside, give)
            }
            Syntax::Json { between } => self.json(text, *between, give),
        }
    }

    /// Of the columns that are asked for, those that are kept of the segment: each text is read once.
    fn kept(&self, segment: usize) -> Result<Vec<Option<Recalled<'a>>>, TabularError> {
        let table = self.table;
        let kept = table.kept.get(segment).and_then(Option::as_ref);
        let column = |at: &usize| -> Result<Option<Recalled<'a>>, TabularError> {
            let column = kept.and_then(|kept| kept.columns.get(*at)?.as_ref());
            let Some(column) = column else { return Ok(None) };
            let (_, kind, repeats) = table.columns[*at];
            let recalled = Recalled::new(kind, repeats, column)?.ok_or_else(changed)?;
            Ok(Some(recalled))
        };
        self.projection.iter().map(column).collect()
    }

    /// Gives batches of what is kept, all columns of it.
    fn recalled(
        &self,
        recalled: &[Option<Recalled<'_>>],
        rows: usize,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        for from in (0..rows).step_by(self.batch_rows.max(1)) {
            let some = from..rows.min(from + self.batch_rows.max(1));
            let columns = recalled.iter().flatten().map(|column| column.rows(some.clone()));
            let columns = columns.collect::<Result<Vec<_>, _>>().map_err(broken)?;
            if give(self.batch(columns, some.len())?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How many rows there are is known without reading them.
    fn rows_alone(
        &self,
        mut rows: u64,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        while rows > 0 {
            let some = rows.min(self.batch_rows as u64);
            if give(self.batch(Vec::new(), some as usize)?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rows -= some;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn batch(
        &self,
        columns: Vec<arrow::array::ArrayRef>,
        rows: usize,
    ) -> Result<RecordBatch, TabularError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(broken)
    }

    /// Gives these rows of the segment: what was read of them, and what is kept.
    fn flush(
        &mut self,
        rows: Range<usize>,
        beside: &Beside<'_, '_>,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        if rows.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        if rows.end > beside.rows && !beside.kept.is_empty() {
            return Err(changed().into());
        }
        let columns = self.builders.iter_mut().enumerate().map(|(slot, builder)| {
            match beside.kept.get(slot) {
                Some(Some(column)) => column.rows(rows.clone()),
                _ => builder.finish(),
            }
        });
        let columns = columns.collect::<Result<Vec<_>, _>>().map_err(broken)?;
        Ok(give(self.batch(columns, rows.len())?))
    }

    fn csv(
        &mut self,
        text: &str,
        dialect: &Dialect,
        nulls: &NullWords,
        beside: &Beside<'_, '_>,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        let (mut records, mut fields) = (Records::new(text, dialect), Vec::new());
        let (mut given, mut rows, mut scratch) = (0, 0, String::new());
        // What is kept need not be read.
        let is_read = |slot: &usize| beside.kept.get(*slot).is_none_or(Option::is_none);
        let wanted: Vec<Option<usize>> =
            self.wanted.iter().map(|slot| slot.filter(is_read)).collect();
        let width = wanted.len();
        while records.next(&mut fields).map_err(|_| changed())? {
            if fields.len() != width {
                continue;
            }
            for (slot, span) in wanted.iter().zip(&fields) {
                let Some(slot) = *slot else { continue };
                let field = span.text(text, &mut scratch);
                let builder = &mut self.builders[slot];
                if span.quoted && field.is_empty() {
                    builder.empty();
                } else if !span.quoted && nulls.holds(field) {
                    builder.null();
                } else if !builder.value(field) {
                    return Err(changed().into());
                }
            }
            rows += 1;
            if rows - given == self.batch_rows {
                if self.flush(given..rows, beside, give)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                given = rows;
            }
        }
        self.flush(given..rows, beside, give)
    }

    fn json(
        &mut self,
        text: &str,
        between: Between,
        give: &mut Give<'_>,
    ) -> Result<ControlFlow<()>, TabularError> {
        let table = self.table;
        let names: HashMap<&str, usize> = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, (name, _, _))| (name.as_str(), index))
            .collect();
        let (mut source, mut scratch, mut rows) = (Rows::new(text, between), String::new(), 0);
        let mut filled = vec![false; self.builders.len()];
        loop {
            let (mut expected, mut fits) = (0, true);
            let (wanted, builders, filled) = (&self.wanted, &mut self.builders, &mut filled);
            let found = source
                .next(|key, token, _| {
                    let index = match table.columns.get(expected) {
                        Some((name, _, _)) if name == key => expected,
                        _ => {
                            if let Some(index) = names.get(key) {
                                *index
                            } else {
                                fits = false;
                                return Ok(());
                            }
                        }
                    };
                    expected = index + 1;
                    let Some(slot) = wanted[index] else { return Ok(()) };
                    let builder = &mut builders[slot];
                    if std::mem::replace(&mut filled[slot], true) {
                        fits = false;
                        return Ok(());
                    }
                    match token {
                        Token::Null => builder.null(),
                        Token::Boolean(value) => fits &= builder.boolean(value),
                        Token::Integer(raw) | Token::Number(raw) | Token::Nested(raw) => {
                            fits &= builder.value(raw);
                        }
                        Token::Text(raw) => match unescape(raw, &mut scratch) {
                            Ok(text) => fits &= builder.value(text),
                            Err(_) => fits = false,
                        },
                    }
                    Ok(())
                })
                .map_err(|_| changed())?;
            if !fits {
                return Err(changed().into());
            }
            if found.is_none() {
                return self.flush(0..rows, &Beside::NOTHING, give);
            }
            for (builder, filled) in self.builders.iter_mut().zip(filled) {
                if !std::mem::replace(filled, false) {
                    builder.null();
                }
            }
            rows += 1;
            if rows == self.batch_rows {
                if self.flush(0..rows, &Beside::NOTHING, give)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                rows = 0;
            }
        }
    }
}
