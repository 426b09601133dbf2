//! A disparity as a number: one function for the data and for every bootstrap draw of them.

use crate::{
    disparities::{Against, Average, Fold, Form, Kind},
    metrics::{self, Metric, entropy},
};

/// The values of every metric in every compared group, NaN where undefined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    /// By group, then metric (in the registry's order).
    pub groups: Vec<Vec<f64>>,
    pub overall: Vec<f64>,
    /// The reference group, and all other compared groups together; empty without a reference group.
    pub reference: Vec<f64>,
    pub others: Vec<f64>,
    /// Mean benefit and weight of each compared group; of others and reference.
    pub benefits: Vec<(f64, f64)>,
    pub two_benefits: Vec<(f64, f64)>,
    /// Of each metric over the groups, see [`Values::bound`].
    pub bounds: Bounds,
}

/// The least and greatest value of each metric, and in how many groups it is defined.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    least: Vec<f64>,
    greatest: Vec<f64>,
    defined: Vec<f64>,
}

impl Values {
    /// Finds the bounds of the metrics, once for all statistics that are made of them.
    pub(crate) fn bound(&mut self) {
        let Self { groups, bounds, .. } = self;
        let metrics = groups.first().map_or(0, Vec::len);
        for (bounds, from) in [
            (&mut bounds.least, f64::INFINITY),
            (&mut bounds.greatest, f64::NEG_INFINITY),
            (&mut bounds.defined, 0.0),
        ] {
            bounds.clear();
            bounds.resize(metrics, from);
        }
        for group in groups {
            // What is NaN changes neither.
            for (least, value) in bounds.least.iter_mut().zip(&*group) {
                *least = least.min(*value);
            }
            for (greatest, value) in bounds.greatest.iter_mut().zip(&*group) {
                *greatest = greatest.max(*value);
            }
            for (defined, value) in bounds.defined.iter_mut().zip(&*group) {
                *defined += f64::from(u8::from(!value.is_nan()));
            }
        }
    }
}

/// Where the metric stands in the registry.
pub(crate) fn position(metric: &Metric) -> usize {
    metrics::registry().iter().position(|other| other.id == metric.id).unwrap_or(usize::MAX)
}

/// Position of a metric that is known to be there.
pub(crate) fn position_of(id: &str) -> usize {
    metrics::find(id).map_or(usize::MAX, position)
}

/// A disparity with its metrics looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Statistic {
    Extremes {
        metric: usize,
        form: Form,
        against: Against,
    },
    Odds {
        tpr: usize,
        fpr: usize,
        form: Form,
        fold: Fold,
        against: Against,
    },
    Privileged {
        metric: usize,
        form: Form,
    },
    Average {
        first: usize,
        second: usize,
        absolute: bool,
    },
    Entropy {
        alpha: entropy::Alpha,
        all_groups: bool,
        variation: bool,
    },
    /// It is no function of the groups' metrics.
    Elsewhere,
}

