//! Flips as a part of an analysis of yes or no: the same decisions, and those under the changed attribute beside them.

use std::collections::BTreeSet;

use arrow::datatypes::Schema;

use super::{DISPARITIES, FlipSpec, registry, spec::two_roles};
use crate::{
    AnalysisSpec, Fault,
    frame::{Need, names_of, require},
};

/// The names of all disparities of flips.
pub(crate) fn names() -> BTreeSet<String> {
    let mut known = names_of(registry().iter().map(|metric| metric.about.quantity()));
    known.extend(DISPARITIES.iter().map(|about| about.id.to_owned()));
    known
}

/// The disparities that are judged unless a spec says otherwise, each with its threshold.
pub fn judged() -> impl Iterator<Item = (String, f64)> {
    let made = registry().iter().filter_map(|metric| {
        Some((format!("{}_difference", metric.about.id), metric.about.difference_threshold?))
    });
    let own = DISPARITIES
        .iter()
        .filter_map(|about| Some((about.id.to_owned(), about.difference_threshold?)));
    made.chain(own)
}

impl FlipSpec {
    /// The flips of an analysis' decisions: what it judges beside them is left to it.
    pub(crate) fn beside(spec: &AnalysisSpec, flipped: &str) -> Self {
        let mut made = Self::of(spec, flipped);
        let known = names();
        made.groups.thresholds.retain(|id, _| known.contains(id));
        made
    }
}

/// What is wrong with the part of a spec that names the other decision.
pub(crate) fn faults(spec: &AnalysisSpec, flipped: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if flipped.is_empty() {
        faults.push(
            Fault::new(
                "/flipped",
                "required",
                "The column of decisions with the attribute changed has no name.",
            )
            .hint("Leave it out, or let the model decide about every row twice."),
        );
    }
    let Some(decision) = spec.prediction.as_ref().or(spec.score.as_ref()) else {
        faults.push(
            Fault::new(
                "/flipped",
                "misplaced",
                "There is no decision that could flip: neither predictions nor scores are named.",
            )
            .hint("Name the column of the model's predictions, or of its scores."),
        );
        return faults;
    };
    faults.extend(two_roles(flipped, decision, spec.target.as_deref(), &spec.protected));
    faults
}

/// A fault of the other decision that shows once the columns are known.
pub(crate) fn column_fault(spec: &AnalysisSpec, flipped: &str, schema: &Schema) -> Option<Fault> {
    let need = if spec.prediction.is_none() { Need::Numbers } else { Need::Anything };
    require(schema, "/flipped", flipped, "prediction", need)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_decision_is_one_of_its_own() {
        let mut spec = AnalysisSpec::new("y", ["sex"]);
        let code = |spec: &AnalysisSpec, flipped: &str| -> Vec<String> {
            faults(spec, flipped).into_iter().map(|fault| fault.code).collect()
        };
        assert_eq!(code(&spec, "q"), ["misplaced"]);
        spec.score = Some("p".to_owned());
        assert!(code(&spec, "q").is_empty());
        assert_eq!(code(&spec, ""), ["required"]);
        for twice in ["p", "y", "sex"] {
            assert_eq!(code(&spec, twice), ["two_roles"], "{twice}");
        }
    }

    #[test]
    fn thresholds_of_the_analysis_are_none_of_flips() {
        let mut spec = AnalysisSpec::new("y", ["sex"]);
        spec.prediction = Some("p".to_owned());
        spec.thresholds = ["demographic_parity_difference", "greatest_flip_rate"]
            .map(|id| (id.to_owned(), 0.02))
            .into();
        let made = FlipSpec::beside(&spec, "q");
        let kept: Vec<&String> = made.groups.thresholds.keys().collect();
        assert_eq!(kept, ["greatest_flip_rate"]);
        assert!(judged().all(|(id, _)| names().contains(&id)));
        assert_eq!(judged().count(), 2);
    }
}
