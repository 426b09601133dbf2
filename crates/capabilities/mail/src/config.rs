//! How mail is set up: the section `[mail]` of ephor.toml.

use lettre::message::Mailbox;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::server::Server;

/// `[mail]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// The server, as `smtps://`, `smtp://` with `?tls=required`, or `smtp://`; empty for no mail.
    pub url: SecretString,
    /// Whom mails are from: `Ephor <ephor@example.org>`.
    pub from: String,
}

/// One wrong setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFault {
    /// `url` or `from`.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

/// What a configuration says, read.
pub(crate) struct Setup {
    pub server: Server,
    pub from: Mailbox,
}

impl MailConfig {
    /// Is mail to be sent at all?
    pub fn is_set_up(&self) -> bool {
        !self.url.expose_secret().is_empty()
    }

    /// All that is wrong with it. The URL is never shown: it may hold a password.
    pub fn faults(&self) -> Vec<MailFault> {
        self.read().err().unwrap_or_default()
    }

    pub(crate) fn read(&self) -> Result<Option<Setup>, Vec<MailFault>> {
        if !self.is_set_up() {
            return Ok(None);
        }
        let mut faults = Vec::new();
        let server = Server::parse(self.url.expose_secret())
            .map_err(|message| faults.push(MailFault { key: "url", message }))
            .ok();
        let from = self
            .from
            .parse::<Mailbox>()
            .map_err(|_| {
                faults.push(MailFault {
                    key: "from",
                    message: format!(
                        "`{}` is not an address; write it as \"Ephor <ephor@example.org>\"",
                        self.from
                    ),
                });
            })
            .ok();
        match (server, from) {
            (Some(server), Some(from)) => Ok(Some(Setup { server, from })),
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(url: &str, from: &str) -> MailConfig {
        MailConfig { url: url.to_owned().into(), from: from.to_owned() }
    }

    #[test]
    fn without_a_url_there_is_no_mail_and_no_fault() {
        assert!(!MailConfig::default().is_set_up());
        assert_eq!(config("", "nonsense").faults(), []);
    }

    #[test]
    fn both_faults_are_told_and_neither_tells_the_password() {
        let faults = config("http://me:hush@mail.example.org", "nobody").faults();
        assert_eq!(faults.iter().map(|fault| fault.key).collect::<Vec<_>>(), ["url", "from"]);
        assert!(!format!("{faults:?}").contains("hush"));
    }

    #[test]
    fn a_whole_setup_reads() {
        let config = config("smtps://mail.example.org", "Ephor <ephor@example.org>");
        assert_eq!(config.read().ok().flatten().unwrap().from.email.domain(), "example.org");
    }
}
