//! Each metric of a group: its value, why it has none, and how sure it is.

use crate::{
    intervals::{self, Proportion, delong, drawn::Drawn, pairs::Member, wilson::wilson},
    metrics::{self, Measure, Smooth},
    result::{Interval, IntervalMethod, MetricValue},
    tally::{Matrix, Tally},
};

/// A metric of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimated {
    pub value: Option<f64>,
    pub undefined: Option<&'static str>,
    /// Rows that it was computed from.
    pub n: u64,
    pub sure: Sure,
}

/// How sure a value is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sure {
    /// There is no interval.
    Unknown,
    /// A proportion of so many effective rows.
    Rate(Proportion),
    /// A value with this variance.
    Variance(f64, IntervalMethod),
    /// A value with this variance that is too great on average, by no more than this bias.
    Biased { variance: f64, bias: f64 },
    /// Bootstrapped: its variance and percentiles.
    Drawn(Drawn),
}

/// A metric of a group, before any bootstrap.
pub(crate) fn estimate(measure: Measure, tally: &Tally, is_auc: bool) -> Estimated {
    match measure {
        Measure::Exact(of) => Estimated {
            value: Some(of(tally)),
            undefined: None,
            n: tally.all.n,
            sure: Sure::Unknown,
        },
        Measure::Rate(of, none) => {
            let (hits, all) = of(tally);
            if all.w <= 0.0 {
                return Estimated {
                    value: None,
                    undefined: Some(none),
                    n: all.n,
                    sure: Sure::Unknown,
                };
            }
            let p = hits.w / all.w;
            Estimated {
                value: Some(p),
                undefined: None,
                n: all.n,
                sure: Sure::Rate(Proportion { p, n: all.effective() }),
            }
        }
        Measure::Matrix(Smooth { one: of, .. }) => {
            let n = tally.judged().n;
            match of(&Matrix::of(tally)) {
                Ok(value) => {
                    Estimated { value: Some(value), undefined: None, n, sure: Sure::Unknown }
                }
                Err(reason) => {
                    Estimated { value: None, undefined: Some(reason.0), n, sure: Sure::Unknown }
                }
            }
        }
        Measure::Mean(of, _) | Measure::Estimate(of) => match of(tally) {
            Ok(found) => {
                let method = if is_auc { IntervalMethod::DeLong } else { IntervalMethod::Normal };
                let sure = match found.variance {
                    None => Sure::Unknown,
                    Some(variance) if found.bias > 0.0 => {
                        Sure::Biased { variance, bias: found.bias }
                    }
                    Some(variance) => Sure::Variance(variance, method),
                };
                Estimated { value: Some(found.value), undefined: None, n: found.n, sure }
            }
            Err(reason) => {
                Estimated { value: None, undefined: Some(reason.0), n: 0, sure: Sure::Unknown }
            }
        },
    }
}

/// All metrics of a group, in the registry's order.
pub(crate) fn estimate_all(tally: &Tally) -> Vec<Estimated> {
    metrics::registry()
        .iter()
        .map(|metric| estimate(metric.measure, tally, metric.id == "roc_auc"))
        .collect()
}

impl Estimated {
    /// Takes its interval from the bootstrap.
    pub(crate) fn draw(&mut self, drawn: Option<Drawn>) {
        if let (Some(_), Some(drawn)) = (self.value, drawn) {
            self.sure = Sure::Drawn(drawn);
        }
    }

    /// For comparing it with another group's.
    pub(crate) fn member(&self) -> Option<Member> {
        let value = self.value?;
        match self.sure {
            Sure::Unknown => None,
            Sure::Rate(rate) => Some(Member::Rate(rate)),
            Sure::Variance(variance, _) | Sure::Drawn(Drawn { variance, .. }) => {
                Some(Member::Value { value, variance })
            }
            Sure::Biased { variance, bias } => Some(Member::Biased { value, variance, bias }),
        }
    }

    pub(crate) fn interval(&self, range: (f64, f64), confidence: f64) -> Option<Interval> {
        let value = self.value?;
        let z = intervals::z(confidence);
        let (lower, upper, method) = match self.sure {
            Sure::Unknown => return None,
            Sure::Rate(rate) => {
                let (lower, upper) = wilson(rate, z);
                (lower, upper, IntervalMethod::Wilson)
            }
            Sure::Variance(variance, method @ IntervalMethod::DeLong) => {
                let (lower, upper) = delong::interval(value, variance, z);
                (lower, upper, method)
            }
            Sure::Variance(variance, method) => {
                let spread = z * variance.sqrt();
                (value - spread, value + spread, method)
            }
            Sure::Biased { variance, bias } => {
                let spread = z * variance.sqrt();
                (value - bias - spread, value + spread, IntervalMethod::Normal)
            }
            Sure::Drawn(Drawn { lower, upper, .. }) => (lower, upper, IntervalMethod::Bootstrap),
        };
        Some(Interval { lower: lower.max(range.0), upper: upper.min(range.1), confidence, method })
    }

    pub(crate) fn to_value(self, metric: &metrics::Metric, confidence: f64) -> MetricValue {
        MetricValue {
            id: metric.id.to_owned(),
            value: self.value,
            interval: self.interval(metric.range, confidence),
            n: self.n,
            undefined: self.undefined.map(str::to_owned),
        }
    }
}
