//! `etag`, `if-match`, `if-none-match`.

use ephor_kernel::{Code, Fault, Problem};
use http::{HeaderMap, HeaderValue, header};

/// The version that a write names in `if-match`: `"3"`; `*` is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMatch {
    Absent,
    Any,
    Version(i64),
}

impl IfMatch {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else { return Ok(Self::Absent) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        version.unwrap_or(text).parse().map(Self::Version).map_err(|_| {
            Problem::invalid(vec![
                Fault::new("header:if-match", "type", "`if-match` is not the etag of a row")
                    .hint("send the etag that the row came with, such as \"3\", or its version"),
            ])
        })
    }

    /// The version to hold an update against.
    pub(crate) fn for_update(self, versioned: bool) -> Result<Option<i64>, Problem> {
        match self {
            Self::Absent if versioned => Err(Problem::new(
                Code::PreconditionRequired,
                "An update says which version it changes: send the row's etag as `if-match`, or `if-match: *` to overwrite whatever is there",
            )),
            Self::Absent | Self::Any => Ok(None),
            Self::Version(version) => Ok(Some(version)),
        }
    }

    /// The version to hold a deletion against, if one is named.
    pub(crate) const fn for_delete(self) -> Option<i64> {
        match self {
            Self::Absent | Self::Any => None,
            Self::Version(version) => Some(version),
        }
    }
}

/// The etag of a version.
pub(crate) fn etag(version: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{version}\"")).ok()
}

/// Does the caller already have what the etag names?
pub(crate) fn unchanged(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|known| {
        known.split(',').any(|tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
        })
    })
}
