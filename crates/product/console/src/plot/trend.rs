//! A number over time, drawn on the server: a line with the band of its intervals, the thresholds,
//! and where a new version begins. The table beside it says the same in numbers.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;

use crate::view::{Html, format};

pub(super) const WIDTH: f64 = 480.0;
pub(super) const HEIGHT: f64 = 190.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 24.0;
/// The breadth of a letter, where they are greatest: on a phone.
const LETTER: f64 = 8.5;
/// The most letters of a version's name.
const LONGEST_NAME: usize = 10;

/// A value at one place of the line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TrendMark {
    /// None where there is none: the line is broken there.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
    /// `pass`, `warning`, `fail` or nothing.
    pub tone: &'static str,
}

/// A number over a model's versions.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendChart {
    /// What it shows, for those who do not see it.
    pub label: String,
    /// Its values, in order.
    pub marks: Vec<TrendMark>,
    /// The version of each; a mark stands where it changes. As many as there are values.
    pub versions: Vec<String>,
    /// What is accepted: lines across.
    pub limits: Vec<f64>,
    /// What the axis holds at least.
    pub axis: (f64, f64),
}

impl HtmlSafe for TrendChart {}

impl TrendChart {
    /// The axis that holds everything, and is never without height.
    fn scale(&self) -> (f64, f64) {
        let seen = self.marks.iter().flat_map(|mark| {
            let (low, high) = mark.interval.unzip();
            [mark.value, low, high].into_iter().flatten()
        });
        let (low, high) = seen
            .chain(self.limits.iter().copied())
            .filter(|value| value.is_finite())
            .fold(self.axis, |(low, high), value| (low.min(value), high.max(value)));
        if high - low > f64::EPSILON { (low, high) } else { (low, low + 1.0) }
    }

    fn x(&self, index: usize) -> f64 {
        let steps = self.marks.len().saturating_sub(1).max(1) as f64;
        let share = if self.marks.len() < 2 { 0.5 } else { index as f64 / steps };
        LEFT + 10.0 + share * (WIDTH - LEFT - RIGHT - 20.0)
    }

    /// Stretches without a gap, as places of the first and the last.
    fn stretches(&self, has: impl Fn(&TrendMark) -> bool) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for index in (0..self.marks.len()).filter(|index| has(&self.marks[*index])) {
            match found.last_mut() {
                Some((_, last)) if *last + 1 == index => *last = index,
                _ => found.push((index, index)),
            }
        }
        found
    }

    /// The places where a version begins.
    fn beginnings(&self) -> Vec<usize> {
        (0..self.versions.len().min(self.marks.len()))
            .filter(|index| *index == 0 || self.versions[*index] != self.versions[*index - 1])
            .collect()
    }
}

impl fmt::Display for TrendChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.scale();
        let y = |value: f64| {
            let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
            HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
        };
        let floor = HEIGHT - BOTTOM;
        let right = WIDTH - RIGHT;
        let mut body = String::new();
        for value in [low, f64::midpoint(low, high), high] {
            let at = y(value);
            write!(
                body,
                r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/>"#
            )?;
            let text = Html::text(&format::number(value));
            write!(
                body,
                r#"<text class="end" x="{:.1}" y="{:.1}">{text}</text>"#,
                LEFT - 5.0,
                at + 4.0
            )?;
        }
        let beginnings = self.beginnings();
        // From the latest on, as many names as there is room for.
        let mut room = WIDTH;
        for index in beginnings.iter().rev() {
            let x = self.x(*index);
            write!(
                body,
                r#"<line class="version" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{floor:.1}"/>"#
            )?;
            let name: String = self.versions[*index].chars().take(LONGEST_NAME).collect();
            let half = LETTER * (name.chars().count() + 1) as f64 / 2.0;
            let middle = x.clamp(half, WIDTH - half);
            if middle + half <= room {
                room = middle - half;
                let name = Html::text(&name);
                write!(
                    body,
                    r#"<text class="middle" x="{middle:.1}" y="{:.1}">{name}</text>"#,
                    HEIGHT - 7.0
                )?;
            }
        }
        let both = |mark: &TrendMark| mark.value.is_some() && mark.interval.is_some();
        for (first, last) in self.stretches(both).into_iter().filter(|(first, last)| first < last) {
            let side = |index: usize, upper: bool| {
                let (low, high) = self.marks[index].interval.unwrap_or_default();
                format!("{:.1},{:.1}", self.x(index), y(if upper { high } else { low }))
            };
            let points: Vec<String> = (first..=last)
                .map(|index| side(index, true))
                .chain((first..=last).rev().map(|index| side(index, false)))
                .collect();
            write!(body, r#"<polygon class="band" points="{}"/>"#, points.join(" "))?;
        }
        for limit in self.limits.iter().filter(|limit| limit.is_finite()) {
            let at = y(*limit);
            write!(
                body,
                r#"<line class="limit" x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/>"#
            )?;
        }
        for (first, last) in self.stretches(|mark| mark.value.is_some()) {
            let points: Vec<String> = (first..=last)
                .filter_map(|index| {
                    Some(format!("{:.1},{:.1}", self.x(index), y(self.marks[index].value?)))
                })
                .collect();
            write!(body, r#"<polyline class="line" points="{}"/>"#, points.join(" "))?;
        }
        for (index, mark) in self.marks.iter().enumerate() {
            let Some(value) = mark.value else { continue };
            let x = self.x(index);
            if let Some((low, high)) = mark.interval {
                write!(
                    body,
                    r#"<line class="whisker" x1="{x:.1}" x2="{x:.1}" y1="{:.1}" y2="{:.1}"/>"#,
                    y(low),
                    y(high)
                )?;
            }
            body.push_str(&shape(mark.tone, x, y(value)));
        }
        write!(
            f,
            r#"<svg class="trend" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">{body}</svg>"#,
            Html::text(&self.label)
        )
    }
}

