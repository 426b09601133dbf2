//! Why a disparity has no value, and which groups are left out of it.

use super::{
    super::{
        estimates::Estimated,
        everybody::Everybody,
        statistic::{Statistic, position},
    },
    Comparison,
};
use crate::{
    disparities::{Against, Definition, Form, Kind},
    metrics,
    result::LeftOut,
};

impl Comparison {
    /// Groups that are compared and have none of a metric, with the reason.
    pub(super) fn left_out(&self, definition: &Definition) -> Vec<LeftOut> {
        let mut left_out = Vec::new();
        for metric in Self::compared_metrics(definition) {
            let position = position(metric);
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

    /// The same of groups that have a value of a metric, but no variance: they are compared, and not in the interval.
    pub(super) fn unsure_of(
        &self,
        definition: &Definition,
        everybody: &Everybody<'_>,
    ) -> Vec<LeftOut> {
        let unsure = self.unsure(definition, everybody).into_iter();
        let left_out = |(index, metric): (usize, &metrics::Metric)| LeftOut {
            name: self.group(index).name.clone(),
            reason: format!(
                "{}: too few rows to tell how sure it is, so that only the value counts it, and the interval's far end is open",
                metric.title
            ),
        };
        unsure.map(left_out).collect()
    }

    /// Why a disparity has no value.
    pub(super) fn why_undefined(&self, definition: &Definition) -> String {
        if self.compared.len() < 2 {
            return self.not_comparable();
        }
        match definition.kind {
            Kind::Extremes { metric, form, against } => self.why_extremes(metric, form, against),
            Kind::Odds { form, against, .. } => Self::compared_metrics(definition)
                .into_iter()
                .find(|metric| {
                    let metric = position(metric);
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
                let position = position(metric);
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
            Kind::Peer(peer) => self.peer(peer).err().unwrap_or_default(),
        }
    }

    fn why_extremes(&self, metric: &metrics::Metric, form: Form, against: Against) -> String {
        let position = position(metric);
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

    /// Why no bin of scores can be compared.
    pub(super) fn no_bins(&self) -> String {
        if self.compared.iter().all(|index| self.group(*index).tally.reliability.is_none()) {
            return metrics::NOT_PROBABILITIES.to_owned();
        }
        "no bin of scores has two groups of the least size".to_owned()
    }
}
