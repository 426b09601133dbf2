//! A dot with its whisker for each group, one row a group.

use serde::Deserialize;

use super::{Anchor, Axis, Canvas, Drawing, INK, QUIET, RULE, STRONG, Scale, WIDTH, colour, short};
use crate::view::format;

const LEFT: f64 = 132.0;
const RIGHT: f64 = 14.0;

#[derive(Debug, Deserialize)]
pub(super) struct Intervals {
    axis: Axis,
    series: Vec<String>,
    rows: Vec<Row>,
    #[serde(default)]
    mark: Option<Line>,
}

#[derive(Debug, Deserialize)]
struct Row {
    label: String,
    n: u64,
    values: Vec<Mark>,
}

#[derive(Debug, Deserialize)]
struct Mark {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Line {
    value: f64,
    label: String,
}

impl Intervals {
    pub(super) fn drawing(&self) -> Drawing {
        let many = self.series.len().max(1);
        let each = 15.0 + 9.0 * many as f64;
        let top = if many > 1 || self.mark.is_some() { 20.0 } else { 6.0 };
        let foot = top + each * self.rows.len() as f64;
        let mut canvas = Canvas::new(WIDTH, foot + 34.0);
        let seen = self.rows.iter().flat_map(|row| &row.values);
        let seen = seen.flat_map(|mark| [mark.value, mark.low, mark.high]).flatten();
        let fixed = [self.axis.min, self.axis.max, self.mark.as_ref().map(|mark| mark.value)];
        let scale = Scale::new(seen.chain(fixed.into_iter().flatten()), (LEFT, WIDTH - RIGHT), 6.0);
        for tick in scale.ticks() {
            let x = scale.at(tick);
            canvas.line((x, top), (x, foot), RULE, 0.6);
            let text = self.axis.tick(tick, scale.step);
            canvas.text((x, foot + 12.0), 8.0, Anchor::Middle, QUIET, &text);
        }
        canvas.line((LEFT, top), (LEFT, foot), STRONG, 0.8);
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        canvas.text((middle, foot + 26.0), 8.5, Anchor::Middle, INK, &self.axis.label);
        if let Some(mark) = &self.mark {
            let x = scale.at(mark.value);
            canvas.dashed((x, top - 4.0), (x, foot), QUIET);
            let (at, anchor) =
                if x > WIDTH - 90.0 { (x - 4.0, Anchor::End) } else { (x + 4.0, Anchor::Start) };
            canvas.text((at, top - 5.0), 8.0, anchor, QUIET, &mark.label);
        }
        if many > 1 {
            let mut x = LEFT;
            for (series, name) in self.series.iter().enumerate() {
                canvas.mark(series, (x + 4.0, 8.0), 3.4);
                let name = short(name, 40);
                canvas.text((x + 12.0, 11.0), 8.5, Anchor::Start, INK, &name);
                x += 30.0 + 4.6 * name.chars().count() as f64;
            }
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = top + each * (index as f64 + 0.5);
            canvas.text((LEFT - 8.0, y), 9.0, Anchor::End, INK, &short(&row.label, 26));
            let n = format!("n = {}", format::count(row.n));
            canvas.text((LEFT - 8.0, y + 9.0), 7.0, Anchor::End, QUIET, &n);
            for (series, mark) in row.values.iter().enumerate() {
                let Some(value) = mark.value.filter(|value| value.is_finite()) else { continue };
                let y = y + (series as f64 - (many as f64 - 1.0) / 2.0) * 10.0;
                if let (Some(low), Some(high)) = (mark.low, mark.high) {
                    let (low, high, ink) = (scale.at(low), scale.at(high), colour(series));
                    canvas.line((low, y), (high, y), ink, 1.4);
                    for end in [low, high] {
                        canvas.line((end, y - 3.0), (end, y + 3.0), ink, 1.4);
                    }
                }
                canvas.mark(series, (scale.at(value), y), 3.6);
            }
        }
        canvas.finish(100)
    }
}
