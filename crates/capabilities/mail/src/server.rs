//! The mail server, as its URL tells: where, how protected, and as whom.

use std::{borrow::Cow, fmt, net::IpAddr};

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// In the clear.
    None,
    /// In the clear until STARTTLS, without which nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// A mail server.
#[derive(Clone)]
pub(crate) struct Server {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{}, {:?})", self.host, self.port, self.security)
    }
}

impl Server {
    /// Reads a URL. The error says what is wrong without showing it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            format!(
                "{what}; write smtps://user:password@host, smtp://user:password@host:587?tls=required (STARTTLS), or smtp://localhost:25"
            )
        };
        let url =
            Url::parse(text).map_err(|error| wrong(&format!("it cannot be read ({error})")))?;
        let options: Vec<_> = url.query_pairs().collect();
        let security = match (url.scheme(), options.as_slice()) {
            ("smtps", []) => Security::Tls,
            ("smtp", []) => Security::None,
            ("smtp", [(key, value)]) if key == "tls" && value == "required" => Security::StartTls,
            ("smtp" | "smtps", _) => return Err(wrong("the only option is tls=required, of smtp")),
            _ => return Err(wrong("it is not the URL of a mail server")),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("it names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .map(Cow::into_owned)
                .map_err(|_| wrong("user or password is not UTF-8"))
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                Some((decoded(user)?, SecretString::from(decoded(password)?)))
            }
            _ => return Err(wrong("user and password go together")),
        };
        if credentials.is_some() && security == Security::None && !is_here(&host) {
            return Err(wrong("a password would leave this machine in the clear"));
        }
        let port = url.port().unwrap_or(match security {
            Security::None => 25,
            Security::StartTls => 587,
            Security::Tls => 465,
        });
        Ok(Self { host, port, security, credentials })
    }
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn each_form_has_its_port_and_protection() {
        for (text, port, security) in [
            ("smtp://localhost", 25, Security::None),
            ("smtp://127.0.0.1:2525", 2525, Security::None),
            ("smtp://mail.example.org?tls=required", 587, Security::StartTls),
            ("smtps://mail.example.org", 465, Security::Tls),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!((server.port, server.security), (port, security), "{text}");
        }
        assert_eq!(Server::parse("smtp://[::1]:2525").unwrap().host, "::1");
    }

    #[test]
    fn user_and_password_are_decoded() {
        let server = Server::parse("smtps://ada%40example.org:p%3Aw@mail.example.org").unwrap();
        let (user, password) = server.credentials.clone().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("ada@example.org", "p:w"));
        assert!(!format!("{server:?}").contains("p:w"));
    }

    #[test]
    fn a_password_does_not_leave_in_the_clear() {
        assert!(Server::parse("smtp://u:p@mail.example.org").is_err());
        assert!(Server::parse("smtp://u:p@127.0.0.1").is_ok());
        assert!(Server::parse("smtp://u:p@mail.example.org?tls=required").is_ok());
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        for text in
            ["", "mail.example.org", "http://x", "smtp://", "smtp://x?tls=maybe", "smtps://u@x"]
        {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
