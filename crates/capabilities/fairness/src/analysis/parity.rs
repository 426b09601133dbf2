//! Each group against the reference group, as Aequitas has it: its ratios, and whether they are parity.

use std::collections::BTreeMap;

use super::compare::Comparison;
use crate::{
    AnalysisSpec,
    disparities::{
        RATIO_THRESHOLD,
        each_to_reference::{self, EachToReference},
    },
    parity::{GroupParity, OF_TWO, Parity, all},
};

/// What is said of every compared group; `None` without a reference group, or one to compare with it.
pub(super) fn parity(comparison: &Comparison, spec: &AnalysisSpec) -> Option<Parity> {
    let reference = comparison.reference?;
    if comparison.compared.len() < 2 {
        return None;
    }
    let kinds: Vec<Kind> = each_to_reference::all()
        .map(|of| {
            let threshold = spec.thresholds.get(of.id).copied().unwrap_or(RATIO_THRESHOLD);
            Kind { of, tau: 1.0 - threshold }
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
    let tau = kinds.iter().map(|kind| (kind.of.id.to_owned(), kind.tau)).collect();
    Some(Parity { tau, groups, parities })
}

/// A disparity, and what is accepted of it.
struct Kind {
    of: EachToReference,
    tau: f64,
}

fn names() -> impl Iterator<Item = &'static str> {
    each_to_reference::all().map(|one| one.parity).chain(OF_TWO.iter().map(|two| two.0))
}

fn of_group(comparison: &Comparison, at: usize, reference: usize, kinds: &[Kind]) -> GroupParity {
    let mut disparities = BTreeMap::new();
    let mut parities: BTreeMap<String, Option<bool>> = BTreeMap::new();
    for Kind { of, tau } in kinds {
        let ratio = comparison.ratio(of.metric, at, reference);
        disparities.insert(of.id.to_owned(), ratio);
        let held = ratio.map(|ratio| *tau <= ratio && ratio * tau <= 1.0);
        parities.insert(of.parity.to_owned(), held);
    }
    for (name, parts) in OF_TWO {
        let held = all(parts.map(|part| parities.get(part).copied().flatten()));
        parities.insert(name.to_owned(), held);
    }
    GroupParity { group: comparison.group(at).name.clone(), disparities, parities }
}
