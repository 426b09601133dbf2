//! What is kept of one list that is read in parts: its rows, until all of them are there.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use super::{MAX_LIST, RankingSpec, lists::too_long};
use crate::{
    AnalysisError,
    frame::{GroupReader, KeptGroups, floats},
    gather::{Gather, damaged, pack, unpack},
};

/// About how many bytes a list takes beside its rows: names of columns, and places.
const BESIDE: usize = 1024;

/// Rows of one list, in parts.
pub(crate) struct OneList {
    /// The column that orders it, and which way.
    order: (String, f64),
    groups: GroupReader,
    /// What orders it, and each row's cell.
    rows: Vec<(f64, u32)>,
    missing: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptRows {
    pub groups: KeptGroups,
    /// What orders it, and each row's cell.
    pub rows: Vec<(f64, u32)>,
    /// Rows without a score or a position.
    pub missing: u64,
}

impl OneList {
    pub(crate) fn new(spec: &RankingSpec) -> Self {
        Self {
            order: (spec.order().0.to_owned(), spec.order().1),
            groups: GroupReader::new(&spec.groups),
            rows: Vec::new(),
            missing: 0,
        }
    }

    fn bounded(&self) -> Result<(), AnalysisError> {
        if self.rows.len() > MAX_LIST { Err(too_long()) } else { Ok(()) }
    }
}

impl Gather for OneList {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), AnalysisError> {
        self.groups.read(batch)?;
        let (column, sign) = &self.order;
        for (row, number) in floats(batch, column)?.into_iter().enumerate() {
            if number.is_finite() {
                self.rows.push((number * *sign, self.groups.cells[row]));
            } else {
                self.missing += 1;
            }
        }
        self.bounded()
    }

    fn rows(&self) -> u64 {
        self.groups.rows
    }

    fn size(&self) -> usize {
        BESIDE + self.groups.size() + self.rows.capacity() * size_of::<(f64, u32)>()
    }

    fn kept(&mut self) -> Result<Vec<u8>, AnalysisError> {
        pack(&KeptRows {
            groups: self.groups.kept(),
            rows: std::mem::take(&mut self.rows),
            missing: self.missing,
        })
    }

    fn merge(&mut self, kept: &[u8]) -> Result<(), AnalysisError> {
        let kept: KeptRows = unpack(kept)?;
        let cells = self.groups.merge(&kept.groups)?;
        self.missing = self.missing.saturating_add(kept.missing);
        for (number, cell) in kept.rows {
            let cell = cells.get(cell as usize).ok_or_else(|| damaged("a row is of no group"))?;
            self.rows.push((number, *cell));
        }
        self.bounded()
    }
}
