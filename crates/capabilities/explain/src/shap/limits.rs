//! How much memory may be taken to make trees ready.

use std::ops::Range;

use crate::ExplainError;

/// How much memory may be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So much is made ready at a time.
    pub batch: usize,
    /// A tree that is walked as a whole, or one question of a tree that is cut, may take more alone, up to this.
    pub tree: usize,
    /// A part of a tree that is cut takes so much, unless it is one question: little, for all processors to have some.
    pub part: usize,
}

impl Limits {
    pub(super) const USUAL: Self = Self { batch: 256 << 20, tree: 1 << 30, part: 32 << 20 };

    /// Refuses a tree of a forest that takes more at once than may be.
    pub(super) fn fit(&self, tree: usize, nodes: usize, bytes: usize) -> Result<(), ExplainError> {
        if bytes <= self.tree {
            return Ok(());
        }
        Err(ExplainError::TooLarge { tree, nodes, mib: bytes >> 20, most: self.tree >> 20 })
    }

    /// Cuts what takes so many bytes each into batches, one after the other; what takes more than a batch is alone in it.
    pub(super) fn batches(&self, each: impl IntoIterator<Item = usize>) -> Vec<Range<usize>> {
        let (mut batches, mut start, mut end, mut room) = (Vec::new(), 0, 0, self.batch);
        for bytes in each {
            if bytes > room && end > start {
                batches.push(start..end);
                (start, room) = (end, self.batch);
            }
            room = room.saturating_sub(bytes);
            end += 1;
        }
        if end > start {
            batches.push(start..end);
        }
        batches
    }
}

/// All threads together may take so much for their walks.
pub(super) const WALKS: usize = 256 << 20;
/// An edge, with what a plan of tables remembers of it.
pub(super) const EDGE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_what_fits() {
        let limits = Limits { batch: 10, tree: 5 << 20, part: 1 };
        assert_eq!(limits.batches([5, 5, 1, 5, 20, 1]), [0..2, 2..4, 4..5, 5..6]);
        assert!(limits.batches([]).is_empty());
        assert!(limits.fit(0, 1, 5 << 20).is_ok());
        let refused = limits.fit(3, 7, 6 << 20).unwrap_err().to_string();
        assert!(refused.contains("tree 3 has 7 nodes") && refused.contains("6 MiB"), "{refused}");
    }
}
