//! From a table and a spec to a result.

mod attribute;
mod bins;
mod compare;
mod crowded;
mod direct;
mod draws;
mod estimates;
mod everybody;
mod evidence;
mod groups;
mod judge;
mod labels;
mod parity;
mod peers;
mod recommend;
mod remote;
mod scan;
mod sentences;
mod shares;
mod statistic;
mod strata;
mod summary;

use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

use crate::{
    AnalysisError, AnalysisResult, AnalysisSpec, AnalysisType, ENGINE_VERSION, Fault,
    cube::{Cube, limits::MAX_INTERSECTION_GROUPS},
    disparities::{self, Definition, Kind},
    fault::nearest,
    flips::{self, FlipSpec},
    individual, mitigation,
    off_thread::off_thread,
    result::{AttributeResult, Labels, PredictionSource, Rows},
    tally::Tally,
};
use attribute::{attribute_result, group};
use compare::Comparison;
pub use direct::counts_codes;
use draws::Draws;
use estimates::estimate_all;
pub(crate) use estimates::{Estimated, Sure, estimate};
use everybody::Everybody;
pub(crate) use evidence::{Evidence, counted};
pub(crate) use groups::{Cells, GroupTally, Groups, places};
use groups::{Has, SMALL_GROUPS_SHOWN};
pub(crate) use judge::{gap, judge_anew, judge_value, sum_up_anew};
pub(crate) use labels::{label_faults, resolve};
pub use remote::{Remote, RemoteError};
pub use scan::{column_faults, plan as scan_plan};
pub(crate) use scan::{describe, layout, read_error, unknown_column};
pub(crate) use sentences::number;
use strata::Within;

/// Who wants to know how far the scan is.
pub trait Progress: Send + Sync {
    /// `done` rows of `total` (if known) are read. Called a few times a second.
    fn rows(&self, done: u64, total: Option<u64>);
}

impl Progress for () {
    fn rows(&self, _done: u64, _total: Option<u64>) {}
}

impl<F: Fn(u64, Option<u64>) + Send + Sync> Progress for F {
    fn rows(&self, done: u64, total: Option<u64>) {
        self(done, total);
    }
}

