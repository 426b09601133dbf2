//! Little bar charts for profiles: drawn on the server, read beside their numbers.

use std::fmt;

use askama::{Template, filters::HtmlSafe};

/// A histogram without axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Spark {
    /// What it shows, for those who do not see it.
    pub label: String,
    /// Heights, each at least 0.
    pub heights: Vec<f64>,
}

impl HtmlSafe for Spark {}

impl fmt::Display for Spark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.heights.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let width = 100.0 / self.heights.len().max(1) as f64;
        write!(
            f,
            r#"<svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label=""#
        )?;
        write!(
            f,
            "{}",
            askama::filters::escape(&self.label, askama::filters::Html).map_err(|_| fmt::Error)?
        )?;
        f.write_str("\">")?;
        for (index, height) in self.heights.iter().enumerate() {
            // What is there at all is seen, however small.
            let height = if *height > 0.0 { (30.0 * height / most).max(0.6) } else { 0.0 };
            let (x, y) = (index as f64 * width, 30.0 - height);
            write!(
                f,
                r#"<rect x="{x:.2}" y="{y:.2}" width="{:.2}" height="{height:.2}"/>"#,
                width * 0.88
            )?;
        }
        f.write_str("</svg>")
    }
}

/// One value and its share.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The value.
    pub name: String,
    /// Its share, 0 to 1.
    pub share: f64,
    /// The share in words.
    pub text: String,
}

/// Values and their shares, the most frequent first.
#[derive(Debug, Clone, PartialEq, Template)]
#[template(
    ext = "html",
    source = r#"<div class="bars">{% for bar in bars %}<span class="bar-name" title="{{ bar.name }}">{{ bar.name }}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="8"/><rect width="{{ bar.share * 100.0 }}" height="8"/></svg><span class="bar-share">{{ bar.text }}</span>{% endfor %}</div>"#
)]
pub struct Bars {
    /// The values.
    pub bars: Vec<Bar>,
}

impl HtmlSafe for Bars {}
