//! How many nodes the trees of a model may have.

use crate::Malformed;

/// About 1.5 GB: where a leaf holds a number for each class, a file of few nodes stands for many.
const MOST_NODES: usize = 1 << 24;

/// The nodes that the trees of a model may still have.
pub(super) struct Room(usize);

impl Room {
    pub(super) fn new() -> Self {
        Self(MOST_NODES)
    }

    /// Takes `trees` trees of `nodes` each.
    pub(super) fn take(
        &mut self,
        trees: usize,
        nodes: usize,
        place: &str,
    ) -> Result<(), Malformed> {
        let left = trees.checked_mul(nodes).and_then(|nodes| self.0.checked_sub(nodes));
        self.0 = left.ok_or_else(|| {
            let message = format!("the trees of all classes have more than {MOST_NODES} nodes");
            Malformed::new(place, message)
        })?;
        Ok(())
    }
}
