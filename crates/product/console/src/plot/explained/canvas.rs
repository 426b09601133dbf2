//! What all drawings have in common: their frame, scales, letters.

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;

use super::style::STANDALONE;
use crate::view::{Html, format};

/// The breadth of every drawing, in its own units: on a phone they are two thirds of a pixel.
pub(super) const WIDTH: f64 = 480.0;
/// The breadth of a letter, where they are greatest: on a phone.
const LETTER: f64 = 8.5;
/// The height of a row of features.
pub(super) const ROW: f64 = 23.0;
/// Below the rows: the numbers of the axis, and what it is.
const AXIS: f64 = 44.0;
/// The height of the title of a drawing that stands alone.
const HEAD: f64 = 34.0;
/// Dots of a picture to each unit of the file that it is drawn from: about 1 900 across, enough for a page of paper.
const DOTS: u8 = 2;

/// A drawing: SVG whose colours are the page's, without scripts and without styles of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// What tells it from the others of the same summary: `waterfall-3`. Part of ids, and of a file's name.
    pub name: String,
    /// What tells it from drawings of other summaries on the same page, as part of ids; nothing where there is one summary.
    pub place: String,
    /// What is drawn.
    pub title: String,
    /// How to read it.
    pub reading: String,
    /// What it shows, for those who do not see it.
    pub description: String,
    /// The height in its own units; the breadth is always the same.
    pub(super) height: f64,
    /// What is in it.
    pub(super) body: String,
}

impl HtmlSafe for Drawing {}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, place, title, description, height, body, .. } = self;
        let (title, description) = (safe(title), safe(description));
        write!(
            f,
            r#"<svg class="drawn" viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-labelledby="drawn-{place}{name}-title drawn-{place}{name}-desc"><title id="drawn-{place}{name}-title">{title}</title><desc id="drawn-{place}{name}-desc">{description}</desc>{body}</svg>"#
        )
    }
}

impl Drawing {
    /// The same as a file of its own: with its title, its own colours, on white.
    pub fn standalone(&self) -> String {
        let Self { title, description, height, body, .. } = self;
        let (all, height) = (height + HEAD, height + HEAD);
        let (breadth, tall) = (2.0 * WIDTH, 2.0 * height);
        let (shown, title) = (safe(&cut(title, 62)), safe(title));
        let description = safe(description);
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" class="drawn" width="{breadth:.0}" height="{tall:.0}" viewBox="0 0 {WIDTH} {all:.0}" role="img"><title>{title}</title><desc>{description}</desc><style>{style}</style><rect class="paper" x="0" y="0" width="{WIDTH}" height="{all:.0}"/><text class="head" x="10" y="22">{shown}</text><g transform="translate(0 {HEAD})">{body}</g></svg>
"#,
            style = *STANDALONE
        )
    }

    /// The same file as a picture of dots, PNG, for programs that take no SVG.
    ///
    /// # Errors
    /// It could not be drawn, which no words of a summary can cause.
    pub fn png(&self) -> Result<Vec<u8>, ephor_report::Error> {
        ephor_report::png(&self.standalone(), DOTS)
    }
}

/// A text within XML: nothing of it is markup, letters that XML does not know and those that turn the direction of reading
/// are replaced.
pub(super) fn safe(text: &str) -> Html {
    let clean = |letter: char| match letter {
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' if letter.is_whitespace() => ' ',
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => '\u{fffd}',
        other => other,
    };
    Html::text(&text.chars().map(clean).collect::<String>())
}

/// At most so many letters.
pub(super) fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// So many letters fit into this breadth.
pub(super) fn letters(breadth: f64) -> usize {
    ((breadth / LETTER).floor() as usize).max(3)
}

/// A text at a place; what does not fit is cut, and told in full by its title.
pub(super) fn words(class: &str, x: f64, y: f64, text: &str, room: usize) -> String {
    let shown = cut(text, room);
    let title =
        if shown == text { String::new() } else { format!("<title>{}</title>", safe(text)) };
    format!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{title}{}</text>"#, safe(&shown))
}

