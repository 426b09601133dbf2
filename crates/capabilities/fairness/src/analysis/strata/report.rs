//! What a result says of strata: their rates, those that are too small, and where they contradict the whole.

use super::{Counts, Found, Kept, Pair, pooled};
use crate::{
    AnalysisSpec, SmallStratum, Strata, StrataPair, StratumRate, StratumRates,
    analysis::{compare::Comparison, sentences::points},
    disparities::Form,
    intervals::{Proportion, newcombe::newcombe, z},
    metrics::Metric,
};

/// How many strata are listed, of those that are compared and of those that are too small.
const MOST_STRATA: usize = 100;
/// How many rates of strata are listed for one comparison.
const MOST_RATES: usize = 2_000;
/// How many pairs of groups are listed for one metric.
const MOST_PAIRS: usize = 100;
/// How many contradictions are told.
const MOST_NOTES: usize = 10;

type Compared = [(&'static Metric, Result<Found, String>)];

pub(super) fn report(
    column: &str,
    kept: &Kept,
    counts: &[(&'static Metric, Counts)],
    found: &Compared,
    comparison: &Comparison,
    spec: &AnalysisSpec,
) -> Strata {
    let groups = comparison.compared.len();
    let most = (MOST_RATES / (groups * counts.len()).max(1)).clamp(1, MOST_STRATA);
    let rates = |stratum: usize| {
        let of = |(metric, counts): &(&'static Metric, Counts)| {
            let of_group = |(slot, index): (usize, &usize)| StratumRate {
                metric: metric.id.to_owned(),
                group: comparison.group(*index).name.clone(),
                n: counts.rows(stratum, slot),
                value: counts.rate(stratum, slot).map(|rate| rate.p),
            };
            comparison
                .compared
                .iter()
                .take(MOST_RATES)
                .enumerate()
                .map(of_group)
                .collect::<Vec<_>>()
        };
        counts.iter().filter(|(_, counts)| counts.strata() > 0).flat_map(of).collect()
    };
    let mut pairs = Vec::new();
    for (metric, found) in found {
        if let Ok(found) = found {
            pairs.extend(
                listed(found, comparison)
                    .into_iter()
                    .map(|(pair, turned)| shown(metric, found, pair, turned, comparison)),
            );
        }
    }
    let mut notes = Vec::new();
    let reversed: Vec<&StrataPair> =
        pairs.iter().filter(|pair| is_told(pair, found, comparison, spec)).collect();
    notes.extend(reversed.iter().take(MOST_NOTES).filter_map(|pair| note(pair, column)));
    if reversed.len() > MOST_NOTES {
        notes.push(format!("So it is with {} more pairs.", reversed.len() - MOST_NOTES));
    }
    Strata {
        column: column.to_owned(),
        count: (kept.large.len() + kept.small.len()) as u64,
        compared: kept.large.len() as u64,
        strata: largest(&kept.large, most)
            .into_iter()
            .map(|at| StratumRates {
                stratum: kept.large[at].0.clone(),
                n: kept.large[at].1,
                rates: rates(at),
            })
            .collect(),
        too_small: largest(&kept.small, MOST_STRATA)
            .into_iter()
            .map(|at| SmallStratum { stratum: kept.small[at].0.clone(), n: kept.small[at].1 })
            .collect(),
        too_small_count: kept.small.len() as u64,
        too_small_rows: kept.small.iter().map(|(_, n)| n).sum(),
        pairs,
        notes,
    }
}

/// The places of the largest, the first by name where they are equal.
fn largest(strata: &[(String, u64)], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..strata.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(strata[*at].1));
    order.truncate(most);
    order
}

/// Every group against the reference group (turned about, if that stands first), and what makes the disparities.
fn listed<'a>(found: &'a Found, comparison: &Comparison) -> Vec<(&'a Pair, bool)> {
    let mut listed: Vec<(&Pair, bool)> = Vec::new();
    if let Some(reference) = comparison.reference {
        let others = comparison.compared.iter().filter(|index| **index != reference);
        listed.extend(others.filter_map(|index| {
            let pair = found.pair(*index, reference)?;
            Some((pair, pair.groups.0 == reference))
        }));
        listed.truncate(MOST_PAIRS);
    }
    for form in [Form::Difference, Form::Ratio] {
        if let Some(worst) = found.worst(form)
            && !listed.iter().any(|(pair, _)| pair.at == worst.at)
        {
            listed.push((worst, worst.one.p > worst.other.p));
        }
    }
    listed
}

fn shown(
    metric: &Metric,
    found: &Found,
    pair: &Pair,
    turned: bool,
    comparison: &Comparison,
) -> StrataPair {
    let (first, second) = pair.groups;
    let (group, other) = if turned { (second, first) } else { (first, second) };
    let (mine, theirs) = if turned { (pair.other, pair.one) } else { (pair.one, pair.other) };
    let whole = pooled(comparison, metric, group, other).map(|(one, other)| one.p - other.p);
    let within = mine.p - theirs.p;
    let test = found.tests.as_ref().and_then(|tests| *tests.get(pair.at)?);
    let odds_ratio = test.and_then(|test| {
        if turned {
            test.odds_ratio.map_or(Some(0.0), |ratio| (ratio > 0.0).then(|| 1.0 / ratio))
        } else {
            test.odds_ratio
        }
    });
    StrataPair {
        metric: metric.id.to_owned(),
        group: comparison.group(group).name.clone(),
        other: comparison.group(other).name.clone(),
        strata: pair.strata,
        pooled: whole,
        conditional: Some(within),
        ratio: (theirs.p > 0.0).then(|| mine.p / theirs.p),
        odds_ratio,
        p_value: test.map(|test| test.test.p),
        reverses: whole.is_some_and(|whole| whole * within < 0.0),
    }
}

/// Whether a contradiction is worth telling: chance alone turns many a small difference about.
fn is_told(
    pair: &StrataPair,
    found: &Compared,
    comparison: &Comparison,
    spec: &AnalysisSpec,
) -> bool {
    if !pair.reverses {
        return false;
    }
    let index = |name: &str| {
        comparison.compared.iter().copied().find(|index| comparison.group(*index).name == name)
    };
    let (Some(one), Some(other)) = (index(&pair.group), index(&pair.other)) else { return false };
    let of_metric = found.iter().find(|(metric, _)| metric.id == pair.metric);
    let Some((metric, Ok(found))) = of_metric else { return false };
    let z = z(spec.confidence);
    let apart = |one: Proportion, other: Proportion| {
        let (lower, upper) = newcombe(one, other, z);
        lower > 0.0 || upper < 0.0
    };
    pooled(comparison, metric, one, other).is_some_and(|(one, other)| apart(one, other))
        || found.pair(one, other).is_some_and(|pair| apart(pair.one, pair.other))
}

fn note(pair: &StrataPair, column: &str) -> Option<String> {
    let title = crate::metrics::find(&pair.metric)?.title;
    let (whole, within) = (pair.pooled?, pair.conditional?);
    let word = |difference: f64| if difference < 0.0 { "below" } else { "above" };
    Some(format!(
        "Simpson's paradox: of all rows together, the {} of “{}” is {} points {} that of “{}”; within the strata of {column} it is {} points {} it.",
        lower_first(title),
        pair.group,
        points(whole.abs()),
        word(whole),
        pair.other,
        points(within.abs()),
        word(within),
    ))
}

/// A title within a sentence: abbreviations keep their capitals.
fn lower_first(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => title.to_owned(),
    }
}
