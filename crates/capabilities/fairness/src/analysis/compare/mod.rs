//! One attribute (or combination of several): its groups compared, every disparity with its interval and status.

mod between;
mod interval;
mod undefined;
mod worst_pair;

use std::sync::OnceLock;

use super::{
    estimates::Estimated,
    everybody::{Against, Everybody},
    evidence::Tested,
    groups::{GroupTally, Groups},
    judge::{judge, threshold},
    sentences,
    statistic::{Statistic, Values},
    strata::Within,
};
use crate::{
    AnalysisSpec,
    disparities::{Definition, Kind, Peer},
    metrics,
    result::{Disparity, PredictionSource},
    tally::{Matrix, Tally},
};

/// A grouping, ready to be compared.
pub(crate) struct Comparison {
    pub groups: Groups,
    /// The metrics of each group; empty for small groups beyond the number that is shown.
    pub estimates: Vec<Vec<Estimated>>,
    /// Which groups are large enough.
    pub compared: Vec<usize>,
    /// The reference group, if it is large enough.
    pub reference: Option<usize>,
    /// Why there is no reference group.
    pub no_reference: Option<String>,
    pub others: Vec<Estimated>,
    pub values: Values,
    /// The groups within strata.
    pub within: Option<Within>,
    /// By metric: every pair tested, when it was first asked for.
    pub tests: Vec<OnceLock<Option<Tested>>>,
    /// By metric: every group against everybody, when it was first asked for.
    pub against: Vec<OnceLock<Against>>,
}

impl Comparison {
    pub(crate) fn group(&self, index: usize) -> &GroupTally {
        &self.groups.all[index]
    }

    /// Collects the values that statistics are computed from.
    pub(crate) fn collect(&mut self, others: &Tally, overall: &[Estimated]) {
        let numbers = |estimates: &[Estimated]| {
            estimates
                .iter()
                .map(|estimate| estimate.value.unwrap_or(f64::NAN))
                .collect::<Vec<f64>>()
        };
        let benefit = |tally: &Tally| {
            let matrix = Matrix::of(tally);
            metrics::entropy::mean_benefit(&matrix).map(|mean| (mean, matrix.total()))
        };
        self.values = Values {
            groups: self.compared.iter().map(|index| numbers(&self.estimates[*index])).collect(),
            overall: numbers(overall),
            reference: self
                .reference
                .map(|index| numbers(&self.estimates[index]))
                .unwrap_or_default(),
            others: numbers(&self.others),
            benefits: self
                .compared
                .iter()
                .filter_map(|index| benefit(&self.group(*index).tally))
                .collect(),
            two_benefits: match self.reference {
                Some(index) => [benefit(others), benefit(&self.group(index).tally)]
                    .into_iter()
                    .flatten()
                    .collect(),
                None => Vec::new(),
            },
            ..Values::default()
        };
        self.values.bound();
    }

    /// One disparity. `drawn`: the bootstrap's interval, where it has one.
    pub(crate) fn disparity(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        everybody: &Everybody<'_>,
        source: PredictionSource,
        drawn: Option<(f64, f64)>,
    ) -> Disparity {
        let (value, undefined) = match self.value(definition, spec) {
            Ok(value) => (Some(value), None),
            Err(reason) => (None, Some(reason)),
        };
        let interval =
            value.and_then(|value| self.interval(definition, spec, everybody, drawn, value));
        let mut left_out = self.left_out(definition);
        if interval.is_some() {
            left_out.extend(self.unsure_of(definition, everybody));
        }
        let threshold = threshold(definition, spec, source);
        let status = match (value, threshold) {
            (Some(value), Some(threshold)) => {
                Some(judge(definition, value, interval.as_ref(), threshold))
            }
            _ => None,
        };
        let worst_pair = value.and_then(|_| self.worst_pair(definition, spec, everybody.estimates));
        let evidence = threshold
            .zip(worst_pair.as_ref())
            .and_then(|(_, worst)| self.evidence(definition, spec, worst));
        let mut disparity = Disparity {
            id: definition.id.clone(),
            title: definition.title.clone(),
            value,
            ideal: definition.ideal,
            interval,
            threshold,
            status,
            worst_pair,
            n: self.compared.iter().map(|index| self.group(*index).tally.all.n).sum(),
            undefined,
            left_out,
            sentence: String::new(),
            p_value: evidence.as_ref().map(|found| found.p),
            p_adjusted: evidence.as_ref().map(|found| found.adjusted),
            detectable: evidence.as_ref().and_then(|found| found.detectable),
            significance: evidence.map(|found| found.significance),
        };
        disparity.sentence = sentences::disparity(definition, &disparity);
        disparity
    }

    /// Its value, or why it has none.
    fn value(&self, definition: &Definition, spec: &AnalysisSpec) -> Result<f64, String> {
        let reason = || self.why_undefined(definition);
        match definition.kind {
            _ if self.compared.len() < 2 => Err(reason()),
            Kind::Conditional { metric, form } => match &self.within {
                Some(within) => within.value(metric, form),
                None => Err(reason()),
            },
            Kind::Bins { fold } => {
                self.bins(spec.min_group_size).value(fold).ok_or_else(|| self.no_bins())
            }
            Kind::Peer(peer) => self.peer(peer),
            kind => Some(Statistic::of(kind).value(&self.values))
                .filter(|value| value.is_finite())
                .ok_or_else(reason),
        }
    }

    /// The metrics that the disparity compares between groups.
    fn compared_metrics(definition: &Definition) -> Vec<&'static metrics::Metric> {
        match definition.kind {
            Kind::Extremes { metric, .. } | Kind::Peer(Peer::EachToReference { metric }) => {
                vec![metric]
            }
            Kind::Odds { .. } => ["tpr", "fpr"].into_iter().filter_map(metrics::find).collect(),
            Kind::Privileged { .. }
            | Kind::Average(_)
            | Kind::Entropy { .. }
            | Kind::Conditional { .. }
            | Kind::Bins { .. }
            | Kind::Peer(_) => Vec::new(),
        }
    }
}
