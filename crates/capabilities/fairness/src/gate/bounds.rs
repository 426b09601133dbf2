//! What a policy says that a metric must be: of everybody, or of each group, beyond what chance does to many groups at once.

use std::collections::HashMap;

use super::{
    Bound, Check, Compared, Scope, Side, Since,
    requirements::{MOST_GROUPS, plain},
    subject::Subject,
};
use crate::{
    analysis::number,
    comparison::{
        Verdict, metric_moved,
        side::{Grouped, Member},
    },
    intervals::widened::widened,
    result::{Interval, MetricValue, Status},
    significance::adjust::holm_level,
};

/// Adds a check for everybody, or for each group that a bound is about.
pub(super) fn check(
    subject: &Subject<'_>,
    bound: &Bound,
    compared: Option<&Compared<'_>>,
    checks: &mut Vec<Check>,
) {
    let baseline = compared.map(|compared| &compared.baseline);
    if bound.scope == Scope::Overall {
        let of = |metrics, n| Member {
            name: "all",
            values: &[],
            n,
            small: false,
            is_rest: false,
            metrics,
        };
        let was = baseline.map(|baseline| of(baseline.overall, baseline.rows));
        let then = was.as_ref().map(|was| Then { group: Some(*was), level: None });
        let all = of(subject.side.overall, subject.side.rows);
        checks.push(of_bound(bound, "overall", None, &all, None, then.as_ref()));
        return;
    }
    let found = within(&bound.scope, subject.whole());
    if found.is_empty() {
        let name = bound.scope.as_str();
        let sentence = format!("{name} is not analysed, so that {bound} cannot be shown.");
        let mut check = plain("metric_bound", name, None, None, false, sentence);
        check.key = format!("{name}/{}_{}", bound.metric.id, side_word(bound.side));
        check.unshown = Some("it is not analysed".to_owned());
        checks.push(check);
        return;
    }
    let level = level(bound, &found);
    let was = baseline.map(|baseline| {
        within(&bound.scope, baseline.groupings.iter().filter(|one| one.class.is_none()))
    });
    let level_then = was.as_ref().and_then(|was| self::level(bound, was));
    for one in found {
        let old = was.as_ref().map(|was| {
            let old = was.iter().find(|old| old.name == one.name);
            let groups = old.map_or(&[][..], |old| &old.groups);
            groups.iter().map(|group| (group.name, *group)).collect::<HashMap<_, _>>()
        });
        if let Some(check) = nobody(bound, one) {
            checks.push(check);
        }
        // Of very many groups, those too small to be judged go without saying.
        let many = one.groups.len() > MOST_GROUPS;
        for group in one.groups.iter().filter(|group| !(many && group.small)) {
            let then = old
                .as_ref()
                .map(|old| Then { group: old.get(group.name).copied(), level: level_then });
            checks.push(of_bound(bound, one.name, Some(group.name), group, level, then.as_ref()));
        }
    }
}

/// The attributes, or the attribute or combination, that a bound is about; none for everybody.
fn within<'s, 'a: 's>(
    scope: &Scope,
    all: impl Iterator<Item = &'s Grouped<'a>>,
) -> Vec<&'s Grouped<'a>> {
    all.filter(|one| match scope {
        Scope::Overall => false,
        Scope::Groups => one.attributes.len() == 1,
        Scope::Attribute(name) => one.name == name,
    })
    .collect()
}

/// A failing check, if no group of the attribute has a value at all: then nothing is shown of any.
fn nobody(bound: &Bound, one: &Grouped<'_>) -> Option<Check> {
    let id = bound.metric.id;
    let has = |group: &Member<'_>| {
        !group.small && group.metric(id).is_some_and(|metric| metric.value.is_some())
    };
    if one.groups.iter().any(has) {
        return None;
    }
    let reason = if one.groups.iter().all(|group| group.small) {
        let is_rest = one.groups.iter().any(|group| group.is_rest);
        let or = if is_rest { ", or values counted together" } else { "" };
        format!("all groups are below the least group size{or}")
    } else {
        let mut undefined = one.groups.iter().filter(|group| !group.small);
        undefined
            .find_map(|group| group.metric(id)?.undefined.clone())
            .unwrap_or_else(|| "the data do not have what it needs".to_owned())
    };
    let sentence = format!(
        "No group of {} has a value ({reason}), so that {bound} cannot be shown.",
        one.name
    );
    let mut check = plain("metric_bound", one.name, None, None, false, sentence);
    check.key = format!("{}/{id}_{}", one.name, side_word(bound.side));
    check.id = Some(id.to_owned());
    check.unshown = Some(reason);
    Some(check)
}

