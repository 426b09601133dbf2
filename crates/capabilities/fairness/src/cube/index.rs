//! Which cell a combination of attribute codes is.

use hashbrown::HashMap;

use super::limits::{MAX_CELLS, TooMany};

/// Up to so many bits of packed codes, cells are found in an array; beyond, by hashing.
const DENSE_BITS: u32 = 18;
const ABSENT: u32 = u32::MAX;

/// From a combination of codes to the number of its cell.
#[derive(Debug, Clone)]
pub(crate) struct CellIndex {
    attributes: usize,
    /// Bits reserved for each attribute's code.
    bits: Vec<u32>,
    dense: Vec<u32>,
    hashed: HashMap<u128, u32>,
    /// The codes of each cell, one after another.
    keys: Vec<u32>,
}

impl CellIndex {
    pub(crate) fn new(attributes: usize) -> Self {
        Self {
            attributes,
            bits: vec![0; attributes],
            dense: vec![ABSENT; 1],
            hashed: HashMap::new(),
            keys: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len() / self.attributes.max(1)
    }

    pub(crate) fn codes(&self, cell: usize) -> &[u32] {
        &self.keys[cell * self.attributes..(cell + 1) * self.attributes]
    }

    pub(crate) fn size(&self) -> usize {
        self.dense.capacity() * 4 + self.hashed.allocation_size() + self.keys.capacity() * 4
    }

    /// Makes room for codes of so many bits; packed codes made before are void if it says so.
    pub(crate) fn reserve(&mut self, needed: impl Iterator<Item = u32>) {
        let mut grown = false;
        for (have, need) in self.bits.iter_mut().zip(needed) {
            if need > *have {
                *have = need;
                grown = true;
            }
        }
        if grown {
            self.rebuild();
        }
    }

    fn is_dense(&self) -> bool {
        self.bits.iter().sum::<u32>() <= DENSE_BITS
    }

    fn rebuild(&mut self) {
        self.hashed = HashMap::new();
        self.dense = if self.is_dense() {
            vec![ABSENT; 1 << self.bits.iter().sum::<u32>()]
        } else {
            Vec::new()
        };
        for cell in 0..self.len() {
            let packed = self.pack(self.codes(cell));
            if self.is_dense() {
                self.dense[packed as usize] = cell as u32;
            } else {
                self.hashed.insert(packed, cell as u32);
            }
        }
    }

    fn pack(&self, codes: &[u32]) -> u128 {
        codes
            .iter()
            .zip(&self.bits)
            .rev()
            .fold(0, |packed, (code, bits)| packed << bits | u128::from(*code))
    }

    /// The cell of these codes, which must fit what was reserved.
    pub(crate) fn cell(&mut self, codes: &[u32]) -> Result<u32, TooMany> {
        let packed = self.pack(codes);
        self.find_or_add(packed, |keys| keys.extend_from_slice(codes))
    }

    fn find_or_add(
        &mut self,
        packed: u128,
        push: impl FnOnce(&mut Vec<u32>),
    ) -> Result<u32, TooMany> {
        let dense = self.is_dense();
        let found = if dense {
            self.dense[packed as usize]
        } else {
            self.hashed.get(&packed).copied().unwrap_or(ABSENT)
        };
        if found != ABSENT {
            return Ok(found);
        }
        let cell = self.len() as u32;
        if cell as usize >= MAX_CELLS {
            return Err(TooMany::Cells);
        }
        push(&mut self.keys);
        if dense {
            self.dense[packed as usize] = cell;
        } else {
            self.hashed.insert(packed, cell);
        }
        Ok(cell)
    }

    /// The cell of each row, from each attribute's codes.
    pub(crate) fn cells(
        &mut self,
        columns: &[Vec<u32>],
        cells: &mut Vec<u32>,
    ) -> Result<(), TooMany> {
        let rows = columns.first().map_or(0, Vec::len);
        cells.clear();
        if self.is_dense() {
            cells.resize(rows, 0);
            let mut shift = 0;
            for (column, bits) in columns.iter().zip(&self.bits) {
                for (packed, code) in cells.iter_mut().zip(column) {
                    *packed |= code << shift;
                }
                shift += bits;
            }
            for row in 0..rows {
                let packed = cells[row];
                let found = self.dense[packed as usize];
                cells[row] = if found == ABSENT {
                    self.find_or_add(u128::from(packed), |keys| {
                        keys.extend(columns.iter().map(|column| column[row]));
                    })?
                } else {
                    found
                };
            }
            return Ok(());
        }
        let mut codes = vec![0; columns.len()];
        let mut last = None;
        for row in 0..rows {
            for (code, column) in codes.iter_mut().zip(columns) {
                *code = column[row];
            }
            let packed = self.pack(&codes);
            let cell = match last {
                Some((before, cell)) if before == packed => cell,
                _ => self.find_or_add(packed, |keys| keys.extend_from_slice(&codes))?,
            };
            last = Some((packed, cell));
            cells.push(cell);
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn keeps_cells_while_codes_outgrow_the_array() {
        let mut index = CellIndex::new(2);
        index.reserve([2, 2].into_iter());
        let (mut cells, columns) = (Vec::new(), [vec![1, 2, 1, 3], vec![0, 1, 0, 3]]);
        index.cells(&columns, &mut cells).unwrap();
        assert_eq!(cells, [0, 1, 0, 2]);
        index.reserve([16, 16].into_iter());
        let columns = [vec![3, 60_000, 1], vec![3, 60_000, 0]];
        index.cells(&columns, &mut cells).unwrap();
        assert_eq!(cells, [2, 3, 0]);
        assert_eq!(index.codes(3), [60_000, 60_000]);
        assert_eq!(index.cell(&[2, 1]), Ok(1));
    }

    #[test]
    fn refuses_more_cells_than_its_limit() {
        let mut index = CellIndex::new(2);
        index.reserve([16, 16].into_iter());
        let mut refused = None;
        for a in 0..600 {
            for b in 0..600 {
                if let Err(error) = index.cell(&[a, b]) {
                    refused = Some(error);
                }
            }
        }
        assert_eq!((refused, index.len()), (Some(TooMany::Cells), MAX_CELLS));
    }
}