/// A mark, whose shape says what its colour does.
fn shape(tone: &str, x: f64, y: f64) -> String {
    match tone {
        "warning" => {
            let (left, right, top, foot) = (x - 5.0, x + 5.0, y - 5.5, y + 4.0);
            format!(
                r#"<polygon class="mark warning" points="{x:.1},{top:.1} {right:.1},{foot:.1} {left:.1},{foot:.1}"/>"#
            )
        }
        "fail" => format!(
            r#"<rect class="mark fail" x="{:.1}" y="{:.1}" width="8" height="8"/>"#,
            x - 4.0,
            y - 4.0
        ),
        _ => format!(r#"<circle class="mark {tone}" cx="{x:.1}" cy="{y:.1}" r="4"/>"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[Option<f64>]) -> TrendChart {
        TrendChart {
            label: "<Score>".into(),
            marks: values
                .iter()
                .map(|value| TrendMark {
                    value: *value,
                    interval: value.map(|at| (at - 0.1, at + 0.1)),
                    tone: "pass",
                })
                .collect(),
            versions: values.iter().map(|_| "1.0.0".to_owned()).collect(),
            limits: vec![0.1],
            axis: (0.0, 0.0),
        }
    }

    #[test]
    fn the_line_is_broken_where_there_is_no_value() {
        let svg = chart(&[Some(0.1), Some(0.2), None, Some(0.3)]).to_string();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<polygon").count(), 1);
        assert_eq!(svg.matches("<circle").count(), 3);
        assert_eq!(svg.matches("class=\"version\"").count(), 1);
        assert!(svg.contains("aria-label=\"&lt;Score&gt;\"") && !svg.contains("NaN"));
    }

    #[test]
    fn a_shape_says_what_a_colour_does() {
        let mut one = chart(&[Some(0.1), Some(0.2), Some(0.3)]);
        one.marks[1].tone = "warning";
        one.marks[2].tone = "fail";
        let svg = one.to_string();
        for mark in [
            "<circle class=\"mark pass\"",
            "<polygon class=\"mark warning\"",
            "<rect class=\"mark fail\"",
        ] {
            assert_eq!(svg.matches(mark).count(), 1, "{svg}");
        }
    }

    #[test]
    fn names_of_versions_do_not_run_into_one_another() {
        let named = |many: u32, name: fn(u32) -> String| {
            let mut one = chart(&vec![Some(0.1); many as usize]);
            one.versions = (0..many).map(name).collect();
            one.to_string().matches("class=\"middle\"").count()
        };
        assert_eq!(named(8, |at| format!("1.{at}.0")), 8);
        assert_eq!(named(8, |at| format!("10.{at}.100-long")), 4);
        assert!(named(100, |at| format!("{at}.0.0")) <= 8);
    }

    #[test]
    fn a_single_value_and_none_at_all_are_drawn_too() {
        for values in [&[Some(0.0)][..], &[None][..], &[][..]] {
            let mut one = chart(values);
            one.limits.clear();
            assert!(!one.to_string().contains("NaN"));
        }
    }
}
