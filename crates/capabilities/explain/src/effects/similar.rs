//! Categories in an order in which neighbours are alike.

use tokio_util::sync::CancellationToken;

use crate::{ExplainError, Rows, statistics::ascending};

/// Rounds of the power iteration; the order is settled long before.
const ROUNDS: usize = 500;

/// By classical scaling to one dimension of how far their rows are apart in the other features: the largest difference of
/// distribution functions for numbers, half of the sum of all differences of shares for categories. As R's `ALEPlot`.
pub(super) fn order(
    rows: &Rows,
    feature: usize,
    categories: &[f64],
    kinds: &[bool],
    cancel: &CancellationToken,
) -> Result<Vec<f64>, ExplainError> {
    let count = categories.len();
    if count < 3 {
        return Ok(categories.to_vec());
    }
    // The rows of each category. Those without one are of none.
    let mut own: Vec<Vec<&[f64]>> = vec![Vec::new(); count];
    for row in rows.iter().filter(|row| row[feature].is_finite()) {
        let place = categories.partition_point(|category| *category < row[feature]);
        if let Some(own) = own.get_mut(place) {
            own.push(row);
        }
    }
    let mut apart = vec![0.0; count * count];
    for other in (0..rows.width()).filter(|other| *other != feature) {
        let is_category = kinds.get(other).copied().unwrap_or(false);
        let values: Vec<Vec<f64>> =
            own.iter().map(|own| ascending(own.iter().map(|row| row[other]))).collect();
        for one in 0..count {
            if cancel.is_cancelled() {
                return Err(ExplainError::Cancelled);
            }
            for two in one + 1..count {
                let far = distance(&values[one], &values[two], is_category);
                apart[one * count + two] += far;
                apart[two * count + one] += far;
            }
        }
    }
    let places = scaled(&apart, count);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| places[*a].total_cmp(&places[*b]));
    // Of both directions, the one that begins with the lesser category.
    if order.first() > order.last() {
        order.reverse();
    }
    Ok(order.into_iter().map(|place| categories[place]).collect())
}

/// Of two samples in ascending order.
fn distance(one: &[f64], two: &[f64], is_category: bool) -> f64 {
    if one.is_empty() || two.is_empty() {
        return 0.0;
    }
    let (mut i, mut j, mut most, mut sum) = (0, 0, 0.0_f64, 0.0);
    while i < one.len() || j < two.len() {
        let value = match (one.get(i), two.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(a), None) => *a,
            (None, Some(b)) => *b,
            (None, None) => break,
        };
        let (before, after) = (i, j);
        i += one[i..].partition_point(|other| *other <= value);
        j += two[j..].partition_point(|other| *other <= value);
        let (a, b) = (one.len() as f64, two.len() as f64);
        most = most.max((i as f64 / a - j as f64 / b).abs());
        sum += ((i - before) as f64 / a - (j - after) as f64 / b).abs();
    }
    if is_category { sum / 2.0 } else { most }
}

/// Places on a line whose distances are as near as can be to those given.
fn scaled(apart: &[f64], count: usize) -> Vec<f64> {
    let square = |i: usize, j: usize| apart[i * count + j].powi(2);
    let means: Vec<f64> =
        (0..count).map(|i| (0..count).map(|j| square(i, j)).sum::<f64>() / count as f64).collect();
    let all = means.iter().sum::<f64>() / count as f64;
    let mut matrix = vec![0.0; count * count];
    for i in 0..count {
        for j in 0..count {
            matrix[i * count + j] = -0.5 * (square(i, j) - means[i] - means[j] + all);
        }
    }
    // Made positive by the largest sum of a line, so that the greatest eigenvalue is the farthest from 0.
    let shift = matrix
        .chunks_exact(count)
        .map(|line| line.iter().map(|cell| cell.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let mut places: Vec<f64> = (0..count).map(|place| (place as f64 + 1.0).sin()).collect();
    for _ in 0..ROUNDS {
        let next: Vec<f64> = matrix
            .chunks_exact(count)
            .zip(&places)
            .map(|(line, own)| {
                line.iter().zip(&places).map(|(cell, place)| cell * place).sum::<f64>()
                    + shift * own
            })
            .collect();
        let size = next.iter().map(|place| place * place).sum::<f64>().sqrt();
        if size <= 0.0 || !size.is_finite() {
            return (0..count).map(|place| place as f64).collect();
        }
        places = next.into_iter().map(|place| place / size).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_alike() {
        // Category 0 is like 3, 3 like 1, 1 like 2, by the second column.
        let place = [0.0, 20.0, 30.0, 10.0];
        let values = (0..400).flat_map(|row| {
            let category = row % 4;
            [category as f64, place[category] + (row / 4 % 25) as f64]
        });
        let rows = Rows::new(values.collect(), 2);
        let cancel = CancellationToken::new();
        let found = || order(&rows, 0, &[0.0, 1.0, 2.0, 3.0], &[true, false], &cancel);
        assert_eq!(found().unwrap(), [0.0, 3.0, 1.0, 2.0]);
        cancel.cancel();
        assert!(matches!(found(), Err(ExplainError::Cancelled)));
    }

    #[test]
    fn distances_are_of_distributions() {
        assert_eq!(distance(&[1.0, 2.0], &[1.0, 2.0], false), 0.0);
        assert_eq!(distance(&[1.0, 1.0], &[2.0], true), 1.0);
        assert_eq!(distance(&[1.0, 3.0], &[2.0, 3.0], false), 0.5);
    }
}
