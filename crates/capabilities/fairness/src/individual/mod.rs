//! Are similar people treated alike?
//!
//! Each row's outcome is compared with that of the rows most like it in some features. Numbers are standardised (mean 0,
//! standard deviation 1); two rows that differ in a category are as far apart as two whose numbers differ by one standard
//! deviation.

mod consistency;
mod gathered;
mod matrix;
mod neighbours;
mod sample;
mod table;

use arrow::datatypes::{DataType, Schema};
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisSpec, Exclusion, Fault, Rows, StatusCounts,
    analysis::Estimated,
    frame::{
        Findings, GroupReader, Grouping, Joined, Measured, Need, Outcome, compare, excluded, line,
        require,
    },
    gather::{Question, gather},
    off_thread::off_thread,
};
pub use consistency::ABOUT;
pub(crate) use gathered::State;
pub use sample::{MAX_NUMBERS, MAX_ROWS, MIN_ASKED, WORK};

/// The most features.
pub const MAX_FEATURES: usize = 64;
/// The most neighbours.
pub const MAX_NEIGHBOURS: u32 = 1_000;

/// How alike similar people are treated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Individual {
    /// How many neighbours each row was compared with, itself among them.
    pub neighbours: u32,
    /// The columns that say who is like whom.
    pub features: Vec<String>,
    /// Rows among which neighbours were sought.
    pub among: u64,
    /// Rows whose neighbours were sought.
    pub asked: u64,
    /// Every usable row was compared with every other.
    pub exact: bool,
    /// What was found.
    #[serde(flatten)]
    pub findings: Findings,
}

/// What is wrong with the part of a spec that individual fairness needs.
pub(crate) fn faults(spec: &AnalysisSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    if spec.features.is_empty() {
        faults.push(
            Fault::new(
                "/features",
                "required",
                "Individual fairness compares each person with those most like them, and no column says who is like whom.",
            )
            .hint("Name as features the columns by which people are alike, such as income or skills; protected attributes seldom belong there."),
        );
    }
    if spec.features.len() > MAX_FEATURES {
        let message =
            format!("{} features are named; at most {MAX_FEATURES} can be.", spec.features.len());
        faults.push(Fault::new("/features", "too_many", message));
    }
    for (at, feature) in spec.features.iter().enumerate() {
        let place = format!("/features/{at}");
        if feature.is_empty() {
            faults.push(Fault::new(place.clone(), "required", "A feature has no name."));
        }
        if spec.features[..at].contains(feature) {
            let message = format!("`{feature}` is named twice.");
            faults.push(Fault::new(place.clone(), "duplicate", message));
        }
        let outcome = spec.prediction.as_ref().or(spec.score.as_ref()).or(spec.target.as_ref());
        if Some(feature) == outcome {
            let message = format!("`{feature}` is the outcome and a feature at once.");
            faults.push(
                Fault::new(place, "two_roles", message)
                    .hint("Who is like whom must not follow from how they are treated."),
            );
        }
    }
    if !(1..=MAX_NEIGHBOURS).contains(&spec.neighbours) {
        let message = format!(
            "{} neighbours are asked for; there can be 1 to {MAX_NEIGHBOURS}.",
            spec.neighbours
        );
        faults.push(Fault::new("/neighbours", "out_of_range", message).hint("5 is usual."));
    }
    faults
}

/// Faults of the features that show once the columns are known.
pub(crate) fn feature_faults(spec: &AnalysisSpec, schema: &Schema) -> Vec<Fault> {
    let check = |(at, name): (usize, &String)| {
        require(schema, &format!("/features/{at}"), name, "feature", Need::Anything)
    };
    spec.features.iter().enumerate().filter_map(check).collect()
}

