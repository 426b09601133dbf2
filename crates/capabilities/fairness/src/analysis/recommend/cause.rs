//! What makes disparities: those of one cause are treated at once, however many say it.

use crate::{
    disparities::{self, Average, Definition, Kind},
    result::{AttributeResult, Disparity, Labels, PredictionSource, Status},
};

/// What differs between groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Who is selected.
    Selection,
    /// Who has a positive label, where labels are all that there is.
    Labels,
    /// Who of a label is selected: true or false positive rates.
    Errors,
    /// What a positive prediction means.
    Precision,
    Accuracy,
    Ranking,
    Calibration,
}

/// The disparities of one cause that are beyond their thresholds.
pub(super) struct Trouble<'a> {
    pub cause: Cause,
    /// The worst of them; of several the first that the result lists.
    pub evidence: &'a Disparity,
    pub all: Vec<&'a Disparity>,
}

/// All trouble of a grouping. Of combinations of attributes, whose groups are many and small, only what chance does not explain.
pub(super) fn troubles<'a>(attribute: &'a AttributeResult, labels: &Labels) -> Vec<Trouble<'a>> {
    let least = if attribute.attributes.len() > 1 { Status::Fail } else { Status::Warning };
    let mut found: Vec<Trouble<'a>> = Vec::new();
    for disparity in attribute.disparities.iter().filter(|one| one.status >= Some(least)) {
        let definition = disparities::find(&disparity.id);
        let Some(cause) = definition.and_then(|definition| cause(definition, labels)) else {
            continue;
        };
        let Some(same) = found.iter_mut().find(|trouble| trouble.cause == cause) else {
            found.push(Trouble { cause, evidence: disparity, all: vec![disparity] });
            continue;
        };
        if disparity.status > same.evidence.status {
            same.evidence = disparity;
        }
        same.all.push(disparity);
    }
    found
}

fn cause(definition: &Definition, labels: &Labels) -> Option<Cause> {
    let metric = match definition.kind {
        Kind::Odds { .. } | Kind::Average(Average::Odds | Average::AbsoluteOdds) => {
            return Some(Cause::Errors);
        }
        Kind::Average(Average::PredictiveValue) => return Some(Cause::Precision),
        Kind::Bins { .. } => return Some(Cause::Calibration),
        Kind::Extremes { metric, .. } | Kind::Privileged { metric, .. } => metric.id,
        Kind::Entropy { .. } | Kind::Conditional { .. } | Kind::Peer(_) => return None,
    };
    match metric {
        "selection_rate" => Some(Cause::Selection),
        "base_rate" if labels.prediction == PredictionSource::None => Some(Cause::Labels),
        "tpr" | "fnr" | "fpr" | "tnr" => Some(Cause::Errors),
        "ppv" | "fdr" => Some(Cause::Precision),
        "accuracy" | "zero_one_loss" => Some(Cause::Accuracy),
        "roc_auc" => Some(Cause::Ranking),
        "ece" => Some(Cause::Calibration),
        _ => None,
    }
}

/// Which of both rates differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Apart {
    pub tpr: bool,
    pub fpr: bool,
}

impl Trouble<'_> {
    /// Of trouble with errors.
    pub(super) fn apart(&self) -> Apart {
        let mut apart = Apart::default();
        for disparity in &self.all {
            let metric = match disparities::find(&disparity.id).map(|definition| definition.kind) {
                Some(Kind::Extremes { metric, .. } | Kind::Privileged { metric, .. }) => metric.id,
                Some(Kind::Odds { .. }) => {
                    disparity.worst_pair.as_ref().map_or("", |pair| pair.metric.as_str())
                }
                _ => "",
            };
            apart.tpr |= !matches!(metric, "fpr" | "tnr");
            apart.fpr |= !matches!(metric, "tpr" | "fnr");
        }
        apart
    }
}
