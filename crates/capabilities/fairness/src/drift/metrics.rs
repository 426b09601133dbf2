//! Drift of performance and fairness: the metrics of two analyses, with intervals of their differences.

use std::collections::HashSet;

use super::{
    DriftSpec, MetricDrift, MetricKind,
    chance::p_value,
    settle::{Pending, settle},
};
use crate::{
    analysis::gap,
    cube::OTHER_NAME,
    disparities,
    intervals::{
        recovered::{Sure, difference},
        widened::at_quantile,
    },
    metrics::{self, Better, Metric},
    result::{AnalysisResult, AttributeResult, Disparity, Group, Interval, MetricValue},
};

/// How much worse a metric or disparity may be, unless the spec says otherwise.
pub const METRIC_THRESHOLD: f64 = 0.05;

/// The metrics that are judged without being named.
const JUDGED: [&str; 8] =
    ["base_rate", "selection_rate", "tpr", "fpr", "ppv", "accuracy", "f1", "roc_auc"];

/// Compares two analyses of one spec: every metric of everybody, the judged ones of each group, and every judged disparity.
///
/// A metric that can be better or worse fails when it is worse by more than its threshold, any other when it differs by more;
/// a disparity when it is further from its ideal by more. It fails only if that is more than chance: the p of so much more than
/// the threshold, adjusted by the spec's method over all metrics (or all disparities) that are judged here, is at most one less
/// the confidence of the analyses. Otherwise it warns. The two tables are independent samples.
pub fn metric_drift(
    reference: &AnalysisResult,
    current: &AnalysisResult,
    spec: &DriftSpec,
) -> Vec<MetricDrift> {
    let mut found: Vec<Pending> = metrics::registry()
        .iter()
        .filter(|metric| !matches!(metric.id, "count" | "share"))
        .filter_map(|metric| {
            of_metric(metric, None, &reference.overall, &current.overall, threshold(metric, spec))
        })
        .collect();
    for (before, now) in pairs(&reference.attributes, &current.attributes) {
        for group in now.groups.iter().filter(|group| !group.small) {
            let Some(was) = before.groups.iter().find(|was| was.name == group.name && !was.small)
            else {
                continue;
            };
            found.extend(metrics::registry().iter().filter_map(|metric| {
                let threshold = threshold(metric, spec)?;
                of_metric(metric, Some(&now.name), was, group, Some(threshold))
            }));
        }
    }
    let before = [reference.attributes.as_slice(), &reference.intersections].concat();
    let now = [current.attributes.as_slice(), &current.intersections].concat();
    for (before, now) in pairs(&before, &now) {
        found.extend(now.disparities.iter().filter_map(|disparity| {
            let was = before.disparities.iter().find(|was| was.id == disparity.id)?;
            of_disparity(&now.name, was, disparity, spec)
        }));
    }
    settle(found, spec.adjustment)
}

/// Groups that only one of two analyses has, as `attribute: group`: (new, gone). A value that is not there is not told where it may be
/// among those that are counted together.
pub fn group_changes(
    reference: &AnalysisResult,
    current: &AnalysisResult,
) -> (Vec<String>, Vec<String>) {
    let named = |result: &AnalysisResult| -> Vec<Named> {
        let of = |one: &AttributeResult| -> Named {
            let is_pooled = result.pools(&one.name);
            let groups = one.groups.iter().map(|group| group.name.clone());
            (one.name.clone(), groups.filter(|name| !(is_pooled && name == OTHER_NAME)).collect())
        };
        result.attributes.iter().map(of).collect()
    };
    // The attributes each value of which is known.
    let known = |result: &AnalysisResult, mut named: Vec<Named>| -> Vec<Named> {
        named.retain(|(attribute, _)| !result.pools(attribute));
        named
    };
    let (was, is) = (named(reference), named(current));
    let gone = only(&was, &known(current, is.clone()));
    (only(&is, &known(reference, was)), gone)
}

/// An attribute, and the names of its groups.
pub(super) type Named = (String, Vec<String>);

