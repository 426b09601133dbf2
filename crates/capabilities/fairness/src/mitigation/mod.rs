//! Mitigations: computed from one pass over the data, kept as an artefact, applied to any table, measured again.
//!
//! [`fit`] makes a [`MitigationArtifact`] of a table; [`apply()`] adds its weights or decisions to another, of any size.

mod advice;
mod apply;
mod artifact;
mod curve;
mod decide;
mod hull;
mod measures;
mod notes;
mod odds;
mod parity;
mod reject_option;
pub(crate) mod reweighing;
mod rule;
mod spec;
mod threshold;
mod write;

use datafusion::prelude::DataFrame;
use tokio_util::sync::CancellationToken;

pub(crate) use advice::{Advice, advise};
pub use apply::{ApplyOptions, ApplyReport, Compared, apply, apply_faults};
pub use artifact::{
    ArtifactLabels, DataDescription, Expected, FORMAT, GroupRule, GroupWeights, LeftOut,
    MitigationArtifact, RejectBand, Rules,
};
pub use measures::{GroupMeasures, Measures};
pub use rule::{ScoreRule, Step};
pub use spec::{Constraint, Method, MitigationSpec, Objective};
pub use threshold::FrontierPoint;
pub use write::OutputFormat;

use crate::{
    AnalysisError, ENGINE_VERSION, Fault, Progress,
    analysis::{Cells, column_faults, read_cube, resolve},
    cube::{Cube, limits::SCORE_BINS},
    off_thread::off_thread,
    result::Labels,
    tally::{NEGATIVE, POSITIVE, Tally},
};
use curve::{Curve, Outcome};

/// What whoever decides by group must hear.
pub const LAW: &str = "Different thresholds for different groups can be disparate treatment, which law may forbid (in the United States Title VII and the Equal Credit Opportunity Act): ask counsel before decisions are made this way.";
const IN_SAMPLE: &str = "Measured on the data that it was made from, which flatters it: measure it again on data that it has not seen.";

/// The most groups that have thresholds of their own.
pub const MAX_THRESHOLD_GROUPS: usize = 256;

/// The greatest sum of weights: products of two such sums are still numbers.
const MOST_WEIGHT: f64 = 1e100;

/// A group, as a mitigation sees it.
pub(crate) struct Subject {
    values: Vec<String>,
    n: u64,
    curve: Curve,
    /// Weights by label.
    labels: [f64; 2],
    before: Outcome,
    is_compared: bool,
}

