//! What a policy asks beyond thresholds of disparities: rows, attributes, metrics, the score.

use std::collections::HashMap;

use super::{Bound, Check, Compared, Policy, Scope, Side, Since};
use crate::{
    analysis::number,
    comparison::{Verdict, metric_moved},
    fault::nearest,
    result::{AnalysisResult, AttributeResult, Group, MetricValue, Status},
};

/// The most groups of one attribute that are told one by one.
const MOST_GROUPS: usize = 1_000;

/// Adds a check for each thing that is asked, and gives notes.
pub(super) fn check(
    result: &AnalysisResult,
    policy: &Policy,
    compared: Option<&Compared<'_>>,
    checks: &mut Vec<Check>,
) -> Vec<String> {
    for attribute in &policy.required_attributes {
        let there = result.attributes.iter().any(|one| one.name == *attribute);
        let sentence = if there {
            format!("{attribute} is analysed.")
        } else {
            format!("{attribute} must be analysed, and is not.")
        };
        checks.push(plain("required_attribute", attribute, None, None, there, sentence));
    }
    if let Some(least) = policy.min_rows {
        let used = result.rows.used;
        let sentence = format!("{used} rows were used; at least {least} must be.");
        let value = Some(used as f64);
        checks.push(plain("rows", "overall", None, value, used >= least, sentence));
    }
    if let Some(least) = policy.min_compliance_score {
        let score = result.compliance_score;
        let sentence = score.map_or_else(
            || "There is no compliance score, and one is asked for.".to_owned(),
            |score| format!("The compliance score is {score:.2}; it must be at least {least}."),
        );
        let enough = score.is_some_and(|score| score >= least);
        checks.push(plain("compliance_score", "overall", None, score, enough, sentence));
    }
    if let Some(least) = policy.min_group_rows {
        result.attributes.iter().for_each(|one| group_rows(one, least, checks));
    }
    for bound in &policy.metrics {
        bounded(result, bound, compared, checks);
    }
    unknown(result, policy)
}

/// A check for each group, those that lack rows first; beyond a number of groups, one for the rest.
fn group_rows(one: &AttributeResult, least: u64, checks: &mut Vec<Check>) {
    let (few, enough): (Vec<&Group>, Vec<&Group>) =
        one.groups.iter().partition(|group| group.n < least);
    let asked = format!("each group must have at least {least}.");
    for group in few.iter().chain(&enough).take(MOST_GROUPS) {
        let sentence = format!("{} of {} has {} rows; {asked}", group.name, one.name, group.n);
        let (holds, value) = (group.n >= least, Some(group.n as f64));
        checks.push(plain("group_rows", &one.name, Some(&group.name), value, holds, sentence));
    }
    if one.groups.len() > MOST_GROUPS {
        let more = few.len().saturating_sub(MOST_GROUPS);
        let sentence = format!("{more} more groups of {} have too few rows; {asked}", one.name);
        checks.push(plain("group_rows", &one.name, None, Some(more as f64), more == 0, sentence));
    }
}

fn plain(
    rule: &str,
    subject: &str,
    group: Option<&str>,
    value: Option<f64>,
    holds: bool,
    sentence: String,
) -> Check {
    let group_key = group.map_or_else(String::new, |group| format!("/{group}"));
    Check {
        rule: rule.to_owned(),
        id: None,
        subject: subject.to_owned(),
        group: group.map(str::to_owned),
        key: format!("{subject}/{rule}{group_key}"),
        value,
        status: Some(if holds { Status::Pass } else { Status::Fail }),
        sentence,
        known: None,
        change: None,
        stops: false,
    }
}