/// The groups of these attributes that the same attributes there do not have, as `attribute: group`.
pub(super) fn only(these: &[Named], there: &[Named]) -> Vec<String> {
    let mut found = Vec::new();
    for (attribute, groups) in these {
        let Some((_, others)) = there.iter().find(|(name, _)| name == attribute) else { continue };
        let others: HashSet<&String> = others.iter().collect();
        let own = groups.iter().filter(|group| !others.contains(group));
        found.extend(own.map(|group| format!("{attribute}: {group}")));
    }
    found
}

fn pairs<'a>(
    reference: &'a [AttributeResult],
    current: &'a [AttributeResult],
) -> impl Iterator<Item = (&'a AttributeResult, &'a AttributeResult)> {
    reference
        .iter()
        .filter_map(|before| Some((before, current.iter().find(|now| now.name == before.name)?)))
}

fn threshold(metric: &Metric, spec: &DriftSpec) -> Option<f64> {
    let names = std::iter::once(metric.id).chain(metric.aliases.iter().copied());
    let usual = || JUDGED.contains(&metric.id).then_some(METRIC_THRESHOLD);
    spec.metric_threshold(names).or_else(usual)
}

fn of_metric(
    metric: &Metric,
    attribute: Option<&str>,
    reference: &Group,
    current: &Group,
    threshold: Option<f64>,
) -> Option<Pending> {
    let known = Known { id: metric.id, title: metric.title, better: metric.better };
    let whose = attribute.map(|attribute| (attribute, current.name.as_str()));
    let (before, now) = (reference.metric(metric.id)?, current.metric(metric.id)?);
    Some(of_values(known, whose, before, now, threshold))
}

/// A metric of any task, as far as drift needs to know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub better: Better,
}

/// A metric in both tables; of everybody, unless it names an attribute and a group of it.
pub(super) fn of_values(
    known: Known<'_>,
    whose: Option<(&str, &str)>,
    before: &MetricValue,
    now: &MetricValue,
    threshold: Option<f64>,
) -> Pending {
    let sure = |value: Option<f64>, interval| Some(Sure { value: value?, interval });
    let change = before.value.zip(now.value).map(|(before, now)| now - before);
    let interval = before
        .interval
        .as_ref()
        .zip(now.interval.as_ref())
        .and_then(|(was, is)| Some(difference(sure(now.value, is)?, sure(before.value, was)?)));
    // Worse is above 0; where neither way is better, both are.
    let worse = |interval: &Interval| match known.better {
        Better::Higher => -interval.upper,
        Better::Lower => interval.lower,
        Better::Neither if interval.lower > 0.0 => interval.lower,
        Better::Neither => (-interval.upper).max(0.0),
    };
    let by = change.map(|change| match known.better {
        Better::Higher => -change,
        Better::Lower => change,
        Better::Neither => change.abs(),
    });
    let sides = side(before).zip(side(now));
    let p = by.zip(threshold).zip(sides).map(|((by, threshold), ((was, old), (is, new)))| {
        if by <= threshold {
            return 1.0;
        }
        p_value(|z| {
            let (old, new) = (at_quantile(was, old, false, z), at_quantile(is, new, false, z));
            let (now, before) =
                (Sure { value: is, interval: &new }, Sure { value: was, interval: &old });
            worse(&difference(now, before)) > threshold
        })
    });
    Pending {
        found: MetricDrift {
            kind: MetricKind::Performance,
            attribute: whose.map(|(attribute, _)| attribute.to_owned()),
            group: whose.map(|(_, group)| group.to_owned()),
            metric: known.id.to_owned(),
            title: known.title.to_owned(),
            reference: before.value,
            current: now.value,
            difference: change,
            interval,
            p_value: p,
            p_adjusted: None,
            threshold,
            status: None,
            sentence: String::new(),
        },
        by,
        has_direction: known.better != Better::Neither,
        undefined: before.undefined.clone().or_else(|| now.undefined.clone()),
    }
}