/// Computes a mitigation from a table, in one pass.
///
/// # Errors
/// As [`analyze`](crate::analyze).
pub async fn fit(
    table: DataFrame,
    spec: &MitigationSpec,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<MitigationArtifact, AnalysisError> {
    let reading = spec.before();
    let mut faults = spec.faults();
    faults.extend(column_faults(&reading, table.schema().as_arrow()));
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    let cube = read_cube(table, &reading, progress, cancel).await?;
    let spec = spec.clone();
    off_thread(move || fit_cube(&cube, &spec)).await
}

/// Computes a mitigation from a cube that [`MitigationSpec::before`] read.
///
/// # Errors
/// [`AnalysisError::Invalid`] with every fault of spec and data.
pub fn fit_cube(cube: &Cube, spec: &MitigationSpec) -> Result<MitigationArtifact, AnalysisError> {
    let refuse = |fault: Fault| Err(AnalysisError::Invalid(vec![fault]));
    let faults = spec.faults();
    if !faults.is_empty() {
        return Err(AnalysisError::Invalid(faults));
    }
    if cube.rows == 0 {
        return refuse(Fault::new("/", "no_rows", "The data have no rows."));
    }
    let (cube, rows) = cube.finished();
    let labels = resolve(&cube, &spec.before()).map_err(AnalysisError::Invalid)?;
    let cells = Cells::new(&cube, &rows);
    drop(rows);
    let attributes: Vec<usize> = (0..spec.protected.len()).collect();
    let is_scored = spec.method != Method::Reweighing;
    let count = Cells::count(&cube, &attributes);
    if is_scored && count > MAX_THRESHOLD_GROUPS {
        let message = format!(
            "The protected attributes make {count} groups; at most {MAX_THRESHOLD_GROUPS} can have thresholds of their own."
        );
        return refuse(
            Fault::new("/protected", "too_many_groups", message)
                .hint("Name fewer attributes, or put their values into bands first."),
        );
    }
    let width = bin_width(&cube);
    let mut left_out = Vec::new();
    let subjects: Vec<Subject> = cells
        .groups(&cube, &attributes)
        .all
        .into_iter()
        .map(|group| subject(spec, group.values, &group.tally, width, &mut left_out))
        .collect();
    if subjects.iter().filter(|subject| subject.is_compared).count() < 2 {
        let message = "There are not two groups that can be compared.";
        let reasons: Vec<String> = left_out
            .iter()
            .take(5)
            .map(|one| format!("`{}`: {}", one.values.join("|"), one.reason))
            .collect();
        return refuse(Fault::new("/protected", "too_few_groups", message).hint(
            if reasons.is_empty() {
                "Name an attribute with two groups.".to_owned()
            } else {
                format!("Left out are {}.", reasons.join("; "))
            },
        ));
    }
    let used = |tally: &Tally| -> (u64, f64) {
        if is_scored {
            let sums = tally.labelled_scores().count;
            (sums.n, sums.w)
        } else {
            let labelled = tally.label(NEGATIVE) + tally.label(POSITIVE);
            (labelled.n, labelled.w)
        }
    };
    let whole = cells.overall();
    let (used, weight) = used(&whole);
    if weight > MOST_WEIGHT {
        let message = format!("The weights sum to {weight:e}; at most {MOST_WEIGHT:e} can be.");
        return refuse(
            Fault::new("/weight", "out_of_range", message).hint("Divide them by a constant."),
        );
    }
    let data = DataDescription {
        source: None,
        rows: cube.rows,
        used,
        weight,
        groups: subjects.len() as u64,
        score_bins: cube.histogram.bins(),
    };
    let made = if is_scored {
        by_scores(spec, &subjects, &Curve::new(&whole, width), cells.probabilities)
    } else {
        Ok(by_weights(&subjects))
    };
    let (rules, after, frontier) = made.map_err(|fault| AnalysisError::Invalid(vec![fault]))?;
    let before = outcomes(&subjects, |_, subject| subject.before);
    let (before, after) = if is_scored {
        (Measures::of_decisions(&before), Measures::of_decisions(&after))
    } else {
        (Measures::of_labels(&before), Measures::of_labels(&after))
    };
    let mut artifact = MitigationArtifact {
        format: FORMAT.to_owned(),
        engine_version: ENGINE_VERSION.to_owned(),
        kind: spec.method,
        spec: spec.clone(),
        labels: named(labels),
        rules,
        expected: Expected { before, after, note: IN_SAMPLE.to_owned() },
        frontier,
        data,
        left_out,
        notes: Vec::new(),
    };
    artifact.notes = notes::of(&artifact);
    Ok(artifact)
}

/// Width of the bins of [0, 1] that scores are kept in, if they are.
pub(crate) fn bin_width(cube: &Cube) -> Option<f64> {
    let bins = cube.histogram.binned.as_ref();
    bins.map(|bins| f64::from(1_u32 << bins.halvings) / f64::from(SCORE_BINS))
}

/// The two labels. Where one never occurs, it is called by what it is not.
fn named(labels: Labels) -> ArtifactLabels {
    let negative = labels.negative.unwrap_or_else(|| match labels.positive.as_str() {
        "1" => "0".to_owned(),
        positive if positive.eq_ignore_ascii_case("true") => "false".to_owned(),
        positive => format!("not {positive}"),
    });
    ArtifactLabels { positive: labels.positive, negative }
}

fn subject(
    spec: &MitigationSpec,
    values: Vec<String>,
    tally: &Tally,
    width: Option<f64>,
    left_out: &mut Vec<LeftOut>,
) -> Subject {
    let curve = Curve::new(tally, width);
    let labels = [tally.label(NEGATIVE).w, tally.label(POSITIVE).w];
    let is_scored = spec.method != Method::Reweighing;
    let [true_positives, false_positives, true_negatives, false_negatives] =
        tally.confusion().map(|count| count.w);
    let before = if is_scored {
        Outcome {
            positives: true_positives + false_negatives,
            negatives: false_positives + true_negatives,
            true_positives,
            false_positives,
        }
    } else {
        Outcome { positives: labels[1], negatives: labels[0], ..Outcome::default() }
    };
    let (positives, negatives) =
        if is_scored { (curve.positives, curve.negatives) } else { (labels[1], labels[0]) };
    let needs_positive =
        matches!(spec.constraint, Constraint::EqualOpportunity | Constraint::EqualizedOdds)
            && is_scored;
    let needs_negative =
        matches!(spec.constraint, Constraint::FalsePositiveRateParity | Constraint::EqualizedOdds)
            && is_scored;
    let reason = if tally.all.n < spec.min_group_size {
        Some(format!("fewer than {} rows", spec.min_group_size))
    } else if positives + negatives <= 0.0 {
        Some(
            if is_scored { "no rows with a label and a score" } else { "no rows with a label" }
                .to_owned(),
        )
    } else if needs_positive && positives <= 0.0 {
        Some("no positive labels, so that its true positive rate is undefined".to_owned())
    } else if needs_negative && negatives <= 0.0 {
        Some("no negative labels, so that its false positive rate is undefined".to_owned())
    } else {
        None
    };
    let is_compared = reason.is_none();
    if let Some(reason) = reason {
        left_out.push(LeftOut { values: values.clone(), n: tally.all.n, reason });
    }
    Subject { values, n: tally.all.n, curve, labels, before, is_compared }
}

/// Values, whether it is compared, and what an outcome is, of each subject.
fn outcomes(
    subjects: &[Subject],
    outcome: impl Fn(usize, &Subject) -> Outcome,
) -> Vec<(&[String], bool, Outcome)> {
    subjects
        .iter()
        .enumerate()
        .map(|(index, subject)| {
            (subject.values.as_slice(), subject.is_compared, outcome(index, subject))
        })
        .collect()
}

type Made<'s> = (Rules, Vec<(&'s [String], bool, Outcome)>, Vec<FrontierPoint>);

