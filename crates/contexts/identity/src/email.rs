//! E-mail addresses, in the one spelling that accounts are found by.

use std::fmt;

use ephor_kernel::Fault;

/// An address in lower case: `ada@example.org`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// Reads an address. What it accepts, the table's check constraint accepts too.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |message: &'static str| {
            Fault::new("/email", "email", message).hint("write it as name@example.org")
        };
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err(Fault::new("/email", "required", "An e-mail address is needed"));
        }
        if text.chars().count() > 254 {
            return Err(fault("An e-mail address has at most 254 characters"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(fault("An e-mail address holds no blanks"));
        }
        match text.split_once('@') {
            Some((name, host)) if !name.is_empty() && !host.is_empty() && !host.contains('@') => {
                Ok(Self(text))
            }
            _ => Err(fault("This is not an e-mail address")),
        }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        assert_eq!(Email::parse(" Ada@Example.ORG ").unwrap().as_str(), "ada@example.org");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", " ", "ada", "@x", "ada@", "a@b@c", "a b@c", "a\u{0}@c", &"a".repeat(300)] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
    }
}
