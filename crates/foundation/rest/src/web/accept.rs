//! Which representation a caller wants.

use ephor_kernel::{Code, Problem};
use http::{HeaderMap, header};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
    /// A JSON object per line.
    Ndjson,
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// In order of our own preference.
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Ndjson, Self::Csv];

    /// The media type without parameters.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// The best of `offered` that the `accept` header allows (RFC 9110, section 12.5.1).
    pub(crate) fn negotiate(headers: &HeaderMap, offered: &[Self]) -> Result<Self, Problem> {
        let wanted: Vec<&str> = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        if wanted.is_empty() {
            return Ok(offered[0]);
        }
        let mut best: Option<(Self, u16)> = None;
        for format in offered {
            let quality = format.quality(&wanted);
            if quality > 0 && best.is_none_or(|(_, most)| quality > most) {
                best = Some((*format, quality));
            }
        }
        best.map(|(format, _)| format).ok_or_else(|| {
            let names: Vec<_> = offered.iter().map(|format| format.media_type()).collect();
            let detail = format!(
                "None of the accepted types can be made here; there are {}",
                names.join(", ")
            );
            Problem::new(Code::NotAcceptable, detail)
        })
    }

    /// The quality, in thousandths, that the most specific matching range gives to the type.
    fn quality(self, wanted: &[&str]) -> u16 {
        let kind = self.media_type();
        let family = kind.split('/').next().unwrap_or_default();
        let mut best = (0, 0);
        for range in wanted {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let specificity = match name.as_str() {
                "*/*" => 1,
                name if name.strip_suffix("/*") == Some(family) => 2,
                name if name == kind || (self == Self::Ndjson && name == "application/ndjson") => 3,
                _ => continue,
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            if specificity > best.0 {
                best = (specificity, quality);
            }
        }
        best.1
    }
}

fn thousandths(text: &str) -> u16 {
    text.parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)).map_or(0, |q| (q * 1000.0) as u16)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        Format::negotiate(&headers, &Format::ALL).ok()
    }

    #[test]
    fn the_callers_preference_counts_and_then_ours() {
        assert_eq!(negotiate("*/*"), Some(Format::Json));
        assert_eq!(negotiate("text/csv"), Some(Format::Csv));
        assert_eq!(negotiate("text/csv;q=0.5, application/x-ndjson;q=0.9"), Some(Format::Ndjson));
        assert_eq!(negotiate("application/json;q=0, */*"), Some(Format::Ndjson));
        assert_eq!(negotiate("text/*, application/json;q=0.1"), Some(Format::Csv));
        assert_eq!(negotiate("text/html,application/xhtml+xml,*/*;q=0.8"), Some(Format::Json));
        assert_eq!(negotiate("image/png"), None);
        assert_eq!(negotiate("text/csv;q=0"), None);
    }
}