/// Adds a check for everybody, or for each group that a bound is about.
fn bounded(
    result: &AnalysisResult,
    bound: &Bound,
    compared: Option<&Compared<'_>>,
    checks: &mut Vec<Check>,
) {
    let baseline = compared.map(|compared| compared.baseline);
    let found: Vec<&AttributeResult> = match &bound.scope {
        Scope::Overall => {
            let was = baseline.map(|baseline| Then(Some(&baseline.overall)));
            checks.push(of_bound(bound, "overall", None, &result.overall, was));
            return;
        }
        Scope::Groups => result.attributes.iter().collect(),
        Scope::Attribute(name) => {
            let all = result.attributes.iter().chain(&result.intersections);
            all.filter(|one| one.name == *name).collect()
        }
    };
    if found.is_empty() {
        let subject = bound.scope.as_str();
        let sentence = format!("{subject} is not analysed, so that {bound} cannot be shown.");
        let mut check = plain("metric_bound", subject, None, None, false, sentence);
        check.key = format!("{subject}/{}_{}", bound.metric.id, side_word(bound.side));
        checks.push(check);
    }
    for one in found {
        let old = baseline.map(|baseline| {
            let mut all = baseline.attributes.iter().chain(&baseline.intersections);
            let old = all.find(|old| old.name == one.name);
            let groups = old.map_or(&[][..], |old| &old.groups);
            groups.iter().map(|group| (group.name.as_str(), group)).collect::<HashMap<_, _>>()
        });
        // Of very many groups, those too small to be judged go without saying.
        let many = one.groups.len() > MOST_GROUPS;
        for group in one.groups.iter().filter(|group| !(many && group.small)) {
            let was = old.as_ref().map(|old| Then(old.get(group.name.as_str()).copied()));
            checks.push(of_bound(bound, &one.name, Some(&group.name), group, was));
        }
    }
}

/// A group in the baseline, if it has it.
struct Then<'a>(Option<&'a Group>);

/// One bound of one group, or of everybody. `was`: the same in the baseline, if there is a baseline.
fn of_bound(
    bound: &Bound,
    subject: &str,
    name: Option<&str>,
    group: &Group,
    was: Option<Then<'_>>,
) -> Check {
    let (is, single) = (group.metric(bound.metric.id), name.is_some());
    let was = was.map(|was| was.0.and_then(|was| was.metric(bound.metric.id)));
    // Beyond a number of groups, small ones have no metrics.
    let status = (!group.small).then(|| judged(bound, is, single));
    let sentence = if group.small {
        format!("{}: the group is below the least group size.", title(bound, subject, name))
    } else {
        told(bound, subject, name, is, status)
    };
    let ending = name.map_or_else(String::new, |name| format!("/{name}"));
    Check {
        rule: "metric_bound".to_owned(),
        id: Some(bound.metric.id.to_owned()),
        subject: subject.to_owned(),
        group: name.map(str::to_owned),
        key: format!("{subject}/{}_{}{ending}", bound.metric.id, side_word(bound.side)),
        value: is.and_then(|metric| metric.value),
        status,
        sentence,
        known: None,
        change: was.map(|was| since(bound, was, is, status, single)),
        stops: false,
    }
}

/// Fail if the whole interval is beyond the bound, warning if only the value is. What has no value cannot hold of everybody;
/// of a group it may be that it has nobody to measure it on.
fn judged(bound: &Bound, metric: Option<&MetricValue>, group: bool) -> Status {
    let Some(value) = metric.and_then(|metric| metric.value) else {
        return if group { Status::Warning } else { Status::Fail };
    };
    let beyond = |number: f64| match bound.side {
        Side::AtLeast => number < bound.limit,
        Side::AtMost => number > bound.limit,
    };
    if !beyond(value) {
        return Status::Pass;
    }
    let interval = metric.and_then(|metric| metric.interval.as_ref());
    // Without an interval nothing tells it from chance.
    let all = interval.is_some_and(|interval| beyond(interval.lower) && beyond(interval.upper));
    if all { Status::Fail } else { Status::Warning }
}

