//! Moments: exact for machines, short for people.

use std::fmt;

use askama::filters::HtmlSafe;
use chrono::{DateTime, SecondsFormat, Utc};

/// A moment, shown in UTC to the minute; scripts add the reader's own time on hover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub DateTime<Utc>);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<time class="nowrap" datetime="{}">{}</time>"#,
            self.0.to_rfc3339_opts(SecondsFormat::Millis, true),
            self.0.format("%Y-%m-%d %H:%M"),
        )
    }
}

impl HtmlSafe for Moment {}
