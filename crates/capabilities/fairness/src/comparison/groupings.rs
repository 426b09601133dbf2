//! Attributes and combinations of two analyses, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    AttributeChange, DisparityChange, Sides, Verdict,
    change::{Measured, change_of, moved},
    sentences,
};
use crate::{
    disparities::{self, Kind},
    result::{AnalysisResult, AttributeResult, Disparity, Status},
};

/// The attributes in their order by name: `sex|race` is `race|sex`.
type Key<'a> = Vec<&'a str>;

/// Every attribute and combination of either side: the current ones in their order, then those gone.
pub(super) fn changes(baseline: &AnalysisResult, current: &AnalysisResult) -> Vec<AttributeChange> {
    let old: BTreeMap<Key, &AttributeResult> =
        groupings(baseline).map(|one| (key(one), one)).collect();
    let held: HashSet<Key> = groupings(current).map(key).collect();
    let is = groupings(current).map(|one| change(old.get(&key(one)).copied(), Some(one)));
    let gone = groupings(baseline).filter(|one| !held.contains(&key(one)));
    is.chain(gone.map(|one| change(Some(one), None))).flatten().collect()
}

fn groupings(result: &AnalysisResult) -> impl Iterator<Item = &AttributeResult> {
    result.attributes.iter().chain(&result.intersections)
}

fn order(one: &AttributeResult) -> Vec<usize> {
    let mut order: Vec<usize> = (0..one.attributes.len()).collect();
    order.sort_by_key(|place| &one.attributes[*place]);
    order
}

fn key(one: &AttributeResult) -> Key<'_> {
    order(one).into_iter().map(|place| one.attributes[place].as_str()).collect()
}

/// Its groups, by their values in the order of the key.
fn groups(one: &AttributeResult) -> Vec<(Vec<&str>, &str)> {
    let order = order(one);
    one.groups
        .iter()
        .map(|group| {
            let values = order.iter().filter_map(|place| group.values.get(*place));
            (values.map(String::as_str).collect(), group.name.as_str())
        })
        .collect()
}

fn only<'a>(of: &[(Vec<&'a str>, &'a str)], not: &[(Vec<&str>, &str)]) -> Vec<String> {
    let there: HashSet<&Vec<&str>> = not.iter().map(|(values, _)| values).collect();
    let missing = of.iter().filter(|(values, _)| !there.contains(values));
    missing.map(|(_, name)| (*name).to_owned()).collect()
}

fn change(old: Option<&AttributeResult>, new: Option<&AttributeResult>) -> Option<AttributeChange> {
    let shown = new.or(old)?;
    let disparities = disparity_changes(old, new);
    let verdict = match (old, new) {
        (None, _) => Verdict::New,
        (_, None) => Verdict::Gone,
        _ => disparities
            .iter()
            .filter(|change| change.judged)
            .map(|change| change.verdict)
            .min_by_key(|verdict| severity(*verdict))
            .unwrap_or(Verdict::Undefined),
    };
    let (was, is) = (old.map(groups).unwrap_or_default(), new.map(groups).unwrap_or_default());
    Some(AttributeChange {
        name: shown.name.clone(),
        attributes: shown.attributes.clone(),
        verdict,
        status: Sides {
            baseline: old.and_then(|one| one.status),
            current: new.and_then(|one| one.status),
        },
        groups_new: only(&is, &was),
        groups_gone: only(&was, &is),
        references: old.zip(new).and_then(|(old, new)| references(old, new)),
        disparities,
    })
}

/// The order in which an attribute's verdicts are told: the first that any of its disparities has.
fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Worse => 0,
        Verdict::Improved => 1,
        Verdict::Changed => 2,
        Verdict::New => 3,
        Verdict::Gone => 4,
        Verdict::Unchanged => 5,
        Verdict::Undefined => 6,
    }
}

