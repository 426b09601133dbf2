//! Groups compared within strata: each pair where both are, weighted by Cochran's, Mantel's and Haenszel's n1 n2 / (n1 + n2).

mod counts;
mod report;

use super::{
    compare::Comparison,
    evidence::counted,
    groups::{Cells, Has},
    statistic::position,
};
use crate::{
    AnalysisSpec, Strata,
    cube::Cube,
    disparities::Form,
    intervals::{
        Proportion,
        pairs::{MAX_GROUPS, Member, greatest_difference_of, least_ratio_of},
        z,
    },
    metrics::{self, Metric},
    significance::stratified::{Stratified, Stratum, stratified},
};
use counts::{Counts, Kept};

/// What is compared within strata.
const METRICS: [&str; 4] = ["selection_rate", "tpr", "fpr", "base_rate"];
/// The most pairs of groups times strata.
const MAX_WORK: usize = 1_000_000;

/// A comparison's groups within strata.
pub(crate) struct Within {
    /// By metric.
    found: Vec<(&'static Metric, Result<Found, String>)>,
    pub report: Strata,
}

/// Every pair of groups that share a stratum, in one metric.
struct Found {
    pairs: Vec<Pair>,
    /// The test of each pair, of one or more strata; none with weights.
    tests: Option<Vec<Option<Stratified>>>,
}

/// Two groups with their rates standardised to what they share: equal mixes of strata.
///
/// The number of rows that a standardised rate is worth follows from its variance: that of the strata, sum w² p (1 - p) / n /
/// (sum w)², or that of one rate in all of them, whichever is greater. The former is greater where a group is rare in strata in
/// which its rate is the most middling, the latter where small strata happen to have rates of 0 or 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    /// Where it stands among the pairs.
    pub at: usize,
    /// The groups, as indices of the comparison.
    groups: (usize, usize),
    pub one: Proportion,
    pub other: Proportion,
    strata: u64,
}

/// A group, by its index, with a rate.
pub(super) type Rated = (usize, f64);

impl Within {
    /// Compares; `None` without strata, or without two groups to compare.
    pub(super) fn of(
        cube: &Cube,
        cells: &Cells,
        comparison: &Comparison,
        spec: &AnalysisSpec,
        has: Has,
    ) -> Option<Self> {
        let column = spec.strata.as_ref()?;
        let attribute = spec.protected.len();
        if cube.layout.attributes <= attribute || comparison.compared.len() < 2 {
            return None;
        }
        let kept = Kept::of(cube, cells, comparison, attribute, spec.min_group_size);
        let groups = comparison.compared.len();
        let refused = refused(&kept, groups, spec);
        let mut counts = Vec::new();
        let mut found = Vec::new();
        let known = METRICS.into_iter().filter_map(metrics::find);
        for metric in known.filter(|metric| has.allows(metric.needs)) {
            let Some(rates) = Counts::of(cube, cells, comparison, attribute, &kept, metric) else {
                continue;
            };
            let compared = match &refused {
                Some(reason) => Err(reason.clone()),
                None => Found::of(&rates, &comparison.compared, spec),
            };
            found.push((metric, compared));
            counts.push((metric, rates));
        }
        let report = report::report(column, &kept, &counts, &found, comparison, spec);
        Some(Self { found, report })
    }

    fn found(&self, metric: &Metric) -> Result<&Found, String> {
        let found = self.found.iter().find(|(other, _)| other.id == metric.id);
        match found {
            Some((_, Ok(found))) => Ok(found),
            Some((_, Err(reason))) => Err(reason.clone()),
            None => Err("the data have no such rate".to_owned()),
        }
    }

    /// The greatest difference or the least ratio over pairs, or why there is none.
    pub(super) fn value(&self, metric: &Metric, form: Form) -> Result<f64, String> {
        let pair = self.found(metric)?.worst(form).ok_or_else(|| {
            format!("the greater {} is 0 in every pair: there is no ratio", metric.title)
        })?;
        let (low, high) = (pair.one.p.min(pair.other.p), pair.one.p.max(pair.other.p));
        Ok(if form == Form::Ratio { low / high } else { high - low })
    }

    /// Its interval.
    pub(super) fn bounds(
        &self,
        metric: &Metric,
        form: Form,
        confidence: f64,
    ) -> Option<(f64, f64)> {
        let members: Vec<(Member, Member)> = self
            .found(metric)
            .ok()?
            .pairs
            .iter()
            .map(|pair| (Member::Rate(pair.one), Member::Rate(pair.other)))
            .collect();
        match form {
            Form::Difference => greatest_difference_of(&members, confidence),
            Form::Ratio => least_ratio_of(&members, confidence),
        }
    }

    /// The pair that makes the value.
    pub(super) fn worst(&self, metric: &Metric, form: Form) -> Option<(Rated, Rated)> {
        let pair = self.found(metric).ok()?.worst(form)?;
        Some(((pair.groups.0, pair.one.p), (pair.groups.1, pair.other.p)))
    }

