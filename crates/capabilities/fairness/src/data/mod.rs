//! The data alone, before any model: who is in them, what is missing of whom, and what gives a protected attribute away.

pub mod association;
pub mod proxies;
pub mod representation;

use datafusion::prelude::DataFrame;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisSpec, Fault,
    analysis::{Cells, column_faults, estimate, groupings, read_cube},
    cube::Cube,
    result::Interval,
    tally::{MISSING, Tally},
};
use proxies::Proxy;
use representation::{Population, Representation};

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

/// Describes a table, and what its `features` give away: one pass over the data for each of them.
///
/// A feature of numbers is compared by its correlation ratio, any other by its categories; one that has too many of these is
/// left out, and a note says so.
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
    let schema = table.schema().as_arrow().clone();
    let is_number = |feature: &String| {
        schema.field_with_name(feature).is_ok_and(|field| field.data_type().is_numeric())
    };
    let specs: Vec<(&String, AnalysisSpec)> = features
        .iter()
        .map(|feature| (feature, beside(spec, feature, is_number(feature))))
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
    let cube = read_cube(table.clone(), spec, &(), cancel).await?;
    let mut report = report(&cube, spec, population)?;
    for (feature, spec) in specs {
        match read_cube(table.clone(), &spec, &(), cancel).await {
            Ok(cube) if spec.score.is_some() => {
                report.proxies.extend(proxies::of_number(&cube, &spec));
            }
            Ok(cube) => {
                let last = spec.protected.len() - 1;
                report.proxies.extend(proxies::of_category(&cube, &spec, last));
            }
            Err(AnalysisError::Invalid(faults)) => report.notes.extend(
                faults.iter().map(|fault| format!("`{feature}` is left out: {}", fault.message)),
            ),
            Err(other) => return Err(other),
        }
    }
    proxies::sort(&mut report.proxies);
    Ok(report)
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

/// Describes a cube; `population` holds shares of groups, by attribute.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the population and the data.
pub fn report(
    cube: &Cube,
    spec: &AnalysisSpec,
    population: &Population,
) -> Result<DataReport, AnalysisError> {
    let mut faults = representation::faults(population, spec);
    if cube.rows == 0 {
        faults.push(Fault::new("/", "no_rows", "The data have no rows."));
    }
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let (cube, rows) = cube.finished();
    let cells = Cells::new(&cube, &rows);
    if cells.everybody <= 0.0 {
        let fault = Fault::new("/weight", "no_weight", "No row has a weight above 0.");
        return Err(AnalysisError::Invalid(vec![fault]));
    }
    let tables = groupings(spec.protected.len(), spec.intersection_depth)
        .into_iter()
        .map(|attributes| {
            let groups = cells.groups(&cube, &attributes).all;
            let names: Vec<String> =
                attributes.iter().map(|attribute| spec.protected[*attribute].clone()).collect();
            let shares: Vec<(&str, &Tally)> =
                groups.iter().map(|group| (group.name.as_str(), &group.tally)).collect();
            let representation = population
                .get(&names.join("|"))
                .and_then(|expected| representation::compare(&shares, expected, spec.confidence));
            Table {
                groups: groups
                    .iter()
                    .map(|group| line(&group.values, &group.tally, spec.confidence))
                    .collect(),
                representation,
                attributes: names,
            }
        })
        .collect();
    Ok(DataReport {
        rows: cube.rows,
        tables,
        associations: proxies::associations(&cells, &cube, spec),
        proxies: Vec::new(),
        notes: vec![
            "A missing value is a value here: what is missing may give a group away as well."
                .to_owned(),
        ],
    })
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
