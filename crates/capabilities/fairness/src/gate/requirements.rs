//! What a policy asks beyond thresholds of disparities: rows, attributes, metrics, the score.

use super::{Check, Compared, Policy, bounds, subject::Subject};
use crate::{
    comparison::side::{Grouped, Member},
    fault::nearest,
    result::Status,
};

/// The most groups of one attribute that are told one by one.
pub(super) const MOST_GROUPS: usize = 1_000;

/// Adds a check for each thing that is asked, and gives notes.
pub(super) fn check(
    subject: &Subject<'_>,
    policy: &Policy,
    compared: Option<&Compared<'_>>,
    checks: &mut Vec<Check>,
) -> Vec<String> {
    for attribute in &policy.required_attributes {
        checks.push(required(subject, attribute));
    }
    if let Some(least) = policy.min_rows {
        let used = subject.side.rows;
        let sentence = format!("{used} rows were used; at least {least} must be.");
        let value = Some(used as f64);
        checks.push(plain("rows", "overall", None, value, used >= least, sentence));
    }
    if let Some(least) = policy.min_compliance_score {
        let score = subject.side.score;
        let sentence = score.map_or_else(
            || "There is no compliance score, and one is asked for.".to_owned(),
            |score| format!("The compliance score is {score:.2}; it must be at least {least}."),
        );
        let enough = score.is_some_and(|score| score >= least);
        checks.push(plain("compliance_score", "overall", None, score, enough, sentence));
    }
    if let Some(least) = policy.min_group_rows {
        subject.attributes().for_each(|one| group_rows(one, least, checks));
    }
    for bound in &policy.metrics {
        bounds::check(subject, bound, compared, checks);
    }
    unknown(subject, policy)
}

/// An attribute is not analysed as long as its groups are not compared.
fn required(subject: &Subject<'_>, attribute: &str) -> Check {
    let found = subject.attributes().find(|one| one.name == attribute);
    let (holds, sentence) = match found {
        Some(one) if one.comparable => (true, format!("{attribute} is analysed.")),
        Some(one) => {
            let reason = one.reason.unwrap_or("fewer than two of them are large enough");
            (false, format!("The groups of {attribute} must be compared, and are not: {reason}."))
        }
        None => (false, format!("{attribute} must be analysed, and is not.")),
    };
    plain("required_attribute", attribute, None, None, holds, sentence)
}

/// A check for each group, those that lack rows first; beyond a number of groups, one for the rest. Of values that are counted together
/// nobody knows how many rows each has.
fn group_rows(one: &Grouped<'_>, least: u64, checks: &mut Vec<Check>) {
    // A value that is counted has a row.
    let is_rest = |group: &Member<'_>| group.is_rest && least > 1;
    let (few, enough): (Vec<&Member<'_>>, Vec<&Member<'_>>) =
        one.groups.iter().partition(|group| group.n < least || is_rest(group));
    let asked = format!("each group must have at least {least}.");
    for group in few.iter().chain(&enough).take(MOST_GROUPS) {
        if is_rest(group) {
            let reason = "its values are counted together";
            let sentence = format!(
                "{} of {} has {} rows of values that are counted together, so that not each is shown to have enough; {asked}",
                group.name, one.name, group.n
            );
            let mut check = plain("group_rows", one.name, Some(group.name), None, false, sentence);
            check.unshown = Some(reason.to_owned());
            checks.push(check);
            continue;
        }
        let sentence = format!("{} of {} has {} rows; {asked}", group.name, one.name, group.n);
        let (holds, value) = (group.n >= least, Some(group.n as f64));
        checks.push(plain("group_rows", one.name, Some(group.name), value, holds, sentence));
    }
    if one.groups.len() > MOST_GROUPS {
        let more = few.len().saturating_sub(MOST_GROUPS);
        let sentence = format!("{more} more groups of {} have too few rows; {asked}", one.name);
        checks.push(plain("group_rows", one.name, None, Some(more as f64), more == 0, sentence));
    }
}

pub(super) fn plain(
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
        class: None,
        group: group.map(str::to_owned),
        key: format!("{subject}/{rule}{group_key}"),
        value,
        status: Some(if holds { Status::Pass } else { Status::Fail }),
        sentence,
        known: None,
        change: None,
        unshown: None,
        stops: false,
    }
}

/// Known findings of attributes that the analysis does not have. What is required of them is a check of its own.
fn unknown(subject: &Subject<'_>, policy: &Policy) -> Vec<String> {
    let known: Vec<&str> = subject.whole().map(|one| one.name).chain(["overall"]).collect();
    policy
        .allow
        .iter()
        .map(|one| &one.attribute)
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| {
            let hint = nearest(name, known.iter().copied())
                .map_or_else(String::new, |meant| format!(" Did you mean {meant}?"));
            format!("{name} has a known finding in the policy, but is not analysed.{hint}")
        })
        .collect()
}
