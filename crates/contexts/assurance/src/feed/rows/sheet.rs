//! The rows of a batch, cell by cell, and what is wrong with them.

use std::collections::HashMap;

use ephor_kernel::{Code, Problem};

use super::{
    super::columns::{FeedColumn, FeedType, MOST_COLUMNS, name_fault},
    Batch, MAX_BATCH_ROWS, Refused,
    cell::Cell,
    faults::Faults,
    too_many,
};

/// Cells of a batch, at most: what is kept of each in memory is more than its text.
const MAX_CELLS: usize = 1_000_000;

/// The rows that were read so far. Only those that are whole are kept.
pub(super) struct Sheet {
    names: Vec<String>,
    index: HashMap<String, usize>,
    /// The types, when they are known.
    kinds: Option<Vec<FeedType>>,
    rows: Vec<Vec<Cell>>,
    /// By what people find each row that is kept: its number, and its line or number in words.
    places: Vec<(usize, String)>,
    read: usize,
    cells: usize,
    faults: Faults,
}

impl Sheet {
    pub(super) fn new(columns: &[FeedColumn]) -> Self {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        Self {
            index: names.iter().cloned().zip(0..).collect(),
            names,
            kinds: (!columns.is_empty()).then(|| columns.iter().map(|it| it.kind).collect()),
            rows: Vec::new(),
            places: Vec::new(),
            read: 0,
            cells: 0,
            faults: Faults::default(),
        }
    }

    /// A row that could not be read as one.
    pub(super) fn broken(
        &mut self,
        place: &str,
        code: &'static str,
        why: &str,
    ) -> Result<(), Problem> {
        let row = self.begin()?;
        self.faults.add((row, place), None, code, why);
        Ok(())
    }

    /// A row. The first one fixes the names, when they are not known.
    pub(super) fn row(&mut self, place: &str, given: Vec<(String, Cell)>) -> Result<(), Problem> {
        let at = (self.begin()?, place);
        let faults_before = self.faults.count();
        if self.names.is_empty() {
            self.fix_names(at, &given);
        }
        let mut cells: Vec<Option<Cell>> = vec![None; self.names.len()];
        for (name, cell) in given {
            let Some(slot) = self.index.get(&name).and_then(|column| cells.get_mut(*column)) else {
                // Without names, the row was refused for them.
                if !self.names.is_empty() {
                    let why = "the row feed has no such column";
                    self.faults.add(at, Some(&name), "unknown_column", why);
                }
                continue;
            };
            if slot.replace(cell).is_some() {
                self.faults.add(at, Some(&name), "repeated", "it stands there twice");
            }
        }
        for (name, cell) in self.names.iter().zip(&cells) {
            if cell.is_none() {
                let why = "it is missing; send null for what is not known";
                self.faults.add(at, Some(name), "missing", why);
            }
        }
        if faults_before == self.faults.count() {
            self.cells += cells.len();
            if self.cells > MAX_CELLS {
                return Err(Problem::new(
                    Code::TooLarge,
                    format!("A batch has at most {MAX_CELLS} values; send its rows in several"),
                ));
            }
            self.rows.push(cells.into_iter().flatten().collect());
            self.places.push((at.0, place.to_owned()));
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<usize, Problem> {
        if self.read == MAX_BATCH_ROWS {
            return Err(too_many());
        }
        self.read += 1;
        Ok(self.read - 1)
    }

    fn fix_names(&mut self, at: (usize, &str), given: &[(String, Cell)]) {
        if given.is_empty() {
            self.faults.add(at, None, "missing", "there are no columns");
        } else if given.len() > MOST_COLUMNS {
            let why = format!("a row has at most {MOST_COLUMNS} columns");
            self.faults.add(at, None, "too_many", &why);
        } else if let Some(why) = given.iter().find_map(|(name, _)| name_fault(name)) {
            self.faults.add(at, None, "length", &why);
        } else {
            for (name, _) in given {
                if !self.index.contains_key(name) {
                    self.index.insert(name.clone(), self.names.len());
                    self.names.push(name.clone());
                }
            }
        }
    }

    /// The types that all rows agree with.
    fn infer(&mut self) -> Vec<FeedType> {
        let mut kinds = Vec::with_capacity(self.names.len());
        for (column, name) in self.names.iter().enumerate() {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let kind = Cell::common_type(cells);
            if kind.is_none() && !self.rows.is_empty() {
                let shown: String = name.chars().take(60).collect();
                self.faults.whole(
                    "no_type",
                    format!(
                        "Column `{shown}` has no value in the first batch, so its type is not known; \
                         give the row feed its columns, or send rows with a value first"
                    ),
                );
            }
            kinds.push(kind.unwrap_or(FeedType::Text));
        }
        kinds
    }

    /// The batch, or all that is wrong with it.
    pub(super) fn finish(mut self) -> Result<Batch, Refused> {
        if self.read == 0 {
            self.faults.whole("missing", "There are no rows in the body".to_owned());
        }
        let kinds = match self.kinds.take() {
            Some(kinds) => kinds,
            None => self.infer(),
        };
        let mut body = Vec::new();
        for (cells, (row, place)) in self.rows.iter().zip(&self.places) {
            let mut between = b'[';
            for ((cell, kind), name) in cells.iter().zip(&kinds).zip(&self.names) {
                body.push(between);
                between = b',';
                if let Err((code, why)) = cell.write(*kind, &mut body) {
                    self.faults.add((*row, place), Some(name), code, &why);
                }
            }
            body.extend_from_slice(b"]\n");
        }
        self.faults.refuse()?;
        let columns = self.names.into_iter().zip(kinds);
        Ok(Batch {
            columns: columns.map(|(name, kind)| FeedColumn { name, kind }).collect(),
            body,
            rows: self.rows.len(),
        })
    }
}
