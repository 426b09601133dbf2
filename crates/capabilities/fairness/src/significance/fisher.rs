//! Fisher's exact test of two groups, and its mid-p.

use super::Selection;

/// Tables as probable as the observed one, but for rounding, count as it does; R's `fisher.test` takes the same margin.
const TIE: f64 = 1.0 + 1e-7;

/// Fisher's exact p, two-sided: all tables of these margins that are no more probable than the observed one.
///
/// 1 if a margin is empty. Takes time with the square root of the rows, not with the rows.
///
/// Source: Fisher 1935; `SciPy` `fisher_exact`, R `fisher.test`.
pub fn exact(group: Selection, other: Selection) -> f64 {
    tails(group, other).map_or(1.0, |tails| tails.as_probable.min(1.0))
}

/// The mid-p of Fisher's test: the same, with half of the observed table's probability. Less conservative than [`exact`].
///
/// Source: Lancaster 1961; Lydersen, Fagerland, Laake 2009.
pub fn mid_p(group: Selection, other: Selection) -> f64 {
    tails(group, other).map_or(1.0, |tails| (tails.as_probable - tails.observed / 2.0).min(1.0))
}

struct Tails {
    /// Probability of the observed table.
    observed: f64,
    /// Of all that are no more probable.
    as_probable: f64,
}

fn tails(group: Selection, other: Selection) -> Option<Tails> {
    let (rows, selected) = (group.of + other.of, group.selected + other.selected);
    if group.of == 0 || other.of == 0 || selected == 0 || selected == rows {
        return None;
    }
    // How many of the group may be selected, given the margins.
    let least = selected.saturating_sub(other.of);
    let most = group.of.min(selected);
    // From one table to the next the probability changes by a ratio of whole numbers; the greatest counts as 1.
    let (n, m) = (group.of as f64, selected as f64);
    let rest = other.of as f64 - m;
    let next = |x: f64| (n - x) * (m - x) / ((x + 1.0) * (rest + x + 1.0));
    let mode = (((n + 1.0) * (m + 1.0) / (rows as f64 + 2.0)).floor() as u64).clamp(least, most);
    let mut weights = Vec::new();
    let mut weight = 1.0;
    for x in mode..most {
        weight *= next(x as f64);
        if weight < f64::MIN_POSITIVE {
            break;
        }
        weights.push((x + 1, weight));
    }
    weight = 1.0;
    for x in (least..mode).rev() {
        weight /= next(x as f64);
        if weight < f64::MIN_POSITIVE {
            break;
        }
        weights.push((x, weight));
    }
    weights.push((mode, 1.0));
    // The least first, so that none is lost in the sum.
    weights.sort_unstable_by(|left, right| left.1.total_cmp(&right.1));
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    // A table that is not there has a probability below all numbers.
    let observed =
        weights.iter().find(|(x, _)| *x == group.selected).map_or(0.0, |(_, weight)| *weight);
    let as_probable = weights
        .iter()
        .take_while(|(_, weight)| *weight <= observed * TIE)
        .map(|(_, weight)| weight)
        .fold(0.0, |sum, weight| sum + weight);
    Some(Tails { observed: observed / total, as_probable: as_probable / total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lady_tasting_tea() {
        // Fisher 1935: three of four cups right. 34 of the 70 ways are no more probable.
        let (group, other) = (Selection::new(3, 4), Selection::new(1, 4));
        assert!((exact(group, other) - 34.0 / 70.0).abs() < 1e-12);
        assert!((mid_p(group, other) - 26.0 / 70.0).abs() < 1e-12);
    }

    #[test]
    fn empty_margins_tell_nothing() {
        for (group, other) in [((0, 0), (3, 5)), ((0, 4), (0, 9)), ((4, 4), (9, 9))] {
            let (group, other) =
                (Selection::new(group.0, group.1), Selection::new(other.0, other.1));
            assert_eq!((exact(group, other), mid_p(group, other)), (1.0, 1.0));
        }
    }

    #[test]
    fn a_hundred_million_rows_take_no_longer_than_their_spread() {
        let (group, other) =
            (Selection::new(25_000_000, 50_000_000), Selection::new(25_002_000, 50_000_000));
        // The normal approximation is as good as exact here: z = -0.4.
        assert!((exact(group, other) - 0.689_2).abs() < 1e-3);
        assert_eq!(exact(Selection::new(0, 50_000_000), other), 0.0);
    }
}
