//! What a number means, in a sentence.

use crate::{
    disparities::{Definition, Kind},
    metrics,
    result::{Disparity, Status, WorstPair},
};

/// What a disparity means.
pub(crate) fn disparity(definition: &Definition, found: &Disparity) -> String {
    let Some(value) = found.value else {
        let reason = found.undefined.as_deref().unwrap_or("it is undefined");
        return format!("{} cannot be computed: {reason}.", definition.title);
    };
    let mut sentence = match &found.worst_pair {
        Some(pair) => paired(definition, value, pair),
        None => format!(
            "{} is {}; {} would mean no disparity.",
            definition.title,
            number(value),
            number(definition.ideal)
        ),
    };
    if let (Some(status), Some(threshold)) = (found.status, found.threshold) {
        sentence.push(' ');
        sentence.push_str(&verdict(definition, found, status, threshold));
    }
    sentence
}

fn paired(definition: &Definition, value: f64, pair: &WorstPair) -> String {
    let metric = metrics::find(&pair.metric);
    let title = metric.map_or(pair.metric.as_str(), |metric| metric.title);
    let share = metric.is_some_and(is_share);
    let show = |value: f64| if share { percent(value) } else { number(value) };
    let groups = format!(
        "{title} is {} for {} and {} for {}",
        show(pair.low_value),
        name(&pair.low),
        show(pair.high_value),
        name(&pair.high)
    );
    if matches!(definition.kind, Kind::Odds { .. }) {
        return format!(
            "{} is {}. The worse of its two rates: {groups}.",
            definition.title,
            number(value)
        );
    }
    let groups = match definition.kind {
        Kind::Conditional { .. } => format!("Within strata, weighted by their sizes, {groups}"),
        _ => groups,
    };
    if definition.ideal == 1.0 {
        format!("{groups}: a ratio of {}, where 1 would mean no disparity.", number(value))
    } else if share {
        format!("{groups}: {} percentage points apart.", points(value.abs()))
    } else {
        format!("{groups}: {} apart.", number(value.abs()))
    }
}

fn verdict(definition: &Definition, found: &Disparity, status: Status, threshold: f64) -> String {
    let in_points = definition.ideal == 0.0
        && match definition.kind {
            Kind::Extremes { metric, .. }
            | Kind::Privileged { metric, .. }
            | Kind::Conditional { metric, .. } => is_share(metric),
            Kind::Odds { .. }
            | Kind::Average(_)
            | Kind::Entropy { .. }
            | Kind::Bins { .. }
            | Kind::Peer(_) => false,
        };
    let show = |value: f64| if in_points { points(value) } else { number(value) };
    let unit = if in_points { " points" } else { "" };
    let accepted = if definition.ideal == 1.0 {
        format!("a ratio of {} or more", number(1.0 - threshold))
    } else {
        format!("{}{unit}", show(threshold))
    };
    let interval = found.interval.as_ref().map(|interval| {
        let confidence = number(interval.confidence * 100.0);
        format!(
            "the {confidence} % interval ({} to {}{unit})",
            show(interval.lower),
            show(interval.upper)
        )
    });
    match (status, interval) {
        (Status::Pass, _) => format!("That is within what is accepted ({accepted})."),
        (Status::Fail, Some(interval)) => {
            format!(
                "That is beyond what is accepted ({accepted}), and so is all of {interval}: chance does not explain it."
            )
        }
        (Status::Warning, Some(interval)) => {
            format!(
                "That is beyond what is accepted ({accepted}), but {interval} reaches within it: it could be chance."
            )
        }
        (Status::Warning | Status::Fail, None) => {
            format!(
                "That is beyond what is accepted ({accepted}); there is no interval that would tell it from chance."
            )
        }
    }
}

/// Whether the metric is a share of rows, which people read in per cent.
fn is_share(metric: &metrics::Metric) -> bool {
    matches!(metric.measure, metrics::Measure::Rate(..))
}

fn name(group: &str) -> String {
    match group {
        "overall" => "everybody".to_owned(),
        "all others" => "all others".to_owned(),
        group => format!("“{group}”"),
    }
}

/// A share in per cent, to a tenth.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A difference of shares in percentage points, to a tenth.
pub(crate) fn points(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// A number to three significant decimals, without needless zeros.
pub(crate) fn number(value: f64) -> String {
    let text = if value != 0.0 && value.abs() < 0.001 {
        format!("{value:.2e}")
    } else {
        format!("{value:.3}")
    };
    if text.contains('e') || !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
