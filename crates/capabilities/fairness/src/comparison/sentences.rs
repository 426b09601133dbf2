//! What a change means, in a sentence.

use super::{ChangeInterval, Comparison, DisparityChange, MetricChange, Verdict};
use crate::{analysis::number, result::Status};

/// Why an average over classes, or the worst of them, is not compared where the classes are other ones.
pub(super) const OVER_OTHER_CLASSES: &str = "is taken over other classes";

/// What became of a disparity. `hindered`: what it does otherwise than it did, if so.
pub(super) fn disparity(change: &DisparityChange, hindered: Option<&str>) -> String {
    let mut sentence = match (change.verdict, change.baseline, change.current) {
        (Verdict::New, _, Some(now)) => {
            format!("{} is {}; the baseline does not have it.", change.title, number(now))
        }
        (Verdict::New, ..) => format!("{} is new, and has no value.", change.title),
        (Verdict::Gone, ..) => format!("{} is only in the baseline.", change.title),
        (_, Some(was), Some(now)) if let Some(how) = hindered => {
            format!("{} went from {} to {}, but {how} now.", change.title, number(was), number(now))
        }
        (Verdict::Undefined, was, now) => undefined(&change.title, was, now),
        (verdict, was, now) => {
            let ends = (was.unwrap_or_default(), now.unwrap_or_default());
            let told = match verdict {
                Verdict::Worse => "further from ideal, and chance does not explain it",
                Verdict::Improved => "nearer to ideal, and chance does not explain it",
                _ if change.gap_interval.is_none() && ends.0 != ends.1 => {
                    "there is no interval that would tell the change from chance"
                }
                _ => "no further apart than chance explains",
            };
            went(&change.title, ends, change.gap_change, change.gap_interval.as_ref(), told)
        }
    };
    if change.regressed {
        sentence.push_str(match change.baseline_status {
            Some(Status::Warning) => " It fails now; in the baseline it was a warning.",
            Some(_) => " It fails now; in the baseline it passed.",
            None => " It fails now.",
        });
    }
    sentence
}

/// What became of a metric. `hindered`: what it does otherwise than it did, if so.
pub(super) fn metric(change: &MetricChange, hindered: Option<&str>) -> String {
    let title = change.title.as_str();
    match (change.verdict, change.baseline, change.current) {
        (Verdict::New, ..) => format!("{title} is not in the baseline."),
        (Verdict::Gone, ..) => format!("{title} is only in the baseline."),
        (_, Some(was), Some(now)) if let Some(how) = hindered => {
            format!("{title} went from {} to {}, but {how} now.", number(was), number(now))
        }
        (Verdict::Undefined, was, now) => undefined(title, was, now),
        (verdict, was, now) => {
            let ends = (was.unwrap_or_default(), now.unwrap_or_default());
            let told = match verdict {
                Verdict::Worse => "worse, and chance does not explain it",
                Verdict::Improved => "better, and chance does not explain it",
                Verdict::Changed => "chance does not explain it",
                _ if change.interval.is_none() && ends.0 != ends.1 => {
                    "there is no interval that would tell the change from chance"
                }
                _ => "no further apart than chance explains",
            };
            went(title, ends, change.change, change.interval.as_ref(), told)
        }
    }
}

/// The whole comparison.
pub(super) fn whole(comparison: &Comparison) -> String {
    if !comparison.comparable {
        return "The two analyses do not measure the same, so that their numbers cannot be compared.".to_owned();
    }
    let counts = &comparison.counts;
    let mut sentence = format!(
        "Of what is judged, {} became worse beyond noise, {} better, {} did not change",
        counts.worse, counts.improved, counts.unchanged
    );
    for (count, what) in
        [(counts.new, "new"), (counts.gone, "gone"), (counts.undefined, "not to be compared")]
    {
        if count > 0 {
            let verb = if count == 1 { "is" } else { "are" };
            sentence.push_str(&format!(", {count} {verb} {what}"));
        }
    }
    sentence.push('.');
    match counts.regressed {
        0 => {}
        1 => sentence.push_str(" One fails that did not."),
        many => sentence.push_str(&format!(" {many} fail that did not.")),
    }
    if let (Some(was), Some(now)) = (comparison.score.baseline, comparison.score.current) {
        sentence.push_str(&format!(" The compliance score went from {was:.2} to {now:.2}."));
    }
    sentence
}

fn undefined(title: &str, was: Option<f64>, now: Option<f64>) -> String {
    match (was, now) {
        (None, Some(now)) => {
            format!("{title} is {}; it had no value in the baseline.", number(now))
        }
        (Some(was), None) => {
            format!("{title} has no value now; it was {} in the baseline.", number(was))
        }
        _ => format!("{title} has no value on either side."),
    }
}

fn went(
    title: &str,
    (was, now): (f64, f64),
    change: Option<f64>,
    interval: Option<&ChangeInterval>,
    told: &str,
) -> String {
    if was == now {
        return format!("{title} is {}, as it was.", number(now));
    }
    let mut sentence = format!("{title} went from {} to {}", number(was), number(now));
    if let (Some(change), Some(interval)) = (change, interval) {
        let sign = if change > 0.0 { "+" } else { "" };
        sentence.push_str(&format!(
            " ({sign}{}; {} % interval {} to {})",
            number(change),
            number(interval.confidence * 100.0),
            number(interval.lower),
            number(interval.upper)
        ));
    }
    format!("{sentence}: {told}.")
}