/// Analyses `table` for bias.
///
/// Reads the columns that `spec` names once, in parallel, within bounded memory; where an attribute has more values than there are
/// codes, three times: those of its values with the most rows are kept, the others counted together and not compared. Of a table that is a whole Parquet file on
/// disk the codes are counted where they lie, without weights; anything else is read by DataFusion, text columns fastest as
/// `Dictionary(Int32, Utf8)`, see [`cube::dictionary_schema`](crate::cube::dictionary_schema). A table of a session that is
/// [`Remote`] is read by other machines. The result is the same.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of spec and data; [`AnalysisError::Cancelled`] soon after `cancel` is;
/// [`AnalysisError::Read`] if the data cannot be read to their end; [`AnalysisError::Remote`] if other machines should have.
pub async fn analyze(
    table: DataFrame,
    spec: &AnalysisSpec,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<AnalysisResult, AnalysisError> {
    let again = spec.needs_rows().then(|| table.clone());
    // What is read beside the cube, and the law's reports, tell all values apart.
    let crowded = if spec.law.is_some() || spec.needs_rows() {
        scan::Crowded::Refused
    } else {
        scan::Crowded::Pooled
    };
    let cube = read(table, spec, crowded, progress, cancel).await?;
    let asked = spec.clone();
    // The rest takes milliseconds, but all threads: not the runtime's.
    let (mut result, cube) = off_thread(move || Ok((analyze_cube(&cube, &asked)?, cube))).await?;
    if let Some(table) = again {
        // What few ask for is no part of every analysis' future.
        Box::pin(beside(&mut result, table, cube, spec, cancel)).await?;
    }
    Ok(result)
}

/// What is found of the rows themselves, beside what the cube says of them.
async fn beside(
    result: &mut AnalysisResult,
    table: DataFrame,
    cube: Cube,
    spec: &AnalysisSpec,
    cancel: &CancellationToken,
) -> Result<(), AnalysisError> {
    if spec.analysis_type == AnalysisType::IndividualFairness {
        result.take_individual(individual::analyze(table.clone(), spec, cancel).await?);
    }
    if let Some(flipped) = &spec.flipped {
        let asked = FlipSpec::beside(spec, flipped);
        result.take_flips(flips::analyze(table.clone(), &asked, cancel).await?);
    }
    if let Some(data) = &spec.data {
        result.data = Some(data.report(table, &cube, spec, cancel).await?);
    }
    Ok(())
}

/// Makes the cube of a table: [`analyze`] without the analysis, for reports that are made of the cube. An attribute of more values
/// than there are codes is refused, as such reports tell all of them apart.
///
/// # Errors
/// As [`analyze`].
pub async fn read_cube(
    table: DataFrame,
    spec: &AnalysisSpec,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Cube, AnalysisError> {
    read(table, spec, scan::Crowded::Refused, progress, cancel).await
}

async fn read(
    table: DataFrame,
    spec: &AnalysisSpec,
    crowded: scan::Crowded,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Cube, AnalysisError> {
    let mut faults = spec.faults();
    faults.extend(scan::column_faults(spec, table.schema().as_arrow()));
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    scan::scan(table, spec, crowded, progress, cancel).await
}

/// Analyses a cube: [`analyze`] without the scan, for cubes that were made elsewhere.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of the data.
pub fn analyze_cube(cube: &Cube, spec: &AnalysisSpec) -> Result<AnalysisResult, AnalysisError> {
    if cube.rows == 0 {
        let fault = Fault::new("/", "no_rows", "The data have no rows.")
            .hint("Check the file, and any filter in front of it.");
        return Err(AnalysisError::Invalid(vec![fault]));
    }
    let law = match &spec.law {
        Some(law) => law.reports(cube, spec)?,
        None => Vec::new(),
    };
    let (cube, rows) = cube.finished();
    let cube = &*cube;
    let labels = labels::resolve(cube, spec).map_err(AnalysisError::Invalid)?;
    let cells = Cells::new(cube, &rows);
    drop(rows);
    let whole = cells.overall();
    if whole.all.n == 0 || whole.all.w <= 0.0 {
        let column = spec.weight.as_deref().unwrap_or_default();
        let fault = Fault::new(
            "/weight",
            "no_weight",
            format!("`{column}` gives no row a weight above 0."),
        );
        return Err(AnalysisError::Invalid(vec![fault.hint("Weights are numbers of at least 0.")]));
    }
    let mut overall = estimate_all(&whole);

    let groupings = groupings(spec.protected.len(), spec.intersection_depth);
    let (groupings, skipped) = bounded(cube, spec, groupings);
    let mut faults = Vec::new();
    let mut comparisons = Vec::with_capacity(groupings.len());
    for attributes in &groupings {
        comparisons.push(comparison(cells.groups(cube, attributes), spec, &overall, &mut faults));
    }
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }

    let has = has(spec, &labels);
    let definitions: Vec<&Definition> = disparities::registry()
        .iter()
        .filter(|definition| has.allows(definition.needs))
        .filter(|definition| {
            spec.strata.is_some() || !matches!(definition.kind, Kind::Conditional { .. })
        })
        .collect();
    for comparison in &mut comparisons {
        comparison.within = Within::of(cube, &cells, comparison, spec, has);
    }
    let draws = Draws::make(spec, &cells, &comparisons, &definitions);
    draws.apply(&mut comparisons, &mut overall);

    let everybody = Everybody::new(&whole, &overall);
    let mut results: Vec<AttributeResult> = Vec::with_capacity(comparisons.len());
    for (position, comparison) in comparisons.iter().enumerate() {
        let disparities = definitions.iter().enumerate().map(|(index, definition)| {
            comparison.disparity(
                definition,
                spec,
                &everybody,
                labels.prediction,
                draws.interval(position, index),
            )
        });
        results.push(attribute_result(comparison, spec, &labels, disparities.collect()));
    }
    let data = recommend::Data {
        spec,
        labels: &labels,
        whole: &whole,
        width: mitigation::bin_width(cube),
    };
    let recommendations = recommend::recommend(&results, &comparisons, &data);
    let intersections = results.split_off(spec.protected.len());
    let all =
        GroupTally { values: Vec::new(), name: "all".to_owned(), is_rest: false, tally: whole };
    let (compliance_score, scored_disparities, left_out) = summary::compliance(&results, spec, has);
    Ok(AnalysisResult {
        engine_version: ENGINE_VERSION.to_owned(),
        seed: spec.seed,
        scores: summary::score_precision(cube, &cells, &all.tally, &comparisons, has.scores),
        rows: Rows {
            read: cube.rows,
            used: all.tally.all.n,
            weight: all.tally.all.w,
            effective: all.tally.all.effective(),
        },
        excluded: summary::excluded(cube, spec, &all.tally, &cells),
        overall: group(&all, &overall, false, spec, &labels),
        compliance_score,
        scored: scored_disparities,
        left_out,
        recommendations,
        warnings: [
            skipped,
            summary::warnings(cube, spec, &cells, &all.tally, &draws, &results, &intersections),
        ]
        .concat(),
        counts: summary::counts(&results, &intersections),
        status: results.iter().chain(&intersections).filter_map(|result| result.status).max(),
        attributes: results,
        intersections,
        labels,
        individual: None,
        flips: None,
        data: None,
        law,
        spec: spec.clone(),
    })
}

/// The attributes one by one, then their combinations: pairs, triples and so on to the depth.
pub(crate) fn groupings(attributes: usize, depth: Option<usize>) -> Vec<Vec<usize>> {
    let depth = depth.unwrap_or(attributes).clamp(1, attributes.max(1));
    let mut all: Vec<Vec<usize>> = (1_u32..1 << attributes)
        .map(|set| {
            (0..attributes).filter(|attribute| set >> attribute & 1 == 1).collect::<Vec<usize>>()
        })
        .filter(|set| set.len() <= depth)
        .collect();
    all.sort_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
    all
}

/// Those of the groupings that are small enough, and a sentence for each that is not.
pub(crate) fn bounded(
    cube: &Cube,
    spec: &AnalysisSpec,
    groupings: Vec<Vec<usize>>,
) -> (Vec<Vec<usize>>, Vec<String>) {
    let (mut kept, mut skipped) = (Vec::with_capacity(groupings.len()), Vec::new());
    for attributes in groupings {
        let count = if attributes.len() > 1 { Cells::count(cube, &attributes) } else { 0 };
        if count > MAX_INTERSECTION_GROUPS {
            let names = names(spec, &attributes).join("|");
            skipped.push(format!("{names} has {count} groups: combinations with more than {MAX_INTERSECTION_GROUPS} are not analysed."));
        } else {
            kept.push(attributes);
        }
    }
    (kept, skipped)
}

/// The names of attributes.
pub(crate) fn names(spec: &AnalysisSpec, attributes: &[usize]) -> Vec<String> {
    attributes.iter().map(|attribute| spec.protected[*attribute].clone()).collect()
}

fn comparison(
    groups: Groups,
    spec: &AnalysisSpec,
    overall: &[Estimated],
    faults: &mut Vec<Fault>,
) -> Comparison {
    let small = |group: &GroupTally| group.is_rest || group.tally.all.n < spec.min_group_size;
    let compared: Vec<usize> =
        (0..groups.all.len()).filter(|index| !small(&groups.all[*index])).collect();
    let (reference, no_reference) = reference(&groups, &compared, spec, faults);
    let show_small = groups.all.len() <= SMALL_GROUPS_SHOWN;
    let estimates = groups
        .all
        .iter()
        .map(
            |group| {
                if show_small || !small(group) { estimate_all(&group.tally) } else { Vec::new() }
            },
        )
        .collect();
    let of_all = groups.all.first().map(|group| &group.tally);
    let mut others = Tally {
        everybody: of_all.map_or(0.0, |tally| tally.everybody),
        everybody_selected: of_all.map_or(0.0, |tally| tally.everybody_selected),
        ..Tally::default()
    };
    if reference.is_some() {
        for index in compared.iter().filter(|index| Some(**index) != reference) {
            others.absorb(&groups.all[*index].tally);
        }
    }
    let mut comparison = Comparison {
        groups,
        estimates,
        compared,
        reference,
        no_reference,
        others: estimate_all(&others),
        values: statistic::Values::default(),
        within: None,
        tests: evidence::untested(),
        against: everybody::unknown(),
    };
    comparison.collect(&others, overall);
    comparison
}

/// The group that signed disparities compare with.
fn reference(
    groups: &Groups,
    compared: &[usize],
    spec: &AnalysisSpec,
    faults: &mut Vec<Fault>,
) -> (Option<usize>, Option<String>) {
    let names: Vec<Option<&String>> = groups
        .attributes
        .iter()
        .map(|attribute| spec.reference_groups.get(&spec.protected[*attribute]))
        .collect();
    let Some(named) =
        names.into_iter().map(|name| name.map(String::as_str)).collect::<Option<Vec<&str>>>()
    else {
        let largest = compared.iter().copied().rev().max_by(|left, right| {
            let weight = |index: usize| groups.all[index].tally.all.w;
            weight(*left).total_cmp(&weight(*right))
        });
        let why = largest.is_none().then(|| "all groups are below the least group size".to_owned());
        return (largest, why);
    };
    let name = named.join("|");
    match groups.all.iter().position(|group| group.values == named) {
        Some(index) if compared.contains(&index) => (Some(index), None),
        Some(index) if groups.all[index].is_rest => {
            (None, Some(format!("`{name}` is values that are counted together, and no group")))
        }
        Some(_) => {
            (None, Some(format!("the reference group `{name}` is below the least group size")))
        }
        None => {
            if let [attribute] = groups.attributes[..] {
                let attribute = &spec.protected[attribute];
                let known = groups.all.iter().map(|group| group.name.as_str());
                let message = format!("`{attribute}` has no group `{name}`.");
                let fault =
                    Fault::new(format!("/reference_groups/{attribute}"), "unknown_group", message);
                faults.push(match nearest(&name, known.clone()) {
                    Some(near) => fault.hint(format!("Did you mean `{near}`?")),
                    None => fault.hint(format!(
                        "Its groups are: {}.",
                        known.take(20).collect::<Vec<_>>().join(", ")
                    )),
                });
            }
            (None, Some(format!("there is no group `{name}`")))
        }
    }
}

/// Which columns there are, with predictions made of scores among them.
fn has(spec: &AnalysisSpec, labels: &Labels) -> Has {
    Has {
        labels: spec.target.is_some(),
        predictions: labels.prediction != PredictionSource::None,
        scores: spec.score.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groupings_go_from_single_attributes_to_the_depth() {
        assert_eq!(
            groupings(3, None),
            [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2], vec![1, 2], vec![0, 1, 2]]
        );
        assert_eq!(groupings(3, Some(1)), [[0], [1], [2]]);
        assert_eq!(groupings(1, Some(9)), [[0]]);
    }
}
