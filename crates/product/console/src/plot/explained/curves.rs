//! The effect of a feature from value to value: partial dependence, single rows' lines, accumulated local effects.

use std::fmt::Write as _;

use ephor_explain::summary::{Curves, Effect, Summary};

use super::{
    canvas::{
        Drawing, FIELD_BOTTOM, FIELD_HEIGHT, FIELD_LEFT, FIELD_RIGHT, Field, Scale, area, brief,
        line, words,
    },
    of_output,
};

/// More categories than this have no names below the axis.
const MOST_NAMED: usize = 8;

/// The lines of an effect. `None` where it has no values.
pub(super) fn effect(summary: &Summary, curve: &Curves) -> Option<Drawing> {
    let points = curve.grid.len().min(curve.mean.len());
    let (grid, mean) = (&curve.grid[..points], &curve.mean[..points]);
    if points == 0 || grid.iter().chain(mean).any(|number| !number.is_finite()) {
        return None;
    }
    let name = summary.name(curve.feature);
    let is_local = curve.effect == Effect::Accumulated;
    // Differences are seen from 0 on.
    let zero = (is_local || curve.centred).then_some(0.0);
    let numbers = mean.iter().chain(curve.lines.iter().flatten()).copied().chain(zero);
    let mut field = Field::new(grid.iter().copied(), numbers);
    let what = match (curve.effect, curve.centred) {
        (Effect::Accumulated, _) => "what it adds to the prediction",
        (_, true) => "prediction, less that at the first value",
        (_, false) => "prediction",
    };
    let mut body = field.upwards(what);
    if curve.categorical {
        field.x = Scale::new(
            (0..points).map(|place| place as f64),
            FIELD_LEFT + 30.0,
            FIELD_RIGHT - 30.0,
        );
        body.push_str(&categories(&field, grid, name));
    } else {
        body.push_str(&field.across(name));
    }
    let x = |place: usize| if curve.categorical { place as f64 } else { grid[place] };
    for one in &curve.lines {
        body.push_str(&path(
            "single",
            &field,
            one.iter().take(points).enumerate().map(|(place, value)| (x(place), *value)),
        ));
    }
    if curve.categorical || points == 1 {
        for (place, value) in mean.iter().enumerate() {
            let (at, y) = field.at(x(place), *value);
            body.push_str(&area(
                "bar",
                (at - 5.0, y - 5.0),
                (10.0, 10.0),
                &format!("{}: {}", brief(grid[place]), brief(*value)),
            ));
        }
    } else {
        body.push_str(&path(
            "mean",
            &field,
            mean.iter().enumerate().map(|(place, value)| (x(place), *value)),
        ));
        // Where it was looked at.
        for value in grid {
            let at = field.x.at(*value);
            body.push_str(&line("zero", (at, FIELD_BOTTOM - 5.0), (at, FIELD_BOTTOM)));
        }
    }
    let (kind, reading) = told(curve, name);
    let low = mean.iter().copied().fold(f64::INFINITY, f64::min);
    let high = mean.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Drawing {
        name: format!("effect-{}-{}", slug(curve.effect), curve.feature),
        place: String::new(),
        title: format!("{kind} of {name}{}", of_output(summary)),
        reading,
        description: format!(
            "{} values of {name} between {} and {}; the mean goes from {} to {}, and is between {} and {}.",
            points,
            brief(grid.iter().copied().fold(f64::INFINITY, f64::min)),
            brief(grid.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            brief(mean[0]),
            brief(mean[points - 1]),
            brief(low),
            brief(high)
        ),
        height: FIELD_HEIGHT,
        body,
    })
}

const fn slug(effect: Effect) -> &'static str {
    match effect {
        Effect::Partial => "partial",
        Effect::Individual => "individual",
        Effect::Accumulated => "accumulated",
    }
}

/// What it is, and how to read it.
fn told(curve: &Curves, name: &str) -> (&'static str, String) {
    match curve.effect {
        Effect::Partial => (
            "Partial dependence",
            format!(
                "The mean prediction when every row has the same value of {name}. Where features hang together, some such rows cannot be."
            ),
        ),
        Effect::Individual => (
            "Single rows\u{2019} dependence",
            format!(
                "A thin line is one row ({} are drawn): what is predicted of it with other values of {name}. The thick line is the mean of all rows; lines that cross it show that {name} works otherwise for some.",
                curve.lines.len()
            ),
        ),
        Effect::Accumulated => (
            "Accumulated local effects",
            format!(
                "What {name} adds from value to value among rows that have about such values; the mean over all rows is 0."
            ),
        ),
    }
}

fn path(class: &str, field: &Field, points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut places = String::new();
    for (x, y) in points.filter(|(x, y)| x.is_finite() && y.is_finite()) {
        let (x, y) = field.at(x, y);
        let _ = write!(places, "{}{x:.1},{y:.1}", if places.is_empty() { "" } else { " " });
    }
    format!(r#"<polyline class="{class}" points="{places}"/>"#)
}

/// The names of categories below the axis.
fn categories(field: &Field, grid: &[f64], name: &str) -> String {
    let mut out = String::new();
    let every = grid.len().div_ceil(MOST_NAMED);
    for (place, value) in grid.iter().enumerate().step_by(every.max(1)) {
        let x = field.x.at(place as f64);
        out.push_str(&line("grid", (x, FIELD_BOTTOM), (x, FIELD_BOTTOM + 4.0)));
        out.push_str(&words("middle quiet", x, FIELD_BOTTOM + 18.0, &brief(*value), 7));
    }
    out + &words("middle", f64::midpoint(FIELD_LEFT, FIELD_RIGHT), FIELD_BOTTOM + 36.0, name, 44)
}
