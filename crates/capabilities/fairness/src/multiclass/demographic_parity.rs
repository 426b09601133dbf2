//! Is each class predicted as often in each group?

use tokio_util::sync::CancellationToken;

use super::{MulticlassSpec, equalized_odds::worst};
use crate::{
    analysis::Evidence,
    disparities::DIFFERENCE_THRESHOLD,
    frame::{About, Draft, Measured},
    metrics::Better,
};

pub(super) const ABOUT: About = About {
    id: "multiclass_demographic_parity_difference",
    title: "Demographic parity difference of the worst class",
    formula: "max over classes of (max - min over groups of the share predicted so)",
    range: (0.0, 1.0),
    better: Better::Lower,
    source: "Fairlearn demographic_parity_difference, each class against the rest",
    edge_cases: "The interval holds for all pairs of groups in all classes at once (Holm), and its test is adjusted for these; none with very many.",
    difference_threshold: Some(DIFFERENCE_THRESHOLD),
    ratio_threshold: None,
};

pub(super) fn draft(
    groups: &[Measured],
    parts: &[Vec<Measured>],
    classes: &[String],
    spec: &MulticlassSpec,
    sure: bool,
    cancel: &CancellationToken,
) -> (Draft, Option<Evidence>) {
    worst(&ABOUT, &["selection_rate"], groups, parts, classes, spec, sure, cancel)
}
