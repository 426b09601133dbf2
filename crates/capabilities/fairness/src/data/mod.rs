//! The data alone, before any model: who is in them, what is missing of whom, and what gives a protected attribute away.

mod asked;
pub mod association;
pub mod completeness;
pub mod proxies;
pub mod representation;

use arrow::datatypes::Schema;
use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisSpec, AnalysisType, Fault,
    analysis::{Cells, bounded, column_faults, estimate, groupings, names, read_cube, resolve},
    cube::Cube,
    result::Interval,
    tally::{MISSING, Tally},
};
pub use asked::{DataSpec, MAX_FEATURES};
use completeness::Completeness;
use proxies::Proxy;
use representation::{Population, Representation};

const MISSING_COUNTS: &str = "A missing value of a column of categories is a value here: what is missing may give a group away as well. Rows without a number are in no correlation ratio.";

/// What the data are, by protected attribute and combination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataReport {
    /// Rows read.
    pub rows: u64,
    /// By each attribute, then by their combinations to the spec's depth.
    pub tables: Vec<Table>,
    /// How strongly the protected attributes, and the label, go together.
    pub associations: Vec<Proxy>,
    /// What else gives the protected attributes away, the most telling first.
    pub proxies: Vec<Proxy>,
    /// What the reader must know.
    pub notes: Vec<String>,
}

/// The groups of one attribute, or of several together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The attributes.
    pub attributes: Vec<String>,
    /// All groups.
    pub groups: Vec<Line>,
    /// Against the population, if its shares are given.
    pub representation: Option<Representation>,
    /// What is missing of every column but the label, by group; empty where there is too much to tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub completeness: Vec<Completeness>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name: its values joined by `|`.
    pub name: String,
    /// Its value of each attribute.
    pub values: Vec<String>,
    /// Its rows.
    pub n: u64,
    /// Its share of all rows (weighted, with weights).
    pub share: f64,
    /// The share of its rows that have a label.
    pub labelled: f64,
    /// The share of its labelled rows whose label is positive.
    pub base_rate: Option<f64>,
    /// The interval of that (Wilson).
    pub base_rate_interval: Option<Interval>,
}

/// Describes a table, what is missing of whom, and what its `features` give away: two passes over the data, one more for each
/// feature, two for one of whole numbers.
///
/// A feature of numbers is compared by its correlation ratio, any other by its categories; one of whole numbers, which may be
/// names, by both. What has too many categories is not compared by them, and a note says so. There is nothing to predict here:
/// the spec's type counts for nothing.
///
/// # Errors
/// As [`analyze`](crate::analyze), and with every fault of the population.
pub async fn describe(
    table: DataFrame,
    spec: &AnalysisSpec,
    features: &[String],
    population: &Population,
    cancel: &CancellationToken,
) -> Result<DataReport, AnalysisError> {
    describe_with(table, None, spec, features, population, cancel).await
}

/// The same where the rows are counted already, in a `cube` of these attributes before any other, this label and these weights:
/// one pass less.
pub(crate) async fn describe_with(
    table: DataFrame,
    cube: Option<&Cube>,
    spec: &AnalysisSpec,
    features: &[String],
    population: &Population,
    cancel: &CancellationToken,
) -> Result<DataReport, AnalysisError> {
    let spec = &AnalysisSpec {
        analysis_type: AnalysisType::default(),
        strata: None,
        // Labels are what data hold: without a name for them there is a fault, whatever else is named.
        target: Some(spec.target.clone().unwrap_or_default()),
        ..spec.clone()
    };
    let schema = table.schema().as_arrow().clone();
    let specs: Vec<(&String, AnalysisSpec)> = features
        .iter()
        .map(|feature| {
            let kind = kind(&schema, feature);
            (feature, beside(spec, feature, kind != Kind::Category))
        })
        .collect();
    let mut faults = Vec::new();
    for spec in std::iter::once(spec).chain(specs.iter().map(|(_, spec)| spec)) {
        for fault in spec.faults().into_iter().chain(column_faults(spec, &schema)) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
    }
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let mut report = match cube {
        Some(cube) => report(cube, spec, population)?,
        None => report(&read_cube(table.clone(), spec, &(), cancel).await?, spec, population)?,
    };
    completeness::fill(&mut report, table.clone(), spec, features, cancel).await?;
    for (feature, first) in specs {
        let mut found = proxies_of(&table, &first, feature, &mut report.notes, cancel).await?;
        if kind(&schema, feature) == Kind::WholeNumber {
            let second = beside(spec, feature, false);
            let more = proxies_of(&table, &second, feature, &mut report.notes, cancel).await?;
            found = proxies::join(found, more);
        }
        report.proxies.extend(found);
    }
    proxies::sort(&mut report.proxies);
    Ok(report)
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Category,
    Number,
    /// A number, or a name of digits.
    WholeNumber,
}

