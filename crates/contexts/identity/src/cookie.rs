//! The session cookie: `HttpOnly`, `SameSite=Lax`, `Secure` over https, bound to this host.

use std::fmt;

use chrono::Duration;
use http::{HeaderMap, HeaderValue, header};

use crate::secrets::SessionToken;

/// The cookie's name over plain http, which development on one's own machine uses.
pub const COOKIE_NAME: &str = "ephor_session";
/// The cookie's name over https: browsers let no other host and no plain page set `__Host-` cookies.
pub const SECURE_COOKIE_NAME: &str = "__Host-ephor_session";

/// What is remembered of a browser that went to a provider to log in.
pub(crate) const DEPARTURE: &str = "ephor_departure";

/// What a response sets so that the browser is logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionCookie {
    token: SessionToken,
    secure: bool,
    max_age: Duration,
}

impl SessionCookie {
    pub(crate) fn new(token: SessionToken, secure: bool, max_age: Duration) -> Self {
        Self { token, secure, max_age }
    }

    /// The value of the `Set-Cookie` header. It is marked sensitive, so that logs leave it out.
    pub fn header(&self) -> HeaderValue {
        set_cookie(self.secure, &self.token.expose(), self.max_age.num_seconds())
    }

    /// The session's secret.
    pub fn token(&self) -> &SessionToken {
        &self.token
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCookie").field("secure", &self.secure).finish_non_exhaustive()
    }
}

/// The `Set-Cookie` header that logs a browser out.
pub fn removal(secure: bool) -> HeaderValue {
    set_cookie(secure, "", 0)
}

/// The session's secret from a request's cookies, if there is one.
pub fn read(headers: &HeaderMap, secure: bool) -> Option<SessionToken> {
    values(headers, secure, COOKIE_NAME).find_map(SessionToken::parse)
}

/// Does a response set the session's cookie, or take it away?
pub(crate) fn is_set(headers: &HeaderMap, secure: bool) -> bool {
    let name = name(secure, COOKIE_NAME);
    headers
        .get_all(header::SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(|cookie| cookie.split_once('='))
        .any(|(set, _)| set == name)
}

/// The values of a cookie, by its name over plain http.
pub(crate) fn values<'a>(
    headers: &'a HeaderMap,
    secure: bool,
    plain: &str,
) -> impl Iterator<Item = &'a str> {
    let name = name(secure, plain);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn name(secure: bool, plain: &str) -> String {
    format!("{}{plain}", if secure { "__Host-" } else { "" })
}

fn set_cookie(secure: bool, value: &str, max_age: i64) -> HeaderValue {
    short_lived(secure, COOKIE_NAME, value, max_age)
}

/// A cookie of ours: `HttpOnly`, `SameSite=Lax`, for this host alone.
pub(crate) fn short_lived(secure: bool, plain: &str, value: &str, max_age: i64) -> HeaderValue {
    let text = format!(
        "{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}{}",
        name(secure, plain),
        if secure { "; Secure" } else { "" }
    );
    // Only letters, digits and signs that headers allow: the conversion cannot fail.
    let mut header = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers
    }

    #[test]
    fn another_cookie_is_not_the_sessions() {
        let set = |cookie: &str| {
            let value = HeaderValue::from_str(cookie).unwrap();
            HeaderMap::from_iter([(header::SET_COOKIE, value)])
        };
        assert!(is_set(&set("ephor_session=; Path=/"), false));
        assert!(is_set(&set("__Host-ephor_session=x; Path=/"), true));
        assert!(!is_set(&set("ephor_looks_at=x; Path=/"), false));
        assert!(!is_set(&HeaderMap::new(), false));
    }

    #[test]
    fn the_attributes_are_as_promised() {
        let token = SessionToken::generate();
        let text = token.expose();
        let plain = SessionCookie::new(token.clone(), false, Duration::days(1)).header();
        let expected =
            format!("ephor_session={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400");
        assert_eq!(plain.to_str().unwrap(), expected);
        assert!(plain.is_sensitive());
        let secure = SessionCookie::new(token, true, Duration::days(1)).header();
        let expected = format!(
            "__Host-ephor_session={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age=86400; Secure"
        );
        assert_eq!(secure.to_str().unwrap(), expected);
        assert_eq!(
            removal(false).to_str().unwrap(),
            "ephor_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let token = SessionToken::generate();
        let text = token.expose();
        let found = read(&headers(&format!("a=b; ephor_session={text}; c=d")), false).unwrap();
        assert_eq!(found, token);
        assert!(read(&headers(&format!("ephor_session={text}")), true).is_none());
        assert!(read(&headers("ephor_session=x; y"), false).is_none());
        assert!(read(&HeaderMap::new(), false).is_none());
    }

    #[test]
    fn debugging_does_not_tell_it() {
        let token = SessionToken::generate();
        let text = token.expose();
        let cookie = SessionCookie::new(token, true, Duration::days(1));
        assert!(!format!("{cookie:?} {:?}", cookie.header()).contains(&text));
    }
}
