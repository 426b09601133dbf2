//! How to reach PostgreSQL: the section `[database]` of the configuration.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

/// Where the database is, as whom to log in, and how many connections to hold.
///
/// With the login of [`url`](Self::url) alone, Ephor becomes each of its roles by `SET ROLE`. That is
/// weaker than a login per role: whoever can run statements of their own could become another role.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Serves requests, as ephor_app: `postgres://…`.
    pub url: SecretString,
    /// Does background work, as ephor_system; the URL above when there is none.
    pub system_url: Option<SecretString>,
    /// Seals the audit trail, as ephor_sealer; the URL above when there is none.
    pub sealer_url: Option<SecretString>,
    /// Applies migrations, as ephor_migrator; the URL above when there is none.
    pub migrate_url: Option<SecretString>,
    /// Connections that serve requests, at most.
    pub connections: u32,
    /// Connections for background work, at most.
    pub system_connections: u32,
    /// How long a request waits for a connection, in seconds.
    pub wait_seconds: u64,
    /// How long one statement of a request may take, in seconds.
    pub statement_seconds: u64,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self {
            url: SecretString::default(),
            system_url: None,
            sealer_url: None,
            migrate_url: None,
            connections: 16,
            system_connections: 12,
            wait_seconds: 5,
            statement_seconds: 30,
        }
    }
}

impl DatabaseConfig {
    /// How long to wait for a connection.
    pub(crate) fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }

    /// Whom migrations are applied as.
    pub fn migrate_url(&self) -> &SecretString {
        self.migrate_url.as_ref().unwrap_or(&self.url)
    }
}
