//! What tests say of a disparity: could chance have made it, and what could so many people have shown at all?

use std::sync::OnceLock;

use super::{
    compare::Comparison,
    estimates::{Estimated, Sure},
    statistic::position_of,
};
use crate::{
    AnalysisSpec,
    disparities::{Against, Definition, Kind},
    frame::{Picked, Sample, Sides},
    intervals::{Proportion, delong},
    metrics::{self, Metric},
    result::{Significance, WorstPair},
    significance::{
        Selection,
        all_pairs::{self, Adjusted, MAX_GROUPS, Test, adjusted, alone, place},
        aucs::Auc,
        deviations::standard_deviations,
        flip_flop::flip_flop,
        power::{USUAL_POWER, detectable},
    },
    tally::{NEGATIVE, POSITIVE},
};

/// An AUC is tested if so many rows of either label have a score: of fewer its variance is so unsure that a test would find what is
/// not there.
const LEAST_LABELLED: u64 = 10;

/// What tests say of a disparity.
pub(crate) struct Evidence {
    pub p: f64,
    pub adjusted: f64,
    pub detectable: Option<f64>,
    pub significance: Significance,
}

/// The groups' counts of one metric, and every pair of them tested.
pub(crate) struct Tested {
    /// The groups in which it is defined.
    groups: Vec<Selection>,
    /// Of every pair; empty with more than [`MAX_GROUPS`].
    p: Vec<f64>,
}

/// A place for the tests of each metric.
pub(crate) fn untested() -> Vec<OnceLock<Option<Tested>>> {
    metrics::registry().iter().map(|_| OnceLock::new()).collect()
}

/// Without weights a rate is a count of rows.
pub(crate) fn counted(rate: Proportion) -> Selection {
    let of = rate.n.round();
    Selection::new((rate.p * of).round() as u64, of as u64)
}

fn selection(estimate: &Estimated) -> Option<Selection> {
    match estimate.sure {
        Sure::Rate(rate) => Some(counted(rate)),
        Sure::Unknown | Sure::Variance(..) | Sure::Biased { .. } | Sure::Drawn(_) => None,
    }
}

impl Comparison {
    /// The tests of a judged disparity of rates, means or AUCs; `None` of anything else, and with weights: tests count rows.
    pub(super) fn evidence(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        worst: &WorstPair,
    ) -> Option<Evidence> {
        if spec.weight.is_some() {
            return None;
        }
        match definition.kind {
            Kind::Extremes { metric, against: Against::Groups, .. } => self
                .between_groups(definition, spec, worst, &[metric.id])
                .or_else(|| self.between_means(definition, spec, worst, metric)),
            Kind::Odds { against: Against::Groups, .. } => {
                self.between_groups(definition, spec, worst, &["tpr", "fpr"])
            }
            Kind::Privileged { metric, .. } => {
                let position = position_of(metric.id);
                let reference = selection(self.estimates.get(self.reference?)?.get(position)?)?;
                let others = selection(self.others.get(position)?)?;
                let (low, high) = in_order(others, reference);
                let (p, test) = all_pairs::test(low, high);
                let only = Adjusted { holm: p, benjamini_hochberg: Some(p) };
                Some(evidence(definition, spec, metric.id, (low, high), (p, test), only, 1))
            }
            Kind::Conditional { metric, form } => {
                let within = self.within.as_ref()?;
                let (pair, (p, all)) = within.tested(metric, form)?;
                let found = adjusted(&all, pair.at)?;
                let rates = in_order(counted(pair.one), counted(pair.other));
                let tests = all.len() as u64;
                let test = (p, Test::CochranMantelHaenszel);
                Some(evidence(definition, spec, metric.id, rates, test, found, tests))
            }
            Kind::Extremes { .. }
            | Kind::Odds { .. }
            | Kind::Average(_)
            | Kind::Entropy { .. }
            | Kind::Bins { .. }
            | Kind::Peer(_) => None,
        }
    }

