//! What the mails say, as text and as HTML.

use askama::Template;
use ephor_kernel::Problem;
use ephor_mail::Mail;

use crate::{config::IdentityConfig, invitation::MadeLink};

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    subject: String,
    paragraphs: Vec<String>,
    /// Its words and its address.
    link: (&'static str, String),
    /// What to do about it if one did not ask for it.
    footer: String,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Text<'a> {
    letter: &'a Letter,
    greeting: String,
    site: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    letter: &'a Letter,
    greeting: String,
    site: &'a str,
}

impl Letter {
    pub fn invitation(made: &MadeLink, link: String) -> Self {
        let MadeLink { organization, inviter, role, email, expires_at, .. } = made;
        Self {
            subject: format!("{inviter} invites you to {organization}"),
            paragraphs: vec![
                format!("{inviter} invites you to {organization} on Ephor, as {role}."),
                format!(
                    "The link below works once, for {email}, until {}.",
                    expires_at.format("%Y-%m-%d %H:%M UTC")
                ),
            ],
            link: ("Accept the invitation", link),
            footer: "You do not know them? Then do nothing: nobody joins without the link.".into(),
        }
    }

    pub fn verify_email(link: String) -> Self {
        Self {
            subject: "Is this your address?".into(),
            paragraphs: vec![
                "Somebody opened an account on Ephor with this address. If it was you, say so by the link below, within three days.".into(),
            ],
            link: ("Yes, it is mine", link),
            footer: "It was not you? Then do nothing: the address stays unproven.".into(),
        }
    }

    pub fn reset_password(link: String) -> Self {
        Self {
            subject: "A new password".into(),
            paragraphs: vec![
                "Somebody asked for a new password for your account on Ephor. The link below works once, for an hour.".into(),
                "All of your sessions end when you set it.".into(),
            ],
            link: ("Set a new password", link),
            footer: "It was not you? Then do nothing: your password stays as it is.".into(),
        }
    }

    pub fn password_was_reset(link: String) -> Self {
        Self {
            subject: "Your password was replaced".into(),
            paragraphs: vec![
                "The password of your account on Ephor was replaced a moment ago, by a link that was sent to this address. All of your sessions have ended; log in with the new one.".into(),
            ],
            link: ("It was not you? Set another one", link),
            footer: "Your API keys go on working; revoke those that you do not trust any more.".into(),
        }
    }

    /// The mail to a person; the name is empty if it is not known.
    pub fn mail(
        &self,
        name: String,
        address: String,
        config: &IdentityConfig,
    ) -> Result<Mail, Problem> {
        let greeting = if name.is_empty() { "Hello,".to_owned() } else { format!("Hello {name},") };
        let site = config.public_url.as_deref().unwrap_or_default();
        let failed = |error: askama::Error| {
            tracing::error!(%error, "a mail could not be written");
            Problem::internal()
        };
        let text = Text { letter: self, greeting: greeting.clone(), site };
        let html = Html { letter: self, greeting, site };
        Ok(Mail {
            name,
            address,
            subject: self.subject.clone(),
            text: text.render().map_err(failed)?,
            html: html.render().map_err(failed)?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_says_the_same_twice_and_escapes_names() {
        let config = IdentityConfig {
            public_url: Some("https://ephor.example.org".into()),
            ..IdentityConfig::default()
        };
        let letter = Letter::reset_password("https://ephor.example.org/x?token=t".into());
        let mail = letter.mail("<b>Ada</b>".into(), "ada@example.org".into(), &config).unwrap();
        assert!(mail.text.contains("Hello <b>Ada</b>,\n\n"), "{}", mail.text);
        assert!(mail.text.contains("\nhttps://ephor.example.org/x?token=t\n"), "{}", mail.text);
        assert!(!mail.html.contains("<b>Ada"), "{}", mail.html);
        assert!(mail.html.contains("href=\"https://ephor.example.org/x?token=t\""));
        for sentence in ["works once, for an hour", "do nothing"] {
            assert!(mail.text.contains(sentence) && mail.html.contains(sentence), "{sentence}");
        }
    }
}
