//! A disparity on its scale, drawn as an image that needs no script: what lies beyond the
//! threshold is tinted, the interval is a line, the value a dot.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;
use ephor_fairness::Disparity;

const WIDTH: f64 = 160.0;
const HEIGHT: f64 = 22.0;
const EDGE: f64 = 4.0;

/// A disparity's value, interval and threshold on one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeMark {
    value: f64,
    interval: Option<(f64, f64)>,
    /// Where pass ends, below and above; those that lie on the axis.
    limits: (Option<f64>, Option<f64>),
    axis: (f64, f64),
    tone: &'static str,
}

impl HtmlSafe for RangeMark {}

impl RangeMark {
    /// The mark of a defined disparity.
    pub fn of(disparity: &Disparity) -> Option<Self> {
        let value = disparity.value.filter(|value| value.is_finite())?;
        let interval = disparity.interval.as_ref().map(|interval| (interval.lower, interval.upper));
        let ratio = disparity.ideal == 1.0;
        let limits = match disparity.threshold {
            Some(accepted) if ratio && accepted < 1.0 => {
                (Some(1.0 - accepted), Some(1.0 / (1.0 - accepted)))
            }
            Some(accepted) if !ratio => (Some(-accepted), Some(accepted)),
            _ => (None, None),
        };
        let (low, high) = interval.unwrap_or((value, value));
        let mut axis = if ratio {
            (0.0, high.max(value).clamp(1.3, 3.0))
        } else {
            let least = low.min(value);
            let reach = high.max(value).max(limits.1.unwrap_or(0.0) * 2.0).max(0.1);
            (if least < 0.0 { least.min(-limits.1.unwrap_or(0.1) * 1.5) } else { 0.0 }, reach)
        };
        axis.1 += 0.04 * (axis.1 - axis.0);
        let on_axis = |limit: Option<f64>| limit.filter(|at| *at > axis.0 && *at < axis.1);
        Some(Self {
            value,
            interval,
            limits: (on_axis(limits.0), on_axis(limits.1)),
            axis,
            tone: disparity.status.map_or("", |status| status.as_str()),
        })
    }

    fn x(&self, value: f64) -> f64 {
        let share = ((value - self.axis.0) / (self.axis.1 - self.axis.0)).clamp(0.0, 1.0);
        EDGE + share * (WIDTH - 2.0 * EDGE)
    }
}

impl fmt::Display for RangeMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let middle = HEIGHT / 2.0;
        let mut body = String::new();
        if let Some(limit) = self.limits.0 {
            let x = self.x(limit);
            write!(body, r#"<rect class="beyond" x="0" y="0" width="{x:.1}" height="{HEIGHT}"/>"#)?;
        }
        if let Some(limit) = self.limits.1 {
            let x = self.x(limit);
            let width = WIDTH - x;
            write!(
                body,
                r#"<rect class="beyond" x="{x:.1}" y="0" width="{width:.1}" height="{HEIGHT}"/>"#
            )?;
        }
        write!(body, r#"<line class="axis" x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/>"#)?;
        for limit in [self.limits.0, self.limits.1].into_iter().flatten() {
            let x = self.x(limit);
            write!(body, r#"<line class="threshold" x1="{x:.1}" x2="{x:.1}" y1="1" y2="21"/>"#)?;
        }
        if let Some((low, high)) = self.interval {
            let (low, high) = (self.x(low), self.x(high));
            write!(
                body,
                r#"<line class="interval" x1="{low:.1}" x2="{high:.1}" y1="{middle}" y2="{middle}"/>"#
            )?;
        }
        let x = self.x(self.value);
        write!(body, r#"<circle class="point" cx="{x:.1}" cy="{middle}" r="4.5"/>"#)?;
        write!(
            f,
            r#"<svg class="range {}" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{body}</svg>"#,
            self.tone
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disparity(value: f64, ideal: f64, threshold: f64) -> Disparity {
        Disparity {
            id: "d".into(),
            title: "D".into(),
            value: Some(value),
            ideal,
            interval: None,
            threshold: Some(threshold),
            status: None,
            worst_pair: None,
            n: 10,
            undefined: None,
            left_out: vec![],
            sentence: String::new(),
            p_value: None,
            p_adjusted: None,
            detectable: None,
            significance: None,
        }
    }

    #[test]
    fn a_difference_of_one_sign_starts_at_zero() {
        let mark = RangeMark::of(&disparity(0.2, 0.0, 0.1));
        assert!(mark.is_some_and(|mark| mark.axis.0 == 0.0 && mark.limits == (None, Some(0.1))));
    }

    #[test]
    fn a_ratio_is_accepted_on_both_sides_of_one() {
        let mark = RangeMark::of(&disparity(0.7, 1.0, 0.2));
        assert!(mark.is_some_and(|mark| mark.limits == (Some(0.8), Some(1.25))));
    }

    #[test]
    fn what_is_undefined_has_no_mark() {
        let mut undefined = disparity(0.0, 0.0, 0.1);
        undefined.value = None;
        assert!(RangeMark::of(&undefined).is_none());
    }
}
