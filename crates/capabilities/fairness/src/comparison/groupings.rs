//! Attributes and combinations of two analyses, side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    AttributeChange, Difference, DisparityChange, GroupChange, Sides, Verdict,
    change::{Measured, change_of, moved},
    metrics,
    sentences::{self, OVER_OTHER_CLASSES},
    side::{Grouped, Member, Side},
    specs,
};
use crate::{
    catalogue,
    disparities::{self, Kind},
    result::{Disparity, Status},
    task::Task,
};

/// The most groups of an attribute whose metrics are told: the largest.
pub const MOST_GROUPS: usize = 40;

/// The disparity that is made of a loss.
const OF_LOSS: &str = "bounded_group_loss";

/// The class against the rest, and the attributes in their order by name: `sex|race` is `race|sex`.
type Key<'a> = (Option<&'a str>, Vec<&'a str>);

/// What was asked, or found, so differently that some numbers are not compared.
#[derive(Debug, Clone, Copy)]
struct Otherwise {
    /// Another loss.
    loss: bool,
    /// Other classes.
    classes: bool,
}

/// Every attribute and combination of either side: the current ones in their order, then those gone.
pub(super) fn changes(
    baseline: &Side<'_>,
    current: &Side<'_>,
    differences: &[Difference],
) -> Vec<AttributeChange> {
    let differs = |field: &str| differences.iter().any(|one| one.field == field);
    let otherwise = Otherwise { loss: differs("loss"), classes: differs(specs::CLASSES) };
    let old: BTreeMap<Key<'_>, &Grouped<'_>> =
        baseline.groupings.iter().map(|one| (key(one), one)).collect();
    let held: HashSet<Key<'_>> = current.groupings.iter().map(key).collect();
    let is = current
        .groupings
        .iter()
        .map(|one| change(old.get(&key(one)).copied(), Some(one), otherwise));
    let gone = baseline.groupings.iter().filter(|one| !held.contains(&key(one)));
    is.chain(gone.map(|one| change(Some(one), None, otherwise))).flatten().collect()
}

fn order(one: &Grouped<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..one.attributes.len()).collect();
    order.sort_by_key(|place| &one.attributes[*place]);
    order
}

fn key<'a>(one: &Grouped<'a>) -> Key<'a> {
    let attributes: &'a [String] = one.attributes;
    let names = order(one).into_iter().map(|place| attributes[place].as_str()).collect();
    (one.class, names)
}

/// Its groups, by their values in the order of the key.
fn groups<'a>(one: &Grouped<'a>) -> Vec<(Vec<&'a str>, Member<'a>)> {
    let order = order(one);
    one.groups
        .iter()
        .map(|group| {
            let all: &'a [String] = group.values;
            let values = order.iter().filter_map(|place| all.get(*place));
            (values.map(String::as_str).collect(), *group)
        })
        .collect()
}

/// The names of the groups that only these are. Where others are counted together, nobody knows which they are.
fn only(of: &[(Vec<&str>, Member<'_>)], not: &[(Vec<&str>, Member<'_>)]) -> Vec<String> {
    if not.iter().any(|(_, group)| group.is_rest) {
        return Vec::new();
    }
    let there: HashSet<&Vec<&str>> = not.iter().map(|(values, _)| values).collect();
    let missing = of.iter().filter(|(values, group)| !group.is_rest && !there.contains(values));
    missing.map(|(_, group)| group.name.to_owned()).collect()
}

fn change(
    old: Option<&Grouped<'_>>,
    new: Option<&Grouped<'_>>,
    otherwise: Otherwise,
) -> Option<AttributeChange> {
    let shown = new.or(old)?;
    let disparities = disparity_changes(old, new, otherwise);
    // Of single classes only what is judged is told.
    if shown.class.is_some() && disparities.is_empty() {
        return None;
    }
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
    let (groups, groups_left_out) = group_changes(shown, &was, &is, otherwise);
    // Single classes have the groups of all classes together.
    let (groups_new, groups_gone) = match shown.class {
        None => (only(&is, &was), only(&was, &is)),
        Some(_) => (Vec::new(), Vec::new()),
    };
    Some(AttributeChange {
        name: shown.name.to_owned(),
        class: shown.class.map(str::to_owned),
        attributes: shown.attributes.to_vec(),
        verdict,
        status: Sides {
            baseline: old.and_then(|one| one.status),
            current: new.and_then(|one| one.status),
        },
        groups_new,
        groups_gone,
        references: old.zip(new).and_then(|(old, new)| references(old, new)),
        groups,
        groups_left_out,
        disparities,
    })
}

