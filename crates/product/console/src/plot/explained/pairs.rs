//! Two features together: what they add, and what is predicted of their values.

use ephor_explain::summary::Summary;

use super::{
    canvas::{Drawing, ROW, WIDTH, area, brief, letters, words},
    of_output,
    style::{SHADES, heat},
};

const LEFT: f64 = 150.0;
const TOP: f64 = 6.0;
/// Below the cells: the columns' numbers, and what shades mean.
const FOOT: f64 = 58.0;

/// What pairs of features add together, as shades. `None` where they were not asked for, or there is no pair.
pub(super) fn interactions(summary: &Summary) -> Option<Drawing> {
    let pairs = summary.interactions.as_ref()?;
    let count = pairs.features.len();
    if count < 2 {
        return None;
    }
    let cells = || {
        (0..count)
            .flat_map(|one| (0..count).map(move |two| (one, two)))
            .filter(|(one, two)| one != two)
    };
    let most = cells().map(|(one, two)| pairs.size[one][two]).fold(0.0, f64::max);
    let breadth = (WIDTH - LEFT - 10.0) / count as f64;
    let bottom = TOP + ROW * count as f64;
    let mut body = String::new();
    for one in 0..count {
        let y = TOP + ROW * one as f64;
        let name = summary.name(pairs.features[one]);
        let label = format!("{} {}", super::canvas::cut(name, letters(LEFT - 10.0) - 3), one + 1);
        body.push_str(&words("end", LEFT - 8.0, y + ROW / 2.0 + 4.0, &label, 40));
        let x = LEFT + breadth * (one as f64 + 0.5);
        if count <= 12 || one % 2 == 0 {
            body.push_str(&words("middle quiet", x, bottom + 15.0, &(one + 1).to_string(), 3));
        }
        for two in 0..count {
            let at = (LEFT + breadth * two as f64, y);
            let other = summary.name(pairs.features[two]);
            let size = pairs.size[one][two];
            let (class, title) = if one == two {
                ("blank", format!("{name} alone: {}", brief(size)))
            } else {
                let share = if most > 0.0 { size / most } else { 0.0 };
                (heat(share), format!("{name} with {other}: {}", brief(size)))
            };
            body.push_str(&area(class, at, (breadth - 1.0, ROW - 1.0), &title));
        }
    }
    body.push_str(&legend(bottom + 30.0, &brief(0.0), &brief(most)));
    let mut greatest: Vec<(usize, usize)> = cells().filter(|(one, two)| one < two).collect();
    greatest.sort_by(|one, two| pairs.size[two.0][two.1].total_cmp(&pairs.size[one.0][one.1]));
    let told: Vec<String> = greatest
        .iter()
        .take(5)
        .map(|(one, two)| {
            let [first, second] = [*one, *two].map(|place| summary.name(pairs.features[place]));
            format!("{first} with {second} {}", brief(pairs.size[*one][*two]))
        })
        .collect();
    Some(Drawing {
        name: "interactions".to_owned(),
        place: String::new(),
        title: format!("What features add together{}", of_output(summary)),
        reading: format!(
            "The mean size of what two features add together, beyond what each adds alone ({}). Columns have the numbers of the rows.",
            summary.unit_words()
        ),
        description: format!(
            "A map of {count} by {count} features; the greatest pairs: {}.",
            told.join(", ")
        ),
        height: bottom + FOOT,
        body,
    })
}

/// What is predicted of the values of two features. `None` where that was not asked for.
pub(super) fn surface(summary: &Summary) -> Option<Drawing> {
    let surface = summary.surface.as_ref()?;
    let [down, across] = &surface.grids;
    let (rows, columns) = (down.len(), across.len());
    let all = || surface.mean.iter().flatten().copied();
    if rows == 0 || columns == 0 || all().any(|number| !number.is_finite()) {
        return None;
    }
    let left = 72.0;
    let (low, high) =
        (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let [first, second] = surface.features.map(|feature| summary.name(feature));
    let breadth = (WIDTH - left - 10.0) / columns as f64;
    let tall = (260.0 / rows as f64).min(40.0);
    let top = 24.0;
    let bottom = top + tall * rows as f64;
    let mut body = words("quiet", 4.0, 14.0, first, 54);
    for (row, line) in surface.mean.iter().enumerate().take(rows) {
        // Greater values stand higher.
        let y = bottom - tall * (row + 1) as f64;
        if row % rows.div_ceil(8) == 0 {
            body.push_str(&words(
                "end quiet",
                left - 5.0,
                y + tall / 2.0 + 4.0,
                &brief(down[row]),
                8,
            ));
        }
        for (column, value) in line.iter().enumerate().take(columns) {
            let share = if high > low { (value - low) / (high - low) } else { 0.5 };
            let title = format!(
                "{first} {}, {second} {}: {}",
                brief(down[row]),
                brief(across[column]),
                brief(*value)
            );
            let at = (left + breadth * column as f64, y);
            // A hair more, so that no light comes through between them.
            body.push_str(&area(heat(share), at, (breadth + 0.2, tall + 0.2), &title));
        }
    }
    for (column, value) in across.iter().enumerate().step_by(columns.div_ceil(5)) {
        let x = left + breadth * (column as f64 + 0.5);
        body.push_str(&words("middle quiet", x, bottom + 16.0, &brief(*value), 8));
    }
    body.push_str(&words("middle", f64::midpoint(left, WIDTH), bottom + 34.0, second, 44));
    body.push_str(&legend(bottom + 48.0, &brief(low), &brief(high)));
    Some(Drawing {
        name: "surface".to_owned(),
        place: String::new(),
        title: format!("Partial dependence of {first} and {second}{}", of_output(summary)),
        reading: format!(
            "The mean prediction when every row has the same values of both: {first} upwards, {second} across."
        ),
        description: format!(
            "A map of {rows} by {columns} values; predictions are between {} and {}.",
            brief(low),
            brief(high)
        ),
        height: bottom + 70.0,
        body,
    })
}

/// Which shade is how much.
fn legend(y: f64, low: &str, high: &str) -> String {
    let start = LEFT + 60.0;
    let mut out = words("end quiet", start - 8.0, y + 9.0, low, 20);
    for shade in 0..SHADES {
        let at = (start + 14.0 * shade as f64, y);
        out.push_str(&area(&format!("h{shade}"), at, (14.0, 10.0), ""));
    }
    out + &words("quiet", start + 14.0 * SHADES as f64 + 8.0, y + 9.0, high, 10)
}