/// A value with its interval, if it has one.
fn side(value: &MetricValue) -> Option<(f64, &Interval)> {
    value.value.zip(value.interval.as_ref())
}

fn of_disparity(
    attribute: &str,
    before: &Disparity,
    now: &Disparity,
    spec: &DriftSpec,
) -> Option<Pending> {
    let definition = disparities::find(&now.id)?;
    let named = spec.metric_threshold(definition.names());
    // Those that the analysis judges, and those that are named.
    let threshold = named.or_else(|| now.threshold.map(|_| METRIC_THRESHOLD))?;
    Some(of_gaps(attribute, None, before, now, threshold))
}

/// A disparity in both tables, of groups of an attribute; of one `class` against the rest, if it is named.
pub(super) fn of_gaps(
    attribute: &str,
    class: Option<&str>,
    before: &Disparity,
    now: &Disparity,
    threshold: f64,
) -> Pending {
    let gap = |value: f64| gap(now.ideal, value);
    let gaps = before.value.zip(now.value).map(|(before, now)| (gap(before), gap(now)));
    let interval =
        |found: &Disparity| found.interval.as_ref().map(|one| gap_interval(one, now.ideal));
    let interval = gaps.zip(interval(before).zip(interval(now))).map(|((was, is), (old, new))| {
        difference(Sure { value: is, interval: &new }, Sure { value: was, interval: &old })
    });
    let change = gaps.map(|(before, now)| now - before);
    let sides = before.value.zip(before.interval.as_ref());
    let sides = sides.zip(now.value.zip(now.interval.as_ref()));
    let p = change.zip(sides).map(|(change, ((was, old), (is, new)))| {
        if change <= threshold {
            return 1.0;
        }
        let at = |value: f64, interval: &Interval, z: f64| {
            gap_interval(&at_quantile(value, interval, now.ideal == 1.0, z), now.ideal)
        };
        p_value(|z| {
            let (old, new) = (at(was, old, z), at(is, new, z));
            let (now, before) =
                (Sure { value: gap(is), interval: &new }, Sure { value: gap(was), interval: &old });
            difference(now, before).lower > threshold
        })
    });
    Pending {
        found: MetricDrift {
            kind: MetricKind::Fairness,
            attribute: Some(attribute.to_owned()),
            group: class.map(str::to_owned),
            metric: now.id.clone(),
            title: now.title.clone(),
            reference: before.value,
            current: now.value,
            difference: change,
            interval,
            p_value: p,
            p_adjusted: None,
            threshold: Some(threshold),
            status: None,
            sentence: String::new(),
        },
        by: change,
        has_direction: true,
        undefined: before.undefined.clone().or_else(|| now.undefined.clone()),
    }
}

/// How far from its ideal a disparity is, by its interval.
fn gap_interval(interval: &Interval, ideal: f64) -> Interval {
    let ends = [gap(ideal, interval.lower), gap(ideal, interval.upper)];
    let holds_ideal = interval.lower <= ideal && ideal <= interval.upper;
    Interval {
        lower: if holds_ideal { 0.0 } else { ends[0].min(ends[1]) },
        upper: ends[0].max(ends[1]),
        ..interval.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratios_gap_is_0_at_its_ideal_on_either_side() {
        let interval = |lower: f64, upper: f64| Interval {
            lower,
            upper,
            confidence: 0.95,
            method: crate::result::IntervalMethod::Katz,
        };
        let across = gap_interval(&interval(0.8, 1.25), 1.0);
        assert!(across.lower == 0.0 && (across.upper - 0.2).abs() < 1e-12);
        let below = gap_interval(&interval(0.5, 0.8), 1.0);
        assert!((below.lower - 0.2).abs() < 1e-12 && (below.upper - 0.5).abs() < 1e-12);
        let signed = gap_interval(&interval(-0.3, -0.1), 0.0);
        assert!((signed.lower - 0.1).abs() < 1e-12 && (signed.upper - 0.3).abs() < 1e-12);
    }
}
