//! What gives a protected attribute away, though nobody asked for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::association::{Association, Filled, Moments, correlation_ratio, of_counts};
use crate::{
    AnalysisSpec,
    analysis::{Cells, places},
    cube::Cube,
    tally::{MISSING, NEGATIVE, POSITIVE},
};

/// A column beside a protected attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    /// The column.
    pub column: String,
    /// The protected attribute.
    pub attribute: String,
    /// Of a column of categories, or of whole numbers, which may be names (a postcode).
    pub association: Option<Association>,
    /// Of a column of numbers: the correlation ratio.
    pub correlation_ratio: Option<f64>,
    /// Cramér's V (corrected, but with weights) or the correlation ratio, whichever is stronger, to put them in order; `None` if
    /// the column has one value only.
    pub strength: Option<f64>,
}

impl Proxy {
    fn of_categories(column: &str, attribute: &str, cells: &[Filled], are_weights: bool) -> Self {
        let association = of_counts(cells, are_weights);
        Self {
            column: column.to_owned(),
            attribute: attribute.to_owned(),
            association,
            correlation_ratio: None,
            strength: association.map(|found| found.cramers_v_corrected.unwrap_or(found.cramers_v)),
        }
    }
}

/// The protected attributes beside one another, and the label beside each, if there is one.
pub(super) fn associations(cells: &Cells, cube: &Cube, spec: &AnalysisSpec) -> Vec<Proxy> {
    let mut found = Vec::new();
    for (attribute, name) in spec.protected.iter().enumerate() {
        let groups = cells.groups(cube, &[attribute]).all;
        let labels: Vec<Filled> = groups
            .iter()
            .enumerate()
            .flat_map(|(column, group)| {
                [NEGATIVE, POSITIVE].map(|row| {
                    let count = group.tally.label(row).w;
                    Filled { row, column, count }
                })
            })
            .collect();
        if let Some(target) = &spec.target {
            found.push(Proxy::of_categories(target, name, &labels, spec.weight.is_some()));
        }
    }
    let count = spec.protected.len();
    let pairs = (0..count).flat_map(|attribute| (0..count).map(move |column| (column, attribute)));
    for (column, attribute) in pairs.filter(|(column, attribute)| column != attribute) {
        found.push(categories(cells, cube, spec, column, attribute));
    }
    found
}

/// The column at a place among the spec's attributes beside each other attribute, as columns of categories.
pub fn of_category(cube: &Cube, spec: &AnalysisSpec, column: usize) -> Vec<Proxy> {
    let (cube, rows) = cube.finished();
    let cells = Cells::new(&cube, &rows);
    (0..spec.protected.len())
        .filter(|attribute| *attribute != column)
        .map(|attribute| categories(&cells, &cube, spec, column, attribute))
        .collect()
}

/// The cube's column of scores, which may be any column of numbers, beside each attribute.
pub fn of_number(cube: &Cube, spec: &AnalysisSpec) -> Vec<Proxy> {
    let (cube, rows) = cube.finished();
    let cells = Cells::new(&cube, &rows);
    let column = spec.score.as_deref().unwrap_or_default();
    spec.protected
        .iter()
        .enumerate()
        .map(|(at, attribute)| {
            let moments: Vec<Moments> = cells
                .groups(&cube, &[at])
                .all
                .iter()
                .map(|group| {
                    let mut sums = group.tally.labelled_scores();
                    sums += group.tally.scores[MISSING];
                    Moments { weight: sums.count.w, sum: sums.score, squares: sums.score2 }
                })
                .collect();
            let ratio = correlation_ratio(&moments);
            Proxy {
                column: column.to_owned(),
                attribute: attribute.clone(),
                association: None,
                correlation_ratio: ratio,
                strength: ratio,
            }
        })
        .collect()
}

/// One column, read as numbers and as categories: what both say of each attribute, in the order of the stronger.
pub(super) fn join(numbers: Vec<Proxy>, categories: Vec<Proxy>) -> Vec<Proxy> {
    let mut joined = numbers;
    for one in categories {
        match joined.iter_mut().find(|number| number.attribute == one.attribute) {
            Some(number) => {
                number.association = one.association;
                number.strength =
                    number.strength.into_iter().chain(one.strength).max_by(f64::total_cmp);
            }
            None => joined.push(one),
        }
    }
    joined
}

/// The most telling first.
pub fn sort(proxies: &mut [Proxy]) {
    let strength = |proxy: &Proxy| proxy.strength.unwrap_or(-1.0);
    proxies.sort_by(|left, right| strength(right).total_cmp(&strength(left)));
}

fn categories(
    cells: &Cells,
    cube: &Cube,
    spec: &AnalysisSpec,
    column: usize,
    attribute: usize,
) -> Proxy {
    let (rows, columns) = (places(cube, column), places(cube, attribute));
    let mut counts: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for cell in cells.order.iter().copied() {
        let codes = cube.index.codes(cell);
        let place = (rows[codes[column] as usize], columns[codes[attribute] as usize]);
        *counts.entry(place).or_default() += cells.tallies[cell].all.w;
    }
    let filled: Vec<Filled> = counts
        .into_iter()
        .map(|((row, column), count)| Filled { row: row as usize, column: column as usize, count })
        .collect();
    let (column, attribute) = (&spec.protected[column], &spec.protected[attribute]);
    Proxy::of_categories(column, attribute, &filled, spec.weight.is_some())
}
