//! The rows that are compared, as numbers that can be.

use std::cmp::Ordering;

/// The rows, one after another.
pub(super) struct Matrix {
    /// Numbers and categories of a row.
    pub width: usize,
    /// Of these, so many are numbers, and come first.
    pub numeric: usize,
    pub numbers: Vec<f64>,
    pub cells: Vec<u32>,
    pub outcomes: Vec<f64>,
    pub weights: Vec<f64>,
}

impl Matrix {
    /// All rows in an order that does not depend on the one in which they came; `ranks` says where a cell is among all, by name.
    pub(super) fn ordered(&self, ranks: &[usize]) -> Vec<usize> {
        let numbers = |row: usize| &self.numbers[row * self.width..(row + 1) * self.width];
        let rest = |row: usize| [self.outcomes[row], self.weights[row]];
        let compare = |one: &[f64], other: &[f64]| {
            let mut each = one.iter().zip(other).map(|(one, other)| one.total_cmp(other));
            each.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let mut ordered: Vec<usize> = (0..self.cells.len()).collect();
        ordered.sort_unstable_by(|one, other| {
            compare(numbers(*one), numbers(*other))
                .then_with(|| compare(&rest(*one), &rest(*other)))
                .then_with(|| {
                    let rank = |row: usize| ranks[self.cells[row] as usize];
                    rank(*one).cmp(&rank(*other))
                })
        });
        ordered
    }
}
