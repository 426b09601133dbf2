//! One list at a time: ranks, exposures, and what is kept of them.

use std::collections::{BTreeSet, HashMap};

use arrow::{
    array::{AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::DataType,
};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
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

/// What is kept of some lists, for those of others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeptLists {
    dropped: u32,
    sums: HashMap<u32, HashMap<u64, Sums>>,
    count: u64,
    rows: u64,
    divergence: Vec<[Total; 2]>,
}

/// Reads lists, and keeps sums of each block of them. Lists whose names' hashes begin alike share a block; of few lists each has
/// its own. How much must be alike follows from the lists alone, and not from their order.
pub(super) struct Lists {
    top: f64,
    name: Option<String>,
    /// Of the list at hand: what orders it, and each row's cell.
    order: Vec<(f64, u32)>,
    /// The attributes' codes of each cell.
    codes: HashMap<u32, Vec<u32>>,
    /// By cell, then by block.
    pub sums: HashMap<u32, HashMap<u64, Sums>>,
    kept: usize,
    /// What the hashes of each block begin with.
    pub blocks: BTreeSet<u64>,
    /// So many low bits of the hashes are dropped.
    dropped: u32,
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
            blocks: BTreeSet::new(),
            dropped: 0,
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
            return Err(too_long());
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
        let name = self.name.as_deref().unwrap_or_default();
        let block = shortened(SipHasher13::new().hash(name.as_bytes()), self.dropped);
        self.blocks.insert(block);
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
        self.bound();
    }

    /// What is kept of all lists.
    pub(super) fn kept(&mut self) -> KeptLists {
        KeptLists {
            dropped: self.dropped,
            sums: std::mem::take(&mut self.sums),
            count: self.count,
            rows: self.rows,
            divergence: self.divergence.clone(),
        }
    }

    /// Adds what is kept of other lists, whose cells have these numbers here; `None` if one has none.
    pub(super) fn merge(&mut self, other: KeptLists, cells: &[u32]) -> Option<()> {
        self.shorten(other.dropped.min(u64::BITS).saturating_sub(self.dropped));
        for (cell, by_block) in other.sums {
            let mine = self.sums.entry(*cells.get(cell as usize)?).or_default();
            for (block, sums) in by_block {
                let block = shortened(block, self.dropped.checked_sub(other.dropped)?);
                self.blocks.insert(block);
                let before = mine.len();
                mine.entry(block).or_default().merge(&sums);
                self.kept += mine.len() - before;
            }
        }
        self.count = self.count.saturating_add(other.count);
        self.rows = self.rows.saturating_add(other.rows);
        for (mine, theirs) in self.divergence.iter_mut().zip(&other.divergence) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| mine.merge(theirs));
        }
        self.bound();
        Some(())
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.kept * 2 * size_of::<(u64, Sums)>()
            + self.sums.capacity() * size_of::<(u32, HashMap<u64, Sums>)>()
            + self.codes.capacity() * size_of::<(u32, Vec<u32>)>() * 2
            + self.order.capacity() * size_of::<(f64, u32)>()
    }

    /// Joins blocks until there are few enough.
    fn bound(&mut self) {
        if self.blocks.len() > MAX_BLOCKS {
            // At the first list too many almost all bits go: how many, the blocks say without their sums.
            let left = |bits| -> BTreeSet<u64> {
                self.blocks.iter().map(|block| shortened(*block, bits)).collect()
            };
            let enough = (1..=u64::BITS).find(|bits| left(*bits).len() <= MAX_BLOCKS);
            self.shorten(enough.unwrap_or(u64::BITS));
        }
        let is_over = |lists: &Self| {
            lists.kept > MAX_SUMS || lists.sums.len().saturating_mul(lists.blocks.len()) > MAX_ROOM
        };
        while is_over(self) && self.dropped < u64::BITS {
            self.shorten(1);
        }
    }

    /// Drops so many more bits.
    fn shorten(&mut self, bits: u32) {
        if bits == 0 {
            return;
        }
        self.dropped += bits;
        self.blocks = self.blocks.iter().map(|block| shortened(*block, bits)).collect();
        self.kept = 0;
        for by_block in self.sums.values_mut() {
            let mut joined: HashMap<u64, Sums> = HashMap::new();
            let mut old: Vec<(u64, Sums)> = by_block.drain().collect();
            old.sort_unstable_by_key(|(block, _)| *block);
            for (block, sums) in old {
                joined.entry(shortened(block, bits)).or_default().merge(&sums);
            }
            self.kept += joined.len();
            *by_block = joined;
        }
    }
}

/// A hash without its low bits.
fn shortened(hash: u64, dropped: u32) -> u64 {
    hash.checked_shr(dropped).unwrap_or(0)
}

/// A list is no list.
pub(super) fn too_long() -> AnalysisError {
    let message = format!("A list has more than {MAX_LIST} rows.");
    let fault = Fault::new("/list", "list_too_long", message)
        .hint("Name the column that says which list a row is of.");
    AnalysisError::Invalid(vec![fault])
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Lists of three rows of two cells.
    fn of(lists: impl Iterator<Item = usize>) -> Lists {
        let mut read = Lists::new(2, 1);
        for list in lists {
            for row in 0..3 {
                let cell = u32::from((list * 7 + row) % 3 == 0);
                read.add(&list.to_string(), row as f64, cell, std::iter::once(cell)).unwrap();
            }
        }
        read.finish();
        read
    }

    fn rows_by_block(lists: &Lists, cell: u32) -> Vec<(u64, u64)> {
        let mut found: Vec<(u64, u64)> =
            lists.sums[&cell].iter().map(|(block, sums)| (*block, sums.n)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn parts_in_any_order_have_the_blocks_of_the_whole() {
        for count in [3, 512, 5_000] {
            let whole = of(0..count);
            let (mut odd, mut even) = (of((1..count).step_by(2)), of((0..count).step_by(2).rev()));
            let mut merged = Lists::new(2, 1);
            merged.merge(odd.kept(), &[0, 1]).unwrap();
            merged.merge(even.kept(), &[0, 1]).unwrap();
            assert_eq!(merged.blocks, whole.blocks);
            assert_eq!((merged.count, merged.rows), (whole.count, whole.rows));
            for cell in [0, 1] {
                assert_eq!(rows_by_block(&merged, cell), rows_by_block(&whole, cell));
            }
            let few = count <= MAX_BLOCKS;
            let blocks = if few { count..=count } else { MAX_BLOCKS / 4..=MAX_BLOCKS };
            assert!(blocks.contains(&whole.blocks.len()), "{}", whole.blocks.len());
        }
        let mut one = of(0..1);
        assert!(Lists::new(2, 1).merge(one.kept(), &[]).is_none());
    }
}
