//! How much each feature counts: over all rows, by what is lost without it, and near one row.

use ephor_explain::summary::{Near, Summary};

use super::{
    MOST,
    canvas::{Drawing, ROW, Rows, Scale, WIDTH, area, brief, line, signed},
    of_output, others, row_name,
};

/// Room for names at the left, and for numbers at the right.
const LEFT: f64 = 150.0;
const RIGHT: f64 = WIDTH - 70.0;
const TOP: f64 = 6.0;
/// The breadth of a bar.
const BAR: f64 = 14.0;

/// A bar with its name.
struct Bar {
    name: String,
    value: f64,
    /// The ends of its whisker.
    between: Option<(f64, f64)>,
    class: &'static str,
    title: String,
}

/// Bars from 0 on, each with its number.
fn drawn(bars: &[Bar], axis: &str, is_signed: bool) -> (f64, String) {
    let numbers = bars.iter().flat_map(|bar| {
        let (low, high) = bar.between.unwrap_or((bar.value, bar.value));
        [bar.value, low, high]
    });
    let scale = Scale::new(numbers.chain([0.0]), LEFT + 4.0, RIGHT - 6.0);
    let rows = Rows { left: LEFT, scale, top: TOP, count: bars.len() };
    let mut body = rows.axis(axis);
    let zero = scale.at(0.0);
    for (place, bar) in bars.iter().enumerate() {
        let (middle, end) = (rows.middle(place), scale.at(bar.value));
        body.push_str(&rows.label(place, &bar.name));
        let (left, breadth) = (zero.min(end), (zero - end).abs().max(0.6));
        body.push_str(&area(bar.class, (left, middle - BAR / 2.0), (breadth, BAR), &bar.title));
        if let Some((low, high)) = bar.between {
            let (low, high) = (scale.at(low), scale.at(high));
            body.push_str(&line("whisker", (low, middle), (high, middle)));
            for end in [low, high] {
                body.push_str(&line("whisker", (end, middle - 4.0), (end, middle + 4.0)));
            }
        }
        let number = if is_signed { signed(bar.value) } else { brief(bar.value) };
        body.push_str(&rows.number(place, &number));
    }
    (rows.height(), body)
}

/// The first bars in words.
fn told(bars: &[Bar], is_signed: bool) -> String {
    let number = |value| if is_signed { signed(value) } else { brief(value) };
    let all = bars.iter().take(5).map(|bar| format!("{} {}", bar.name, number(bar.value)));
    all.collect::<Vec<_>>().join(", ")
}

/// The mean size of what each feature adds. `None` without values.
pub(super) fn sizes(summary: &Summary) -> Option<Drawing> {
    let ranked = summary.ranked();
    let (shown, rest) = ranked.split_at(ranked.len().min(MOST));
    let unit = summary.unit_words();
    let mut bars: Vec<Bar> = shown
        .iter()
        .map(|(feature, spread)| Bar {
            name: summary.name(*feature).to_owned(),
            value: spread.size,
            between: None,
            class: "bar",
            title: format!(
                "{}: {} on average, {:.1} % of all",
                summary.name(*feature),
                brief(spread.size),
                100.0 * spread.share
            ),
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    if !rest.is_empty() {
        let value: f64 = rest.iter().map(|(_, spread)| spread.size).sum();
        bars.push(Bar {
            name: others(rest.len()),
            value,
            between: None,
            class: "bar rest",
            title: format!("{} other features add {} together", rest.len(), brief(value)),
        });
    }
    let (height, body) = drawn(&bars, &format!("mean size of what it adds, {unit}"), false);
    Some(Drawing {
        name: "importance".to_owned(),
        place: String::new(),
        title: format!("How much each feature counts{}", of_output(summary)),
        reading: format!(
            "The mean size of what a feature adds to a prediction ({unit}), whichever way: how much it counts over all rows."
        ),
        description: format!(
            "Bars of {} features, the one that counts most first: {}.",
            ranked.len(),
            told(&bars, false)
        ),
        height,
        body,
    })
}

/// What the model loses without each feature. `None` where it was not asked.
pub(super) fn lost(summary: &Summary) -> Option<Drawing> {
    let importance = summary.importance.as_ref()?;
    let mut order: Vec<usize> = (0..importance.features.len()).collect();
    let mean = |feature: usize| importance.features[feature].mean;
    order.sort_by(|one, two| mean(*two).total_cmp(&mean(*one)).then(one.cmp(two)));
    let (shown, rest) = order.split_at(order.len().min(MOST));
    let mut bars: Vec<Bar> = shown
        .iter()
        .map(|feature| {
            let lost = &importance.features[*feature];
            let name = summary.name(*feature).to_owned();
            Bar {
                title: format!(
                    "{name}: {} on average, between {} and {}",
                    brief(lost.mean),
                    brief(lost.least),
                    brief(lost.greatest)
                ),
                name,
                value: lost.mean,
                between: (importance.repeats > 1).then_some((lost.least, lost.greatest)),
                class: "bar",
            }
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    if !rest.is_empty() {
        let value: f64 = rest.iter().map(|feature| mean(*feature)).sum();
        bars.push(Bar {
            name: others(rest.len()),
            value,
            between: None,
            class: "bar rest",
            title: format!("the losses of {} other features, summed: {}", rest.len(), brief(value)),
        });
    }
    let (height, body) = drawn(&bars, "what is lost when it is shuffled", false);
    Some(Drawing {
        name: "permutation".to_owned(),
        place: String::new(),
        title: "What the model loses without each feature".to_owned(),
        reading: format!(
            "How much worse the model is when a feature's values are shuffled{}. Around 0 and below, the model does not need it.",
            if importance.repeats > 1 {
                "; a whisker reaches from the least to the greatest of all shuffles"
            } else {
                ""
            }
        ),
        description: format!(
            "Bars of {} features, the greatest loss first: {}.",
            order.len(),
            told(&bars, false)
        ),
        height,
        body,
    })
}

/// The weights of a linear model near a row.
pub(super) fn weights(summary: &Summary, near: &Near) -> Option<Drawing> {
    let bars: Vec<Bar> = near
        .weights
        .iter()
        .take(MOST)
        .map(|weight| {
            let name = weight.words(summary.name(weight.feature), brief);
            let error = weight.error.filter(|error| error.is_finite());
            Bar {
                title: format!(
                    "{name}: {}{}",
                    signed(weight.weight),
                    error.map(|error| format!(" \u{b1} {}", brief(error))).unwrap_or_default()
                ),
                name,
                value: weight.weight,
                between: error.map(|error| (weight.weight - error, weight.weight + error)),
                class: if weight.weight < 0.0 { "less" } else { "more" },
            }
        })
        .collect();
    if bars.is_empty() {
        return None;
    }
    let has_errors = bars.iter().any(|bar| bar.between.is_some());
    let (height, body) = drawn(&bars, "weight", true);
    let fit = near.r2.map_or_else(|| "undefined".to_owned(), brief);
    Some(Drawing {
        name: format!("near-{}", near.row),
        place: String::new(),
        title: format!("A linear model near {}", row_name(near.row)),
        reading: format!(
            "What speaks for a greater prediction (right) and for a lesser one (left) near this row. Predicted {}; the linear model says {} (R\u{b2} {fit}).{}",
            brief(near.prediction),
            brief(near.local),
            if has_errors { " A whisker is one standard error." } else { "" }
        ),
        description: format!(
            "Bars of {} weights, the greatest first: {}.",
            bars.len(),
            told(&bars, true)
        ),
        height,
        body,
    })
}

/// A bar is thinner than its row.
const _: () = assert!(BAR < ROW);
