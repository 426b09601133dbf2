//! Colours of drawings: which step of a range a number has, and all of them written out for files of their own.

use std::{fmt::Write as _, sync::LazyLock};

/// From blue (low) over grey to orange (high): told apart in the common kinds of colour blindness.
const LOW_TO_HIGH: [&str; 7] =
    ["#39519d", "#52578e", "#695b7f", "#805e6e", "#955e5c", "#ab5d45", "#c05a22"];
/// From next to nothing to much.
const HEAT: [&str; 9] = [
    "#eef3f2", "#d2e2e3", "#b7d1d5", "#9bc1c6", "#7fb0b8", "#63949e", "#487985", "#2d5f6d",
    "#0f4655",
];
/// One colour per group.
const SERIES: [&str; 6] = ["#1f6f8b", "#c05a22", "#4f7f35", "#8a4f9e", "#a8801f", "#39519d"];

/// What the page's stylesheet says of `.drawn`, with light colours in place of names, which few programs but browsers know.
pub(super) static STANDALONE: LazyLock<String> = LazyLock::new(|| {
    let mut out = String::from(
        ".drawn .swatch{stroke:none}\
         .drawn text{font-family:Inter,Helvetica,Arial,sans-serif;font-size:11px;fill:#1d2126}\
         .drawn text.head{font-size:14px;font-weight:600}\
         .drawn text.quiet{fill:#4c535b}\
         .drawn text.end{text-anchor:end}\
         .drawn text.middle{text-anchor:middle}\
         .drawn text.number{fill:#1d2126}\
         .drawn .paper{fill:#ffffff}\
         .drawn .grid{stroke:#e0dbd0;stroke-width:1}\
         .drawn .zero{stroke:#8b877d;stroke-width:1}\
         .drawn .link{stroke:#8b877d;stroke-width:1;stroke-dasharray:3 2}\
         .drawn .bar{fill:#1f6f8b}\
         .drawn .bar.rest{fill:#8b877d}\
         .drawn .more{fill:#c05a22}\
         .drawn .less{fill:#39519d}\
         .drawn .rest{fill:#8b877d}\
         .drawn .whisker{stroke:#1d2126;stroke-width:1.5}\
         .drawn .dots{fill:none;stroke-width:3.6;stroke-linecap:round;opacity:0.85}\
         .drawn .mean{fill:none;stroke:#1f6f8b;stroke-width:2.5;stroke-linejoin:round}\
         .drawn .single{fill:none;stroke:#65829a;stroke-width:1;opacity:0.35}\
         .drawn .blank{fill:#f0ede5}\
         .drawn .none{fill:#8b877d;stroke:#8b877d}",
    );
    for (step, colour) in LOW_TO_HIGH.iter().enumerate() {
        let _ = write!(
            out,
            ".drawn .dots.c{step}{{stroke:{colour}}}.drawn .swatch.c{step}{{fill:{colour}}}"
        );
    }
    for (step, colour) in HEAT.iter().enumerate() {
        let _ = write!(out, ".drawn .h{step}{{fill:{colour}}}");
    }
    for (series, colour) in SERIES.iter().enumerate() {
        let _ = write!(out, ".drawn .s{}{{fill:{colour}}}", series + 1);
    }
    out
});

/// How many colours there are from low to high.
pub(super) const STEPS: usize = LOW_TO_HIGH.len();
/// How many shades of heat.
pub(super) const SHADES: usize = HEAT.len();

/// A range whose ends are not set by a few far ones: between a twentieth and nineteen twentieths of the numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// None of no numbers.
    pub fn of(numbers: impl Iterator<Item = f64>) -> Option<Self> {
        let mut all: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        let last = all.len().checked_sub(1)?;
        let (mut low, mut high) = (all[last / 20], all[last - last / 20]);
        // Of a number that is nearly always the same, the few others are what is to be seen.
        if low == high {
            (low, high) = (all[0], all[last]);
        }
        Some(Self { low, high })
    }

    /// The class of a number's colour; missing ones have their own.
    pub fn class(self, number: Option<f64>) -> &'static str {
        const CLASSES: [&str; STEPS] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6"];
        let Some(number) = number else { return "none" };
        let breadth = self.high / 2.0 - self.low / 2.0;
        if breadth <= 0.0 {
            return CLASSES[STEPS / 2];
        }
        let share = ((number / 2.0 - self.low / 2.0) / breadth).clamp(0.0, 1.0);
        CLASSES[((share * STEPS as f64) as usize).min(STEPS - 1)]
    }
}

/// The class of a share between 0 and 1, as heat.
pub(super) fn heat(share: f64) -> &'static str {
    const CLASSES: [&str; SHADES] = ["h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8"];
    CLASSES[((share.clamp(0.0, 1.0) * SHADES as f64) as usize).min(SHADES - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_of_ranks_that_matter() {
        let numbers: Vec<f64> = (0..100).map(f64::from).chain([1e9]).collect();
        let range = Range::of(numbers.into_iter()).map(|range| (range.low, range.high));
        assert_eq!(range, Some((5.0, 95.0)));
        let range = Range { low: 0.0, high: 7.0 };
        assert_eq!(range.class(Some(-1.0)), "c0");
        assert_eq!(range.class(Some(3.5)), "c3");
        assert_eq!(range.class(Some(9.0)), "c6");
        assert_eq!(range.class(None), "none");
        assert_eq!(Range { low: 1.0, high: 1.0 }.class(Some(1.0)), "c3");
        assert!(Range::of(std::iter::empty()).is_none());
        assert_eq!([heat(f64::NAN), heat(0.0), heat(1.0)], ["h0", "h0", "h8"]);
    }

    #[test]
    fn what_is_rare_has_its_own_colour() {
        let rare = (0..100).map(|place| f64::from(u8::from(place == 0)));
        let range = Range::of(rare);
        assert!(range.is_some_and(|range| range.class(Some(1.0)) != range.class(Some(0.0))));
    }
}
