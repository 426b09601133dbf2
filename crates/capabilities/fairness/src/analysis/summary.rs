//! The analysis as a whole: compliance score, excluded rows, warnings, counts.

use super::{
    compare::Comparison,
    draws::Draws,
    groups::{Cells, Has, SMALL_GROUPS_SHOWN, binning_error, describe_bins},
    judge::{gap, threshold},
};
use crate::{
    AnalysisSpec,
    cube::{Cube, MAX_KEPT, MISSING_NAME, OTHER_NAME},
    disparities::{self, DIFFERENCE_THRESHOLD},
    result::{
        AttributeResult, Exclusion, LeftOut, POOLED_VALUES, PredictionSource, ScorePrecision,
        ScoredDisparity, Status, StatusCounts,
    },
    score::compliance_score,
    tally::{MISSING, Tally},
};

/// The compliance score, what it was computed from, and what it had to leave out.
pub(crate) fn compliance(
    attributes: &[AttributeResult],
    spec: &AnalysisSpec,
    has: Has,
) -> (Option<f64>, Vec<ScoredDisparity>, Vec<LeftOut>) {
    let (mut scored, mut left_out) = (Vec::new(), Vec::new());
    let counted = disparities::registry()
        .iter()
        .filter(|definition| definition.scored && definition.family.judged_by(spec.analysis_type));
    for definition in counted {
        for attribute in attributes {
            let found =
                attribute.disparities.iter().find(|disparity| disparity.id == definition.id);
            match found.and_then(|disparity| disparity.value) {
                Some(value) => scored.push(ScoredDisparity {
                    attribute: attribute.name.clone(),
                    id: definition.id.clone(),
                    value: gap(definition.ideal, value),
                    threshold: threshold(definition, spec, PredictionSource::Column)
                        .unwrap_or(DIFFERENCE_THRESHOLD),
                }),
                None => left_out.push(LeftOut {
                    name: format!("{}: {}", attribute.name, definition.id),
                    reason: found.and_then(|disparity| disparity.undefined.clone()).unwrap_or_else(
                        || has.lacks(definition.needs).unwrap_or("it is not there").to_owned(),
                    ),
                }),
            }
        }
    }
    (
        compliance_score(scored.iter().map(|disparity| (disparity.value, disparity.threshold))),
        scored,
        left_out,
    )
}

/// How many judged disparities have which status.
pub(crate) fn counts(
    attributes: &[AttributeResult],
    intersections: &[AttributeResult],
) -> StatusCounts {
    let mut counts = StatusCounts::default();
    for status in attributes
        .iter()
        .chain(intersections)
        .flat_map(|result| &result.disparities)
        .filter_map(|disparity| disparity.status)
    {
        match status {
            Status::Pass => counts.pass += 1,
            Status::Warning => counts.warning += 1,
            Status::Fail => counts.fail += 1,
        }
    }
    counts
}

/// How scores were kept.
pub(crate) fn score_precision(
    cube: &Cube,
    cells: &Cells,
    whole: &Tally,
    comparisons: &[Comparison],
    scored: bool,
) -> Option<ScorePrecision> {
    if !scored {
        return None;
    }
    let groups = comparisons.iter().flat_map(|comparison| {
        comparison.compared.iter().map(|index| &comparison.group(*index).tally)
    });
    let (auc_error, ks_error) = binning_error(cube, groups.chain([whole]));
    let bins = describe_bins(cube);
    Some(ScorePrecision {
        exact: bins.is_none(),
        bins,
        auc_error,
        ks_error,
        probabilities: cells.probabilities,
    })
}