fn by_weights(subjects: &[Subject]) -> Made<'_> {
    let compared: Vec<&Subject> = subjects.iter().filter(|subject| subject.is_compared).collect();
    let cells: Vec<[f64; 2]> = compared.iter().map(|subject| subject.labels).collect();
    let groups: Vec<GroupWeights> = compared
        .iter()
        .zip(reweighing::factors(&cells))
        .map(|(subject, [negative, positive])| GroupWeights {
            values: subject.values.clone(),
            n: subject.n,
            positive,
            negative,
        })
        .collect();
    let mut factors = groups.iter();
    let after = subjects
        .iter()
        .map(|subject| {
            let own = if subject.is_compared { factors.next() } else { None };
            let factors = own.map_or([None, None], |own| [own.negative, own.positive]);
            let after = reweighing::reweighed(subject.labels, factors);
            (subject.values.as_slice(), subject.is_compared, after)
        })
        .collect();
    (Rules::Weights { groups }, after, Vec::new())
}

fn by_scores<'s>(
    spec: &MitigationSpec,
    subjects: &'s [Subject],
    whole: &Curve,
    are_probabilities: bool,
) -> Result<Made<'s>, Fault> {
    if spec.objective == Objective::BalancedAccuracy
        && (whole.positives <= 0.0 || whole.negatives <= 0.0)
    {
        let message = format!("`{}` has one label only among the scored rows.", spec.target);
        return Err(Fault::new("/target", "label_empty", message)
            .hint("Balanced accuracy needs both labels."));
    }
    let compared = || subjects.iter().filter(|subject| subject.is_compared);
    let (fallback, band, groups, frontier) = if spec.method == Method::RejectOption {
        if !are_probabilities {
            let message = "A reject option needs scores between 0 and 1.";
            return Err(Fault::new("/score", "out_of_range", message)
                .hint("Use thresholds, or bring the scores between 0 and 1."));
        }
        let is_favoured = reject_option::favoured(spec, subjects)?;
        let band = reject_option::fit(spec, subjects, &is_favoured);
        // Scores above a threshold are those of at least the next number.
        let above = |threshold: f64| ScoreRule::at(threshold.next_up());
        let sides = subjects.iter().zip(&is_favoured).filter(|(subject, _)| subject.is_compared);
        let groups = sides
            .map(|(subject, is_favoured)| GroupRule {
                values: subject.values.clone(),
                n: subject.n,
                is_favoured: Some(*is_favoured),
                rule: above(if *is_favoured {
                    band.threshold + band.margin
                } else {
                    band.threshold - band.margin
                }),
            })
            .collect();
        let band_kept = RejectBand { threshold: band.threshold, margin: band.margin };
        (above(band.threshold), Some(band_kept), groups, Vec::new())
    } else {
        let fitted = threshold::fit(spec, subjects, whole);
        let groups: Vec<GroupRule> = compared()
            .zip(fitted.rules)
            .map(|(subject, rule)| GroupRule {
                values: subject.values.clone(),
                n: subject.n,
                is_favoured: None,
                rule,
            })
            .collect();
        (fitted.fallback, None, groups, fitted.frontier)
    };
    let mut rules = groups.iter();
    let after = subjects
        .iter()
        .map(|subject| {
            let own = if subject.is_compared { rules.next() } else { None };
            let rule = own.map_or(&fallback, |own| &own.rule);
            (subject.values.as_slice(), subject.is_compared, subject.curve.apply(rule))
        })
        .collect();
    Ok((Rules::Scores { fallback, band, groups }, after, frontier))
}
