//! Did a request that changes something come from one of Ephor's own pages?
//!
//! Browsers say where a request comes from (`Sec-Fetch-Site`, `Origin`), and pages cannot forge it.
//! Forms, which any page may send anywhere, need a token beside.

use ephor_kernel::{Code, Problem};
use http::{HeaderMap, Method, header};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses a request that a page of another site made. Reading is free: answers don't reach it.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    public_url: Option<&str>,
) -> Result<(), Problem> {
    if method.is_safe() {
        return Ok(());
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let own = |origin: &str| {
        let site = origin.split_once("://").map(|(_, site)| site);
        let host = text(header::HOST.as_str());
        (site.is_some() && site == host)
            || public_url.is_some_and(|url| url.trim_end_matches('/') == origin)
    };
    let same = match text(SEC_FETCH_SITE) {
        // `none`: somebody typed it; no page is behind it.
        Some(site) => matches!(site, "same-origin" | "none"),
        // An older browser, or (without either) a program, which nobody can trick into sending a cookie.
        None => text(header::ORIGIN.as_str()).is_none_or(own),
    };
    if same { Ok(()) } else { Err(refused("The request came from a page of another site")) }
}

/// Does the body have a type that a plain form of any site could send, so that it needs a token?
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_lowercase());
    !method.is_safe()
        && matches!(
            kind.as_deref(),
            Some("application/x-www-form-urlencoded" | "multipart/form-data" | "text/plain")
        )
}

/// Is the body one in which a field `_csrf` can be looked for?
pub(crate) fn is_urlencoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        value.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
    })
}

/// The field `_csrf` of a form's body. A token's letters are never escaped.
pub(crate) fn token_field(body: &[u8]) -> Option<&str> {
    body.split(|byte| *byte == b'&')
        .find_map(|pair| pair.strip_prefix(b"_csrf="))
        .and_then(|value| std::str::from_utf8(value).ok())
}

pub(crate) fn refused(why: &'static str) -> Problem {
    Problem::new(Code::CrossSite, format!("{why}; reload the page and try again"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn allowed(pairs: &[(&'static str, &'static str)], public_url: Option<&str>) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        check(&Method::POST, &headers, public_url).is_ok()
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let host = ("host", "ephor.example.org");
        assert!(allowed(&[host, ("sec-fetch-site", "same-origin")], None));
        assert!(allowed(&[host, ("sec-fetch-site", "none")], None));
        assert!(!allowed(&[host, ("sec-fetch-site", "cross-site")], None));
        assert!(!allowed(&[host, ("sec-fetch-site", "same-site")], None));
        assert!(allowed(&[host, ("origin", "https://ephor.example.org")], None));
        assert!(!allowed(&[host, ("origin", "https://evil.example.org")], None));
        assert!(!allowed(&[host, ("origin", "null")], None));
        assert!(!allowed(&[("origin", "null")], None));
        let same_site_lie =
            [host, ("sec-fetch-site", "cross-site"), ("origin", "https://ephor.example.org")];
        assert!(!allowed(&same_site_lie, None));
    }

    #[test]
    fn behind_a_proxy_the_public_address_counts() {
        let inner = ("host", "10.0.0.7:8080");
        let origin = ("origin", "https://ephor.example.org");
        assert!(!allowed(&[inner, origin], None));
        assert!(allowed(&[inner, origin], Some("https://ephor.example.org/")));
        assert!(!allowed(
            &[inner, ("origin", "https://evil.org")],
            Some("https://ephor.example.org")
        ));
    }

    #[test]
    fn programs_are_not_browsers_and_reading_is_free() {
        assert!(allowed(&[("host", "x")], None));
        let headers = [("sec-fetch-site", "cross-site")]
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        assert!(check(&Method::GET, &headers.into_iter().collect(), None).is_ok());
    }

    #[test]
    fn forms_are_known_by_their_type() {
        for (kind, form) in [
            ("application/x-www-form-urlencoded; charset=utf-8", true),
            ("Multipart/Form-Data; boundary=x", true),
            ("text/plain", true),
            ("application/json", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_form(&Method::POST, &headers), form, "{kind}");
            assert!(!is_form(&Method::GET, &headers));
        }
    }

    #[test]
    fn the_token_is_found_among_other_fields() {
        assert_eq!(token_field(b"a=1&_csrf=Ab-_9&c=2"), Some("Ab-_9"));
        assert_eq!(token_field(b"a_csrf=x"), None);
        assert_eq!(token_field(b""), None);
    }
}
