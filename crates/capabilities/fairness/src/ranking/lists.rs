//! One list at a time: ranks, exposures, and what is kept of them.

use std::collections::HashMap;

use arrow::{
    array::{AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};

use super::ndkl;
use crate::{
    AnalysisError, Fault,
    frame::{Total, column},
};

/// The most rows of one list.
pub const MAX_LIST: usize = 1 << 20;
/// The most blocks of lists whose sums are kept apart.
pub const MAX_BLOCKS: usize = 512;
/// The most (block, cell) that are kept; beyond, there are fewer blocks.
const MAX_SUMS: usize = 1 << 20;
/// The most cells times blocks: a report has room for each.
const MAX_ROOM: usize = 1 << 22;

/// What a cell has in some lists.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub n: u64,
    /// Sum of 1 / log2(1 + rank).
    pub exposure: Total,
    /// Rows in the top; rows of one score share its last places.
    pub top: Total,
}

impl Sums {
    pub(super) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.exposure.merge(&other.exposure);
        self.top.merge(&other.top);
    }
}

/// Reads lists, and keeps sums of each block of them.
pub(super) struct Lists {
    top: f64,
    name: Option<String>,
    /// Of the list at hand: what orders it, and each row's cell.
    order: Vec<(f64, u32)>,
    /// The attributes' codes of each cell.
    codes: HashMap<u32, Vec<u32>>,
    /// By cell, then by block.
    pub sums: HashMap<u32, HashMap<u32, Sums>>,
    kept: usize,
    pub blocks: usize,
    /// Lists.
    pub count: u64,
    /// Rows of them.
    pub rows: u64,
    /// The normalised divergence of each attribute: sum over lists and sum of squares.
    pub divergence: Vec<[Total; 2]>,
}

impl Lists {
    pub(super) fn new(top: u32, attributes: usize) -> Self {
        Self {
            top: f64::from(top),
            name: None,
            order: Vec::new(),
            codes: HashMap::new(),
            sums: HashMap::new(),
            kept: 0,
            blocks: MAX_BLOCKS,
            count: 0,
            rows: 0,
            divergence: vec![[Total::default(); 2]; attributes],
        }
    }

    /// Adds a row; rows of one list come together.
    pub(super) fn add(
        &mut self,
        name: &str,
        order: f64,
        cell: u32,
        codes: impl Iterator<Item = u32>,
    ) -> Result<(), AnalysisError> {
        if self.name.as_deref() != Some(name) {
            self.finish();
            self.name = Some(name.to_owned());
        }
        if self.order.len() >= MAX_LIST {
            let message = format!("A list has more than {MAX_LIST} rows.");
            let fault = Fault::new("/list", "list_too_long", message)
                .hint("Name the column that says which list a row is of.");
            return Err(AnalysisError::Invalid(vec![fault]));
        }
        self.codes.entry(cell).or_insert_with(|| codes.collect());
        self.order.push((order + 0.0, cell));
        Ok(())
    }

    /// Ends the list at hand.
    pub(super) fn finish(&mut self) {
        if self.order.is_empty() {
            return;
        }
        let mut order = std::mem::take(&mut self.order);
        order.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let block = (self.count % self.blocks as u64) as u32;
        let mut rank = 0;
        for tied in order.chunk_by(|left, right| left.0 == right.0) {
            let exposure: f64 =
                (rank..rank + tied.len()).map(discount).sum::<f64>() / tied.len() as f64;
            let top = (self.top - rank as f64).clamp(0.0, tied.len() as f64) / tied.len() as f64;
            for (_, cell) in tied {
                let sums = self.sums.entry(*cell).or_default();
                let sums = sums.entry(block).or_insert_with(|| {
                    self.kept += 1;
                    Sums::default()
                });
                sums.n += 1;
                sums.exposure.add(exposure);
                sums.top.add(top);
            }
            rank += tied.len();
        }
        for (attribute, divergence) in self.divergence.iter_mut().enumerate() {
            let code = |cell: u32| self.codes.get(&cell).map_or(0, |codes| codes[attribute]);
            let value = ndkl::of_list(&order, code);
            divergence[0].add(value);
            divergence[1].add(value * value);
        }
        self.count += 1;
        self.rows += order.len() as u64;
        order.clear();
        self.order = order;
        let is_over = |lists: &Self| {
            lists.kept > MAX_SUMS || lists.sums.len().saturating_mul(lists.blocks) > MAX_ROOM
        };
        while is_over(self) && self.blocks > 1 {
            self.halve();
        }
    }

    /// Makes one block of two.
    fn halve(&mut self) {
        self.blocks /= 2;
        self.kept = 0;
        let half = self.blocks as u32;
        for by_block in self.sums.values_mut() {
            let mut merged: HashMap<u32, Sums> = HashMap::new();
            let mut old: Vec<(u32, Sums)> = by_block.drain().collect();
            old.sort_unstable_by_key(|(block, _)| *block);
            for (block, sums) in old {
                merged.entry(block % half).or_default().merge(&sums);
            }
            self.kept += merged.len();
            *by_block = merged;
        }
    }

    /// Blocks that hold lists.
    pub(super) fn filled(&self) -> usize {
        self.blocks.min(usize::try_from(self.count).unwrap_or(usize::MAX))
    }
}

/// How much a row is seen, so many rows before it.
pub(super) fn discount(before: usize) -> f64 {
    1.0 / (before as f64 + 2.0).log2()
}

/// The list that each row is of; a missing id is a list too.
pub(super) fn names(batch: &RecordBatch, list: &str) -> Result<StringArray, AnalysisError> {
    let array = cast(column(batch, list)?, &DataType::Utf8)
        .map_err(|error| AnalysisError::Read(error.into()))?;
    Ok(array.as_string::<i32>().clone())
}