/// A line from one place to another.
pub(super) fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        r#"<line class="{class}" x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}"/>"#,
        from.0, from.1, to.0, to.1
    )
}

/// A box whose title says what it stands for.
pub(super) fn area(class: &str, at: (f64, f64), size: (f64, f64), title: &str) -> String {
    let title =
        if title.is_empty() { String::new() } else { format!("<title>{}</title>", safe(title)) };
    format!(
        r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}">{title}</rect>"#,
        at.0,
        at.1,
        size.0.max(0.0),
        size.1.max(0.0)
    )
}

/// Many dots of a colour, as one path.
pub(super) fn dots(class: &str, places: &[(f64, f64)]) -> String {
    if places.is_empty() {
        return String::new();
    }
    let mut path = String::with_capacity(places.len() * 16);
    for (x, y) in places {
        let _ = write!(path, "M{x:.1} {y:.1}h.01");
    }
    format!(r#"<path class="dots {class}" d="{path}"/>"#)
}

/// A number for people, with three digits that count.
pub(super) fn brief(value: f64) -> String {
    let size = value.abs();
    let text = if size == 0.0 {
        "0".to_owned()
    } else if !(1e-4..1e6).contains(&size) {
        format!("{value:.1e}")
    } else if size >= 999.5 {
        return format::number(value.round());
    } else {
        let places = (2 - size.log10().floor() as i32).clamp(0, 6) as usize;
        trimmed(&format!("{value:.places$}"))
    };
    text.replace('-', "\u{2212}")
}

/// A number that is added.
pub(super) fn signed(value: f64) -> String {
    let text = brief(value);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// A feature's own value.
pub(super) fn own(value: Option<f64>) -> String {
    value.map_or_else(|| "missing".to_owned(), brief)
}

fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// From numbers to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    pub from: f64,
    pub to: f64,
}

impl Scale {
    /// That holds all of the numbers, from one place to another; of one number only, some more around it.
    pub fn new(numbers: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut low, mut high) = numbers
            .filter(|number| number.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
                (low.min(number), high.max(number))
            });
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let size = low.abs().max(high.abs());
        if high / 2.0 - low / 2.0 <= 1e-9 * size || size == 0.0 {
            let room = if size == 0.0 { 1.0 } else { 0.1 * size };
            (low, high) = ((low - room).max(f64::MIN), (high + room).min(f64::MAX));
        }
        Self { low, high, from, to }
    }

    /// With some more at the ends that are not 0, so that nothing touches the edge.
    pub fn padded(mut self) -> Self {
        let room = 0.03 * (self.high / 2.0 - self.low / 2.0) * 2.0;
        if self.low != 0.0 {
            self.low = (self.low - room).max(f64::MIN);
        }
        if self.high != 0.0 {
            self.high = (self.high + room).min(f64::MAX);
        }
        self
    }

    pub fn at(&self, number: f64) -> f64 {
        // Halves, as the difference of two great numbers may be none.
        let share = (number / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round numbers, with their words.
    pub fn ticks(&self, about: f64) -> Vec<(f64, String)> {
        let rough = (self.high / about - self.low / about).abs();
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|times| times * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(rough);
        let first = (self.low / step).ceil();
        if !step.is_normal() || !first.is_finite() || first.abs() > 1e12 {
            return vec![(self.low, brief(self.low)), (self.high, brief(self.high))];
        }
        let places = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let worded = |value: f64| {
            if value == 0.0 {
                "0".to_owned()
            } else if value.abs() >= 1e5 || step < 1e-4 {
                format!("{value:.1e}").replace('-', "\u{2212}")
            } else if value.fract() == 0.0 {
                format::number(value)
            } else {
                format!("{value:.places$}").replace('-', "\u{2212}")
            }
        };
        (0..=12)
            .map(|place| (first + f64::from(place)) * step)
            .take_while(|value| *value <= self.high + step * 1e-9)
            .map(|value| (value, worded(value)))
            .collect()
    }
}

/// Rows of features over an axis of numbers.
pub(super) struct Rows {
    pub left: f64,
    pub scale: Scale,
    pub top: f64,
    pub count: usize,
}

impl Rows {
    pub fn bottom(&self) -> f64 {
        self.top + self.count as f64 * ROW
    }

    /// The middle of a row.
    pub fn middle(&self, row: usize) -> f64 {
        self.top + (row as f64 + 0.5) * ROW
    }

    /// The name of a row.
    pub fn label(&self, row: usize, name: &str) -> String {
        words("end", self.left - 8.0, self.middle(row) + 4.0, name, letters(self.left - 10.0))
    }

    /// The number of a row, at its right end.
    pub fn number(&self, row: usize, number: &str) -> String {
        words("end number", WIDTH - 4.0, self.middle(row) + 4.0, number, 14)
    }

    /// The lines across, the axis' numbers, and what they are.
    pub fn axis(&self, what: &str) -> String {
        let mut out = String::new();
        let bottom = self.bottom();
        for (value, word) in self.scale.ticks(4.0) {
            let x = self.scale.at(value);
            let class = if value == 0.0 { "zero" } else { "grid" };
            out.push_str(&line(class, (x, self.top), (x, bottom)));
            out.push_str(&words("middle quiet", x, bottom + 16.0, &word, 9));
        }
        let middle = f64::midpoint(self.scale.from, self.scale.to);
        out.push_str(&words("middle quiet", middle, bottom + 34.0, what, 40));
        out
    }

    pub fn height(&self) -> f64 {
        self.bottom() + AXIS
    }
}

/// A plot of points between two axes of numbers.
pub(super) struct Field {
    pub x: Scale,
    pub y: Scale,
}

/// The left edge of a field.
pub(super) const FIELD_LEFT: f64 = 62.0;
/// Its upper edge: above stands what is on the axis upwards.
pub(super) const FIELD_TOP: f64 = 28.0;
/// Its lower edge.
pub(super) const FIELD_BOTTOM: f64 = 258.0;
/// Its right edge.
pub(super) const FIELD_RIGHT: f64 = WIDTH - 14.0;
/// Its height with its axis.
pub(super) const FIELD_HEIGHT: f64 = FIELD_BOTTOM + AXIS;

impl Field {
    pub fn new(x: impl Iterator<Item = f64>, y: impl Iterator<Item = f64>) -> Self {
        Self {
            x: Scale::new(x, FIELD_LEFT + 6.0, FIELD_RIGHT - 6.0),
            y: Scale::new(y, FIELD_BOTTOM - 6.0, FIELD_TOP + 6.0),
        }
    }

    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    /// Lines and numbers upwards, and what they are.
    pub fn upwards(&self, what: &str) -> String {
        let mut out = String::new();
        for (value, word) in self.y.ticks(5.0) {
            let y = self.y.at(value);
            let class = if value == 0.0 { "zero" } else { "grid" };
            out.push_str(&line(class, (FIELD_LEFT, y), (FIELD_RIGHT, y)));
            out.push_str(&words("end quiet", FIELD_LEFT - 5.0, y + 4.0, &word, 7));
        }
        out + &words("quiet", 4.0, 14.0, what, 54)
    }

    /// Numbers across, and what they are.
    pub fn across(&self, what: &str) -> String {
        let mut out = String::new();
        for (value, word) in self.x.ticks(5.0) {
            let x = self.x.at(value);
            out.push_str(&line("grid", (x, FIELD_BOTTOM), (x, FIELD_BOTTOM + 4.0)));
            out.push_str(&words("middle quiet", x, FIELD_BOTTOM + 18.0, &word, 9));
        }
        let middle = f64::midpoint(FIELD_LEFT, FIELD_RIGHT);
        out + &words("middle", middle, FIELD_BOTTOM + 36.0, what, 44)
    }
}