impl Statistic {
    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Extremes { metric, form, against } => {
                Self::Extremes { metric: position(metric), form, against }
            }
            Kind::Odds { form, fold, against } => {
                Self::Odds { tpr: position_of("tpr"), fpr: position_of("fpr"), form, fold, against }
            }
            Kind::Privileged { metric, form } => {
                Self::Privileged { metric: position(metric), form }
            }
            Kind::Average(Average::PredictiveValue) => Self::Average {
                first: position_of("ppv"),
                second: position_of("for"),
                absolute: false,
            },
            Kind::Average(average) => Self::Average {
                first: position_of("tpr"),
                second: position_of("fpr"),
                absolute: average == Average::AbsoluteOdds,
            },
            Kind::Entropy { alpha, all_groups, variation } => {
                Self::Entropy { alpha, all_groups, variation }
            }
            Kind::Conditional { .. } | Kind::Bins { .. } | Kind::Peer(_) => Self::Elsewhere,
        }
    }

    /// Its value; NaN where undefined.
    pub(crate) fn value(self, values: &Values) -> f64 {
        match self {
            Self::Extremes { metric, form, against } => extremes(values, metric, form, against),
            Self::Odds { tpr, fpr, form, fold, against } => {
                let (first, second) =
                    (extremes(values, tpr, form, against), extremes(values, fpr, form, against));
                if first.is_nan() || second.is_nan() {
                    return f64::NAN;
                }
                match (fold, form) {
                    (Fold::Mean, _) => f64::midpoint(first, second),
                    (Fold::WorstCase, Form::Difference) => first.max(second),
                    (Fold::WorstCase, Form::Ratio) => first.min(second),
                }
            }
            Self::Privileged { .. } | Self::Average { .. } => self.between(
                |metric| at(&values.others, metric),
                |metric| at(&values.reference, metric),
            ),
            Self::Entropy { alpha, all_groups, variation } => {
                let benefits = if all_groups { &values.benefits } else { &values.two_benefits };
                if benefits.len() < 2 {
                    return f64::NAN;
                }
                let entropy = entropy::generalized(benefits, alpha).unwrap_or(f64::NAN);
                if variation { (2.0 * entropy.max(0.0)).sqrt() } else { entropy }
            }
            Self::Elsewhere => f64::NAN,
        }
    }

    /// Its value where it compares two groups alone, from their metrics; NaN where it compares more, or is undefined.
    pub(crate) fn between(
        self,
        others: impl Fn(usize) -> f64,
        reference: impl Fn(usize) -> f64,
    ) -> f64 {
        match self {
            Self::Privileged { metric, form } => {
                let (others, reference) = (others(metric), reference(metric));
                match form {
                    Form::Difference => others - reference,
                    Form::Ratio if reference > 0.0 => others / reference,
                    Form::Ratio => f64::NAN,
                }
            }
            Self::Average { first, second, absolute } => {
                let difference = |metric| others(metric) - reference(metric);
                let (first, second) = (difference(first), difference(second));
                if absolute {
                    f64::midpoint(first.abs(), second.abs())
                } else {
                    f64::midpoint(first, second)
                }
            }
            Self::Extremes { .. } | Self::Odds { .. } | Self::Entropy { .. } | Self::Elsewhere => {
                f64::NAN
            }
        }
    }

    /// The metrics that it is made of.
    pub(crate) fn metrics(self) -> impl Iterator<Item = usize> {
        let (first, second) = match self {
            Self::Extremes { metric, .. } | Self::Privileged { metric, .. } => (Some(metric), None),
            Self::Odds { tpr, fpr, .. } => (Some(tpr), Some(fpr)),
            Self::Average { first, second, .. } => (Some(first), Some(second)),
            Self::Entropy { .. } | Self::Elsewhere => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Whether its interval comes from the bootstrap: it is smooth, signed, and needs no scores. What cannot be negative has
    /// no percentiles that hold at equality.
    pub(crate) fn drawn(self) -> bool {
        match self {
            Self::Privileged { metric, .. } => metrics::registry()
                .get(metric)
                .is_some_and(|metric| matches!(metric.measure, metrics::Measure::Matrix(_))),
            Self::Average { absolute, .. } => !absolute,
            Self::Extremes { .. } | Self::Odds { .. } | Self::Entropy { .. } | Self::Elsewhere => {
                false
            }
        }
    }
}

fn at(values: &[f64], metric: usize) -> f64 {
    values.get(metric).copied().unwrap_or(f64::NAN)
}

fn extremes(values: &Values, metric: usize, form: Form, against: Against) -> f64 {
    let bounds = &values.bounds;
    if bounds.defined.get(metric).copied().unwrap_or(0.0) < 2.0 {
        return f64::NAN;
    }
    let (least, greatest) = (at(&bounds.least, metric), at(&bounds.greatest, metric));
    match (against, form) {
        (Against::Groups, Form::Difference) => greatest - least,
        (Against::Groups, Form::Ratio) if least >= 0.0 && greatest > 0.0 => least / greatest,
        (Against::Overall, Form::Difference) => {
            let overall = at(&values.overall, metric);
            (greatest - overall).abs().max((least - overall).abs())
        }
        (Against::Overall, Form::Ratio) if least >= 0.0 && at(&values.overall, metric) > 0.0 => {
            let overall = at(&values.overall, metric);
            (least / overall)
                .min(if greatest > 0.0 { overall / greatest } else { f64::INFINITY })
                .min(1.0)
        }
        _ => f64::NAN,
    }
}
