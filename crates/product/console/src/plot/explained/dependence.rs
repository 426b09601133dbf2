//! A feature's own value against what it adds.

use std::collections::BTreeMap;

use ephor_explain::summary::{Dependence, Summary};

use super::{
    canvas::{Drawing, FIELD_HEIGHT, FIELD_LEFT, Field, area, brief, cut, dots, words},
    of_output,
    style::{Range, STEPS},
};

/// Below the axis stand the partner's colours.
const LEGEND: f64 = 24.0;

/// Dots of sampled rows. `None` where the feature has no values.
pub(super) fn scatter(summary: &Summary, of: Dependence) -> Option<Drawing> {
    let points = summary.points(of);
    if points.is_empty() {
        return None;
    }
    let name = summary.name(of.feature);
    let unit = summary.unit_words();
    let field = Field::new(
        points.iter().map(|point| point.x),
        points.iter().map(|point| point.value).chain([0.0]),
    );
    let mut body = field.upwards(&format!("what it adds, {unit}")) + &field.across(name);
    let range = Range::of(points.iter().filter_map(|point| point.colour));
    let mut by_colour = BTreeMap::<&str, Vec<(f64, f64)>>::new();
    for point in &points {
        let class = match (of.partner, range) {
            (Some(_), Some(range)) => range.class(point.colour),
            (Some(_), None) => "none",
            (None, _) => "c0",
        };
        by_colour.entry(class).or_default().push(field.at(point.x, point.value));
    }
    for (class, places) in by_colour {
        body.push_str(&dots(class, &places));
    }
    let partner = of.partner.map(|partner| summary.name(partner));
    if let (Some(partner), Some(range)) = (partner, range) {
        body.push_str(&legend(partner, range));
    }
    let least = points.iter().map(|point| point.x).fold(f64::INFINITY, f64::min);
    let most = points.iter().map(|point| point.x).fold(f64::NEG_INFINITY, f64::max);
    Some(Drawing {
        name: format!("dependence-{}", of.feature),
        place: String::new(),
        title: format!("{name} against what it adds{}", of_output(summary)),
        reading: match partner {
            Some(partner) => format!(
                "A dot is a row: its own value of {name}, and what that adds. Colours are of {partner}, with which it goes together most; dots above one another that differ in colour show that both count together."
            ),
            None => format!(
                "A dot is a row: its own value of {name}, and what that adds. No other feature goes with it."
            ),
        },
        description: format!(
            "{} dots; {name} is between {} and {}{}.",
            points.len(),
            brief(least),
            brief(most),
            partner.map(|partner| format!(", coloured by {partner}")).unwrap_or_default()
        ),
        height: FIELD_HEIGHT + if partner.is_some() { LEGEND } else { 0.0 },
        body,
    })
}

/// Which colour is which value of the partner.
fn legend(partner: &str, range: Range) -> String {
    let y = FIELD_HEIGHT + 10.0;
    let start = FIELD_LEFT + 196.0;
    let low = format!("{} {}", cut(partner, 20), brief(range.low));
    let mut out = words("end quiet", start - 8.0, y, &low, 29);
    for step in 0..STEPS {
        let at = (start + 14.0 * step as f64, y - 9.0);
        out.push_str(&area(&format!("swatch c{step}"), at, (14.0, 10.0), ""));
    }
    out + &words("quiet", start + 14.0 * STEPS as f64 + 8.0, y, &brief(range.high), 9)
}
