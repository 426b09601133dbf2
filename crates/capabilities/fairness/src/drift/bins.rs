//! Bins of numbers by the reference's deciles, and what a plot shows.

use super::{Bin, Counts, Point};

/// How many bins there are at most between the reference's quantiles.
const BINS: u64 = 10;
/// How many categories a plot shows.
const SHOWN: usize = 12;

/// Bins of numbers: each holds what is above the bound before it, up to its own; the last holds the rest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bins {
    uppers: Vec<f64>,
    /// The first holds what is below all of the reference.
    has_below: bool,
}

impl Bins {
    /// The deciles of the reference's numbers, without repeats. Where a tenth or more have the least number, it has a bin of its
    /// own, apart from what is below.
    pub fn of(points: &[Point]) -> Self {
        let total: u64 = points.iter().map(|point| point.counts[0]).sum();
        let (mut uppers, mut below, mut next) = (Vec::new(), 0_u64, 1);
        for point in points.iter().filter(|point| point.counts[0] > 0) {
            below += point.counts[0];
            if next < BINS
                && u128::from(below) * u128::from(BINS) >= u128::from(next) * u128::from(total)
            {
                uppers.push(point.value);
                while u128::from(below) * u128::from(BINS) >= u128::from(next) * u128::from(total) {
                    next += 1;
                }
            }
        }
        let least = points.iter().find(|point| point.counts[0] > 0).map(|point| point.value);
        let has_below = least.is_some() && uppers.first().copied() == least;
        if let Some(least) = least.filter(|_| has_below) {
            uppers.insert(0, least.next_down());
        }
        Self { uppers, has_below }
    }

    /// How many of each table are in each bin.
    pub fn count(&self, points: &[Point]) -> Vec<Counts> {
        let mut cells = vec![[0; 2]; self.uppers.len() + 1];
        let mut bin = 0;
        for point in points {
            while self.uppers.get(bin).is_some_and(|upper| point.value > *upper) {
                bin += 1;
            }
            for (cell, count) in cells[bin].iter_mut().zip(point.counts) {
                *cell += count;
            }
        }
        cells
    }

    /// The bins for a plot, with each table's share.
    pub fn shown(&self, cells: &[Counts]) -> Vec<Bin> {
        let label = |lower: Option<f64>, upper: Option<f64>| match (lower, upper) {
            (None, Some(upper)) => format!("up to {}", short(upper)),
            (Some(lower), Some(upper)) => format!("{} to {}", short(lower), short(upper)),
            (Some(lower), None) => format!("over {}", short(lower)),
            (None, None) => "all".to_owned(),
        };
        let bin = |(at, [reference, current]): (usize, [f64; 2])| {
            let lower = at.checked_sub(1).and_then(|before| self.uppers.get(before)).copied();
            let upper = self.uppers.get(at).copied();
            let label = match (at, self.has_below, upper) {
                (0, true, Some(upper)) => format!("below {}", short(upper.next_up())),
                (1, true, Some(upper)) if lower.is_some_and(|lower| lower.next_up() == upper) => {
                    short(upper)
                }
                _ => label(lower, upper),
            };
            Bin { label, lower, upper, reference, current }
        };
        super::shares(cells).map_or_else(Vec::new, |shares| shares.enumerate().map(bin).collect())
    }
}

/// The most frequent categories for a plot, with the rest together.
pub(super) fn of_categories(named: &[(String, Counts)]) -> Vec<Bin> {
    let cells: Vec<Counts> = named.iter().map(|(_, counts)| *counts).collect();
    let Some(shares) = super::shares(&cells) else { return Vec::new() };
    let mut bins: Vec<Bin> = named
        .iter()
        .zip(shares)
        .map(|((label, _), [reference, current])| Bin {
            label: label.clone(),
            lower: None,
            upper: None,
            reference,
            current,
        })
        .collect();
    bins.sort_by(|left, right| {
        let both = |bin: &Bin| bin.reference + bin.current;
        both(right).total_cmp(&both(left)).then_with(|| left.label.cmp(&right.label))
    });
    if bins.len() > SHOWN {
        let rest = bins.split_off(SHOWN - 1);
        bins.push(Bin {
            label: format!("({} others)", rest.len()),
            lower: None,
            upper: None,
            reference: rest.iter().map(|bin| bin.reference).sum(),
            current: rest.iter().map(|bin| bin.current).sum(),
        });
    }
    bins
}

/// A number in few digits.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e7).contains(&size) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[(f64, u64, u64)]) -> Vec<Point> {
        values.iter().map(|(value, p, q)| Point { value: *value, counts: [*p, *q] }).collect()
    }

    #[test]
    fn deciles_hold_a_tenth_each() {
        let points: Vec<Point> =
            (1..=100).map(|value| Point { value: f64::from(value), counts: [1, 2] }).collect();
        let bins = Bins::of(&points);
        assert_eq!(bins.count(&points), vec![[10, 20]; 10]);
        assert_eq!(bins.shown(&bins.count(&points))[1].label, "10 to 20");
    }

    #[test]
    fn a_constant_has_a_bin_of_its_own() {
        let points = points(&[(-1.0, 0, 3), (2.0, 9, 4), (3.0, 0, 1)]);
        let bins = Bins::of(&points);
        assert_eq!(bins.count(&points), [[0, 3], [9, 4], [0, 1]]);
        let labels: Vec<String> =
            bins.shown(&bins.count(&points)).into_iter().map(|bin| bin.label).collect();
        assert_eq!(labels, ["below 2", "2", "over 2"]);
    }

    #[test]
    fn numbers_are_short() {
        let all = [0.0, -2.5, 1_234.567_89, 1e-9, 3e20].map(short);
        assert_eq!(all, ["0", "-2.5", "1234.5679", "1.000e-9", "3.000e20"]);
    }
}
