//! Who is most like whom: every row against every other.

use std::thread;

use tokio_util::sync::CancellationToken;

use super::matrix::Matrix;
use crate::AnalysisError;

/// Squared distances that differ by less than this share are equal: they differ by rounding alone.
const EQUAL: f64 = 1e-12;

/// For each row asked about, 1 - |its outcome - the mean outcome of its nearest rows|, itself among them.
pub(super) fn agreement(
    matrix: &Matrix,
    asked: &[usize],
    neighbours: u32,
    stop: &CancellationToken,
) -> Result<Vec<f64>, AnalysisError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).clamp(1, 64);
    let share = asked.len().div_ceil(threads).max(1);
    let parts: Vec<Option<Vec<f64>>> = thread::scope(|scope| {
        let running: Vec<_> = asked
            .chunks(share)
            .map(|mine| scope.spawn(move || of_some(matrix, mine, neighbours, stop)))
            .collect();
        running.into_iter().map(|thread| thread.join().ok().flatten()).collect()
    });
    if stop.is_cancelled() {
        return Err(AnalysisError::Cancelled);
    }
    parts
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .map(|parts| parts.concat())
        .ok_or_else(|| AnalysisError::Engine("a search for neighbours ended early".to_owned()))
}

/// `None` if it was stopped.
fn of_some(
    matrix: &Matrix,
    asked: &[usize],
    neighbours: u32,
    stop: &CancellationToken,
) -> Option<Vec<f64>> {
    let mut distances: Vec<(f64, f64, f64)> = Vec::with_capacity(matrix.cells.len());
    let mut found = Vec::with_capacity(asked.len());
    for row in asked {
        if stop.is_cancelled() {
            return None;
        }
        distances.clear();
        distances.extend((0..matrix.cells.len()).map(|other| {
            (matrix.distance(*row, other), matrix.outcomes[other], matrix.weights[other])
        }));
        let mean = mean_of_nearest(&mut distances, f64::from(neighbours));
        found.push(1.0 - (matrix.outcomes[*row] - mean).abs());
    }
    Some(found)
}

/// The mean outcome of the nearest rows, as many as weigh so much. Rows that are equally far share the last places.
fn mean_of_nearest(distances: &mut [(f64, f64, f64)], wanted: f64) -> f64 {
    let (mut weight, mut sum) = (0.0, 0.0);
    let mut rest = distances;
    // With weights below 1 the first few may not weigh enough: then more are taken in order.
    let mut few = (wanted as usize).max(1);
    while !rest.is_empty() && weight < wanted {
        let at = few.min(rest.len()) - 1;
        rest.select_nth_unstable_by(at, |left, right| left.0.total_cmp(&right.0));
        let (head, tail) = rest.split_at_mut(at + 1);
        head.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let last = head[at].0;
        // All that are as far as the last of these belong to the same ring, wherever they lie.
        let limit = last * (1.0 + EQUAL);
        let mut equal = 0;
        for place in 0..tail.len() {
            if tail[place].0 <= limit {
                tail.swap(place, equal);
                equal += 1;
            }
        }
        let (ring, far) = tail.split_at_mut(equal);
        let mut rings: Vec<(f64, f64, f64)> = Vec::with_capacity(head.len());
        for (distance, outcome, mass) in head.iter().chain(ring.iter()) {
            match rings.last_mut() {
                Some(ring) if *distance <= ring.0 * (1.0 + EQUAL) => {
                    ring.1 += outcome * mass;
                    ring.2 += mass;
                }
                _ => rings.push((*distance, outcome * mass, *mass)),
            }
        }
        for (_, outcomes, mass) in rings {
            let taken = mass.min(wanted - weight);
            if taken <= 0.0 {
                break;
            }
            sum += outcomes * (taken / mass);
            weight += taken;
        }
        rest = far;
        few = few.saturating_mul(4);
    }
    sum / weight
}

impl Matrix {
    /// The squared distance of two rows.
    fn distance(&self, one: usize, other: usize) -> f64 {
        let row =
            |at: usize| self.numbers[at * self.width..(at + 1) * self.width].split_at(self.numeric);
        let ((numbers, categories), (others, their_categories)) = (row(one), row(other));
        let apart: f64 = numbers.iter().zip(others).map(|(one, other)| (one - other).powi(2)).sum();
        let different =
            categories.iter().zip(their_categories).filter(|(one, other)| one != other).count();
        apart + different as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_equally_far_share_the_last_places() {
        let mut rows = vec![(0.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 0.0, 1.0), (4.0, 0.0, 1.0)];
        assert_eq!(mean_of_nearest(&mut rows, 2.0), 0.75);
        assert_eq!(mean_of_nearest(&mut rows, 1.0), 1.0);
        assert_eq!(mean_of_nearest(&mut rows, 9.0), 0.5);
        let mut halves: Vec<(f64, f64, f64)> =
            (0..40).map(|at| (f64::from(at), f64::from(at % 2), 0.25)).collect();
        assert_eq!(mean_of_nearest(&mut halves, 5.0), 0.5);
    }
}