/// Rows that could not take part in some or all metrics.
pub(crate) fn excluded(
    cube: &Cube,
    spec: &AnalysisSpec,
    whole: &Tally,
    cells: &Cells,
) -> Vec<Exclusion> {
    let mut excluded = Vec::new();
    let mut add = |reason: &str, column: &str, rows: u64, sentence: &str| {
        if rows > 0 {
            excluded.push(Exclusion {
                reason: reason.to_owned(),
                column: column.to_owned(),
                rows,
                sentence: sentence.to_owned(),
            });
        }
    };
    if let Some(weight) = &spec.weight {
        add(
            "invalid_weight",
            weight,
            cube.invalid_weights,
            "Their weight is missing, negative or no finite number: they are in no metric.",
        );
    }
    if let Some(target) = &spec.target {
        add(
            "missing_target",
            target,
            whole.label(MISSING).n,
            "They have no label: they count in selection rates and mean scores, and in nothing that needs labels.",
        );
    }
    if let Some(prediction) = &spec.prediction {
        add(
            "missing_prediction",
            prediction,
            whole.predicted(MISSING).n,
            "They have no prediction: they are counted as missing, and not as rejected.",
        );
    }
    if let Some(score) = &spec.score {
        let with_score: u64 = whole.scores.iter().map(|sums| sums.count.n).sum();
        let missing = whole.all.n - with_score;
        add(
            "missing_score",
            score,
            missing.saturating_sub(cube.invalid_scores),
            "They have no score: they are in no metric of scores.",
        );
        add(
            "nan_score",
            score,
            cube.invalid_scores,
            "Their score is no finite number: it is counted as missing.",
        );
    }
    for (position, attribute) in spec.protected.iter().enumerate() {
        let missing = cells.tallies.iter().enumerate().filter(|(cell, _)| {
            cube.dictionary(position).name(cube.index.codes(*cell)[position]) == MISSING_NAME
        });
        let rows = missing.map(|(_, tally)| tally.all.n).sum();
        add(
            "missing_attribute",
            attribute,
            rows,
            "They say nothing of this attribute: they are a group of their own, “(missing)”.",
        );
        add(
            POOLED_VALUES,
            attribute,
            rest(cube, cells, position),
            "Their values of this attribute are so many that they are counted together, as “(other)”: that is no group, and not compared.",
        );
    }
    if let Some(strata) = &spec.strata {
        let position = spec.protected.len();
        let missing = cells.tallies.iter().enumerate().filter(|(cell, _)| {
            let code = cube.index.codes(*cell).get(position);
            code.is_some_and(|code| cube.dictionary(position).name(*code) == MISSING_NAME)
        });
        add(
            "missing_stratum",
            strata,
            missing.map(|(_, tally)| tally.all.n).sum(),
            "They say nothing of their stratum: they are one of their own, “(missing)”.",
        );
    }
    excluded
}

/// How many rows have a value of this attribute that is counted together with others.
fn rest(cube: &Cube, cells: &Cells, position: usize) -> u64 {
    let cells = cells.tallies.iter().enumerate();
    cells
        .filter(|(cell, _)| {
            let code = cube.index.codes(*cell).get(position);
            code.is_some_and(|code| cube.is_other(position, *code))
        })
        .map(|(_, tally)| tally.all.n)
        .sum()
}

/// What is counted together of an attribute, and why.
fn pooled_warning(
    cube: &Cube,
    spec: &AnalysisSpec,
    cells: &Cells,
    position: usize,
) -> Option<String> {
    let pooled = cube.pooled(position)?;
    let (attribute, least) = (&spec.protected[position], spec.min_group_size);
    let mut warning = format!(
        "{attribute} has so many different values that {} of them are counted together, as “{OTHER_NAME}”, with {} rows, which is not compared",
        pooled.values,
        rest(cube, cells, position),
    );
    let small = pooled.values - pooled.large.min(pooled.values);
    match (small, pooled.large) {
        (_, 0) => warning.push_str(&format!(": each has fewer than {least} rows.")),
        (0, _) => {
            // One name is that of the others. Where names are long, there is room for fewer.
            let kept = cube.dictionary(position).names().len().saturating_sub(1);
            warning.push_str(&format!(": the {kept} values with the most rows are kept."));
        }
        (small, large) => warning.push_str(&format!(
            ": {small} have fewer than {least} rows each; for {large} there is no room beside the values with more rows, {MAX_KEPT} at most."
        )),
    }
    Some(warning)
}

