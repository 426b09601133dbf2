//! Observed rate over mean score in each bin, one line a group; the diagonal is ideal.

use serde::Deserialize;

use super::{Anchor, Canvas, Drawing, INK, QUIET, RULE, STRONG, WIDTH, colour, short};

/// The square of the curves; names stand right of it.
const LEFT: f64 = 46.0;
const TOP: f64 = 8.0;
const SIDE: f64 = 230.0;

#[derive(Debug, Deserialize)]
pub(super) struct Calibration {
    x_label: String,
    y_label: String,
    series: Vec<Curve>,
}

#[derive(Debug, Deserialize)]
struct Curve {
    name: String,
    points: Vec<Point>,
}

#[derive(Debug, Deserialize)]
struct Point {
    score: f64,
    rate: f64,
    n: u64,
}

impl Calibration {
    pub(super) fn drawing(&self) -> Drawing {
        let foot = TOP + SIDE;
        let mut canvas = Canvas::new(WIDTH, foot + 36.0);
        let x = |value: f64| LEFT + SIDE * value.clamp(0.0, 1.0);
        let y = |value: f64| foot - SIDE * value.clamp(0.0, 1.0);
        for tick in 0..=5_u8 {
            let value = f64::from(tick) / 5.0;
            canvas.line((x(value), TOP), (x(value), foot), RULE, 0.6);
            canvas.line((LEFT, y(value)), (LEFT + SIDE, y(value)), RULE, 0.6);
            let text = format!("{value:.1}");
            canvas.text((x(value), foot + 12.0), 8.0, Anchor::Middle, QUIET, &text);
            canvas.text((LEFT - 5.0, y(value) + 3.0), 8.0, Anchor::End, QUIET, &text);
        }
        canvas.text((LEFT + SIDE / 2.0, foot + 27.0), 8.5, Anchor::Middle, INK, &self.x_label);
        let label = crate::view::Html::text(&self.y_label);
        let middle = TOP + SIDE / 2.0;
        canvas.add(format_args!(
            r#"<text transform="translate(12 {middle:.1}) rotate(-90)" font-size="8.5" text-anchor="middle" fill="{INK}">{label}</text>"#
        ));
        canvas.dashed((LEFT, foot), (LEFT + SIDE, TOP), STRONG);
        for (index, curve) in self.series.iter().enumerate() {
            let points: Vec<String> = curve
                .points
                .iter()
                .map(|point| format!("{:.2},{:.2}", x(point.score), y(point.rate)))
                .collect();
            canvas.add(format_args!(
                r#"<polyline points="{}" fill="none" stroke="{}" stroke-width="1.4"/>"#,
                points.join(" "),
                colour(index)
            ));
            for point in &curve.points {
                // A point that stands on few rows is a small one.
                let size = (1.0 + 0.7 * (point.n.max(1) as f64).log10()).min(4.2);
                canvas.mark(index, (x(point.score), y(point.rate)), size);
            }
            let at = TOP + 14.0 + 15.0 * index as f64;
            let left = LEFT + SIDE + 26.0;
            canvas.line((left - 8.0, at), (left + 8.0, at), colour(index), 1.4);
            canvas.mark(index, (left, at), 3.4);
            canvas.text((left + 14.0, at + 3.0), 9.0, Anchor::Start, INK, &short(&curve.name, 34));
        }
        canvas.finish(100)
    }
}
