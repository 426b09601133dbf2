//! What of many metrics is more than chance: each p-value is adjusted for all that one run judges.

use super::{Adjustment, MetricDrift, MetricKind, bins::short};
use crate::result::{Interval, Status};

/// A metric of both tables that waits for the others of its run: without status and sentence.
pub(super) struct Pending {
    pub found: MetricDrift,
    /// How much worse it is, by the threshold's measure.
    pub by: Option<f64>,
    /// Whether more or less is better.
    pub has_direction: bool,
    /// Why it is undefined in one of the tables.
    pub undefined: Option<String>,
}

/// Judges them: performance together, and fairness together, as the alerts of a monitor are of one or the other.
pub(super) fn settle(mut all: Vec<Pending>, adjustment: Adjustment) -> Vec<MetricDrift> {
    let mut tests = [0, 0];
    for kind in [MetricKind::Performance, MetricKind::Fairness] {
        let mut family: Vec<(&mut Option<f64>, f64)> = all
            .iter_mut()
            .filter(|one| one.found.kind == kind)
            .filter_map(|one| {
                let p = one.found.p_value?;
                Some((&mut one.found.p_adjusted, p))
            })
            .collect();
        let p: Vec<f64> = family.iter().map(|(_, p)| *p).collect();
        tests[place(kind)] = p.len();
        for ((kept, _), adjusted) in family.iter_mut().zip(adjustment.of(p)) {
            **kept = Some(adjusted);
        }
    }
    all.into_iter()
        .map(|Pending { mut found, by, has_direction, undefined }| {
            found.status = judged(by, is_sure(&found), found.threshold);
            let tests = tests[place(found.kind)];
            found.sentence = sentence(&found, has_direction, undefined.as_deref(), tests);
            found
        })
        .collect()
}

const fn place(kind: MetricKind) -> usize {
    match kind {
        MetricKind::Performance => 0,
        MetricKind::Fairness => 1,
    }
}

/// Whether a p is at most what the confidence leaves.
fn is_at_most(p: Option<f64>, interval: Option<&Interval>) -> bool {
    p.zip(interval).is_some_and(|(p, interval)| p <= 1.0 - interval.confidence)
}

fn is_sure(found: &MetricDrift) -> bool {
    is_at_most(found.p_adjusted, found.interval.as_ref())
}

/// `by` is how much worse it is, and `is_sure` that chance does not explain that.
fn judged(by: Option<f64>, is_sure: bool, threshold: Option<f64>) -> Option<Status> {
    let (by, threshold) = (by?, threshold?);
    Some(if by <= threshold {
        Status::Pass
    } else if is_sure {
        Status::Fail
    } else {
        Status::Warning
    })
}

fn sentence(
    found: &MetricDrift,
    has_direction: bool,
    undefined: Option<&str>,
    tests: usize,
) -> String {
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
    if let Some(Interval { lower, upper, confidence, .. }) = &found.interval {
        let what = if found.kind == MetricKind::Fairness {
            "further from ideal by"
        } else {
            "a difference of"
        };
        let difference = found.difference.map_or_else(String::new, short);
        text.push_str(&format!(
            ", {what} {difference} [{}, {}] at {} %",
            short(*lower),
            short(*upper),
            short(100.0 * confidence)
        ));
    }
    let beyond = if has_direction { "worse" } else { "different" };
    let Some(threshold) = found.threshold.map(short) else { return text + "." };
    match found.status {
        Some(Status::Fail) => text.push_str(&format!("; {beyond} by more than {threshold}.")),
        Some(Status::Warning) if is_at_most(found.p_value, found.interval.as_ref()) => {
            text.push_str(&format!(
                "; {beyond} by more than {threshold}: chance hardly explains it alone, but could among the {tests} that were judged."
            ));
        }
        Some(Status::Warning) => text.push_str(&format!(
            "; {beyond} by more than {threshold}, but chance could explain it."
        )),
        _ => text.push('.'),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::IntervalMethod;

    #[test]
    fn what_is_beyond_only_by_chance_warns() {
        assert_eq!(judged(Some(0.04), true, Some(0.05)), Some(Status::Pass));
        assert_eq!(judged(Some(0.08), false, Some(0.05)), Some(Status::Warning));
        assert_eq!(judged(Some(0.08), true, Some(0.05)), Some(Status::Fail));
        assert_eq!(judged(Some(0.08), true, None), None);
        assert_eq!(judged(None, false, Some(0.05)), None);
    }

    fn pending(kind: MetricKind, p: Option<f64>) -> Pending {
        let interval = Interval {
            lower: 0.06,
            upper: 0.2,
            confidence: 0.95,
            method: IntervalMethod::Newcombe,
        };
        let found = MetricDrift {
            kind,
            attribute: None,
            group: None,
            metric: "m".to_owned(),
            title: "M".to_owned(),
            reference: Some(0.1),
            current: Some(0.23),
            difference: Some(0.13),
            interval: p.map(|_| interval),
            p_value: p,
            p_adjusted: None,
            threshold: Some(0.05),
            status: None,
            sentence: String::new(),
        };
        Pending { found, by: Some(0.13), has_direction: true, undefined: None }
    }

    #[test]
    fn each_kind_is_a_family_and_what_has_no_interval_is_in_none() {
        let all = || {
            vec![
                pending(MetricKind::Performance, Some(0.04)),
                pending(MetricKind::Fairness, Some(0.04)),
                pending(MetricKind::Performance, Some(0.001)),
                pending(MetricKind::Performance, None),
            ]
        };
        let found = settle(all(), Adjustment::Holm);
        let adjusted: Vec<_> = found.iter().map(|one| one.p_adjusted).collect();
        assert_eq!(adjusted, [Some(0.04), Some(0.04), Some(0.002), None]);
        let statuses: Vec<_> = found.iter().map(|one| one.status).collect();
        assert_eq!(statuses[..3], [Some(Status::Fail); 3]);
        assert_eq!(statuses[3], Some(Status::Warning));
        let mut more = all();
        more.extend((0..8).map(|_| pending(MetricKind::Performance, Some(0.5))));
        let found = settle(more, Adjustment::Holm);
        assert_eq!(found[0].status, Some(Status::Warning));
        assert!(
            found[0].sentence.contains("among the 10 that were judged"),
            "{}",
            found[0].sentence
        );
        assert_eq!((found[1].status, found[2].status), (Some(Status::Fail), Some(Status::Fail)));
        assert!(found[2].sentence.contains("[0.06, 0.2] at 95 %; worse by more than 0.05."));
        let mut more = all();
        more.extend((0..8).map(|_| pending(MetricKind::Performance, Some(0.5))));
        assert_eq!(settle(more, Adjustment::None)[0].status, Some(Status::Fail));
    }
}
