//! Metrics of two analyses, side by side: of everybody, and of each group.

use std::cmp::Ordering;

use super::{
    MetricChange, Verdict,
    change::{Measured, change_of, moved},
    sentences::{self, OVER_OTHER_CLASSES},
};
use crate::{catalogue, metrics::Better, result::MetricValue, task::Task};

/// Every metric of either side: the current ones in their order, then those gone. `other_classes`: the two sides do not have
/// the same classes.
pub(super) fn changes(
    task: Task,
    was: &[MetricValue],
    is: &[MetricValue],
    other_classes: bool,
) -> Vec<MetricChange> {
    let gone = was.iter().filter(|metric| is.iter().all(|other| other.id != metric.id));
    let ids = is.iter().chain(gone).map(|metric| metric.id.as_str());
    ids.map(|id| {
        let old = was.iter().find(|metric| metric.id == id);
        let new = is.iter().find(|metric| metric.id == id);
        let is_hindered = other_classes && catalogue::is_over_classes(task, id);
        metric(task, id, old, new, is_hindered.then_some(OVER_OTHER_CLASSES))
    })
    .collect()
}

fn metric(
    task: Task,
    id: &str,
    old: Option<&MetricValue>,
    new: Option<&MetricValue>,
    hindered: Option<&str>,
) -> MetricChange {
    let (title, better) = catalogue::metric(task, id).unwrap_or((id, Better::Neither));
    let measured = |side: Option<&MetricValue>| {
        side.and_then(|metric| Measured::of(metric.value, metric.interval.as_ref()))
    };
    let change = measured(old).zip(measured(new)).map(|(old, new)| change_of(&old, &new));
    let verdict = match (old, new, &change) {
        (None, _, _) => Verdict::New,
        (_, None, _) => Verdict::Gone,
        (_, _, None) => Verdict::Undefined,
        _ if hindered.is_some() => Verdict::Undefined,
        (_, _, Some(change)) => direction(better, moved(change)),
    };
    let mut found = MetricChange {
        id: id.to_owned(),
        title: title.to_owned(),
        baseline: old.and_then(|metric| metric.value),
        current: new.and_then(|metric| metric.value),
        change: change.as_ref().and_then(|change| change.value),
        interval: change.and_then(|change| change.interval),
        verdict,
        sentence: String::new(),
    };
    found.sentence = sentences::metric(&found, hindered);
    found
}

/// Whether a metric that rose or fell beyond noise is better for it.
const fn direction(better: Better, moved: Ordering) -> Verdict {
    match (moved, better) {
        (Ordering::Equal, _) => Verdict::Unchanged,
        (_, Better::Neither) => Verdict::Changed,
        (Ordering::Greater, Better::Higher) | (Ordering::Less, Better::Lower) => Verdict::Improved,
        (Ordering::Greater, Better::Lower) | (Ordering::Less, Better::Higher) => Verdict::Worse,
    }
}