/// How alike similar people are treated, by group: one pass over the data, then every row against every other.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn analyze(
    table: DataFrame,
    spec: &AnalysisSpec,
    cancel: &CancellationToken,
) -> Result<Individual, AnalysisError> {
    let schema = table.schema().as_arrow().clone();
    let mut found = faults(spec);
    found.extend(feature_faults(spec, &schema));
    if !found.is_empty() {
        return Err(AnalysisError::Invalid(found));
    }
    let grouping = Grouping::from(spec);
    let outcome = Outcome::of(spec);
    let columns: Vec<&str> = GroupReader::columns(&grouping)
        .chain([outcome.column()])
        .chain(spec.features.iter().map(String::as_str))
        .collect();
    let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let is_category = |name: &String| {
        let kind = schema.field_with_name(name).map(arrow::datatypes::Field::data_type);
        !kind.is_ok_and(|kind| kind.is_numeric() || *kind == DataType::Null)
    };
    let categories: Vec<bool> = spec.features.iter().map(is_category).collect();
    let state = State::new(spec.clone(), &categories);
    let question =
        || Question::Individual { spec: Box::new(spec.clone()), categories: categories.clone() };
    let state = gather(table, &columns, question, state, cancel).await?;
    let stop = cancel.clone();
    off_thread(move || state.report(&grouping, &stop)).await
}

impl State {
    fn report(
        self,
        grouping: &Grouping,
        stop: &CancellationToken,
    ) -> Result<Individual, AnalysisError> {
        let Self { spec, groups, outcome, features, missing } = self;
        let weight: f64 = features.weights.iter().sum();
        if let Some(nothing) = groups.nothing(features.used, weight) {
            return Err(nothing);
        }
        let mut excluded_rows: Vec<Exclusion> = Vec::new();
        if missing > 0 {
            let column = outcome.column();
            excluded_rows.push(excluded("missing_outcome", column, missing, "have no outcome"));
        }
        excluded_rows.extend(features.excluded(&spec.features));
        excluded_rows.extend(groups.excluded());
        let (used, among) = (features.used, features.cells.len());
        let by_name = groups.by_name();
        let mut ranks = vec![0; by_name.len()];
        by_name.iter().enumerate().for_each(|(rank, cell)| ranks[*cell] = rank);
        let matrix = features.standardised();
        let asked = sample::asked(&matrix, &ranks, spec.seed);
        let agreement = neighbours::agreement(&matrix, &asked, spec.neighbours, stop)?;

        let mut by_cell = vec![consistency::Sums::default(); groups.len()];
        for (row, agreement) in asked.iter().zip(&agreement) {
            by_cell[matrix.cells[*row] as usize].add(*agreement, matrix.weights[*row]);
        }
        let sum = |cells: &[usize]| {
            cells.iter().fold(consistency::Sums::default(), |sum, cell| sum.merged(by_cell[*cell]))
        };
        let everybody = sum(&by_name);
        let quantities = [ABOUT.quantity()];
        let (groupings, mut notes) = groups.groupings();
        let (mut faults, mut comparisons) = (Vec::new(), Vec::new());
        for attributes in &groupings {
            let measured: Vec<Measured> = groups
                .groups(attributes)
                .iter()
                .map(|group| measured(group, sum(&group.cells)))
                .filter(|group| group.n > 0)
                .collect();
            let names = groups.names(attributes);
            comparisons.push(compare(names, &measured, &quantities, grouping, true, &mut faults));
        }
        if !faults.is_empty() {
            return Err(AnalysisError::Invalid(faults));
        }
        let is_exact = asked.len() == among && used == among as u64;
        if asked.len() < among {
            notes.push(format!("The neighbours of {} rows, drawn at random of {among}, were sought: the intervals say how far all of them may be from that.", asked.len()));
        }
        if used > among as u64 {
            notes.push(format!("Neighbours were sought among {among} rows, drawn at random of {used}: of more rows, nearer ones would be found."));
        }
        let all = Joined { values: Vec::new(), name: "all".to_owned(), cells: Vec::new() };
        let findings = Findings {
            rows: Rows {
                read: groups.rows,
                used,
                weight: everybody.count.w,
                effective: everybody.count.effective(),
            },
            excluded: excluded_rows,
            overall: line(&measured(&all, everybody), &quantities, false, grouping.confidence),
            comparisons,
            notes,
            counts: StatusCounts::default(),
            status: None,
        };
        Ok(Individual {
            neighbours: spec.neighbours,
            features: spec.features,
            among: among as u64,
            asked: asked.len() as u64,
            exact: is_exact,
            findings: findings.judged(&[]),
        })
    }
}

fn measured(group: &Joined, sums: consistency::Sums) -> Measured {
    let metric: Estimated = sums.estimate();
    Measured {
        values: group.values.clone(),
        name: group.name.clone(),
        n: sums.count.n,
        weight: sums.count.w,
        metrics: vec![metric],
    }
}