fn since(
    bound: &Bound,
    was: Option<&MetricValue>,
    is: Option<&MetricValue>,
    status: Option<Status>,
    group: bool,
) -> Since {
    let old = was.map(|was| judged(bound, Some(was), group));
    let (verdict, sentence) = match (was, is) {
        (Some(was), Some(is)) => {
            let verdict = match (metric_moved(was, is), bound.side) {
                (None, _) => Verdict::Undefined,
                (Some(std::cmp::Ordering::Equal), _) => Verdict::Unchanged,
                (Some(std::cmp::Ordering::Less), Side::AtLeast)
                | (Some(std::cmp::Ordering::Greater), Side::AtMost) => Verdict::Worse,
                _ => Verdict::Improved,
            };
            let ends = was.value.zip(is.value).map_or_else(String::new, |(was, is)| {
                format!("It went from {} to {}.", number(was), number(is))
            });
            (verdict, ends)
        }
        (None, _) => (Verdict::New, "The baseline does not have it.".to_owned()),
        (_, None) => (Verdict::Gone, "Only the baseline has it.".to_owned()),
    };
    let regression = match verdict {
        Verdict::Worse => status >= Some(Status::Warning),
        // What only the baseline has cannot be shown any more.
        Verdict::New | Verdict::Undefined | Verdict::Gone => {
            status == Some(Status::Fail) && old != Some(Status::Fail)
        }
        _ => false,
    };
    Since { status: old, verdict, regression, sentence }
}

fn title(bound: &Bound, subject: &str, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("{} of {group} ({subject})", bound.metric.title),
        None => format!("{} of everybody", bound.metric.title),
    }
}

fn told(
    bound: &Bound,
    subject: &str,
    group: Option<&str>,
    metric: Option<&MetricValue>,
    status: Option<Status>,
) -> String {
    let title = title(bound, subject, group);
    let asked = match bound.side {
        Side::AtLeast => format!("it must be at least {}", bound.limit),
        Side::AtMost => format!("it must be at most {}", bound.limit),
    };
    let Some(value) = metric.and_then(|metric| metric.value) else {
        let reason = metric.and_then(|metric| metric.undefined.as_deref());
        let reason = reason.unwrap_or("the data do not have what it needs");
        return format!("{title} has no value ({reason}); {asked}.");
    };
    let interval = metric.and_then(|metric| metric.interval.as_ref()).map(|interval| {
        let confidence = number(interval.confidence * 100.0);
        format!("{confidence} % interval {} to {}", number(interval.lower), number(interval.upper))
    });
    let ending = match (status, interval) {
        (Some(Status::Fail), Some(interval)) => format!("; all of the {interval} is beyond that"),
        (Some(Status::Warning), Some(interval)) => {
            format!("; the {interval} reaches it: it could be chance")
        }
        (Some(Status::Warning), None) => {
            "; there is no interval that would tell it from chance".to_owned()
        }
        (_, Some(interval)) => format!(" ({interval})"),
        _ => String::new(),
    };
    format!("{title} is {}; {asked}{ending}.", number(value))
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::AtLeast => "at_least",
        Side::AtMost => "at_most",
    }
}

/// Attributes that the policy speaks of and the analysis does not have. What is required of them is a check of its own.
fn unknown(result: &AnalysisResult, policy: &Policy) -> Vec<String> {
    let known: Vec<&str> = result
        .attributes
        .iter()
        .chain(&result.intersections)
        .map(|one| one.name.as_str())
        .chain(["overall"])
        .collect();
    let thresholds = policy.attribute_thresholds.keys().map(|name| ("has thresholds", name));
    let allowed = policy.allow.iter().map(|one| ("has a known finding", &one.attribute));
    thresholds
        .chain(allowed)
        .filter(|(_, name)| !known.contains(&name.as_str()))
        .map(|(what, name)| {
            let hint = nearest(name, known.iter().copied())
                .map_or_else(String::new, |meant| format!(" Did you mean {meant}?"));
            format!("{name} {what} in the policy, but is not analysed.{hint}")
        })
        .collect()
}
