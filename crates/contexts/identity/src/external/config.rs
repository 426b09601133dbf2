//! A provider as the operator describes it: one `[[oidc]]` of ephor.toml.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A provider and the policy for the people that it vouches for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name here, which never changes: lower-case letters, digits, `-`, `_`.
    pub name: String,
    /// The words on its button; the name if left out.
    #[serde(default)]
    pub label: String,
    /// Its issuer, exactly as its tokens have it.
    pub issuer: String,
    /// Ephor's client id there.
    pub client_id: String,
    /// Ephor's client secret there; empty for a public client, which PKCE protects.
    #[serde(default)]
    pub client_secret: SecretString,
    /// A file with the client secret.
    #[serde(default)]
    pub client_secret_file: String,
    /// What is asked for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Is there a button on the sign-in page?
    #[serde(default = "yes")]
    pub log_in: bool,
    /// The audiences of tokens that the API accepts as bearer tokens; none: it accepts none.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The slug of the organization whose members its people become at first use; empty: nobody is made
    /// a member, nor an account.
    #[serde(default)]
    pub organization: String,
    /// The claim of a bearer token that names the organization (slug or id) to work in.
    #[serde(default)]
    pub organization_claim: String,
    /// The built-in role that new members get.
    #[serde(default = "role")]
    pub role: String,
    /// The domains of e-mail addresses that its word is taken for; `*` for all.
    #[serde(default)]
    pub allowed_domains: Vec<String>,
    /// Is an account that exists joined to it by e-mail address, when both sides have verified it?
    #[serde(default)]
    pub link_accounts: bool,
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}

const fn yes() -> bool {
    true
}

fn role() -> String {
    "member".to_owned()
}

/// A setting that will not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFault {
    /// The setting.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ProviderConfig {
    /// All that is wrong with it.
    pub fn faults(&self) -> Vec<ProviderFault> {
        let mut faults = Vec::new();
        let mut wrong = |key, message: &str| {
            faults.push(ProviderFault { key, message: message.to_owned() });
        };
        let first = self.name.starts_with(|c: char| c.is_ascii_lowercase());
        let known =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !first || !self.name.chars().all(known) || self.name.len() > 50 {
            wrong("name", "a name has 1 to 50 lower-case letters, digits, - and _, a letter first");
        }
        if !is_address(&self.issuer) {
            wrong("issuer", "an issuer begins with https:// (http:// for this machine alone)");
        }
        if self.client_id.is_empty() {
            wrong("client_id", "the provider gives one to each client");
        }
        if !self.client_secret_file.is_empty() && !self.client_secret.expose_secret().is_empty() {
            wrong("client_secret_file", "give the secret or its file, not both");
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            wrong("scopes", "OpenID Connect needs the scope openid");
        }
        if !["admin", "manager", "operator", "member", "viewer"].contains(&self.role.as_str()) {
            wrong("role", "new members may be admin, manager, operator, member or viewer");
        }
        if !self.organization.is_empty() && self.allowed_domains.is_empty() {
            wrong(
                "allowed_domains",
                "say whose addresses make a member of the organization, such as [\"example.org\"]; [\"*\"] for everybody whom the provider knows",
            );
        }
        if !self.audiences.is_empty()
            && self.organization.is_empty()
            && self.organization_claim.is_empty()
        {
            wrong(
                "audiences",
                "say where tokens work: set organization, or organization_claim for a claim that names it",
            );
        }
        faults
    }

    /// The client secret, from its file if it is in one.
    pub(super) fn secret(&self) -> std::io::Result<SecretString> {
        if self.client_secret_file.is_empty() {
            return Ok(self.client_secret.clone());
        }
        let text = std::fs::read_to_string(Path::new(&self.client_secret_file))?;
        Ok(text.trim().to_owned().into())
    }

    /// Is its word taken for such an address?
    pub(super) fn allows(&self, email: &str) -> bool {
        let domain = email.rsplit('@').next().unwrap_or_default();
        self.allowed_domains
            .iter()
            .any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(domain))
    }
}

/// Encrypted, or on this machine.
pub(super) fn is_address(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else { return false };
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    plain && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && here))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn config(extra: &str) -> ProviderConfig {
        let text = format!(
            r#"{{"name": "keycloak", "issuer": "https://id.example.org/realms/x", "client_id": "ephor"{extra}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn faults(extra: &str) -> Vec<&'static str> {
        config(extra).faults().into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        assert!(faults("").is_empty());
        assert_eq!(faults(r#", "organization": "acme""#), ["allowed_domains"]);
        assert_eq!(faults(r#", "audiences": ["x"]"#), ["audiences"]);
        assert_eq!(faults(r#", "scopes": ["email"], "role": "owner""#), ["scopes", "role"]);
        let mut wrong = config("");
        wrong.issuer = "http://id.example.org".into();
        wrong.name = "Key cloak".into();
        let keys: Vec<_> = wrong.faults().into_iter().map(|fault| fault.key).collect();
        assert_eq!(keys, ["name", "issuer"]);
    }

    #[test]
    fn addresses_are_encrypted_or_here() {
        for (address, good) in [
            ("https://id.example.org", true),
            ("http://127.0.0.1:8080/realms/x", true),
            ("http://10.0.0.1", false),
            ("https://u@id.example.org", false),
            ("file:///etc/passwd", false),
            ("id.example.org", false),
        ] {
            assert_eq!(is_address(address), good, "{address}");
        }
    }

    #[test]
    fn a_domain_is_the_whole_domain() {
        let config = config(r#", "allowed_domains": ["example.org"]"#);
        assert!(config.allows("ada@example.org") && config.allows("ada@Example.ORG"));
        assert!(!config.allows("ada@evil-example.org") && !config.allows("ada@a.example.org"));
        assert!(!config.allows("example.org@evil.org"));
    }
}
