//! What one keeps in one's account beside the name: a user name, and metadata of any shape.

use ephor_kernel::Fault;
use serde_json::{Map, Value};

/// The most bytes that metadata may have, written as JSON.
pub(crate) const METADATA_BYTES: usize = 16 << 10;

/// What a user name looks like. Nothing but these letters, so that no two look alike.
pub(crate) const USERNAME: &str = "^[a-z0-9][a-z0-9._-]{0,99}$";

/// What of an account only its person sees, in a session of their own. A program that acts for them by a key, or by a
/// provider's token, sees for whom it acts.
pub(crate) const IN_SESSIONS_ALONE: [&str; 3] = ["username", "metadata", "stripe_customer_id"];

/// What is wrong with a user name that somebody chooses.
pub(crate) fn username_fault(name: &str) -> Option<Fault> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = name.len() <= 100
        && name.bytes().next().is_some_and(letter)
        && name.bytes().all(|byte| letter(byte) || matches!(byte, b'.' | b'_' | b'-'));
    (!fits).then(|| {
        Fault::new(
            "/username",
            "username",
            "A user name has 1 to 100 small letters a to z, digits, dots, hyphens and underscores, and begins with a letter or digit",
        )
    })
}

/// What is wrong with metadata.
pub(crate) fn metadata_faults(metadata: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let bytes = serde_json::to_vec(metadata).map_or(usize::MAX, |json| json.len());
    if bytes > METADATA_BYTES {
        let kib = METADATA_BYTES >> 10;
        faults.push(Fault::new(
            "/metadata",
            "too_large",
            format!("Metadata have at most {kib} KiB, written as JSON"),
        ));
    }
    if metadata.iter().any(|(name, value)| name.contains('\0') || has_nul(value)) {
        faults.push(Fault::new("/metadata", "nul", "A text cannot hold the character NUL"));
    }
    faults
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn user_names_are_plain() {
        for name in ["a", "0", "ada", "ada.lovelace-1815_x", "a".repeat(100).as_str()] {
            assert_eq!(username_fault(name), None, "{name}");
        }
        for name in
            ["", " ada", "Ada", ".ada", "-", "ädä", "a b", "a\0", "a@b", "a".repeat(101).as_str()]
        {
            assert!(username_fault(name).is_some(), "{name}");
        }
    }

    #[test]
    fn metadata_are_small_and_can_be_stored() {
        let codes = |value: Value| -> Vec<String> {
            let Value::Object(fields) = value else { return Vec::new() };
            metadata_faults(&fields).into_iter().map(|fault| fault.code.into_owned()).collect()
        };
        assert!(codes(json!({})).is_empty());
        assert!(codes(json!({ "team": ["a", { "b": "\\u0000" }], "n": 1.5 })).is_empty());
        assert_eq!(codes(json!({ "a": [{ "b": "x\0" }] })), ["nul"]);
        assert_eq!(codes(json!({ "a\0": 1 })), ["nul"]);
        // Quotes and braces count too.
        assert!(codes(json!({ "a": "x".repeat(METADATA_BYTES - 8) })).is_empty());
        assert_eq!(codes(json!({ "a": "x".repeat(METADATA_BYTES - 7) })), ["too_large"]);
    }
}