fn kind(schema: &Schema, column: &str) -> Kind {
    let Ok(field) = schema.field_with_name(column) else { return Kind::Category };
    match field.data_type() {
        kind if kind.is_integer() => Kind::WholeNumber,
        kind if kind.is_numeric() => Kind::Number,
        _ => Kind::Category,
    }
}

/// What reads one more column beside the protected attributes.
fn beside(spec: &AnalysisSpec, feature: &str, is_number: bool) -> AnalysisSpec {
    let mut spec = AnalysisSpec { prediction: None, score: None, ..spec.clone() };
    if is_number {
        spec.score = Some(feature.to_owned());
    } else {
        spec.protected.push(feature.to_owned());
        spec.intersection_depth = Some(1);
    }
    spec
}

/// What a feature says of each attribute, read as such a spec asks; nothing and a note, if it cannot be read so.
async fn proxies_of(
    table: &DataFrame,
    spec: &AnalysisSpec,
    feature: &str,
    notes: &mut Vec<String>,
    cancel: &CancellationToken,
) -> Result<Vec<Proxy>, AnalysisError> {
    let is_number = spec.score.is_some();
    match read_cube(table.clone(), spec, &(), cancel).await {
        Ok(cube) if is_number => Ok(proxies::of_number(&cube, spec)),
        Ok(cube) => Ok(proxies::of_category(&cube, spec, spec.protected.len() - 1)),
        Err(AnalysisError::Invalid(faults)) => {
            let role = if is_number { "numbers" } else { "categories" };
            let note =
                |fault: &Fault| format!("`{feature}` is not read as {role}: {}", fault.message);
            notes.extend(faults.iter().map(note));
            Ok(Vec::new())
        }
        Err(other) => Err(other),
    }
}

/// Describes a cube; `population` holds shares of groups, by attribute. What is missing of columns that a cube does not hold is
/// left out.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the population and the data.
pub fn report(
    cube: &Cube,
    spec: &AnalysisSpec,
    population: &Population,
) -> Result<DataReport, AnalysisError> {
    let groupings = groupings(spec.protected.len(), spec.intersection_depth);
    let (groupings, skipped) = bounded(cube, spec, groupings);
    let described: Vec<String> =
        groupings.iter().map(|attributes| names(spec, attributes).join("|")).collect();
    let mut faults = representation::faults(population, &described);
    if cube.rows == 0 {
        faults.push(Fault::new("/", "no_rows", "The data have no rows."));
    }
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let (cube, rows) = cube.finished();
    resolve(&cube, spec).map_err(AnalysisError::Invalid)?;
    let cells = Cells::new(&cube, &rows);
    if cells.everybody <= 0.0 {
        let fault = Fault::new("/weight", "no_weight", "No row has a weight above 0.");
        return Err(AnalysisError::Invalid(vec![fault]));
    }
    let tables = groupings
        .iter()
        .map(|attributes| table(&cells, &cube, spec, population, attributes, &mut faults))
        .collect();
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    Ok(DataReport {
        rows: cube.rows,
        tables,
        associations: proxies::associations(&cells, &cube, spec),
        proxies: Vec::new(),
        notes: std::iter::once(MISSING_COUNTS.to_owned()).chain(skipped).collect(),
    })
}

fn table(
    cells: &Cells,
    cube: &Cube,
    spec: &AnalysisSpec,
    population: &Population,
    attributes: &[usize],
    faults: &mut Vec<Fault>,
) -> Table {
    let groups = cells.groups(cube, attributes).all;
    let attributes = names(spec, attributes);
    let shares: Vec<(&str, &Tally)> =
        groups.iter().map(|group| (group.name.as_str(), &group.tally)).collect();
    let name = attributes.join("|");
    let expected = population.get(&name);
    let representation =
        expected.and_then(|expected| representation::compare(&shares, expected, spec.confidence));
    if expected.is_some() && representation.is_none() {
        faults.push(representation::nobody(&name, &shares));
    }
    Table {
        groups: groups
            .iter()
            .map(|group| line(&group.values, &group.tally, spec.confidence))
            .collect(),
        representation,
        completeness: Vec::new(),
        attributes,
    }
}

fn line(values: &[String], tally: &Tally, confidence: f64) -> Line {
    let base_rate = crate::metrics::find("base_rate")
        .map(|metric| estimate(metric.measure, tally, false).to_value(metric, confidence));
    Line {
        name: values.join("|"),
        values: values.to_vec(),
        n: tally.all.n,
        share: tally.all.w / tally.everybody,
        labelled: 1.0 - tally.label(MISSING).n as f64 / tally.all.n as f64,
        base_rate_interval: base_rate.as_ref().and_then(|rate| rate.interval.clone()),
        base_rate: base_rate.and_then(|rate| rate.value),
    }
}
