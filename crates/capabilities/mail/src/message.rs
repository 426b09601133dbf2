//! A mail, and its form on the wire.

use std::fmt;

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

use crate::MailError;

/// A mail to one person, as text and as HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The person's name; empty if it is not known.
    pub name: String,
    /// The person's address.
    pub address: String,
    /// What it is about.
    pub subject: String,
    /// What it says, as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// What a mail says may be a secret.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Keeps other machines from answering (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mail {
    pub(crate) fn message(&self, from: &Mailbox) -> Result<Message, MailError> {
        let refused = |why: String| MailError::Refused(why);
        let address: Address = self
            .address
            .parse()
            .map_err(|error| refused(format!("The address cannot be written to: {error}")))?;
        // Names are typed by people: one line each.
        let line = |text: &str| text.replace(char::is_control, " ").trim().to_owned();
        let name = Some(line(&self.name)).filter(|name| !name.is_empty());
        let id = format!("<{}@{}>", uuid::Uuid::now_v7().simple(), from.email.domain());
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(name, address))
            .subject(line(&self.subject))
            .message_id(Some(id))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|error| refused(format!("The mail cannot be written: {error}")))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mail(name: &str, subject: &str) -> Mail {
        Mail {
            name: name.into(),
            address: "ada@example.org".into(),
            subject: subject.into(),
            text: "Hello".into(),
            html: "<p>Hello</p>".into(),
        }
    }

    #[test]
    fn a_name_cannot_add_a_header() {
        let from = "Ephor <ephor@example.org>".parse().unwrap();
        let message = mail("Ada\r\nBcc: x@example.org", "Hi\r\nBcc: y@example.org").message(&from);
        let text = String::from_utf8(message.unwrap().formatted()).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated"), "{text}");
    }

    #[test]
    fn what_it_says_does_not_show_in_debug_output() {
        assert!(!format!("{:?}", mail("Ada", "Subject")).contains("Hello"));
    }
}
