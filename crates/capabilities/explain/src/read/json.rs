//! JSON, and UBJSON, which XGBoost writes the same things in.

use serde_json::Value;

use crate::Malformed;

/// The value of a text of JSON.
pub(super) fn parse(content: &[u8]) -> Result<Value, Malformed> {
    serde_json::from_slice(content).map_err(|error| {
        Malformed::new(
            format!("line {}, column {}", error.line(), error.column()),
            format!("it is no JSON: {error}"),
        )
    })
}

/// Can this be UBJSON of an object? In JSON a name in quotes follows the brace; in UBJSON the length of a name does.
pub(super) fn is_ubjson(content: &[u8]) -> bool {
    matches!(content, [b'{', b'i' | b'U' | b'I' | b'l' | b'L' | b'#' | b'$', ..])
}
