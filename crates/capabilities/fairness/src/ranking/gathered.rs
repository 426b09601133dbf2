//! What is kept of lists: sums of blocks of them.

use arrow::{
    array::{AsArray, RecordBatch},
    datatypes::DataType,
};
use serde::{Deserialize, Serialize};

use super::{
    RankingSpec,
    lists::{self, KeptLists, Lists},
    one_list::KeptRows,
};
use crate::{
    AnalysisError,
    frame::{GroupReader, KeptGroups, column, floats},
    gather::{Gather, LIST, ROWS, damaged, opened, pack, unpack},
};

/// Many lists, of which the rows of each come together.
pub(crate) struct State {
    pub(super) spec: RankingSpec,
    pub(super) groups: GroupReader,
    pub(super) lists: Lists,
    /// Rows without a score or a position.
    pub(super) missing: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    groups: KeptGroups,
    lists: KeptLists,
    missing: u64,
}

impl State {
    pub(super) fn new(spec: &RankingSpec) -> Self {
        Self {
            groups: GroupReader::new(&spec.groups),
            lists: Lists::new(spec.top, spec.groups.protected.len()),
            missing: 0,
            spec: spec.clone(),
        }
    }

    /// Adds a list with its name, of which all rows are there.
    fn add_list(&mut self, name: &str, list: &[u8]) -> Result<(), AnalysisError> {
        let list: KeptRows = unpack(list)?;
        let cells = self.groups.merge(&list.groups)?;
        self.missing = self.missing.saturating_add(list.missing);
        for (number, cell) in list.rows {
            let cell = cells.get(cell as usize).ok_or_else(|| damaged("a row is of no group"))?;
            self.lists.add(name, number, *cell, self.groups.codes_of(*cell))?;
        }
        self.lists.finish();
        Ok(())
    }
}

impl Gather for State {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        let (column, sign) = self.spec.order();
        let numbers = floats(batch, column)?;
        let names = self.spec.list.as_ref().map(|list| lists::names(batch, list)).transpose()?;
        for (row, number) in numbers.into_iter().enumerate() {
            if !number.is_finite() {
                self.missing += 1;
                continue;
            }
            let name = names.as_ref().map_or("", |names| names.value(row));
            let codes = self.groups.codes(row);
            self.lists.add(name, number * sign, self.groups.cells[row], codes)?;
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        self.groups.size() + self.lists.size()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        self.lists.finish();
        pack(&Kept { groups: self.groups.kept(), lists: self.lists.kept(), missing: self.missing })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: Kept = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        self.missing = self.missing.saturating_add(kept.missing);
        self.lists.merge(kept.lists, &cells).ok_or_else(|| damaged("a list is of no group"))
    }
}

/// Many lists, each of which comes with its name and what was kept of its rows.
pub(crate) struct ManyLists(State);

impl ManyLists {
    pub(crate) fn new(spec: &RankingSpec) -> Self {
        Self(State::new(spec))
    }
}

impl Gather for ManyLists {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        let names = lists::names(batch, LIST)?;
        let rows = column(batch, ROWS)?;
        if *rows.data_type() != DataType::LargeBinary {
            return Err(damaged("lists have no rows"));
        }
        for (name, list) in names.iter().zip(rows.as_binary::<i64>()) {
            if let Some(list) = list {
                self.0.add_list(name.unwrap_or_default(), opened(list)?)?;
            }
        }
        Ok(())
    }

    fn rows(&self) -> u64 {
        self.0.rows()
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        self.0.kept()
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        self.0.merge(kept)
    }
}