/// The metrics of the groups that are large enough on both sides, and how many of these are left out. Combinations, and single
/// classes, are told by their disparities alone: their groups are many.
fn group_changes(
    shown: &Grouped<'_>,
    was: &[(Vec<&str>, Member<'_>)],
    is: &[(Vec<&str>, Member<'_>)],
    otherwise: Otherwise,
) -> (Vec<GroupChange>, u64) {
    if shown.class.is_some() || shown.attributes.len() > 1 {
        return (Vec::new(), 0);
    }
    let before: HashMap<&Vec<&str>, &Member<'_>> =
        was.iter().map(|(values, group)| (values, group)).collect();
    let mut both: Vec<(usize, &Member<'_>, &Member<'_>)> = Vec::new();
    for (place, (values, new)) in is.iter().enumerate() {
        if let Some(old) = before.get(values).copied()
            && !old.small
            && !new.small
        {
            both.push((place, old, new));
        }
    }
    let left_out = both.len().saturating_sub(MOST_GROUPS) as u64;
    both.sort_by_key(|(place, _, new)| (std::cmp::Reverse(new.n), *place));
    both.truncate(MOST_GROUPS);
    both.sort_by_key(|(place, ..)| *place);
    let changes = both
        .into_iter()
        .map(|(_, old, new)| GroupChange {
            name: new.name.to_owned(),
            rows: Sides { baseline: old.n, current: new.n },
            metrics: metrics::changes(shown.task, old.metrics, new.metrics, otherwise.classes),
        })
        .collect();
    (changes, left_out)
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
fn references(old: &Grouped<'_>, new: &Grouped<'_>) -> Option<Sides<Option<String>>> {
    let name = |one: &Grouped<'_>| one.reference.map(|found| found.group.clone());
    let values = |one: &Grouped<'_>| {
        let wanted = one.reference?.group.as_str();
        let found = groups(one).into_iter().find(|(_, group)| group.name == wanted);
        Some(found.map_or_else(
            || vec![wanted.to_owned()],
            |(values, _)| values.into_iter().map(str::to_owned).collect(),
        ))
    };
    (values(old) != values(new)).then(|| Sides { baseline: name(old), current: name(new) })
}

fn disparities_of<'a>(one: Option<&Grouped<'a>>) -> &'a [Disparity] {
    one.map(|one| one.disparities).unwrap_or_default()
}

fn by_id<'a>(one: Option<&Grouped<'a>>) -> HashMap<&'a str, &'a Disparity> {
    disparities_of(one).iter().map(|disparity| (disparity.id.as_str(), disparity)).collect()
}

fn disparity_changes(
    old: Option<&Grouped<'_>>,
    new: Option<&Grouped<'_>>,
    otherwise: Otherwise,
) -> Vec<DisparityChange> {
    let (was, is) = (by_id(old), by_id(new));
    let sides = old.zip(new);
    let other_reference = sides.is_some_and(|(old, new)| references(old, new).is_some());
    let other_strata = sides.is_some_and(|(old, new)| old.strata != new.strata);
    let task = new.or(old).map(|one| one.task).unwrap_or_default();
    let is_class = new.or(old).is_some_and(|one| one.class.is_some());
    let hindered = |id: &str| {
        if other_reference && needs_reference(task, id) {
            Some("compares with another reference group")
        } else if other_strata && needs_strata(task, id) {
            Some("compares within other strata")
        } else if otherwise.loss && id == OF_LOSS {
            Some("is counted by another loss")
        } else if otherwise.classes && !is_class && catalogue::is_over_classes(task, id) {
            Some(OVER_OTHER_CLASSES)
        } else {
            None
        }
    };
    let judged = |one: Option<&&Disparity>| one.is_some_and(|found| found.threshold.is_some());
    let told = |id: &str| !is_class || judged(was.get(id)) || judged(is.get(id));
    disparities_of(new)
        .iter()
        .chain(disparities_of(old).iter().filter(|found| !is.contains_key(found.id.as_str())))
        .filter(|shown| told(&shown.id))
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

/// Whether a disparity compares with the reference group.
fn needs_reference(task: Task, id: &str) -> bool {
    if task != Task::Binary {
        return id.ends_with("_to_reference");
    }
    disparities::find(id).is_some_and(|found| match &found.kind {
        Kind::Privileged { .. } | Kind::Average(_) => true,
        Kind::Entropy { all_groups, .. } => !*all_groups,
        Kind::Peer(peer) => peer.needs_reference(),
        _ => false,
    })
}

/// Whether a disparity compares groups within strata.
fn needs_strata(task: Task, id: &str) -> bool {
    task == Task::Binary
        && disparities::find(id).is_some_and(|found| matches!(found.kind, Kind::Conditional { .. }))
}
