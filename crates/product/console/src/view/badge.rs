//! Status chips: an icon, a word and a colour that say the same thing.

use askama::{Template, filters::HtmlSafe};
use ephor_fairness::Status;

use super::Icon;

/// A status chip.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="chip {{ tone }}">{% if let Some(icon) = icon %}{{ icon }}{% endif %}{{ text }}</span>"#
)]
pub struct Badge {
    /// `pass`, `warning`, `fail`, `active`, `plain` or nothing.
    pub tone: &'static str,
    /// What goes with the word.
    pub icon: Option<Icon>,
    /// The word.
    pub text: String,
}

impl HtmlSafe for Badge {}

impl Badge {
    /// A chip with an icon.
    pub fn new(tone: &'static str, icon: &'static str, text: impl Into<String>) -> Self {
        Self { tone, icon: Some(Icon(icon)), text: text.into() }
    }

    /// A word that is neither good nor bad.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { tone: "plain", icon: None, text: text.into() }
    }

    /// The verdict on a disparity or an analysis; `None` when nothing could be judged.
    pub fn verdict(status: Option<Status>) -> Self {
        match status {
            Some(Status::Pass) => Self::new("pass", "pass", "pass"),
            Some(Status::Warning) => Self::new("warning", "warning", "warning"),
            Some(Status::Fail) => Self::new("fail", "fail", "fail"),
            None => Self::new("", "info", "not judged"),
        }
    }

    /// A stored word for a state or verdict, whatever table it is of.
    pub fn state(word: &str) -> Self {
        let text = word.replace('_', " ");
        match word {
            "pass" | "completed" | "verified" | "accepted" => Self::new("pass", "pass", text),
            "warning" | "deprecated" | "pending" | "invited" => {
                Self::new("warning", "warning", text)
            }
            "fail" | "failed" | "error" | "revoked" | "expired" | "suspended" => {
                Self::new("fail", "fail", text)
            }
            "running" => Self::new("active", "running", text),
            "queued" => Self::new("", "queued", text),
            "cancelled" | "inactive" => Self::new("", "cancelled", text),
            "active" | "ready" | "stored" => Self::new("active", "pass", text),
            _ => Self::plain(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chip_says_its_status_in_words_and_escapes_them() {
        let chip = Badge::verdict(Some(Status::Fail)).to_string();
        assert!(chip.contains("fail</span>") && chip.contains("#i-fail"));
        assert!(Badge::plain("<b>").to_string().contains("&#60;b&#62;"));
    }
}
