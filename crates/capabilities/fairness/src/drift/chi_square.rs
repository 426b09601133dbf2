//! Pearson's chi-square test of two tables' categories.

use super::{ColumnKind, Counts, registry::Definition, totals};
use crate::significance::chi_square::ChiSquare;

pub(super) const DEFINITION: Definition = Definition {
    id: "chi_square",
    title: "Chi-square test",
    formula: "sum over tables and categories of (seen - expected)² / expected, with k - 1 degrees of freedom",
    range: (0.0, f64::MAX),
    kinds: &[ColumnKind::Category],
    default_threshold: None,
    source: "Pearson 1900; SciPy chi2_contingency(correction=False)",
    edge_cases: "Undefined with fewer than two categories. Its p-value is rough where fewer than 5 rows of a category are expected. In large tables it finds differences that do not matter: there a distance decides.",
};

/// The test of the counts of categories; `None` if a table has no values, or the two have fewer than two categories.
pub fn chi_square(cells: &[Counts]) -> Option<ChiSquare> {
    let [reference, current] = totals(cells)?;
    let all = reference + current;
    let filled = cells.iter().filter(|[p, q]| p + q > 0);
    let part = |[p, q]: &Counts| {
        let both = (p + q) as f64;
        let apart = |seen: u64, total: f64| {
            let expected = both * total / all;
            (seen as f64 - expected).powi(2) / expected
        };
        apart(*p, reference) + apart(*q, current)
    };
    let degrees = (filled.clone().count() as u64).checked_sub(1)?;
    ChiSquare::of(filled.map(part).sum(), degrees)
}
