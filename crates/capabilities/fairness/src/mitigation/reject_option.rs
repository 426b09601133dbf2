//! The reject option (Kamiran, Karim and Zhang 2012), by the scan of AIF360's `RejectOptionClassification`.

use super::{
    Constraint, MitigationSpec, Objective, Subject,
    curve::Outcome,
    measures::{accuracy, balanced},
};
use crate::Fault;

/// Thresholds that are tried, evenly from 0.01 to 0.99.
const THRESHOLDS: u32 = 100;
/// Margins that are tried with each, evenly from 0 to as far as the nearer end of [0, 1].
const MARGINS: u32 = 50;

/// The band: scores above `threshold - margin`, up to and with `threshold + margin`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Band {
    pub threshold: f64,
    pub margin: f64,
}

/// Finds the band that is best of those within the tolerance; without one, the band with the least disparity.
pub(super) fn fit(spec: &MitigationSpec, subjects: &[Subject], is_favoured: &[bool]) -> Band {
    let sides = |favoured: bool| -> Vec<&Subject> {
        let of = subjects.iter().zip(is_favoured);
        of.filter(|(subject, is_favoured)| subject.is_compared && **is_favoured == favoured)
            .map(|(subject, _)| subject)
            .collect()
    };
    let (favoured, others) = (sides(true), sides(false));
    let outcome = |side: &[&Subject], threshold: f64| -> Outcome {
        side.iter().map(|subject| subject.curve.above(threshold)).sum()
    };
    let mut within: Option<(f64, Band)> = None;
    let mut nearest: Option<(f64, Band)> = None;
    for threshold in (0..THRESHOLDS).map(|step| spaced(0.01, 0.99, step, THRESHOLDS)) {
        let widest = if threshold <= 0.5 { threshold } else { 1.0 - threshold };
        for margin in (0..MARGINS).map(|step| spaced(0.0, widest, step, MARGINS)) {
            let band = Band { threshold, margin };
            let (high, low) =
                (outcome(&favoured, threshold + margin), outcome(&others, threshold - margin));
            let Some(disparity) = difference(spec.constraint, &low, &high) else { continue };
            let everybody = high + low;
            let quality = match spec.objective {
                Objective::Accuracy => accuracy(&everybody),
                Objective::BalancedAccuracy => balanced(&everybody),
            };
            let quality = quality.unwrap_or(0.0);
            if disparity.abs() <= spec.accepted()
                && within.as_ref().is_none_or(|(best, _)| quality > *best)
            {
                within = Some((quality, band));
            }
            if nearest.as_ref().is_none_or(|(best, _)| disparity.abs() < *best) {
                nearest = Some((disparity.abs(), band));
            }
        }
    }
    let chosen = within.or(nearest).map(|(_, band)| band);
    chosen.unwrap_or(Band { threshold: spec.score_threshold, margin: 0.0 })
}

/// What the favoured groups' rate exceeds the others' by, with its sign turned: AIF360's difference.
pub(super) fn difference(
    constraint: Constraint,
    others: &Outcome,
    favoured: &Outcome,
) -> Option<f64> {
    let of = |constraint| Some(others.rate(constraint)? - favoured.rate(constraint)?);
    match constraint {
        // Average odds difference.
        Constraint::EqualizedOdds => Some(f64::midpoint(
            of(Constraint::EqualOpportunity)?,
            of(Constraint::FalsePositiveRateParity)?,
        )),
        one => of(one),
    }
}

/// Which subjects a reject option counts as advantaged.
pub(super) fn favoured(spec: &MitigationSpec, subjects: &[Subject]) -> Result<Vec<bool>, Fault> {
    let named: Option<Vec<&String>> =
        spec.protected.iter().map(|attribute| spec.reference_groups.get(attribute)).collect();
    let named = named.filter(|_| !spec.reference_groups.is_empty());
    let is_favoured: Vec<bool> = if let Some(named) = named {
        subjects.iter().map(|subject| subject.values.iter().eq(named.iter().copied())).collect()
    } else {
        let constraint = match spec.constraint {
            Constraint::EqualizedOdds => Constraint::DemographicParity,
            one => one,
        };
        let compared = subjects.iter().filter(|subject| subject.is_compared);
        let usual = compared.map(|subject| subject.before).sum::<Outcome>().rate(constraint);
        let above = |subject: &Subject| {
            subject.before.rate(constraint).zip(usual).is_some_and(|(mine, usual)| mine > usual)
        };
        subjects.iter().map(above).collect()
    };
    let side = |favoured: bool| {
        let mut of = subjects.iter().zip(&is_favoured);
        of.any(|(subject, is_favoured)| subject.is_compared && *is_favoured == favoured)
    };
    if side(true) && side(false) {
        return Ok(is_favoured);
    }
    let message = if spec.reference_groups.is_empty() {
        "No group is at an advantage: all have the same rate.".to_owned()
    } else {
        "The advantaged group that is named, or any other, is not among those that can be compared."
            .to_owned()
    };
    Err(Fault::new("/reference_groups", "unknown_group", message)
        .hint("Name the advantaged group of each attribute."))
}

/// One of `count` evenly spaced numbers.
fn spaced(from: f64, to: f64, step: u32, count: u32) -> f64 {
    if step + 1 == count {
        return to;
    }
    f64::from(step) * ((to - from) / f64::from(count - 1)) + from
}