/// The two reference groups, unless they are the same people.
fn references(old: &AttributeResult, new: &AttributeResult) -> Option<Sides<Option<String>>> {
    let name = |one: &AttributeResult| one.reference.as_ref().map(|found| found.group.clone());
    let values = |one: &AttributeResult| {
        let wanted = one.reference.as_ref()?.group.as_str();
        let found = groups(one).into_iter().find(|(_, name)| *name == wanted);
        Some(found.map_or_else(
            || vec![wanted.to_owned()],
            |(values, _)| values.into_iter().map(str::to_owned).collect(),
        ))
    };
    (values(old) != values(new)).then(|| Sides { baseline: name(old), current: name(new) })
}

fn by_id(one: Option<&AttributeResult>) -> HashMap<&str, &Disparity> {
    let found = one.map_or(&[][..], |one| &one.disparities);
    found.iter().map(|disparity| (disparity.id.as_str(), disparity)).collect()
}

fn disparity_changes(
    old: Option<&AttributeResult>,
    new: Option<&AttributeResult>,
) -> Vec<DisparityChange> {
    let (was, is) = (by_id(old), by_id(new));
    let sides = old.zip(new);
    let other_reference = sides.is_some_and(|(old, new)| references(old, new).is_some());
    let within = |one: &AttributeResult| one.strata.as_ref().map(|strata| strata.column.clone());
    let other_strata = sides.is_some_and(|(old, new)| within(old) != within(new));
    let hindered = |id: &str| {
        let kind = &disparities::find(id)?.kind;
        if other_reference && needs_reference(kind) {
            Some("with another reference group")
        } else if other_strata && matches!(kind, Kind::Conditional { .. }) {
            Some("within other strata")
        } else {
            None
        }
    };
    let current = new.map_or(&[][..], |one| &one.disparities).iter();
    let gone = old.map_or(&[][..], |one| &one.disparities).iter();
    current
        .chain(gone.filter(|found| !is.contains_key(found.id.as_str())))
        .map(|shown| {
            let id = shown.id.as_str();
            disparity(was.get(id).copied(), is.get(id).copied(), shown, hindered(id))
        })
        .collect()
}

fn disparity(
    old: Option<&Disparity>,
    new: Option<&Disparity>,
    shown: &Disparity,
    hindered: Option<&str>,
) -> DisparityChange {
    let measured = |one: Option<&Disparity>| Measured::of(one?.value, one?.interval.as_ref());
    let sides = measured(old).zip(measured(new));
    let change = sides.map(|(old, new)| change_of(&old, &new));
    let gap = sides.map(|(old, new)| change_of(&old.gap(shown.ideal), &new.gap(shown.ideal)));
    let verdict = match (old, new, &gap) {
        (None, _, _) => Verdict::New,
        (_, None, _) => Verdict::Gone,
        (_, _, None) => Verdict::Undefined,
        _ if hindered.is_some() => Verdict::Undefined,
        (_, _, Some(gap)) => match moved(gap) {
            std::cmp::Ordering::Greater => Verdict::Worse,
            std::cmp::Ordering::Less => Verdict::Improved,
            std::cmp::Ordering::Equal => Verdict::Unchanged,
        },
    };
    let status = |one: Option<&Disparity>| one.and_then(|found| found.status);
    let mut found = DisparityChange {
        id: shown.id.clone(),
        title: shown.title.clone(),
        ideal: shown.ideal,
        judged: shown.threshold.is_some(),
        baseline: old.and_then(|one| one.value),
        current: new.and_then(|one| one.value),
        change: change.as_ref().and_then(|change| change.value),
        interval: change.and_then(|change| change.interval),
        gap_change: gap.as_ref().and_then(|gap| gap.value),
        gap_interval: gap.and_then(|gap| gap.interval),
        baseline_status: status(old),
        current_status: status(new),
        verdict,
        regressed: status(new) == Some(Status::Fail) && status(old) != Some(Status::Fail),
        sentence: String::new(),
    };
    found.sentence = sentences::disparity(&found, hindered);
    found
}

/// Whether a disparity of this kind compares with the reference group.
const fn needs_reference(kind: &Kind) -> bool {
    match kind {
        Kind::Privileged { .. } | Kind::Average(_) => true,
        Kind::Entropy { all_groups, .. } => !*all_groups,
        _ => false,
    }
}
