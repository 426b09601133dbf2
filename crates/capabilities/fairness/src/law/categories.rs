//! The categories that both rules compare: who is in them, who is not known, and who is left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::ReportOptions;
use crate::{
    AnalysisError, AnalysisSpec, Fault,
    analysis::{Cells, GroupTally, groupings, resolve},
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
}

/// The categories of one attribute, or of several together.
pub(super) struct Table {
    pub names: Vec<String>,
    pub categories: Vec<GroupTally>,
    /// People who are not known to be in one.
    pub unknown: Tally,
    /// What was decided on each category within each stratum; empty without strata.
    pub strata: Vec<Vec<Selection>>,
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
    let (cube, rows) = cube.finished();
    let labels = resolve(&cube, spec).map_err(AnalysisError::Invalid)?;
    let cells = Cells::new(&cube, &rows);
    let stratum = options
        .strata
        .as_ref()
        .and_then(|strata| spec.protected.iter().position(|name| name == strata));
    let tables = groupings(spec.protected.len(), spec.intersection_depth)
        .into_iter()
        .filter(|attributes| stratum.is_none_or(|stratum| !attributes.contains(&stratum)))
        .map(|attributes| {
            table(&cells, &cube, spec, options, &attributes, stratum, labels.prediction)
        })
        .collect();
    Ok(People {
        tables,
        whole: cells.overall(),
        prediction: labels.prediction,
        exact_scores: cube.histogram.binned.is_none(),
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
    let groups = cells.groups(cube, attributes).all;
    let is_unknown = |value: &String| value == MISSING_NAME || options.unknown.contains(value);
    let (unknown_groups, categories): (Vec<GroupTally>, Vec<GroupTally>) =
        groups.into_iter().partition(|group| group.values.iter().any(is_unknown));
    let mut unknown = Tally::default();
    for group in &unknown_groups {
        unknown.absorb(&group.tally);
    }
    let strata = stratum.map_or_else(Vec::new, |stratum| {
        let within: Vec<usize> = attributes.iter().copied().chain([stratum]).collect();
        let parts = cells.groups(cube, &within).all;
        let mut by_category: HashMap<&[String], BTreeMap<&str, Selection>> = HashMap::new();
        for part in &parts {
            if let Some((stratum, values)) = part.values.split_last() {
                let strata = by_category.entry(values).or_default();
                strata.insert(stratum, selection(&part.tally, prediction));
            }
        }
        let names: BTreeSet<&str> =
            by_category.values().flat_map(BTreeMap::keys).copied().collect();
        categories
            .iter()
            .map(|category| {
                let mine = by_category.get(category.values.as_slice());
                let within = |name: &&str| mine.and_then(|strata| strata.get(*name)).copied();
                names.iter().map(|name| within(name).unwrap_or_default()).collect()
            })
            .collect()
    });
    let names = attributes.iter().map(|attribute| spec.protected[*attribute].clone()).collect();
    Table { names, categories, unknown, strata }
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
        PredictionSource::None => spec.target.clone(),
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

/// Whether a category has so small a share of all these people that it is left out.
pub(super) fn is_left_out(of: u64, everybody: u64, options: &ReportOptions) -> bool {
    options.exclude_below.is_some_and(|share| (of as f64) < share * everybody as f64)
}
