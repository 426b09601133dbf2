//! What the user of a mitigation must know.

use super::{Constraint, LAW, Method, MitigationArtifact, Rules};

/// The notes of an artefact.
pub(super) fn of(artifact: &MitigationArtifact) -> Vec<String> {
    let mut notes = Vec::new();
    let spec = &artifact.spec;
    match &artifact.rules {
        Rules::Weights { groups } => {
            let incomplete =
                groups.iter().filter(|one| one.positive.is_none() || one.negative.is_none());
            for group in incomplete {
                notes.push(format!(
                    "`{}` has one label only: no weights can give it the share of positive labels that others have.",
                    group.values.join("|")
                ));
            }
        }
        Rules::Scores { groups, .. } => {
            notes.push(LAW.to_owned());
            let [before, after] = [&artifact.expected.before, &artifact.expected.after]
                .map(|measures| measures.disparity(spec.constraint));
            if before.is_some_and(|before| before <= spec.accepted()) {
                notes.push(format!(
                    "The disparity is within the tolerance of {} already: nothing may be needed.",
                    spec.accepted()
                ));
            }
            if spec.method == Method::RejectOption && spec.constraint == Constraint::EqualizedOdds {
                notes.push("A reject option is held to the mean of the differences of true and false positive rates (AIF360's average odds difference), between advantaged and other groups.".to_owned());
            } else if let Some(after) = after.filter(|after| *after > spec.accepted() + 1e-9) {
                notes.push(format!(
                    "The disparity between the groups stays at {after:.4}, beyond the tolerance of {}.",
                    spec.accepted()
                ));
            }
            if !artifact.is_deterministic() {
                notes.push("Some scores are decided by draw: rates are equal on average, and two people with the same score may be decided differently. The draws are reproducible: seed and row decide them.".to_owned());
            }
            let all_or_none = groups.iter().all(|group| group.rule.steps.is_empty());
            if all_or_none && artifact.is_deterministic() {
                notes.push("Scores decide nothing any more: whole groups are selected or refused. Accept a greater tolerance, or let scores be drawn.".to_owned());
            }
            if spec.method == Method::Threshold && spec.constraint == Constraint::EqualizedOdds {
                notes.push("Of equalized odds the frontier's points between its ends mix the two: they can be reached, and better ones may exist.".to_owned());
            }
            if artifact.data.score_bins.is_some() {
                notes.push("There were too many different scores to keep each: they were counted in narrow bins, and what is expected is that exact.".to_owned());
            }
        }
    }
    if !artifact.left_out.is_empty() {
        notes.push(match &artifact.rules {
            Rules::Weights { .. } => "Groups that are left out keep their weight.".to_owned(),
            Rules::Scores { .. } => {
                "Groups that are left out, or unknown, are decided by one threshold: of a reject option its own, else the one that is best for everybody together.".to_owned()
            }
        });
    }
    notes
}
