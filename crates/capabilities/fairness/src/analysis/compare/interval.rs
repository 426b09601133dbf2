//! How sure a disparity's value is.

use super::{
    super::{
        estimates::{Estimated, Sure},
        statistic::position,
    },
    Comparison,
};
use crate::{
    AnalysisSpec,
    disparities::{Against, Definition, Fold, Form, Kind},
    intervals::{katz::katz, newcombe::newcombe, pairs, z},
    metrics,
    result::{Interval, IntervalMethod},
};

impl Comparison {
    /// How sure a disparity's value is.
    pub(super) fn interval(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        drawn: Option<(f64, f64)>,
        value: f64,
    ) -> Option<Interval> {
        let confidence = spec.confidence;
        let members = |metric: &metrics::Metric| {
            let position = position(metric);
            let estimates =
                self.compared.iter().filter_map(|index| self.estimates[*index].get(position));
            estimates
                .filter(|estimate| estimate.value.is_some())
                .map(Estimated::member)
                .collect::<Option<Vec<_>>>()
        };
        let simultaneous = |(lower, upper): (f64, f64)| Interval {
            lower,
            upper,
            confidence,
            method: self.pair_method(definition),
        };
        let clip = |interval: Interval| Interval {
            lower: interval.lower.clamp(definition.range.0, definition.range.1),
            upper: interval.upper.clamp(definition.range.0, definition.range.1),
            ..interval
        };
        // Percentiles of what cannot be negative may miss the value itself when it is almost ideal.
        let bootstrapped = || {
            drawn.map(|(lower, upper)| Interval {
                lower: lower.min(value),
                upper: upper.max(value),
                confidence,
                method: IntervalMethod::Bootstrap,
            })
        };
        let found = match definition.kind {
            Kind::Extremes { metric, form, against: Against::Groups } => {
                let families = [members(metric)?];
                match form {
                    Form::Difference => pairs::greatest_difference(&families, confidence),
                    Form::Ratio => pairs::least_ratio(&families, confidence),
                }
                .map(simultaneous)
            }
            Kind::Odds { form, fold, against: Against::Groups } => {
                let families = Self::compared_metrics(definition)
                    .into_iter()
                    .map(members)
                    .collect::<Option<Vec<_>>>()?;
                match (form, fold) {
                    (Form::Difference, Fold::WorstCase) => {
                        pairs::greatest_difference(&families, confidence)
                    }
                    (Form::Difference, Fold::Mean) => {
                        pairs::mean_greatest_difference(&families, confidence)
                    }
                    (Form::Ratio, Fold::WorstCase) => pairs::least_ratio(&families, confidence),
                    (Form::Ratio, Fold::Mean) => pairs::mean_least_ratio(&families, confidence),
                }
                .map(simultaneous)
            }
            Kind::Privileged { metric, form } => {
                self.against_reference(metric, form, confidence).or_else(bootstrapped)
            }
            Kind::Conditional { metric, form } => self
                .within
                .as_ref()
                .and_then(|within| within.bounds(metric, form, confidence))
                .map(simultaneous),
            Kind::Bins { fold } => {
                self.bins(spec.min_group_size).bounds(fold, confidence).map(simultaneous)
            }
            Kind::Peer(peer) => self.peer_interval(peer, value, confidence),
            Kind::Extremes { .. } | Kind::Odds { .. } | Kind::Average(_) | Kind::Entropy { .. } => {
                bootstrapped()
            }
        };
        found.map(clip).filter(|interval| interval.lower.is_finite() && interval.upper.is_finite())
    }

    /// The interval of all other groups together against the reference group; `None` if it needs a bootstrap.
    fn against_reference(
        &self,
        metric: &metrics::Metric,
        form: Form,
        confidence: f64,
    ) -> Option<Interval> {
        let position = position(metric);
        let reference = self.estimates[self.reference?].get(position)?;
        let others = self.others.get(position)?;
        let z = z(confidence);
        let ((lower, upper), method) = match (others.sure, reference.sure, form) {
            (Sure::Rate(others), Sure::Rate(reference), Form::Difference) => {
                (newcombe(others, reference, z), IntervalMethod::Newcombe)
            }
            (Sure::Rate(others), Sure::Rate(reference), Form::Ratio) => {
                (katz(others, reference, z), IntervalMethod::Katz)
            }
            (Sure::Variance(mine, _), Sure::Variance(theirs, _), form) => {
                let (value, other) = (others.value?, reference.value?);
                let bounds = match form {
                    Form::Difference => {
                        let spread = z * (mine + theirs).sqrt();
                        (value - other - spread, value - other + spread)
                    }
                    Form::Ratio if value > 0.0 && other > 0.0 => {
                        let relative = mine / (value * value) + theirs / (other * other);
                        let spread = z * relative.sqrt();
                        (value / other * (-spread).exp(), value / other * spread.exp())
                    }
                    Form::Ratio => return None,
                };
                (bounds, IntervalMethod::Normal)
            }
            _ => return None,
        };
        Some(Interval { lower, upper, confidence, method })
    }

    /// Of two groups there is one pair, whose interval is what it is; of more, the extremes of simultaneous ones.
    fn pair_method(&self, definition: &Definition) -> IntervalMethod {
        match definition.kind {
            Kind::Extremes { metric, form, .. } | Kind::Conditional { metric, form }
                if self.compared.len() == 2 =>
            {
                match (metric.measure, form) {
                    (metrics::Measure::Rate(..), Form::Difference) => IntervalMethod::Newcombe,
                    (metrics::Measure::Rate(..), Form::Ratio) => IntervalMethod::Katz,
                    _ => IntervalMethod::Normal,
                }
            }
            _ => IntervalMethod::SimultaneousPairs,
        }
    }
}
