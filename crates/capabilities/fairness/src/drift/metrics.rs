//! Drift of performance and fairness: the metrics of two analyses, with intervals of their differences.

use std::collections::HashSet;

use super::{DriftSpec, MetricDrift, MetricKind, bins::short};
use crate::{
    analysis::gap,
    disparities,
    intervals::recovered::{Sure, difference},
    metrics::{self, Better, Metric},
    result::{AnalysisResult, AttributeResult, Disparity, Group, Interval, MetricValue, Status},
};

/// How much worse a metric or disparity may be, unless the spec says otherwise.
pub const METRIC_THRESHOLD: f64 = 0.05;

/// The metrics that are judged without being named.
const JUDGED: [&str; 8] =
    ["base_rate", "selection_rate", "tpr", "fpr", "ppv", "accuracy", "f1", "roc_auc"];

/// Compares two analyses of one spec: every metric of everybody, the judged ones of each group, and every judged disparity.
///
/// A metric that can be better or worse fails when it is worse by more than its threshold, any other when it differs by more;
/// a disparity when it is further from its ideal by more. It fails only if the whole interval of the difference is beyond, and
/// warns when the difference alone is: the two tables are independent samples.
pub fn metric_drift(
    reference: &AnalysisResult,
    current: &AnalysisResult,
    spec: &DriftSpec,
) -> Vec<MetricDrift> {
    let mut found: Vec<MetricDrift> = metrics::registry()
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
    found
}

/// Groups that only one of two analyses has, as `attribute: group`: (new, gone).
pub fn group_changes(
    reference: &AnalysisResult,
    current: &AnalysisResult,
) -> (Vec<String>, Vec<String>) {
    let named = |result: &AnalysisResult| -> Vec<Named> {
        let of = |one: &AttributeResult| -> Named {
            (one.name.clone(), one.groups.iter().map(|group| group.name.clone()).collect())
        };
        result.attributes.iter().map(of).collect()
    };
    let (was, is) = (named(reference), named(current));
    (only(&is, &was), only(&was, &is))
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
) -> Option<MetricDrift> {
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
) -> MetricDrift {
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
    let status = judged(by, interval.as_ref().map(worse), threshold);
    let mut found = MetricDrift {
        kind: MetricKind::Performance,
        attribute: whose.map(|(attribute, _)| attribute.to_owned()),
        group: whose.map(|(_, group)| group.to_owned()),
        metric: known.id.to_owned(),
        title: known.title.to_owned(),
        reference: before.value,
        current: now.value,
        difference: change,
        interval,
        threshold,
        status,
        sentence: String::new(),
    };
    let undefined = before.undefined.as_deref().or(now.undefined.as_deref());
    found.sentence = sentence(&found, known.better != Better::Neither, undefined);
    found
}

fn of_disparity(
    attribute: &str,
    before: &Disparity,
    now: &Disparity,
    spec: &DriftSpec,
) -> Option<MetricDrift> {
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
) -> MetricDrift {
    let gap = |value: f64| gap(now.ideal, value);
    let gaps = before.value.zip(now.value).map(|(before, now)| (gap(before), gap(now)));
    let interval =
        |found: &Disparity| found.interval.as_ref().map(|one| gap_interval(one, now.ideal));
    let interval = gaps.zip(interval(before).zip(interval(now))).map(|((was, is), (old, new))| {
        difference(Sure { value: is, interval: &new }, Sure { value: was, interval: &old })
    });
    let change = gaps.map(|(before, now)| now - before);
    let mut found = MetricDrift {
        kind: MetricKind::Fairness,
        attribute: Some(attribute.to_owned()),
        group: class.map(str::to_owned),
        metric: now.id.clone(),
        title: now.title.clone(),
        reference: before.value,
        current: now.value,
        difference: change,
        threshold: Some(threshold),
        status: judged(change, interval.as_ref().map(|interval| interval.lower), Some(threshold)),
        interval,
        sentence: String::new(),
    };
    let undefined = before.undefined.as_deref().or(now.undefined.as_deref());
    found.sentence = sentence(&found, true, undefined);
    found
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

/// `by` is how much worse it is, `nearest` the same at the interval's near end.
fn judged(by: Option<f64>, nearest: Option<f64>, threshold: Option<f64>) -> Option<Status> {
    let (by, threshold) = (by?, threshold?);
    Some(if by <= threshold {
        Status::Pass
    } else if nearest.is_some_and(|nearest| nearest > threshold) {
        Status::Fail
    } else {
        Status::Warning
    })
}

fn sentence(found: &MetricDrift, has_direction: bool, undefined: Option<&str>) -> String {
    let whom = match (&found.attribute, &found.group) {
        (Some(attribute), Some(class)) if found.kind == MetricKind::Fairness => {
            format!(" by {attribute}, of {class} against the rest,")
        }
        (Some(attribute), Some(group)) => format!(" of {attribute} {group}"),
        (Some(attribute), None) => format!(" by {attribute}"),
        _ => String::new(),
    };
    let (Some(before), Some(now)) = (found.reference, found.current) else {
        let reason = undefined.unwrap_or("it is undefined in one of the tables");
        return format!("{}{whom} cannot be compared: {reason}.", found.title);
    };
    let mut text = format!("{}{whom} went from {} to {}", found.title, short(before), short(now));
    if let Some(Interval { lower, upper, .. }) = &found.interval {
        let what = if found.kind == MetricKind::Fairness {
            "further from ideal by"
        } else {
            "a difference of"
        };
        let difference = found.difference.map_or_else(String::new, short);
        text.push_str(&format!(", {what} {difference} [{}, {}]", short(*lower), short(*upper)));
    }
    let beyond = if has_direction { "worse" } else { "different" };
    match (found.status, found.threshold) {
        (Some(Status::Fail), Some(threshold)) => {
            text.push_str(&format!("; {beyond} by more than {}.", short(threshold)));
        }
        (Some(Status::Warning), Some(threshold)) => {
            text.push_str(&format!(
                "; {beyond} by more than {}, but chance could explain it.",
                short(threshold)
            ));
        }
        _ => text.push('.'),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_only_by_chance_warns() {
        assert_eq!(judged(Some(0.04), Some(0.01), Some(0.05)), Some(Status::Pass));
        assert_eq!(judged(Some(0.08), Some(0.01), Some(0.05)), Some(Status::Warning));
        assert_eq!(judged(Some(0.08), None, Some(0.05)), Some(Status::Warning));
        assert_eq!(judged(Some(0.08), Some(0.06), Some(0.05)), Some(Status::Fail));
        assert_eq!(judged(Some(0.08), Some(0.06), None), None);
        assert_eq!(judged(None, None, Some(0.05)), None);
    }

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
