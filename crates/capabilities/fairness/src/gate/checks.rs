//! Every judged disparity, as a check; and one for each that was asked for by name and cannot be shown.

use std::collections::HashMap;

use super::{
    Check, Compared, Policy, Since,
    subject::{Named, Subject},
};
use crate::{
    catalogue,
    comparison::{DisparityChange, side::Grouped},
    fault::nearest,
    result::{Disparity, Status},
};

/// What is said of what cannot be shown.
const ASKED: &str = "A threshold was set for it, and what cannot be shown does not hold.";

/// The attribute, the class against the rest, and the disparity.
type Place<'a> = (&'a str, Option<&'a str>, &'a str);

pub(super) fn of_disparities(
    subject: &Subject<'_>,
    policy: &Policy,
    compared: Option<&Compared<'_>>,
) -> Vec<Check> {
    let changes: HashMap<Place<'_>, &DisparityChange> = compared
        .iter()
        .flat_map(|compared| &compared.comparison.attributes)
        .flat_map(|one| {
            let (name, class) = (one.name.as_str(), one.class.as_deref());
            one.disparities.iter().map(move |change| ((name, class, change.id.as_str()), change))
        })
        .collect();
    let named = subject.named(policy);
    let mut checks = Vec::new();
    for one in subject.groupings() {
        for found in one.disparities {
            let is_named = named.has(one.name, &found.id);
            if found.threshold.is_some() || is_named {
                let change = changes.get(&(one.name, one.class, found.id.as_str())).copied();
                checks.push(check(one, found, change, is_named));
            }
        }
    }
    absent(subject, &named, &mut checks);
    checks
}

fn check(
    one: &Grouped<'_>,
    found: &Disparity,
    change: Option<&DisparityChange>,
    is_named: bool,
) -> Check {
    let unshown = unshown(found).filter(|_| is_named);
    let (status, sentence) = match &unshown {
        Some(_) => (Some(Status::Fail), format!("{} {ASKED}", found.sentence)),
        None => (found.status, found.sentence.clone()),
    };
    let of_class = one.class.map_or_else(String::new, |class| format!("/{class}"));
    Check {
        rule: found.id.clone(),
        id: Some(found.id.clone()),
        subject: one.name.to_owned(),
        class: one.class.map(str::to_owned),
        group: None,
        key: format!("{}/{}{of_class}", one.name, found.id),
        value: found.value,
        status,
        sentence,
        known: None,
        change: change.map(|change| Since {
            status: change.baseline_status,
            verdict: change.verdict,
            regression: change.stops() || (unshown.is_some() && is_lost(found, change)),
            sentence: change.sentence.clone(),
        }),
        unshown,
        stops: false,
    }
}

/// Why it cannot be shown to hold; `None` if it can be judged, or holds.
fn unshown(found: &Disparity) -> Option<String> {
    match found.status {
        None => {
            let reason = found.undefined.as_deref().unwrap_or("it was not judged");
            Some(reason.to_owned())
        }
        Some(Status::Warning) if found.interval.is_none() => {
            Some("no interval tells it from chance".to_owned())
        }
        Some(_) => None,
    }
}

/// Whether what cannot be shown now was better in the baseline, or was not shown there either.
fn is_lost(found: &Disparity, change: &DisparityChange) -> bool {
    match found.value {
        // It is beyond its threshold: that is no news where it was before.
        Some(_) => change.baseline_status < Some(Status::Warning),
        None => change.baseline_status != Some(Status::Fail),
    }
}

/// A check for each threshold that was named, and of which the analysis has nothing at all.
fn absent(subject: &Subject<'_>, named: &Named<'_>, checks: &mut Vec<Check>) {
    let mut missing = Vec::new();
    let names: Vec<&str> = subject.groupings().map(|one| one.name).collect();
    for name in &subject.expected {
        for id in named.of(name) {
            let has = |one: &Grouped<'_>| one.disparities.iter().any(|found| found.id == id);
            if subject.groupings().any(|one| one.name == name && has(one)) {
                continue;
            }
            let is_single = subject.attributes().any(|one| one.name == name);
            // Some are of single attributes alone: of combinations nobody can ask for these.
            if !is_single && names.contains(&name.as_str()) && subject.attributes().any(has) {
                continue;
            }
            let reason = if names.contains(&name.as_str()) {
                subject.why_absent(id)
            } else {
                format!("{name} has too many groups to be analysed")
            };
            missing.push(nothing(subject, name, id, reason));
        }
    }
    let unknown = named
        .of_one
        .iter()
        .filter(|(name, _)| !subject.expected.contains(*name) && !names.contains(&name.as_str()));
    for (name, own) in unknown {
        let known = || subject.expected.iter().map(String::as_str);
        let meant =
            known().find(|one| parts(one) == parts(name)).or_else(|| nearest(name, known()));
        let hint = meant.map_or_else(String::new, |meant| format!(": did you mean {meant}?"));
        let reason = format!("{name} is not analysed{hint}");
        missing.extend(own.keys().map(|id| nothing(subject, name, id, reason.clone())));
    }
    checks.extend(missing);
}

/// The attributes of a combination, in whatever order they were named.
fn parts(name: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = name.split('|').collect();
    parts.sort_unstable();
    parts
}

fn nothing(subject: &Subject<'_>, name: &str, id: &str, reason: String) -> Check {
    let title = catalogue::disparity(subject.side.task, id)
        .map_or_else(|| id.to_owned(), |(title, _)| title);
    let end = if reason.ends_with('?') { "" } else { "." };
    Check {
        rule: id.to_owned(),
        id: Some(id.to_owned()),
        subject: name.to_owned(),
        class: None,
        group: None,
        key: format!("{name}/{id}"),
        value: None,
        status: Some(Status::Fail),
        sentence: format!("{title} cannot be shown: {reason}{end} {ASKED}"),
        known: None,
        // A baseline that had it has no say: nothing can be held against it.
        change: None,
        unshown: Some(reason),
        stops: false,
    }
}
