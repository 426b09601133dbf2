//! Small systems of linear equations.

/// A pivot that is so small a share of what stood there is nothing but rounding.
const NOTHING: f64 = 1e-11;

/// A symmetric matrix without negative eigenvalues, as a product of a triangle with itself. What depends on columns before it
/// is left out: its unknown is 0.
pub(crate) struct Factored {
    lower: Vec<f64>,
    size: usize,
}

impl Factored {
    /// Row by row, `size` times `size`.
    pub fn new(matrix: &[f64], size: usize) -> Self {
        let mut lower = vec![0.0; size * size];
        for column in 0..size {
            let (before, rest) = lower.split_at_mut((column + 1) * size);
            let own = &mut before[column * size..=column * size + column];
            let left: f64 = own[..column].iter().map(|value| value * value).sum();
            let there = matrix[column * size + column];
            let pivot = there - left;
            if pivot.is_nan() || pivot <= NOTHING * there.abs() {
                continue;
            }
            own[column] = pivot.sqrt();
            for row in column + 1..size {
                let line = &mut rest[(row - column - 1) * size..][..size];
                let known: f64 = own[..column].iter().zip(&*line).map(|(a, b)| a * b).sum();
                line[column] = (matrix[row * size + column] - known) / own[column];
            }
        }
        // The line of a column that was left out may hold numbers left of its pivot; they take no part.
        Self { lower, size }
    }

    /// The unknowns.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let size = self.size;
        let at = |row: usize, column: usize| self.lower[row * size + column];
        let mut found = right.to_vec();
        for row in 0..size {
            if at(row, row) == 0.0 {
                found[row] = 0.0;
                continue;
            }
            let known: f64 = (0..row).map(|column| at(row, column) * found[column]).sum();
            found[row] = (found[row] - known) / at(row, row);
        }
        for row in (0..size).rev() {
            if at(row, row) == 0.0 {
                continue;
            }
            let known: f64 = (row + 1..size).map(|below| at(below, row) * found[below]).sum();
            found[row] = (found[row] - known) / at(row, row);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_others_is_left_out() {
        let solved = Factored::new(&[4.0, 2.0, 2.0, 3.0], 2).solve(&[2.0, 5.0]);
        assert!((solved[0] + 0.5).abs() < 1e-12 && (solved[1] - 2.0).abs() < 1e-12);
        let solved = Factored::new(&[1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 4.0], 3);
        assert_eq!(solved.solve(&[3.0, 6.0, 8.0]), [3.0, 0.0, 2.0]);
        assert_eq!(Factored::new(&[0.0], 1).solve(&[1.0]), [0.0]);
    }
}
