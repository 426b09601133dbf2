//! How strongly two columns go together.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The association of two columns of categories.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Association {
    /// Cramér's V: 0 for none, 1 if one column follows from the other.
    pub cramers_v: f64,
    /// The same without its bias upwards in small samples of many categories (Bergsma 2013). `None` with weights: it rests on the
    /// number of rows.
    pub cramers_v_corrected: Option<f64>,
    /// Mutual information, in nats.
    pub mutual_information: f64,
    /// The share of the second column's entropy that knowing the first takes away: Theil's uncertainty coefficient.
    pub uncertainty: f64,
    /// The chi-square test's p: could chance alone have made it? `None` with weights, which are no people.
    pub p: Option<f64>,
}

/// A filled cell of a table of counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Filled {
    /// Its row, from 0.
    pub row: usize,
    /// Its column, from 0.
    pub column: usize,
    /// The rows of the data in it, or their weight.
    pub count: f64,
}

/// Association of the rows of a table of counts with its columns. `None` unless at least two rows and two columns are filled.
///
/// Each filled cell is named once; the empty ones of a large table are most of it, and are never made.
///
/// Source: Cramér 1946 (`SciPy` `contingency.association`); Bergsma 2013; Shannon 1948 (scikit-learn `mutual_info_score`);
/// Theil 1970.
pub fn of_counts(cells: &[Filled], are_weights: bool) -> Option<Association> {
    let cells = || cells.iter().filter(|cell| cell.count > 0.0);
    let rows = sums(cells().map(|cell| (cell.row, cell.count)));
    let columns = sums(cells().map(|cell| (cell.column, cell.count)));
    let total: f64 = rows.iter().sum();
    let filled = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count();
    let (r, c) = (filled(&rows), filled(&columns));
    if r < 2 || c < 2 {
        return None;
    }
    let (mut chi_square, mut information, mut reached) = (0.0, 0.0, 0.0);
    for cell in cells() {
        let expected = rows[cell.row] * columns[cell.column] / total;
        chi_square += (cell.count - expected).powi(2) / expected;
        information += cell.count / total * (cell.count / expected).ln();
        reached += expected;
    }
    // An empty cell adds what is expected of it; where there is none, the rest is but rounding.
    if cells().count() < r * c {
        chi_square += (total - reached).max(0.0);
    }
    let entropy: f64 = columns
        .iter()
        .filter(|column| **column > 0.0)
        .map(|column| -column / total * (column / total).ln())
        .sum();
    let (r, c) = (r as f64, c as f64);
    let phi2 = chi_square / total;
    let test = ChiSquared::new((r - 1.0) * (c - 1.0)).ok().filter(|_| !are_weights);
    Some(Association {
        cramers_v: (phi2 / (r.min(c) - 1.0)).sqrt().min(1.0),
        cramers_v_corrected: (!are_weights).then(|| corrected(phi2, r, c, total)),
        mutual_information: information.max(0.0),
        uncertainty: (information / entropy).clamp(0.0, 1.0),
        p: test.map(|test| test.sf(chi_square)),
    })
}

/// Bergsma's V of a table of so many rows and columns.
fn corrected(phi2: f64, r: f64, c: f64, total: f64) -> f64 {
    let phi2 = (phi2 - (r - 1.0) * (c - 1.0) / (total - 1.0)).max(0.0);
    let shrunk = |k: f64| k - (k - 1.0).powi(2) / (total - 1.0);
    let smaller = shrunk(r).min(shrunk(c)) - 1.0;
    if smaller > 0.0 { (phi2 / smaller).sqrt().min(1.0) } else { 0.0 }
}

/// The sum of the counts at each place.
fn sums(counts: impl Iterator<Item = (usize, f64)>) -> Vec<f64> {
    let mut sums: Vec<f64> = Vec::new();
    for (place, count) in counts {
        if place >= sums.len() {
            sums.resize(place + 1, 0.0);
        }
        sums[place] += count;
    }
    sums
}

/// What is known of a number in one group.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// Rows, or their weight.
    pub weight: f64,
    /// Sum of the number.
    pub sum: f64,
    /// Sum of its squares.
    pub squares: f64,
}

