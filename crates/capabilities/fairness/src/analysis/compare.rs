//! One attribute (or combination of several): its groups compared, every disparity with its interval and status.

use std::sync::OnceLock;

use super::{
    estimates::{Estimated, Sure},
    evidence::Tested,
    groups::{GroupTally, Groups},
    judge::{judge, threshold},
    sentences,
    statistic::{Statistic, Values},
    strata::Within,
};
use crate::{
    AnalysisSpec,
    disparities::{Against, Definition, Fold, Form, Kind},
    intervals::{katz::katz, newcombe::newcombe, pairs, z},
    metrics,
    result::{Disparity, Interval, IntervalMethod, LeftOut, PredictionSource, WorstPair},
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
        overall: &[Estimated],
        source: PredictionSource,
        drawn: Option<(f64, f64)>,
    ) -> Disparity {
        let (value, undefined) = match self.value(definition, spec) {
            Ok(value) => (Some(value), None),
            Err(reason) => (None, Some(reason)),
        };
        let interval = value.and_then(|value| self.interval(definition, spec, drawn, value));
        let threshold = threshold(definition, spec, source);
        let status = match (value, threshold) {
            (Some(value), Some(threshold)) => {
                Some(judge(definition, value, interval.as_ref(), threshold))
            }
            _ => None,
        };
        let worst_pair = value.and_then(|_| self.worst_pair(definition, spec, overall));
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
            left_out: self.left_out(definition),
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
            kind => Some(Statistic::of(kind).value(&self.values))
                .filter(|value| value.is_finite())
                .ok_or_else(reason),
        }
    }

    /// The metrics that the disparity compares between groups.
    fn compared_metrics(definition: &Definition) -> Vec<&'static metrics::Metric> {
        match definition.kind {
            Kind::Extremes { metric, .. } => vec![metric],
            Kind::Odds { .. } => ["tpr", "fpr"].into_iter().filter_map(metrics::find).collect(),
            Kind::Privileged { .. }
            | Kind::Average(_)
            | Kind::Entropy { .. }
            | Kind::Conditional { .. }
            | Kind::Bins { .. } => Vec::new(),
        }
    }

    fn left_out(&self, definition: &Definition) -> Vec<LeftOut> {
        let mut left_out = Vec::new();
        for metric in Self::compared_metrics(definition) {
            let position = super::statistic::position(metric);
            for index in &self.compared {
                if let Some(reason) =
                    self.estimates[*index].get(position).and_then(|estimate| estimate.undefined)
                {
                    left_out.push(LeftOut {
                        name: self.group(*index).name.clone(),
                        reason: format!("{}: {reason}", metric.title),
                    });
                }
            }
        }
        left_out
    }

    fn why_undefined(&self, definition: &Definition) -> String {
        if self.compared.len() < 2 {
            return self.not_comparable();
        }
        match definition.kind {
            Kind::Extremes { metric, form, against } => self.why_extremes(metric, form, against),
            Kind::Odds { form, against, .. } => Self::compared_metrics(definition)
                .into_iter()
                .find(|metric| {
                    let metric = super::statistic::position(metric);
                    Statistic::Extremes { metric, form, against }.value(&self.values).is_nan()
                })
                .map_or_else(
                    || "a rate is undefined".to_owned(),
                    |metric| self.why_extremes(metric, form, against),
                ),
            Kind::Privileged { .. }
            | Kind::Average(_)
            | Kind::Entropy { all_groups: false, .. }
                if self.reference.is_none() =>
            {
                self.no_reference
                    .clone()
                    .unwrap_or_else(|| "there is no reference group".to_owned())
            }
            Kind::Privileged { metric, form } => {
                let position = super::statistic::position(metric);
                let side = |estimates: &[Estimated]| {
                    estimates.get(position).and_then(|estimate| estimate.undefined)
                };
                let reference = self
                    .reference
                    .map(|index| self.estimates[index].as_slice())
                    .unwrap_or_default();
                match (side(reference), side(&self.others), form) {
                    (Some(reason), _, _) => {
                        format!("the reference group has no {}: {reason}", metric.title)
                    }
                    (_, Some(reason), _) => {
                        format!("the other groups have no {}: {reason}", metric.title)
                    }
                    (None, None, _) => format!("the reference group's {} is 0", metric.title),
                }
            }
            Kind::Average(_) => {
                "one of its rates is undefined, in the reference group or in the others".to_owned()
            }
            Kind::Entropy { .. } => "a group's mean benefit is undefined or 0".to_owned(),
            Kind::Conditional { .. } => "the data have no strata".to_owned(),
            Kind::Bins { .. } => self.no_bins(),
        }
    }

    fn why_extremes(&self, metric: &metrics::Metric, form: Form, against: Against) -> String {
        let position = super::statistic::position(metric);
        let defined = self
            .values
            .groups
            .iter()
            .filter(|values| !values.get(position).copied().unwrap_or(f64::NAN).is_nan())
            .count();
        if defined < 2 {
            return format!("{} is defined in fewer than two groups", metric.title);
        }
        match (form, against) {
            (Form::Ratio, Against::Groups) => {
                format!("the greatest {} is 0, or one is negative: there is no ratio", metric.title)
            }
            (Form::Ratio, Against::Overall) => format!(
                "{} of everybody is 0 or undefined, or a group's is negative: there is no ratio",
                metric.title
            ),
            (Form::Difference, _) => format!("{} of everybody is undefined", metric.title),
        }
    }

    /// Why groups cannot be compared at all.
    pub(crate) fn not_comparable(&self) -> String {
        match (self.groups.all.len(), self.compared.len()) {
            (0, _) => "there are no rows".to_owned(),
            (1, _) => "there is only one group: nothing to compare it with".to_owned(),
            (_, 0) => "all groups are below the least group size".to_owned(),
            _ => {
                "only one group reaches the least group size: nothing to compare it with".to_owned()
            }
        }
    }

    fn interval(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        drawn: Option<(f64, f64)>,
        value: f64,
    ) -> Option<Interval> {
        let confidence = spec.confidence;
        let members = |metric: &metrics::Metric| {
            let position = super::statistic::position(metric);
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
        let position = super::statistic::position(metric);
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

    /// Why no bin of scores can be compared.
    fn no_bins(&self) -> String {
        if self.compared.iter().all(|index| self.group(*index).tally.reliability.is_none()) {
            return metrics::NOT_PROBABILITIES.to_owned();
        }
        "no bin of scores has two groups of the least size".to_owned()
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

    fn worst_pair(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        overall: &[Estimated],
    ) -> Option<WorstPair> {
        let (metric, form, against) = match definition.kind {
            Kind::Extremes { metric, form, against } => (metric, form, against),
            Kind::Odds { form, against, .. } => {
                let gap = |metric: &&metrics::Metric| {
                    let metric = super::statistic::position(metric);
                    let value = Statistic::Extremes { metric, form, against }.value(&self.values);
                    if form == Form::Ratio { 1.0 - value } else { value }
                };
                let metric = Self::compared_metrics(definition)
                    .into_iter()
                    .max_by(|left, right| gap(left).total_cmp(&gap(right)))?;
                (metric, form, against)
            }
            Kind::Privileged { metric, .. } => {
                let position = super::statistic::position(metric);
                let reference = (
                    self.group(self.reference?).name.clone(),
                    *self.values.reference.get(position)?,
                );
                let others = ("all others".to_owned(), *self.values.others.get(position)?);
                return Some(ordered(metric.id, reference, others));
            }
            Kind::Conditional { metric, form } => {
                let (one, other) = self.within.as_ref()?.worst(metric, form)?;
                let named = |(index, rate): (usize, f64)| (self.group(index).name.clone(), rate);
                return Some(ordered(metric.id, named(one), named(other)));
            }
            Kind::Bins { fold: Fold::WorstCase } => {
                let (what, one, other) = self.bins(spec.min_group_size).worst()?;
                let named = |(index, rate): (usize, f64)| (self.group(index).name.clone(), rate);
                return Some(ordered(&what, named(one), named(other)));
            }
            Kind::Average(_) | Kind::Entropy { .. } | Kind::Bins { fold: Fold::Mean } => {
                return None;
            }
        };
        let position = super::statistic::position(metric);
        let named = self.compared.iter().filter_map(|index| {
            let value = self.estimates[*index].get(position)?.value?;
            Some((self.group(*index).name.clone(), value))
        });
        match against {
            Against::Groups => {
                let named: Vec<_> = named.collect();
                let low = named.iter().min_by(|left, right| left.1.total_cmp(&right.1))?.clone();
                let high =
                    named.iter().rev().max_by(|left, right| left.1.total_cmp(&right.1))?.clone();
                Some(ordered(metric.id, low, high))
            }
            Against::Overall => {
                let everybody = overall.get(position)?.value?;
                let gap = |value: f64| match form {
                    Form::Difference => (value - everybody).abs(),
                    Form::Ratio => 1.0 - (value / everybody).min(everybody / value),
                };
                let worst = named.max_by(|left, right| gap(left.1).total_cmp(&gap(right.1)))?;
                Some(ordered(metric.id, worst, ("overall".to_owned(), everybody)))
            }
        }
    }
}

fn ordered(metric: &str, one: (String, f64), other: (String, f64)) -> WorstPair {
    let (low, high) = if one.1 <= other.1 { (one, other) } else { (other, one) };
    WorstPair {
        low: low.0,
        low_value: low.1,
        high: high.0,
        high_value: high.1,
        metric: metric.to_owned(),
    }
}