/// The confidence of each group's interval at which all of them together are as sure as the analysis. With many groups some lie
/// beyond a bound by chance alone: by Holm's steps, see [`holm_level`]. `None` without intervals, or of one group.
fn level(bound: &Bound, attributes: &[&Grouped<'_>]) -> Option<f64> {
    let groups = attributes.iter().flat_map(|one| &one.groups).filter(|group| !group.small);
    let open: Vec<(f64, &Interval)> = groups
        .filter_map(|group| {
            let metric = group.metric(bound.metric.id)?;
            Some((metric.value?, metric.interval.as_ref()?))
        })
        .collect();
    if open.len() < 2 {
        return None;
    }
    let confidence = open.iter().map(|(_, interval)| interval.confidence).fold(0.0, f64::max);
    Some(holm_level(open, confidence, |(value, interval), level| {
        let wide = widened(*value, interval, bound.metric.range, level);
        beyond(bound, *value) && beyond_all(bound, &wide)
    }))
}

fn beyond(bound: &Bound, number: f64) -> bool {
    match bound.side {
        Side::AtLeast => number < bound.limit,
        Side::AtMost => number > bound.limit,
    }
}

fn beyond_all(bound: &Bound, interval: &Interval) -> bool {
    beyond(bound, interval.lower) && beyond(bound, interval.upper)
}

/// The interval of a metric at a level, if it has one.
fn at(bound: &Bound, metric: Option<&MetricValue>, level: Option<f64>) -> Option<Interval> {
    let metric = metric?;
    let (value, interval) = (metric.value?, metric.interval.as_ref()?);
    Some(level.map_or_else(
        || interval.clone(),
        |level| widened(value, interval, bound.metric.range, level),
    ))
}

/// A group in the baseline, if it has it, and the level of its interval there.
struct Then<'a> {
    group: Option<Member<'a>>,
    level: Option<f64>,
}

/// One bound of one group, or of everybody. `then`: the same in the baseline, if there is a baseline.
fn of_bound(
    bound: &Bound,
    subject: &str,
    name: Option<&str>,
    group: &Member<'_>,
    level: Option<f64>,
    then: Option<&Then<'_>>,
) -> Check {
    let (is, single) = (group.metric(bound.metric.id), name.is_some());
    let interval = at(bound, is, level);
    // Beyond a number of groups, small ones have no metrics.
    let status = (!group.small).then(|| judged(bound, is, interval.as_ref(), single));
    let sentence = match group.not_compared() {
        Some(why) => format!("{}: the group is {why}.", title(bound, subject, name)),
        None => told(bound, subject, name, is, interval.as_ref(), status),
    };
    let change = then.map(|then| {
        let was = then.group.and_then(|was| was.metric(bound.metric.id));
        let old = was
            .map(|was| judged(bound, Some(was), at(bound, Some(was), then.level).as_ref(), single));
        let sure = interval.is_some() && was.is_some_and(|was| was.interval.is_some());
        since(bound, (was, old), (is, status), sure)
    });
    let ending = name.map_or_else(String::new, |name| format!("/{name}"));
    let value = is.and_then(|metric| metric.value);
    let unshown = match (status, value, &interval) {
        (Some(Status::Fail), None, _) => Some("it has no value".to_owned()),
        (Some(Status::Fail), Some(_), None) => Some("no interval tells it from chance".to_owned()),
        _ => None,
    };
    Check {
        rule: "metric_bound".to_owned(),
        id: Some(bound.metric.id.to_owned()),
        subject: subject.to_owned(),
        class: None,
        group: name.map(str::to_owned),
        key: format!("{subject}/{}_{}{ending}", bound.metric.id, side_word(bound.side)),
        value,
        status,
        sentence,
        known: None,
        change,
        unshown,
        stops: false,
    }
}

/// Fail if the whole interval is beyond the bound, or there is none that could tell it from chance; warning if only the value is.
/// What has no value cannot hold of everybody; of a group it may be that it has nobody to measure it on.
fn judged(
    bound: &Bound,
    metric: Option<&MetricValue>,
    interval: Option<&Interval>,
    group: bool,
) -> Status {
    let Some(value) = metric.and_then(|metric| metric.value) else {
        return if group { Status::Warning } else { Status::Fail };
    };
    if !beyond(bound, value) {
        return Status::Pass;
    }
    let fails = interval.is_none_or(|interval| beyond_all(bound, interval));
    if fails { Status::Fail } else { Status::Warning }
}

/// What became of it since the baseline. `sure`: both have an interval, so that a change can be told from chance.
fn since(
    bound: &Bound,
    (was, old): (Option<&MetricValue>, Option<Status>),
    (is, status): (Option<&MetricValue>, Option<Status>),
    sure: bool,
) -> Since {
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
    let fails_anew = status == Some(Status::Fail) && old != Some(Status::Fail);
    let regression = match verdict {
        Verdict::Worse => status >= Some(Status::Warning),
        // What only the baseline has cannot be shown any more.
        Verdict::New | Verdict::Undefined | Verdict::Gone => fails_anew,
        // Without an interval nothing is ever beyond noise: what fails now and did not then counts.
        Verdict::Unchanged => !sure && fails_anew,
        Verdict::Improved | Verdict::Changed => false,
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
    interval: Option<&Interval>,
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
    let own = metric.and_then(|metric| metric.interval.as_ref());
    let interval = interval.map(|interval| {
        let wider = own.is_some_and(|own| own.confidence < interval.confidence);
        let many = if wider { ", so sure for all groups at once" } else { "" };
        let confidence = number(interval.confidence * 100.0);
        let (lower, upper) = (number(interval.lower), number(interval.upper));
        format!("{confidence} % interval {lower} to {upper}{many}")
    });
    let ending = match (status, interval) {
        (Some(Status::Fail), Some(interval)) => format!("; all of the {interval} is beyond that"),
        (Some(Status::Warning), Some(interval)) => {
            format!("; the {interval} reaches it: it could be chance")
        }
        (Some(Status::Fail), None) => {
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
