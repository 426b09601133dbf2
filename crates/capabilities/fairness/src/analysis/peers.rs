//! The peers' conventions that are neither extremes of a metric nor others against the reference group: their values, between
//! which groups they lie, and how sure they are.

use super::{
    compare::Comparison,
    estimates::{Estimated, Sure},
    statistic::position,
};
use crate::{
    disparities::{
        Outcome, Outcomes, Peer, class_imbalance, demographic_disparity, differential_fairness,
        kl_divergence,
    },
    intervals::{katz::katz, pairs, z},
    metrics::Metric,
    result::{Interval, IntervalMethod, WorstPair},
    tally::{NEGATIVE, POSITIVE, Tally},
};

/// What a pair calls all other groups together.
const OTHERS: &str = "all others";

impl Comparison {
    /// Its value, or why it has none.
    pub(super) fn peer(&self, peer: Peer) -> Result<f64, String> {
        match peer {
            Peer::EachToReference { metric } => {
                let reference = self.needed_reference()?;
                self.farthest(metric, reference).map(|(_, ratio)| ratio)
            }
            Peer::GreaterToReference { metrics } => {
                let reference = self.needed_reference()?;
                let mut greatest = 0.0_f64;
                for metric in metrics {
                    greatest = greatest.max(self.apart(metric, reference)?.abs());
                }
                Ok(greatest)
            }
            Peer::DifferentialFairness(outcome) => {
                differential_fairness::value(&self.outcomes(outcome)).map_err(str::to_owned)
            }
            Peer::BiasAmplification => {
                let of = |outcome| differential_fairness::value(&self.outcomes(outcome));
                let (predictions, labels) = (of(Outcome::Predictions), of(Outcome::Labels));
                Ok(predictions.map_err(str::to_owned)? - labels.map_err(str::to_owned)?)
            }
            Peer::DemographicDisparity(outcome) => {
                demographic_disparity::value(&self.outcomes(outcome)).map_err(str::to_owned)
            }
            Peer::Divergence(outcome) => {
                let (reference, others) = self.sides(|tally| outcomes(tally, outcome))?;
                kl_divergence::value(reference, others.into_iter().sum()).map_err(str::to_owned)
            }
            Peer::Imbalance => {
                let (reference, others) = self.sides(|tally| tally.all.w)?;
                class_imbalance::value(reference, others.into_iter().sum()).map_err(str::to_owned)
            }
        }
    }

    /// The two that make the value, where there are two.
    pub(super) fn peer_pair(&self, peer: Peer) -> Option<WorstPair> {
        let reference = self.reference?;
        let (metric, name, value) = match peer {
            Peer::EachToReference { metric } => {
                let (at, _) = self.farthest(metric, reference).ok()?;
                (metric, self.group(at).name.clone(), self.measured(metric, at)?)
            }
            Peer::GreaterToReference { metrics: [first, second] } => {
                let gap = |metric| self.apart(metric, reference).map_or(0.0, f64::abs);
                let metric = if gap(second) > gap(first) { second } else { first };
                (metric, OTHERS.to_owned(), self.others.get(position(metric))?.value?)
            }
            _ => return None,
        };
        let one = (name, value);
        let other = (self.group(reference).name.clone(), self.measured(metric, reference)?);
        let (low, high) = if one.1 <= other.1 { (one, other) } else { (other, one) };
        Some(WorstPair {
            low: low.0,
            low_value: low.1,
            high: high.0,
            high_value: high.1,
            metric: metric.id.to_owned(),
        })
    }

    /// How sure its value is; `None` where that would have to be drawn.
    pub(super) fn peer_interval(
        &self,
        peer: Peer,
        value: f64,
        confidence: f64,
    ) -> Option<Interval> {
        let reference = self.reference?;
        let ((lower, upper), method) = match peer {
            Peer::EachToReference { metric } => {
                self.ratio_interval(metric, reference, value, confidence)?
            }
            Peer::GreaterToReference { metrics } => {
                let families = metrics
                    .into_iter()
                    .map(|metric| {
                        let others = self.others.get(position(metric))?.member()?;
                        let reference = self.estimated(metric, reference)?.member()?;
                        Some(vec![others, reference])
                    })
                    .collect::<Option<Vec<_>>>()?;
                let bounds = pairs::greatest_difference(&families, confidence)?;
                (bounds, IntervalMethod::SimultaneousPairs)
            }
            _ => return None,
        };
        Some(Interval { lower, upper, confidence, method })
    }

    /// A group's value of a metric by the reference group's; `None` if either is undefined, or the latter is 0.
    pub(super) fn ratio(&self, metric: &Metric, at: usize, reference: usize) -> Option<f64> {
        let of_reference = self.measured(metric, reference).filter(|value| *value > 0.0)?;
        Some(self.measured(metric, at)? / of_reference)
    }

