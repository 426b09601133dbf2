//! What each feature adds, row by row: a dot each.

use std::collections::BTreeMap;

use ephor_explain::summary::Summary;

use super::{
    MOST,
    canvas::{Drawing, ROW, Rows, Scale, WIDTH, area, dots, words},
    of_output,
    style::{Range, STEPS},
};
use crate::view::format;

const LEFT: f64 = 150.0;
const RIGHT: f64 = WIDTH - 10.0;
/// Above the rows stand the colours.
const TOP: f64 = 30.0;
/// Dots that are nearer than this stand above one another.
const NEAR: f64 = 2.6;
/// How far dots stand from the middle of their row at most.
const REACH: f64 = ROW / 2.0 - 2.0;

/// Dots of sampled rows. `None` without values.
pub(super) fn beeswarm(summary: &Summary) -> Option<Drawing> {
    let sample = summary.sample.as_ref()?;
    let shown: Vec<usize> = (0..sample.features.len().min(MOST)).collect();
    if shown.is_empty() || sample.rows.is_empty() {
        return None;
    }
    let numbers = shown.iter().flat_map(|place| sample.values[*place].iter().copied());
    let scale = Scale::new(numbers.chain([0.0]), LEFT + 6.0, RIGHT - 6.0);
    let rows = Rows { left: LEFT, scale, top: TOP, count: shown.len() };
    let unit = summary.unit_words();
    let mut body = rows.axis(&format!("what it adds, {unit}"));
    body.push_str(&legend());
    for place in &shown {
        let name = summary.name(sample.features[*place]);
        body.push_str(&rows.label(*place, name));
        let range = Range::of(sample.x[*place].iter().flatten().copied());
        let heights = heights(&sample.values[*place], &scale);
        let mut by_colour = BTreeMap::<&str, Vec<(f64, f64)>>::new();
        for ((value, x), height) in sample.values[*place].iter().zip(&sample.x[*place]).zip(heights)
        {
            let class = range.map_or("none", |range| range.class(*x));
            let at = (scale.at(*value), rows.middle(*place) + height);
            by_colour.entry(class).or_default().push(at);
        }
        for (class, places) in by_colour {
            body.push_str(&dots(class, &places));
        }
    }
    let told: Vec<String> = summary
        .ranked()
        .into_iter()
        .take(5)
        .map(|(feature, spread)| {
            let way = match spread.correlation {
                Some(way) if way > 0.3 => ": greater values raise the prediction",
                Some(way) if way < -0.3 => ": greater values lower it",
                _ => "",
            };
            format!("{}{way}", summary.name(feature))
        })
        .collect();
    let left_out = summary.features.len().saturating_sub(shown.len());
    Some(Drawing {
        name: "beeswarm".to_owned(),
        place: String::new(),
        title: format!("What each feature adds, row by row{}", of_output(summary)),
        reading: format!(
            "A dot is a row ({} of {}, drawn by chance): right of 0 the feature raises the prediction, left it lowers it. Its colour is the feature's own value.{}",
            format::count(sample.rows.len() as u64),
            format::count(summary.rows),
            match left_out {
                0 => String::new(),
                count => format!(
                    " {} that count less are left out.",
                    format::plural(count as u64, "feature", "features")
                ),
            }
        ),
        description: format!(
            "Dots of {} rows for each of {} features, the one that counts most first. {}.",
            sample.rows.len(),
            shown.len(),
            told.join("; ")
        ),
        height: rows.height(),
        body,
    })
}

/// Which colour is what.
fn legend() -> String {
    let mut out = words("end quiet", LEFT - 8.0, 16.0, "own value: low", 17);
    for step in 0..STEPS {
        let at = (LEFT + 14.0 * step as f64, 7.0);
        out.push_str(&area(&format!("swatch c{step}"), at, (14.0, 10.0), ""));
    }
    let end = LEFT + 14.0 * STEPS as f64;
    out.push_str(&words("quiet", end + 8.0, 16.0, "high", 5));
    out.push_str(&area("none", (end + 60.0, 7.0), (10.0, 10.0), ""));
    out + &words("quiet", end + 76.0, 16.0, "missing", 8)
}

/// How far each dot stands from the middle of its row, so that dots that are near one another are seen: by turns above and
/// below, as far as there is room.
fn heights(values: &[f64], scale: &Scale) -> Vec<f64> {
    let place = |value: f64| (scale.at(value) / NEAR).floor() as i64;
    let mut counts = BTreeMap::<i64, usize>::new();
    let ranks: Vec<(i64, usize)> = values
        .iter()
        .map(|value| {
            let place = place(*value);
            let count = counts.entry(place).or_default();
            *count += 1;
            (place, *count - 1)
        })
        .collect();
    let most = counts.values().copied().max().unwrap_or(1);
    let step = (2.0 * REACH / most as f64).min(NEAR);
    let height = |rank: usize| {
        let away = rank.div_ceil(2) as f64 * step;
        if rank % 2 == 1 { away } else { -away }
    };
    ranks.into_iter().map(|(_, rank)| height(rank).clamp(-REACH, REACH)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stay_in_their_row() {
        let scale = Scale { low: 0.0, high: 1.0, from: 0.0, to: 100.0 };
        let found = heights(&[0.5; 400], &scale);
        assert!(found.iter().all(|height| height.abs() <= REACH));
        assert!(found.iter().any(|height| *height > REACH - 1.0));
        assert_eq!(heights(&[0.1, 0.5, 0.9], &scale), [0.0; 3].map(|zero: f64| -zero));
    }
}
