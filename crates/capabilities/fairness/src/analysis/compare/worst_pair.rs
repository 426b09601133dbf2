//! Which two groups a disparity lies between.

use super::{
    super::{
        estimates::Estimated,
        statistic::{Statistic, position},
    },
    Comparison,
};
use crate::{
    AnalysisSpec,
    disparities::{Against, Definition, Fold, Form, Kind},
    metrics,
    result::WorstPair,
};

impl Comparison {
    /// The two that are farthest apart.
    pub(super) fn worst_pair(
        &self,
        definition: &Definition,
        spec: &AnalysisSpec,
        overall: &[Estimated],
    ) -> Option<WorstPair> {
        let (metric, form, against) = match definition.kind {
            Kind::Extremes { metric, form, against } => (metric, form, against),
            Kind::Odds { form, against, .. } => {
                let gap = |metric: &&metrics::Metric| {
                    let metric = position(metric);
                    let value = Statistic::Extremes { metric, form, against }.value(&self.values);
                    if form == Form::Ratio { 1.0 - value } else { value }
                };
                let metric = Self::compared_metrics(definition)
                    .into_iter()
                    .max_by(|left, right| gap(left).total_cmp(&gap(right)))?;
                (metric, form, against)
            }
            Kind::Privileged { metric, .. } => {
                let position = position(metric);
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
            Kind::Peer(peer) => return self.peer_pair(peer),
            Kind::Average(_) | Kind::Entropy { .. } | Kind::Bins { fold: Fold::Mean } => {
                return None;
            }
        };
        let position = position(metric);
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
