//! Reweighing (Kamiran and Calders 2012): w(group, label) = P(group) P(label) / P(group, label).

use super::curve::Outcome;

/// The factors of rows with a positive and with a negative label, for each group: of a cell without rows there is none.
///
/// With them the share of positive labels is the same in every group that has both labels, and weights sum to what they did.
pub(crate) fn factors(cells: &[[f64; 2]]) -> Vec<[Option<f64>; 2]> {
    let labels = cells.iter().fold([0.0, 0.0], |sum, cell| [sum[0] + cell[0], sum[1] + cell[1]]);
    let total = labels[0] + labels[1];
    cells
        .iter()
        .map(|cell| {
            let mine = cell[0] + cell[1];
            [0, 1].map(|label| {
                (cell[label] > 0.0).then(|| mine * labels[label] / (total * cell[label]))
            })
        })
        .collect()
}

/// The labels of a group as they weigh with factors.
pub(super) fn reweighed(cell: [f64; 2], factors: [Option<f64>; 2]) -> Outcome {
    Outcome {
        negatives: cell[0] * factors[0].unwrap_or(1.0),
        positives: cell[1] * factors[1].unwrap_or(1.0),
        ..Outcome::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_independent_of_groups() {
        let cells = [[30.0, 10.0], [20.0, 40.0]];
        let factors = factors(&cells);
        // P(group) P(label) / P(group, label) of the first group's negatives: 0.4 * 0.5 / 0.3.
        assert!((factors[0][0].unwrap_or_default() - 2.0 / 3.0).abs() < 1e-12);
        for (cell, factors) in cells.into_iter().zip(factors) {
            let after = reweighed(cell, factors);
            assert!((after.positives / (after.positives + after.negatives) - 0.5).abs() < 1e-12);
            assert!((after.positives + after.negatives - cell[0] - cell[1]).abs() < 1e-12);
        }
        assert_eq!(super::factors(&[[0.0, 5.0], [5.0, 5.0]])[0][0], None);
    }
}
