//! Configuration: the commented default in the binary, overridden by a file, by `EPHOR_*`
//! variables and by flags, in this order.

mod layers;
mod sections;

use std::path::{Path, PathBuf};

use ephor_billing::BillingConfig;
use ephor_identity::{IdentityConfig, ProviderConfig};
use ephor_mail::MailConfig;
use ephor_store::DatabaseConfig;
pub use layers::{ConfigError, ConfigFault};
pub use sections::{
    Analysis, Cluster, Data, Jobs, Log, LogFormat, Objects, Retention, Seal, Secrets, Server,
    Telemetry,
};
use serde::Deserialize;

/// The default configuration, as `ephor config` prints it.
pub const DEFAULT: &str = include_str!("../../ephor.toml");

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP server.
    pub server: Server,
    /// The data folder.
    pub data: Data,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Stored data sets.
    pub objects: Objects,
    /// Background work.
    pub jobs: Jobs,
    /// Bias analyses.
    pub analysis: Analysis,
    /// Other machines for bias analyses.
    pub cluster: Cluster,
    /// Sign-up and sessions.
    pub identity: IdentityConfig,
    /// Mail.
    pub mail: MailConfig,
    /// Tiers and their limits.
    pub billing: BillingConfig,
    /// The audit trail's key.
    pub seal: Seal,
    /// The key of what is kept encrypted.
    pub secrets: Secrets,
    /// Providers of log-ins.
    #[serde(default)]
    pub oidc: Vec<ProviderConfig>,
    /// What leaves the database when it is old.
    pub retention: Retention,
    /// The log.
    pub log: Log,
    /// Traces.
    pub telemetry: Telemetry,
}

impl Config {
    /// Reads the layers: `file` if given, then `variables`, then `flags` (`("server.bind", "…")`).
    /// Every fault of every layer is told at once.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let mut layers = layers::Layers::new(DEFAULT)?;
        if let Some(path) = file {
            layers.file(path)?;
        }
        layers.variables(variables);
        layers.flags(flags);
        let mut config: Self = layers.finish()?;
        config.check()?;
        config.identity.secure_cookies = config.server.secure();
        config.identity.public_url = Some(config.server.url());
        config.identity.mail = config.mail.is_set_up();
        Ok(config)
    }

    /// The data folder: as set, else the user's, else the machine's for root.
    pub fn data_dir(&self, variables: &impl Fn(&str) -> Option<String>, root: bool) -> PathBuf {
        if !self.data.dir.is_empty() {
            return PathBuf::from(&self.data.dir);
        }
        if root {
            return PathBuf::from("/var/lib/ephor");
        }
        let set = |name: &str| variables(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        set("XDG_DATA_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local/share")))
            .unwrap_or_else(|| PathBuf::from("."))
            .join("ephor")
    }

    /// What no single value shows.
    fn check(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        if self.server.bind.parse::<std::net::SocketAddr>().is_err() {
            faults.push(ConfigFault::new(
                "server.bind",
                format!(
                    "`{}` is not an address with a port, such as 127.0.0.1:8080",
                    self.server.bind
                ),
            ));
        }
        let url = &self.server.public_url;
        if !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://") {
            faults.push(ConfigFault::new(
                "server.public_url",
                format!("`{url}` must begin with https:// or http://"),
            ));
        }
        let hook = secrecy::ExposeSecret::expose_secret(&self.seal.checkpoint_url);
        if !hook.is_empty() && !hook.starts_with("https://") && !hook.starts_with("http://") {
            faults.push(ConfigFault::new(
                "seal.checkpoint_url",
                "it must begin with https:// or http://",
            ));
        }
        if !(0.0..=1.0).contains(&self.telemetry.sample_ratio) {
            faults.push(ConfigFault::new(
                "telemetry.sample_ratio",
                format!("{} is not between 0 and 1", self.telemetry.sample_ratio),
            ));
        }
        if self.database.connections == 0 {
            faults.push(ConfigFault::new("database.connections", "must be at least 1"));
        }
        self.check_providers(&mut faults);
        let said = self.retention.exceptions().err().unwrap_or_default();
        faults.extend(said.into_iter().map(|fault| ConfigFault::new("retention.tables", fault)));
        if self.analysis.memory_mib < 64 {
            faults.push(ConfigFault::new("analysis.memory_mib", "must be at least 64"));
        }
        if let Err(error) = self.cluster.address() {
            faults.push(ConfigFault::new("cluster.scheduler", error.to_string()));
        }
        if !(1..=86_400).contains(&self.cluster.patience_seconds) {
            faults
                .push(ConfigFault::new("cluster.patience_seconds", "must be between 1 and 86400"));
        }
        faults.extend(
            self.mail
                .faults()
                .into_iter()
                .map(|fault| ConfigFault::new(format!("mail.{}", fault.key), fault.message)),
        );
        if self.mail.is_set_up() && url.is_empty() && self.server.bind.starts_with("0.0.0.0:") {
            faults.push(ConfigFault::new(
                "server.public_url",
                "is needed with mail.url: the links in mails lead there",
            ));
        }
        ConfigError::unless_empty(faults)
    }

    fn check_providers(&self, faults: &mut Vec<ConfigFault>) {
        for (place, provider) in self.oidc.iter().enumerate() {
            let at = |key: &str| format!("oidc[{place}].{key}");
            for fault in provider.faults() {
                faults.push(ConfigFault::new(at(fault.key), fault.message));
            }
            if self.oidc[..place].iter().any(|other| other.name == provider.name) {
                faults.push(ConfigFault::new(at("name"), "another provider has this name"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