/// The correlation ratio eta: the root of the share of a number's variance that lies between groups. 0 for none, 1 if the group
/// says the number. `None` with fewer than two groups, or if the number is the same everywhere.
///
/// Source: Pearson 1905; Fisher 1925.
pub fn correlation_ratio(groups: &[Moments]) -> Option<f64> {
    let filled: Vec<&Moments> = groups.iter().filter(|group| group.weight > 0.0).collect();
    let weight: f64 = filled.iter().map(|group| group.weight).sum();
    let mean = filled.iter().map(|group| group.sum).sum::<f64>() / weight;
    if filled.len() < 2 {
        return None;
    }
    let between: f64 =
        filled.iter().map(|group| group.weight * (group.sum / group.weight - mean).powi(2)).sum();
    let within: f64 = filled
        .iter()
        .map(|group| (group.squares - group.sum * group.sum / group.weight).max(0.0))
        .sum();
    let all = between + within;
    // Rounding alone is no variance.
    let noise = 1e-12 * filled.iter().map(|group| group.squares).sum::<f64>();
    (all > noise).then(|| (between / all).sqrt().min(1.0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(table: &[Vec<f64>]) -> Vec<Filled> {
        let row = |(row, counts): (usize, &Vec<f64>)| -> Vec<Filled> {
            let cell = |(column, count): (usize, &f64)| Filled { row, column, count: *count };
            counts.iter().enumerate().map(cell).collect()
        };
        table.iter().enumerate().flat_map(row).collect()
    }

    #[test]
    fn one_column_that_says_the_other_is_1() {
        let of = |table: &[Vec<f64>]| of_counts(&filled(table), false);
        let found = of(&[vec![5.0, 0.0], vec![0.0, 7.0]]).unwrap();
        assert!((found.cramers_v - 1.0).abs() < 1e-12 && (found.uncertainty - 1.0).abs() < 1e-12);
        assert_eq!(of(&[vec![5.0, 3.0]]), None);
        assert_eq!(of(&[vec![5.0, 0.0], vec![4.0, 0.0]]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn weights_are_no_people() {
        let table = filled(&[vec![5.0, 2.0], vec![1.0, 7.0]]);
        let (people, weights) =
            (of_counts(&table, false).unwrap(), of_counts(&table, true).unwrap());
        assert!(people.p.is_some() && people.cramers_v_corrected.is_some());
        assert_eq!((weights.p, weights.cramers_v_corrected), (None, None));
        assert_eq!(weights.cramers_v, people.cramers_v);
    }

    #[test]
    fn of_a_large_table_only_what_is_filled_is_made() {
        let cell = |place: usize| Filled { row: place, column: place, count: 3.0 };
        let found = of_counts(&(0..60_000).map(cell).collect::<Vec<_>>(), true).unwrap();
        assert!((found.cramers_v - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.mutual_information - 60_000_f64.ln()).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn a_number_that_follows_from_the_group_is_1() {
        let group = |weight: f64, value: f64| Moments {
            weight,
            sum: weight * value,
            squares: weight * value * value,
        };
        let found = correlation_ratio(&[group(3.0, 1.0), group(4.0, 2.0)]).unwrap();
        assert!((found - 1.0).abs() < 1e-12);
        assert_eq!(correlation_ratio(&[group(3.0, 0.3), group(4.0, 0.3)]), None);
        assert_eq!(correlation_ratio(&[group(3.0, 1.0)]), None);
    }

    proptest! {
        #[test]
        fn order_of_categories_changes_nothing(table in prop::collection::vec(prop::collection::vec(0_u8..50, 3), 2..6)) {
            let table: Vec<Vec<f64>> = table.into_iter().map(|row| row.into_iter().map(f64::from).collect()).collect();
            let turned: Vec<Vec<f64>> = table.iter().rev().map(|row| row.iter().rev().copied().collect()).collect();
            let (one, two) = (of_counts(&filled(&table), false), of_counts(&filled(&turned), false));
            prop_assert_eq!(one.is_some(), two.is_some());
            if let (Some(one), Some(two)) = (one, two) {
                prop_assert!((one.cramers_v - two.cramers_v).abs() < 1e-9 && (one.uncertainty - two.uncertainty).abs() < 1e-9);
                prop_assert!(one.cramers_v_corrected.unwrap() <= one.cramers_v + 1e-9 && (0.0..=1.0).contains(&one.cramers_v));
            }
        }
    }
}
