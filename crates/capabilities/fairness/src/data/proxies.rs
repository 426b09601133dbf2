//! What gives a protected attribute away, though nobody asked for it.

use serde::{Deserialize, Serialize};

use super::association::{Association, Moments, correlation_ratio, of_counts};
use crate::{
    AnalysisSpec,
    analysis::Cells,
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
    /// Of a column of categories.
    pub association: Option<Association>,
    /// Of a column of numbers: the correlation ratio.
    pub correlation_ratio: Option<f64>,
    /// Cramér's V or the correlation ratio, to put them in order; `None` if the column has one value only.
    pub strength: Option<f64>,
}

impl Proxy {
    fn of_categories(column: &str, attribute: &str, counts: &[Vec<f64>]) -> Self {
        let association = of_counts(counts);
        Self {
            column: column.to_owned(),
            attribute: attribute.to_owned(),
            association,
            correlation_ratio: None,
            strength: association.map(|found| found.cramers_v),
        }
    }
}

/// The protected attributes beside one another, and the label beside each.
pub(super) fn associations(cells: &Cells, cube: &Cube, spec: &AnalysisSpec) -> Vec<Proxy> {
    let mut found = Vec::new();
    for (attribute, name) in spec.protected.iter().enumerate() {
        let labels: Vec<Vec<f64>> = cells
            .groups(cube, &[attribute])
            .all
            .iter()
            .map(|group| [NEGATIVE, POSITIVE].map(|label| group.tally.label(label).w).to_vec())
            .collect();
        let turned: Vec<Vec<f64>> =
            (0..2).map(|label| labels.iter().map(|row| row[label]).collect()).collect();
        found.push(Proxy::of_categories(&spec.target, name, &turned));
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
    let groups = cells.groups(cube, &[column, attribute]).all;
    let mut names: Vec<&str> = groups.iter().map(|group| group.values[1].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut table: Vec<(&str, Vec<f64>)> = Vec::new();
    // Groups come in the order of their values: those of one value of the column are together.
    for group in &groups {
        let value = group.values[0].as_str();
        if table.last().is_none_or(|(last, _)| *last != value) {
            table.push((value, vec![0.0; names.len()]));
        }
        if let (Some((_, row)), Ok(at)) =
            (table.last_mut(), names.binary_search(&group.values[1].as_str()))
        {
            row[at] += group.tally.all.w;
        }
    }
    let counts: Vec<Vec<f64>> = table.into_iter().map(|(_, row)| row).collect();
    Proxy::of_categories(&spec.protected[column], &spec.protected[attribute], &counts)
}
