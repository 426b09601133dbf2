//! What a tree has to give for its rows.

use super::paths::Edge;

/// A tree whose features share out what its leaves give.
pub(super) trait Game: Send + Sync {
    /// Its edges.
    fn edges(&self) -> &[Edge<'_>];

    /// Adds what each feature adds for a row.
    fn walk(&self, row: &[f64], room: &mut Room, values: &mut [f64]);

    /// What the features of a leaf's path get of it, for each set of them that a row follows: set by set, in a set feature by
    /// feature. The sets' bits and the features stand in the order of the path.
    fn shares(&self, leaf: usize, path: &[usize]) -> Vec<f64>;

    /// About how long a walk takes, in nanoseconds.
    fn walk_takes(&self) -> f64;

    /// About how long it takes to share out one set of a leaf whose path has so many features, in nanoseconds.
    fn share_takes(&self, features: usize) -> f64;

    /// The memory that a walk takes, in bytes.
    fn room(&self) -> usize;
}

/// Room for what a walk remembers, kept from row to row.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub followed: Vec<bool>,
    pub numbers: Vec<f64>,
}
