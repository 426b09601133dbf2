//! Each group against the reference group, as Aequitas has it: its ratios, and whether they are parity.

use std::collections::BTreeMap;

use super::compare::Comparison;
use crate::{
    AnalysisSpec,
    disparities::{RATIO_THRESHOLD, each_to_reference},
    metrics::Metric,
    parity::{GroupParity, OF_ONE, OF_TWO, Parity, all},
};

/// What is said of every compared group; `None` without a reference group, or one to compare with it.
pub(super) fn parity(comparison: &Comparison, spec: &AnalysisSpec) -> Option<Parity> {
    let reference = comparison.reference?;
    if comparison.compared.len() < 2 {
        return None;
    }
    let kinds: Vec<Kind> = each_to_reference::all()
        .map(|(id, metric)| {
            let threshold = spec.thresholds.get(id).copied().unwrap_or(RATIO_THRESHOLD);
            Kind { id, metric, tau: 1.0 - threshold }
        })
        .collect();
    let groups: Vec<GroupParity> =
        comparison.compared.iter().map(|at| of_group(comparison, *at, reference, &kinds)).collect();
    let parities = names()
        .map(|name| {
            let held = groups.iter().map(|group| group.parities.get(name).copied().flatten());
            (name.to_owned(), all(held))
        })
        .collect();
    let tau = kinds.iter().map(|kind| (kind.id.to_owned(), kind.tau)).collect();
    Some(Parity { tau, groups, parities })
}

/// A disparity, and what is accepted of it.
struct Kind {
    id: &'static str,
    metric: &'static Metric,
    tau: f64,
}

fn names() -> impl Iterator<Item = &'static str> {
    OF_ONE.iter().map(|one| one.0).chain(OF_TWO.iter().map(|two| two.0))
}

fn of_group(comparison: &Comparison, at: usize, reference: usize, kinds: &[Kind]) -> GroupParity {
    let mut disparities = BTreeMap::new();
    let mut parities: BTreeMap<String, Option<bool>> = BTreeMap::new();
    for kind in kinds {
        let ratio = comparison.ratio(kind.metric, at, reference);
        disparities.insert(kind.id.to_owned(), ratio);
        let held = ratio.map(|ratio| kind.tau <= ratio && ratio * kind.tau <= 1.0);
        if let Some((name, _)) = OF_ONE.iter().find(|(_, disparity)| *disparity == kind.id) {
            parities.insert((*name).to_owned(), held);
        }
    }
    for (name, parts) in OF_TWO {
        let held = all(parts.map(|part| parities.get(part).copied().flatten()));
        parities.insert(name.to_owned(), held);
    }
    GroupParity { group: comparison.group(at).name.clone(), disparities, parities }
}
