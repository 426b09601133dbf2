//! How sure a disparity's value is.

use super::{
    super::{
        estimates::{Estimated, Sure},
        everybody::Everybody,
        statistic::{position, position_of},
    },
    Comparison,
};
use crate::{
    AnalysisSpec,
    disparities::{Against, Average, Definition, Fold, Form, Kind},
    intervals::{
        katz::katz,
        newcombe::newcombe,
        pairs::{self, Member},
        whole::{Part, greatest_differences, least_ratios},
        z,
    },
    metrics,
    result::{Interval, IntervalMethod},
};

impl Comparison {
    /// How sure a disparity's value is.
    pub(super) fn interval(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        everybody: &Everybody<'_>,
        drawn: Option<(f64, f64)>,
        value: f64,
    ) -> Option<Interval> {
        let confidence = spec.confidence;
        let of_method = |method: IntervalMethod| {
            move |(lower, upper): (f64, f64)| Interval { lower, upper, confidence, method }
        };
        let simultaneous = of_method(self.pair_method(definition));
        // Percentiles may miss the value itself where draws are few or far from it.
        let bootstrapped = || {
            drawn
                .map(|(lower, upper)| (lower.min(value), upper.max(value)))
                .map(of_method(IntervalMethod::Bootstrap))
        };
        let found = match definition.kind {
            Kind::Extremes { metric, form, against: Against::Groups } => {
                let families = [self.members(metric)];
                match form {
                    Form::Difference => pairs::greatest_difference(&families, confidence),
                    Form::Ratio => pairs::least_ratio(&families, confidence),
                }
                .map(simultaneous)
            }
            Kind::Odds { form, fold, against: Against::Groups } => {
                let families: Vec<Vec<Member>> = Self::compared_metrics(definition)
                    .into_iter()
                    .map(|metric| self.members(metric))
                    .collect();
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
            Kind::Extremes { form, against: Against::Overall, .. } => self
                .to_everybody(definition, form, Fold::WorstCase, everybody, confidence)
                .map(of_method(IntervalMethod::SimultaneousGroups)),
            Kind::Odds { form, fold, against: Against::Overall } => self
                .to_everybody(definition, form, fold, everybody, confidence)
                .map(of_method(IntervalMethod::SimultaneousGroups)),
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
            Kind::Average(Average::AbsoluteOdds) => {
                self.absolute_odds(confidence).map(of_method(IntervalMethod::SimultaneousPairs))
            }
            Kind::Average(Average::Odds | Average::PredictiveValue) => bootstrapped(),
            Kind::Entropy { alpha, all_groups, variation } => self
                .entropy_interval(alpha, all_groups, variation, value, confidence)
                .map(of_method(IntervalMethod::ChiSquare)),
        };
        let open = |interval: Interval| {
            if self.unsure(definition, everybody).is_empty() {
                interval
            } else {
                opened(definition, interval, value)
            }
        };
        let clip = |interval: Interval| Interval {
            lower: interval.lower.clamp(definition.range.0, definition.range.1),
            upper: interval.upper.clamp(definition.range.0, definition.range.1),
            ..interval
        };
        found
            .map(open)
            .map(clip)
            .filter(|interval| interval.lower.is_finite() && interval.upper.is_finite())
    }

    /// The groups of which a metric's certainty is known.
    fn members(&self, metric: &metrics::Metric) -> Vec<Member> {
        let position = position(metric);
        let estimates =
            self.compared.iter().filter_map(|index| self.estimates[*index].get(position));
        estimates.filter_map(Estimated::member).collect()
    }

    /// The groups that have a value of a metric that is compared, while its certainty is not known.
    pub(super) fn unsure(
        &self,
        definition: &Definition,
        everybody: &Everybody<'_>,
    ) -> Vec<(usize, &'static metrics::Metric)> {
        let to_everybody = matches!(
            definition.kind,
            Kind::Extremes { against: Against::Overall, .. }
                | Kind::Odds { against: Against::Overall, .. }
        );
        let mut unsure = Vec::new();
        for metric in Self::compared_metrics(definition) {
            if to_everybody {
                let groups = self.against(metric, everybody).map(|against| &against.unsure);
                unsure.extend(groups.into_iter().flatten().map(|index| (*index, metric)));
            } else {
                let position = position(metric);
                let is_unsure = |index: &usize| {
                    self.estimates[*index].get(position).is_some_and(|estimate| {
                        estimate.value.is_some() && estimate.member().is_none()
                    })
                };
                let groups = self.compared.iter().copied().filter(is_unsure);
                unsure.extend(groups.map(|index| (index, metric)));
            }
        }
        unsure
    }

    /// The interval of the groups' greatest difference to everybody, or their least ratio.
    fn to_everybody(
        &self,
        definition: &Definition,
        form: Form,
        fold: Fold,
        everybody: &Everybody<'_>,
        confidence: f64,
    ) -> Option<(f64, f64)> {
        let families: Vec<Vec<Part>> = Self::compared_metrics(definition)
            .into_iter()
            .map(|metric| Some(self.against(metric, everybody)?.parts.clone()))
            .collect::<Option<_>>()?;
        let bounds = match form {
            Form::Difference => greatest_differences(&families, confidence)?,
            Form::Ratio => least_ratios(&families, confidence)?,
        };
        let count = bounds.len() as f64;
        let folded = bounds.into_iter().reduce(|one, other| match (fold, form) {
            (Fold::Mean, _) => (one.0 + other.0, one.1 + other.1),
            (Fold::WorstCase, Form::Difference) => (one.0.max(other.0), one.1.max(other.1)),
            (Fold::WorstCase, Form::Ratio) => (one.0.min(other.0), one.1.min(other.1)),
        })?;
        Some(match fold {
            Fold::Mean => (folded.0 / count, folded.1 / count),
            Fold::WorstCase => folded,
        })
    }

    /// The interval of the mean of the absolute differences of TPR and FPR to the reference group.
    fn absolute_odds(&self, confidence: f64) -> Option<(f64, f64)> {
        let reference = &self.estimates[self.reference?];
        let family = |id: &str| {
            let position = position_of(id);
            Some(vec![self.others.get(position)?.member()?, reference.get(position)?.member()?])
        };
        let families: Vec<Vec<Member>> =
            ["tpr", "fpr"].into_iter().map(family).collect::<Option<_>>()?;
        pairs::mean_greatest_difference(&families, confidence)
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

/// With a group that may be anywhere, the interval ends where the disparity's range does; where that has no end, not before
/// the value.
fn opened(definition: &Definition, interval: Interval, value: f64) -> Interval {
    let (least, greatest) = definition.range;
    if definition.ideal == 1.0 {
        return Interval { lower: least, ..interval };
    }
    let upper = if greatest < f64::MAX { greatest } else { interval.upper.max(value) };
    Interval { upper, ..interval }
}
