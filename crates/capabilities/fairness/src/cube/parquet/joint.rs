//! Rows counted by the combination of all their values, each by its code.

use std::sync::Arc;

use super::axis::{Axes, Shape};
use crate::cube::{Cube, CubeError, unreadable};

/// Combinations that go to a cube at once.
const BATCH: usize = 8192;

/// Counts of all combinations that a shape has room for.
#[derive(Debug)]
pub(super) struct Joint {
    pub shape: Arc<Shape>,
    counts: Vec<u32>,
    /// Rows counted; a count of 32 bits cannot overflow while this one does not.
    rows: u32,
}

impl Joint {
    pub(super) fn new(shape: Arc<Shape>) -> Self {
        Self { counts: vec![0; shape.len()], shape, rows: 0 }
    }

    pub(super) fn size(&self) -> usize {
        self.counts.capacity() * 4
    }

    /// Whether so many rows more can be counted.
    pub(super) fn has_room(&self, rows: u32) -> bool {
        self.rows.checked_add(rows).is_some()
    }

    /// Counts rows, which lie at these places. `false`: a place is none.
    pub(super) fn count(&mut self, places: &[u32]) -> bool {
        let counts = self.counts.as_mut_slice();
        for place in places {
            let Some(count) = counts.get_mut(*place as usize) else { return false };
            *count += 1;
        }
        self.rows += places.len() as u32;
        true
    }

    /// Adds another's counts, if it has the same shape and there is room; else gives it back.
    pub(super) fn absorb(&mut self, other: Self) -> Option<Self> {
        if !Arc::ptr_eq(&self.shape, &other.shape) || !self.has_room(other.rows) {
            return Some(other);
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.rows += other.rows;
        None
    }

    /// Adds what is counted to a cube.
    pub(super) fn pour(self, axes: &Axes, cube: &mut Cube) -> Result<(), CubeError> {
        // First a row of each cell, no times: then the cube makes room for all of them once.
        let mut cells: Vec<u32> = Vec::new();
        let cell = |place: u32| place / self.shape.innermost();
        for (place, _) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            if cells.last().is_none_or(|last| cell(*last) != cell(place as u32)) {
                cells.push(place as u32);
            }
        }
        for cells in cells.chunks(BATCH) {
            let columns = axes.columns(&self.shape, cells).map_err(unreadable)?;
            cube.update_times(&columns, &vec![0; cells.len()])?;
        }
        let (mut places, mut times) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut counts = self.counts.iter().enumerate().filter(|(_, count)| **count > 0).peekable();
        while counts.peek().is_some() {
            places.clear();
            times.clear();
            for (place, count) in counts.by_ref().take(BATCH) {
                places.push(place as u32);
                times.push(*count);
            }
            let columns = axes.columns(&self.shape, &places).map_err(unreadable)?;
            cube.update_times(&columns, &times)?;
        }
        Ok(())
    }
}