    /// The two groups furthest apart, adjusted for all pairs of all of these metrics.
    fn between_groups(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        worst: &WorstPair,
        ids: &[&str],
    ) -> Option<Evidence> {
        let mut all: Vec<&Tested> = Vec::with_capacity(ids.len());
        let (mut before, mut chosen) = (0, None);
        for id in ids {
            let tested = self.tested(position_of(id))?;
            if worst.metric == *id {
                chosen = Some((before, tested));
            }
            before += tested.p.len();
            all.push(tested);
        }
        let (before, tested) = chosen?;
        let rate = |at: &usize| tested.groups[*at].rate().unwrap_or(0.0);
        let groups = 0..tested.groups.len();
        let low = groups.clone().min_by(|left, right| rate(left).total_cmp(&rate(right)))?;
        let high = groups.rev().max_by(|left, right| rate(left).total_cmp(&rate(right)))?;
        let pair = (tested.groups[low], tested.groups[high]);
        let tests: u64 = all
            .iter()
            .map(|tested| {
                let groups = tested.groups.len() as u64;
                groups * groups.saturating_sub(1) / 2
            })
            .sum();
        let (p, test) = all_pairs::test(pair.0, pair.1);
        let found = if all.iter().any(|tested| tested.p.is_empty()) {
            alone(p, tests)
        } else if low == high {
            // All groups have one rate.
            Adjusted { holm: 1.0, benjamini_hochberg: Some(1.0) }
        } else {
            let every: Vec<f64> = all.iter().flat_map(|tested| tested.p.iter().copied()).collect();
            adjusted(&every, before + place(low, high, tested.groups.len()))?
        };
        Some(evidence(definition, spec, &worst.metric, pair, (p, test), found, tests))
    }

    /// The two groups furthest apart by a mean or an AUC, adjusted for all pairs.
    fn between_means(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        worst: &WorstPair,
        metric: &Metric,
    ) -> Option<Evidence> {
        let position = position_of(metric.id);
        let is_known = |index: usize, sample: &Sample| {
            let scores = &self.group(index).tally.scores;
            let is_few = |label: usize| scores[label].count.n < LEAST_LABELLED;
            !(matches!(sample, Sample::Auc(_)) && (is_few(NEGATIVE) || is_few(POSITIVE)))
        };
        let sample = |index: &usize| {
            let sample = self.estimates[*index].get(position).and_then(Sample::of)?;
            if !is_known(*index, &sample) {
                return None;
            }
            let Sample::Auc(auc) = sample else { return Some(sample) };
            let tally = &self.group(*index).tally;
            let [negatives, positives] =
                [NEGATIVE, POSITIVE].map(|label| tally.scores[label].count.effective());
            let degrees = delong::degrees(&tally.points, negatives, positives)?;
            Some(Sample::Auc(Auc { degrees, ..auc }))
        };
        let samples: Vec<Option<Sample>> = self.compared.iter().map(sample).collect();
        let place =
            |name: &str| self.compared.iter().position(|index| self.group(*index).name == name);
        let pair = (0, place(&worst.low)?, place(&worst.high)?);
        let sides = Sides {
            high: worst.high_value,
            least: metric.range.0,
            is_ratio: definition.ideal == 1.0,
        };
        Some(Picked::of_pairs(&[samples], pair)?.evidence(sides, spec.confidence))
    }

    fn tested(&self, metric: usize) -> Option<&Tested> {
        let test = || {
            let groups: Vec<Selection> = self
                .compared
                .iter()
                .filter_map(|index| selection(self.estimates[*index].get(metric)?))
                .filter(|group| group.of > 0)
                .collect();
            let p =
                if groups.len() > MAX_GROUPS { Vec::new() } else { all_pairs::every_pair(&groups) };
            (groups.len() >= 2).then_some(Tested { groups, p })
        };
        self.tests.get(metric)?.get_or_init(test).as_ref()
    }
}

/// The lower rate first.
fn in_order(one: Selection, other: Selection) -> (Selection, Selection) {
    if one.rate() <= other.rate() { (one, other) } else { (other, one) }
}

fn evidence(
    definition: &Definition,
    spec: &AnalysisSpec,
    metric: &str,
    (low, high): (Selection, Selection),
    (p, test): (f64, Test),
    adjusted: Adjusted,
    tests: u64,
) -> Evidence {
    let level = (1.0 - spec.confidence) / tests.max(1) as f64;
    let of_selections = metric == "selection_rate" && test != Test::CochranMantelHaenszel;
    Evidence {
        p,
        adjusted: adjusted.holm,
        detectable: detectable(low.of, high, level, USUAL_POWER)
            .map(|found| if definition.ideal == 1.0 { found.ratio } else { found.difference }),
        significance: Significance {
            test,
            tests,
            p_benjamini_hochberg: adjusted.benjamini_hochberg,
            standard_deviations: of_selections.then(|| standard_deviations(low, high)).flatten(),
            flip_flop: of_selections.then(|| flip_flop(low, high)).flatten(),
        },
    }
}
