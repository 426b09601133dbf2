//! How one row's prediction is made: from the base, feature by feature.

use ephor_explain::summary::{Summary, Unit, Waterfall};

use super::{
    MOST,
    canvas::{Drawing, ROW, Rows, Scale, WIDTH, brief, letters, line, own, safe, signed},
    of_output, others, row_name,
};

const LEFT: f64 = 178.0;
const RIGHT: f64 = WIDTH - 72.0;
const TOP: f64 = 6.0;
/// Half the breadth of an arrow.
const HALF: f64 = 7.5;
/// The length of its head.
const HEAD: f64 = 5.0;

/// A step from the base to the prediction.
struct Step {
    label: String,
    full: String,
    adds: f64,
    error: Option<f64>,
    is_rest: bool,
}

/// Arrows from the base to the prediction of a row. `None` where numbers are no numbers.
pub(super) fn waterfall(summary: &Summary, row: &Waterfall) -> Option<Drawing> {
    let steps = steps(summary, row);
    let mut at = vec![row.base];
    for step in &steps {
        at.push(at[at.len() - 1] + step.adds);
    }
    if at.iter().any(|number| !number.is_finite()) {
        return None;
    }
    let scale = Scale::new(at.iter().copied(), LEFT + 10.0, RIGHT - 10.0).padded();
    let rows = Rows { left: LEFT, scale, top: TOP, count: steps.len() + 2 };
    let unit = summary.unit_words();
    let mut body = rows.axis(unit);
    let last = rows.count - 1;
    body.push_str(&rows.label(0, "base"));
    body.push_str(&rows.number(0, &brief(row.base)));
    body.push_str(&stop(scale.at(row.base), rows.middle(0)));
    for (place, step) in steps.iter().enumerate() {
        let (from, to) = (scale.at(at[place]), scale.at(at[place + 1]));
        let middle = rows.middle(place + 1);
        body.push_str(&line("link", (from, middle - ROW + HALF), (from, middle - HALF)));
        let class = match step {
            Step { is_rest: true, .. } => "rest",
            Step { adds, .. } if *adds < 0.0 => "less",
            _ => "more",
        };
        body.push_str(&arrow(class, from, to, middle, &step.full));
        if let Some(error) = step.error.filter(|error| error.is_finite() && *error > 0.0) {
            let ends = [at[place + 1] - error, at[place + 1] + error].map(|end| scale.at(end));
            body.push_str(&line("whisker", (ends[0], middle), (ends[1], middle)));
        }
        body.push_str(&rows.label(place + 1, &step.label));
        body.push_str(&rows.number(place + 1, &signed(step.adds)));
    }
    let end = scale.at(at[at.len() - 1]);
    let middle = rows.middle(last);
    body.push_str(&line("link", (end, middle - ROW + HALF), (end, middle - HALF)));
    body.push_str(&stop(end, middle));
    body.push_str(
        &rows.label(last, if summary.unit == Unit::Margin { "margin" } else { "prediction" }),
    );
    body.push_str(&rows.number(last, &brief(row.total)));
    let told: Vec<String> = steps.iter().take(5).map(|step| step.full.clone()).collect();
    let prediction = match row.prediction {
        Some(prediction) if summary.unit == Unit::Margin => {
            format!(" The margin of {} is a prediction of {}.", brief(row.total), brief(prediction))
        }
        _ => String::new(),
    };
    let errors = if steps.iter().any(|step| step.error.is_some_and(|error| error > 0.0)) {
        " A line across an arrow's head is one standard error."
    } else {
        ""
    };
    Some(Drawing {
        name: format!("waterfall-{}", row.row),
        place: String::new(),
        title: format!("How the prediction of {} is made{}", row_name(row.row), of_output(summary)),
        reading: format!(
            "From the base, what is predicted of nobody in particular, each feature raises (to the right) or lowers (to the left) it.{prediction}{errors}"
        ),
        description: format!(
            "From the base {} to {}: {}{}.",
            brief(row.base),
            brief(row.total),
            told.join(", "),
            if steps.len() > told.len() { " and so on" } else { "" }
        ),
        height: rows.height(),
        body,
    })
}

fn steps(summary: &Summary, row: &Waterfall) -> Vec<Step> {
    let room = letters(LEFT - 10.0);
    let (shown, rest) = row.parts.split_at(row.parts.len().min(MOST));
    let mut steps: Vec<Step> = shown
        .iter()
        .map(|part| {
            let (name, value) = (summary.name(part.feature), own(part.x));
            Step {
                label: labelled(name, &value, room),
                full: format!("{name} = {value}: {}", signed(part.adds)),
                adds: part.adds,
                error: part.error,
                is_rest: false,
            }
        })
        .collect();
    let (count, adds) =
        (rest.len() + row.others, row.others_add + rest.iter().map(|part| part.adds).sum::<f64>());
    if count > 0 {
        steps.push(Step {
            label: others(count),
            full: format!("{}: {}", others(count), signed(adds)),
            adds,
            error: None,
            is_rest: true,
        });
    }
    steps
}

/// `name = value`, of which the name is cut where there is too little room.
fn labelled(name: &str, value: &str, room: usize) -> String {
    let rest = room.saturating_sub(value.chars().count() + 3).max(4);
    format!("{} = {value}", super::canvas::cut(name, rest))
}

/// Where it begins and ends.
fn stop(x: f64, middle: f64) -> String {
    line("whisker", (x, middle - HALF), (x, middle + HALF))
}

/// From one place to another; its head says which way.
fn arrow(class: &str, from: f64, to: f64, middle: f64, title: &str) -> String {
    let way = if to < from { -1.0 } else { 1.0 };
    let head = HEAD.min((to - from).abs()) * way;
    let (up, down, neck) = (middle - HALF, middle + HALF, to - head);
    // What is next to nothing is seen as a line.
    let from = if (to - from).abs() < 0.8 { to - 0.8 * way } else { from };
    format!(
        r#"<polygon class="{class}" points="{from:.1},{up:.1} {neck:.1},{up:.1} {to:.1},{middle:.1} {neck:.1},{down:.1} {from:.1},{down:.1}"><title>{}</title></polygon>"#,
        safe(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_however_long_the_name_is() {
        assert_eq!(labelled("age", "40", 20), "age = 40");
        assert_eq!(labelled("a_very_long_name_of_a_feature", "40", 20), "a_very_long_na… = 40");
        assert_eq!(labelled("name", "1,234,567", 8), "name = 1,234,567");
    }
}
