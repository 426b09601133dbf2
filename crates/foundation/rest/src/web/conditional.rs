//! `etag`, `if-match`, `if-none-match`.

use ephor_kernel::{Code, Fault, Problem};
use http::{HeaderMap, HeaderValue, header};

/// The version that a write names in `if-match`: `"3"`; `*` is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// There is no such header.
    Absent,
    /// `*`.
    Any,
    /// One version.
    Version(i64),
}

impl IfMatch {
    /// What the headers say. [`Code::Invalid`] when it is neither an etag, nor a version, nor `*`.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
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

    /// The version to hold an update against; `None` is whichever there is. Where rows have
    /// versions, one that names none is [`Code::PreconditionRequired`].
    pub fn for_update(self, versioned: bool) -> Result<Option<i64>, Problem> {
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
    pub const fn for_delete(self) -> Option<i64> {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Option<i64>, Problem> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, value.parse().unwrap())]);
        IfMatch::of(&headers)?.for_update(true)
    }

    #[test]
    fn a_change_names_the_version_that_it_changes() {
        assert_eq!(read("\"3\"").unwrap(), Some(3));
        assert_eq!(read("3").unwrap(), Some(3));
        assert_eq!(read("*").unwrap(), None);
        assert_eq!(read("three").unwrap_err().code, Code::Invalid);
        let absent = IfMatch::of(&HeaderMap::new()).unwrap();
        assert_eq!(absent.for_update(true).unwrap_err().code, Code::PreconditionRequired);
        assert_eq!(absent.for_update(false).unwrap(), None);
    }
}