    /// Of one other group Katz's interval; of more, that of the least of their ratios, all of them at once.
    fn ratio_interval(
        &self,
        metric: &Metric,
        reference: usize,
        value: f64,
        confidence: f64,
    ) -> Option<((f64, f64), IntervalMethod)> {
        let of_reference = self.estimated(metric, reference)?;
        let others: Vec<Estimated> = self
            .other_groups(reference)
            .filter(|at| self.ratio(metric, *at, reference).is_some())
            .filter_map(|at| self.estimated(metric, at))
            .collect();
        if let ([other], Sure::Rate(right)) = (&others[..], of_reference.sure) {
            let Sure::Rate(left) = other.sure else { return None };
            return Some((katz(left, right, z(confidence)), IntervalMethod::Katz));
        }
        if others.len() >= pairs::MAX_GROUPS {
            return None;
        }
        let reference = of_reference.member()?;
        let families = others
            .iter()
            .map(|other| Some(vec![other.member()?, reference]))
            .collect::<Option<Vec<_>>>()?;
        let (lower, upper) = pairs::least_ratio(&families, confidence)?;
        // The machinery has the lesser by the greater.
        let bounds = if value > 1.0 { (1.0 / upper, 1.0 / lower) } else { (lower, upper) };
        Some((bounds, IntervalMethod::SimultaneousPairs))
    }

    /// The other group whose ratio to the reference group is farthest from 1.
    fn farthest(&self, metric: &Metric, reference: usize) -> Result<(usize, f64), String> {
        match self.estimated(metric, reference) {
            Some(Estimated { value: Some(value), .. }) if value > 0.0 => {}
            Some(Estimated { undefined: Some(reason), .. }) => {
                return Err(format!("the reference group has no {}: {reason}", metric.title));
            }
            _ => return Err(format!("the reference group's {} is 0", metric.title)),
        }
        let gap = |ratio: f64| if ratio > 0.0 { 1.0 - ratio.min(1.0 / ratio) } else { 1.0 };
        self.other_groups(reference)
            .filter_map(|at| Some((at, self.ratio(metric, at, reference)?)))
            // Of equal ones the first.
            .reduce(|best, one| if gap(one.1) > gap(best.1) { one } else { best })
            .ok_or_else(|| format!("{} is defined in fewer than two groups", metric.title))
    }

    /// All others' value of a metric less the reference group's.
    fn apart(&self, metric: &Metric, reference: usize) -> Result<f64, String> {
        let of_reference = self.estimated(metric, reference);
        let of_others = self.others.get(position(metric)).copied();
        let sides =
            [("the reference group has", of_reference), ("the other groups have", of_others)];
        for (side, estimated) in sides {
            if let Some(reason) = estimated.and_then(|estimated| estimated.undefined) {
                return Err(format!("{side} no {}: {reason}", metric.title));
            }
        }
        let value = |estimated: Option<Estimated>| estimated.and_then(|estimated| estimated.value);
        match (value(of_others), value(of_reference)) {
            (Some(others), Some(reference)) => Ok(others - reference),
            _ => Err(format!("{} is undefined", metric.title)),
        }
    }

    /// What there is of the reference group, and of each other group that is compared.
    fn sides<T>(&self, of: impl Fn(&Tally) -> T) -> Result<(T, Vec<T>), String> {
        let reference = self.needed_reference()?;
        let others = self.other_groups(reference).map(|at| of(&self.group(at).tally)).collect();
        Ok((of(&self.group(reference).tally), others))
    }

    fn outcomes(&self, outcome: Outcome) -> Vec<Outcomes> {
        self.compared.iter().map(|at| outcomes(&self.group(*at).tally, outcome)).collect()
    }

    fn other_groups(&self, reference: usize) -> impl Iterator<Item = usize> + '_ {
        self.compared.iter().copied().filter(move |at| *at != reference)
    }

    fn estimated(&self, metric: &Metric, at: usize) -> Option<Estimated> {
        self.estimates.get(at)?.get(position(metric)).copied()
    }

    fn measured(&self, metric: &Metric, at: usize) -> Option<f64> {
        self.estimated(metric, at)?.value
    }

    fn needed_reference(&self) -> Result<usize, String> {
        self.reference.ok_or_else(|| {
            self.no_reference.clone().unwrap_or_else(|| "there is no reference group".to_owned())
        })
    }
}

/// A group's rows by label or by prediction.
fn outcomes(tally: &Tally, outcome: Outcome) -> Outcomes {
    let of = |place: usize| match outcome {
        Outcome::Labels => tally.label(place).w,
        Outcome::Predictions => tally.predicted(place).w,
    };
    Outcomes { positive: of(POSITIVE), negative: of(NEGATIVE) }
}