    /// The pair that makes the value with its p, and the p of all pairs.
    pub(super) fn tested(&self, metric: &Metric, form: Form) -> Option<(Pair, (f64, Vec<f64>))> {
        let found = self.found(metric).ok()?;
        let pair = found.worst(form)?;
        let tests = found.tests.as_ref()?;
        let all: Vec<f64> = tests.iter().map(|test| test.map_or(1.0, |test| test.test.p)).collect();
        Some((*pair, (*all.get(pair.at)?, all)))
    }
}

/// Why nothing is compared at all.
fn refused(kept: &Kept, groups: usize, spec: &AnalysisSpec) -> Option<String> {
    let strata = kept.large.len();
    if strata == 0 {
        return Some(format!("all strata have fewer than {} rows", spec.min_group_size.max(1)));
    }
    if groups > MAX_GROUPS {
        return Some(format!("more than {MAX_GROUPS} groups are not compared within strata"));
    }
    let pairs = groups * (groups - 1) / 2;
    (pairs.saturating_mul(strata) > MAX_WORK).then(|| {
        format!("{groups} groups in {strata} strata are too many to compare every pair in each")
    })
}

impl Found {
    fn of(counts: &Counts, compared: &[usize], spec: &AnalysisSpec) -> Result<Self, String> {
        let (mut pairs, mut tests) = (Vec::new(), Vec::new());
        let z = z(spec.confidence);
        let mut tables: Vec<Stratum> = Vec::new();
        for first in 0..compared.len() {
            for second in first + 1..compared.len() {
                let Some(pair) = standardised(counts, first, second) else { continue };
                let groups = (compared[first], compared[second]);
                pairs.push(Pair { at: pairs.len(), groups, ..pair });
                if spec.weight.is_none() {
                    tables.clear();
                    tables.extend((0..counts.strata()).filter_map(|stratum| {
                        let of = |slot| counts.rate(stratum, slot).map(counted);
                        Some((of(first)?, of(second)?))
                    }));
                    tests.push(stratified(&tables, z));
                }
            }
        }
        if pairs.is_empty() {
            return Err(
                "no stratum of the least size has two groups in which it is defined".to_owned()
            );
        }
        Ok(Self { pairs, tests: spec.weight.is_none().then_some(tests) })
    }

    fn worst(&self, form: Form) -> Option<&Pair> {
        let bounds = |pair: &Pair| (pair.one.p.min(pair.other.p), pair.one.p.max(pair.other.p));
        let apart = |pair: &Pair| {
            let (low, high) = bounds(pair);
            if form == Form::Ratio { 1.0 - low / high } else { high - low }
        };
        self.pairs
            .iter()
            .rev()
            .filter(|pair| form == Form::Difference || bounds(pair).1 > 0.0)
            .max_by(|left, right| apart(left).total_cmp(&apart(right)))
    }

    /// The pair of these two groups, and where it is.
    fn pair(&self, one: usize, other: usize) -> Option<&Pair> {
        let groups = (one.min(other), one.max(other));
        self.pairs.iter().find(|pair| pair.groups == groups)
    }
}

/// Both rates over the strata that have both groups; `None` if none has.
fn standardised(counts: &Counts, first: usize, second: usize) -> Option<Pair> {
    let (mut weights, mut strata) = (0.0, 0);
    let (mut rates, mut spreads, mut variances) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
    for stratum in 0..counts.strata() {
        let (Some(one), Some(other)) = (counts.rate(stratum, first), counts.rate(stratum, second))
        else {
            continue;
        };
        let weight = one.n * other.n / (one.n + other.n);
        strata += 1;
        weights += weight;
        rates = (rates.0 + weight * one.p, rates.1 + weight * other.p);
        let square = weight * weight;
        let variance = |rate: Proportion| square * rate.p * (1.0 - rate.p) / rate.n;
        spreads = (spreads.0 + square / one.n, spreads.1 + square / other.n);
        variances = (variances.0 + variance(one), variances.1 + variance(other));
    }
    if strata == 0 || weights <= 0.0 {
        return None;
    }
    let rate = |rate: f64, spread: f64, variance: f64| {
        let p = (rate / weights).clamp(0.0, 1.0);
        let of_one = p * (1.0 - p);
        let spread = if of_one > 0.0 { spread.max(variance / of_one) } else { spread };
        Proportion { p, n: weights * weights / spread }
    };
    let one = rate(rates.0, spreads.0, variances.0);
    let other = rate(rates.1, spreads.1, variances.1);
    Some(Pair { at: 0, groups: (first, second), one, other, strata })
}

/// The difference of a metric between two groups, of all rows together.
fn pooled(
    comparison: &Comparison,
    metric: &Metric,
    one: usize,
    other: usize,
) -> Option<(Proportion, Proportion)> {
    let of = |index: usize| match comparison.estimates[index].get(position(metric))?.member()? {
        Member::Rate(rate) => Some(rate),
        Member::Value { .. } | Member::Biased { .. } => None,
    };
    Some((of(one)?, of(other)?))
}
