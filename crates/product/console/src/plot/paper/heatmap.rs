//! One cell for each meeting of groups.

use serde::Deserialize;

use super::{Anchor, Axis, Canvas, Drawing, INK, QUIET, WIDTH, short};

const LEFT: f64 = 128.0;
/// Cells with more than this beside them have no number in them.
const MOST_TOLD: usize = 12;
/// From low to high.
const HEAT: [(f64, f64, f64); 3] =
    [(238.0, 243.0, 242.0), (127.0, 176.0, 184.0), (15.0, 70.0, 85.0)];

#[derive(Debug, Deserialize)]
pub(super) struct Heatmap {
    axis: Axis,
    x: Vec<String>,
    y: Vec<String>,
    cells: Vec<Square>,
}

#[derive(Debug, Deserialize)]
struct Square {
    x: usize,
    y: usize,
    value: Option<f64>,
}

impl Heatmap {
    /// `None` without any value.
    pub(super) fn drawing(&self) -> Option<Drawing> {
        let defined = || self.cells.iter().filter_map(|cell| cell.value).filter(|v| v.is_finite());
        let (low, high) = (defined().reduce(f64::min)?, defined().reduce(f64::max)?);
        let width = ((WIDTH - LEFT) / self.x.len().max(1) as f64).min(150.0);
        let height = if self.y.len() > 20 { 13.0 } else { 20.0 };
        let foot = height * self.y.len() as f64;
        let slanted = width < 62.0;
        let names = if slanted { 70.0 } else { 16.0 };
        let mut canvas = Canvas::new(WIDTH, foot + names + 30.0);
        for cell in &self.cells {
            let Some(value) = cell.value.filter(|value| value.is_finite()) else { continue };
            let share = if high > low { (value - low) / (high - low) } else { 0.0 };
            let (x, y) = (LEFT + width * cell.x as f64, height * cell.y as f64);
            let (w, h) = (width - 1.5, height - 1.5);
            canvas.add(format_args!(
                r#"<rect x="{x:.2}" y="{y:.2}" width="{w:.2}" height="{h:.2}" fill="{}"/>"#,
                heat(share)
            ));
            if self.x.len() <= MOST_TOLD {
                let ink = if share > 0.62 { "#ffffff" } else { INK };
                let at = (x + w / 2.0, y + h / 2.0 + 2.8);
                canvas.text(at, 8.0, Anchor::Middle, ink, &self.axis.words(value));
            }
        }
        for (index, name) in self.y.iter().enumerate() {
            let y = height * (index as f64 + 0.5) + 2.5;
            canvas.text((LEFT - 7.0, y), 8.5, Anchor::End, INK, &short(name, 28));
        }
        for (index, name) in self.x.iter().enumerate() {
            let x = LEFT + width * (index as f64 + 0.5);
            if slanted {
                let name = crate::view::Html::text(&short(name, 18));
                let y = foot + 9.0;
                canvas.add(format_args!(
                    r#"<text transform="translate({x:.2} {y:.2}) rotate(-40)" font-size="8" text-anchor="end" fill="{INK}">{name}</text>"#
                ));
            } else {
                let most = (width / 4.6) as usize;
                canvas.text((x, foot + 12.0), 8.5, Anchor::Middle, INK, &short(name, most));
            }
        }
        self.legend(&mut canvas, foot + names + 10.0, (low, high));
        Some(canvas.finish(100))
    }

    /// What the shades mean.
    fn legend(&self, canvas: &mut Canvas, y: f64, (low, high): (f64, f64)) {
        const STEPS: u8 = 24;
        let each = 5.0;
        for step in 0..STEPS {
            let x = LEFT + 60.0 + each * f64::from(step);
            canvas.add(format_args!(
                r#"<rect x="{x:.2}" y="{y:.2}" width="{each}" height="8" fill="{}"/>"#,
                heat(f64::from(step) / f64::from(STEPS - 1))
            ));
        }
        let end = LEFT + 60.0 + each * f64::from(STEPS);
        canvas.text((LEFT + 54.0, y + 7.0), 8.0, Anchor::End, QUIET, &self.axis.words(low));
        canvas.text((end + 6.0, y + 7.0), 8.0, Anchor::Start, QUIET, &self.axis.words(high));
        canvas.text((end + 60.0, y + 7.0), 8.5, Anchor::Start, INK, &self.axis.label);
    }
}

/// The shade of a share from 0 to 1.
fn heat(share: f64) -> String {
    let share = share.clamp(0.0, 1.0) * 2.0;
    let (from, to, part) =
        if share <= 1.0 { (HEAT[0], HEAT[1], share) } else { (HEAT[1], HEAT[2], share - 1.0) };
    let mix = |from: f64, to: f64| (from + part * (to - from)).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}
