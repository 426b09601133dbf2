//! The categories that both rules compare: who is in them, who is not known, and who is left out.

use std::collections::BTreeMap;

use super::ReportOptions;
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    analysis::{Cells, GroupTally, Groups, bounded, groupings, names, places, resolve},
    cube::{Cube, MISSING_NAME},
    result::PredictionSource,
    significance::Selection,
    tally::{MISSING, NEGATIVE, POSITIVE, Tally},
};

/// The groups of a cube, as a report reads them.
pub(super) struct People {
    /// By one attribute, then by several together.
    pub tables: Vec<Table>,
    pub whole: Tally,
    pub prediction: PredictionSource,
    /// Every distinct score is kept.
    pub exact_scores: bool,
    /// Combinations that have too many categories, a sentence for each.
    pub skipped: Vec<String>,
}

/// What was decided, by stratum: by the place of its name among the strata.
pub(super) type Strata = BTreeMap<u32, Selection>;

/// The categories of one attribute, or of several together.
pub(super) struct Table {
    pub names: Vec<String>,
    pub categories: Vec<GroupTally>,
    /// People who are not known to be in one.
    pub unknown: Tally,
    /// What was decided on each category within each of its strata; empty without strata.
    pub strata: Vec<Strata>,
}

/// Reads a cube.
pub(super) fn people(
    cube: &Cube,
    spec: &AnalysisSpec,
    options: &ReportOptions,
) -> Result<People, AnalysisError> {
    let mut faults = options.faults(spec);
    if cube.rows == 0 {
        faults.push(Fault::new("/", "no_rows", "The data have no rows."));
    }
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    // The rules count all who are scored: whether a label is known is no matter of theirs.
    let (cube, rows) = cube.finished_with_unlabelled();
    let labels = resolve(&cube, spec).map_err(AnalysisError::Invalid)?;
    let cells = Cells::new(&cube, &rows);
    let stratum = options
        .strata
        .as_ref()
        .and_then(|strata| spec.protected.iter().position(|name| name == strata));
    let groupings = groupings(spec.protected.len(), spec.intersection_depth)
        .into_iter()
        .filter(|attributes| stratum.is_none_or(|stratum| !attributes.contains(&stratum)))
        .collect();
    let (groupings, skipped) = bounded(&cube, spec, groupings);
    let tables = groupings
        .iter()
        .map(|attributes| {
            table(&cells, &cube, spec, options, attributes, stratum, labels.prediction)
        })
        .collect();
    Ok(People {
        tables,
        whole: cells.overall(),
        prediction: labels.prediction,
        exact_scores: cube.histogram.binned.is_none(),
        skipped,
    })
}

fn table(
    cells: &Cells,
    cube: &Cube,
    spec: &AnalysisSpec,
    options: &ReportOptions,
    attributes: &[usize],
    stratum: Option<usize>,
    prediction: PredictionSource,
) -> Table {
    let groups = cells.groups(cube, attributes);
    let mut within = stratum
        .map_or_else(Vec::new, |stratum| by_stratum(cells, cube, &groups, stratum, prediction));
    let is_unknown = |value: &String| value == MISSING_NAME || options.unknown.contains(value);
    let (mut unknown, mut categories, mut strata) = (Tally::default(), Vec::new(), Vec::new());
    for (at, group) in groups.all.into_iter().enumerate() {
        if group.values.iter().any(is_unknown) {
            unknown.absorb(&group.tally);
        } else {
            categories.push(group);
            strata.extend(within.get_mut(at).map(std::mem::take));
        }
    }
    Table { names: names(spec, attributes), categories, unknown, strata }
}

/// What was decided on each group within the strata that it has: few of all that there are, where there are many.
fn by_stratum(
    cells: &Cells,
    cube: &Cube,
    groups: &Groups,
    stratum: usize,
    prediction: PredictionSource,
) -> Vec<Strata> {
    let places = places(cube, stratum);
    let mut within = vec![Strata::new(); groups.all.len()];
    for (cell, group) in groups.of_cell.iter().enumerate() {
        let Some(strata) = within.get_mut(*group) else { continue };
        let place = places[cube.index.codes(cell)[stratum] as usize];
        let sum = strata.entry(place).or_default();
        *sum = *sum + selection(&cells.tallies[cell], prediction);
    }
    within
}

/// What was decided on the people of a tally: by the prediction, or by the label if that is all there is.
pub(super) fn selection(tally: &Tally, prediction: PredictionSource) -> Selection {
    let (selected, rejected) = match prediction {
        PredictionSource::None => (tally.label(POSITIVE).n, tally.label(NEGATIVE).n),
        PredictionSource::Column | PredictionSource::Score => {
            (tally.predicted(POSITIVE).n, tally.predicted(NEGATIVE).n)
        }
    };
    Selection::new(selected, selected + rejected)
}

/// People of whom it is not known what was decided.
pub(super) fn undecided(tally: &Tally, prediction: PredictionSource) -> u64 {
    match prediction {
        PredictionSource::None => tally.label(MISSING).n,
        PredictionSource::Column | PredictionSource::Score => tally.predicted(MISSING).n,
    }
}

/// The column that says what was decided.
pub(super) fn outcome(spec: &AnalysisSpec, prediction: PredictionSource) -> String {
    match prediction {
        PredictionSource::Column => spec.prediction.clone().unwrap_or_default(),
        PredictionSource::Score => format!(
            "{} at least {}",
            spec.score.as_deref().unwrap_or_default(),
            spec.score_threshold
        ),
        PredictionSource::None => spec.target.clone().unwrap_or_default(),
    }
}

/// The category with the highest rate among those compared: of equal ones the largest.
pub(super) fn highest(
    selections: &[Selection],
    is_compared: impl Fn(usize) -> bool,
) -> Option<usize> {
    (0..selections.len()).rev().filter(|at| is_compared(*at) && selections[*at].of > 0).max_by(
        |left, right| {
            let of = |at: usize| (selections[at].rate().unwrap_or(0.0), selections[at].of);
            let (left, right) = (of(*left), of(*right));
            left.0.total_cmp(&right.0).then(left.1.cmp(&right.1))
        },
    )
}

/// Whether a rate is below four-fifths of the highest, a sign of adverse impact (29 CFR 1607.4 D). In whole numbers: by division,
/// exactly four-fifths may come out below.
pub(super) fn is_below_four_fifths(mine: Selection, highest: Selection) -> bool {
    5 * u128::from(mine.selected) * u128::from(highest.of)
        < 4 * u128::from(highest.selected) * u128::from(mine.of)
}

/// Whether a category has so small a share of all these people that it is left out.
pub(super) fn is_left_out(of: u64, everybody: u64, options: &ReportOptions) -> bool {
    options.exclude_below.is_some_and(|share| (of as f64) < share * everybody as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_four_fifths_is_not_below() {
        let below = |mine: (u64, u64), highest: (u64, u64)| {
            is_below_four_fifths(
                Selection::new(mine.0, mine.1),
                Selection::new(highest.0, highest.1),
            )
        };
        // As fractions of binary numbers, (40 / 60) / (50 / 60) is 0.7999999999999999.
        assert!(!below((40, 60), (50, 60)));
        assert!(below((39, 60), (50, 60)));
        assert!(below((399_999, 600_000), (50, 60)) && !below((400_001, 600_000), (50, 60)));
        assert!(!below((0, 5), (0, 6)), "nobody is below where nobody is selected");
    }
}
