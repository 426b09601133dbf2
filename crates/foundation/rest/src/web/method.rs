//! The method of a request, as a label of what is counted.

use http::Method;

/// The method's word; OTHER for all that no route takes: whoever asks could make up as many as they like.
pub fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_has_no_word_of_its_own() {
        assert_eq!(method_word(&Method::PATCH), "PATCH");
        let long = "A".repeat(300);
        assert_eq!(method_word(&Method::from_bytes(long.as_bytes()).unwrap()), "OTHER");
    }
}