/// How many of the groups that are not compared are values that are counted together.
fn rests(cube: &Cube, spec: &AnalysisSpec, result: &AttributeResult) -> usize {
    let is_pooled = |name: &String| {
        let position = spec.protected.iter().position(|other| other == name);
        position.is_some_and(|position| cube.pooled(position).is_some())
    };
    let pooled: Vec<bool> = result.attributes.iter().map(is_pooled).collect();
    let is_rest = |values: &[String]| {
        values.iter().zip(&pooled).any(|(value, pooled)| *pooled && value == OTHER_NAME)
    };
    result.groups.iter().filter(|group| is_rest(&group.values)).count()
}

/// Why so much is not there where nothing is known of what is true.
const NO_LABELS: &str = "There is no column of labels: rates of errors, accuracy, calibration and all else that compares with what is true are left out. What is said is how often each group is selected and how it is scored, not whether rightly.";

/// What the reader must know before trusting the numbers.
pub(crate) fn warnings(
    cube: &Cube,
    spec: &AnalysisSpec,
    cells: &Cells,
    whole: &Tally,
    draws: &Draws,
    attributes: &[AttributeResult],
    intersections: &[AttributeResult],
) -> Vec<String> {
    let mut warnings = Vec::new();
    if spec.target.is_none() {
        warnings.push(NO_LABELS.to_owned());
    }
    if spec.weight.is_some() {
        warnings.push(format!(
            "The data are weighted: intervals use Kish's effective sample size, {:.0} of {} rows.",
            whole.all.effective(),
            whole.all.n
        ));
    }
    if spec.score.is_some()
        && (cube.score_range.0 < 0.0 || cube.score_range.1 > 1.0)
        && cube.score_range.0 <= cube.score_range.1
    {
        warnings.push(format!(
            "The scores go from {} to {}: they are no probabilities, so that Brier score, log loss and calibration are undefined.",
            cube.score_range.0, cube.score_range.1
        ));
    }
    if let Some(bins) = describe_bins(cube) {
        warnings.push(format!("There are too many distinct scores to keep each: they are counted in {bins} bins, and the greatest error of AUC and KS is stated."));
    }
    if draws.made < spec.bootstrap_draws as usize {
        warnings.push(match draws.made {
            0 => "The data have too many groups for a bootstrap: the intervals that need one are not there.".to_owned(),
            made => format!("The data have very many groups: {made} bootstrap draws were made instead of {}.", spec.bootstrap_draws),
        });
    }
    strata_warnings(spec, attributes, intersections, &mut warnings);
    let pooled = 0..spec.protected.len();
    warnings.extend(pooled.filter_map(|position| pooled_warning(cube, spec, cells, position)));
    for result in attributes.iter().chain(intersections) {
        let count = result.small_groups.len().saturating_sub(rests(cube, spec, result));
        if count > 0 {
            let least = spec.min_group_size;
            let mut warning = format!(
                "{count} of {} groups of {} have fewer than {least} rows: they are listed, but not compared.",
                result.groups.len(),
                result.name
            );
            if result.groups.len() > SMALL_GROUPS_SHOWN {
                warning.push_str(" Their metrics are not computed.");
            }
            warnings.push(warning);
        }
        let compared = result.groups.len() - result.small_groups.len();
        if compared > crate::intervals::pairs::MAX_GROUPS {
            warnings.push(format!("{} has {compared} groups to compare: with more than {} not every pair is looked at, and intervals are wider (Bonferroni).", result.name, crate::intervals::pairs::MAX_GROUPS));
        }
    }
    warnings
}

/// What the strata leave out, and where they contradict the whole.
fn strata_warnings(
    spec: &AnalysisSpec,
    attributes: &[AttributeResult],
    intersections: &[AttributeResult],
    warnings: &mut Vec<String>,
) {
    let with_strata = || {
        let all = attributes.iter().chain(intersections);
        all.filter_map(|result| Some((&result.name, result.strata.as_ref()?)))
    };
    if let Some((_, strata)) = with_strata().find(|(_, strata)| strata.too_small_count > 0) {
        warnings.push(format!(
            "{} of {} strata of {}, with {} rows together, have fewer than {} rows: they are listed, but nothing is compared in them.",
            strata.too_small_count,
            strata.count,
            strata.column,
            strata.too_small_rows,
            spec.min_group_size
        ));
    }
    for (name, strata) in with_strata() {
        warnings.extend(strata.notes.iter().map(|note| format!("{name}: {note}")));
    }
}
