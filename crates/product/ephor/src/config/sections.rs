//! The sections of the configuration that the binary itself consumes, as `ephor.toml` explains
//! them. The others are their consumers': `ephor_store::DatabaseConfig`, `ephor_identity::IdentityConfig`,
//! `ephor_mail::MailConfig`.

use std::collections::BTreeMap;

use ephor_cluster::{Address, ClusterError};
use secrecy::SecretString;
use serde::Deserialize;

/// `[server]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address to listen on.
    pub bind: String,
    /// The address that people type; empty for the one above.
    #[serde(default)]
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// The time-out of a request, in seconds.
    pub request_timeout_seconds: u64,
    /// The time to drain at shutdown, in seconds.
    pub shutdown_seconds: u64,
}

impl Server {
    /// The address that people type.
    pub fn url(&self) -> String {
        if self.public_url.is_empty() {
            format!("http://{}", self.bind)
        } else {
            self.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Is Ephor reached by TLS, so that cookies must be marked Secure?
    pub fn secure(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}

/// `[data]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The data folder; empty for the default.
    #[serde(default)]
    pub dir: String,
}

/// `[objects]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// Where objects are stored; empty for the data folder.
    #[serde(default)]
    pub url: String,
    /// The largest upload, in bytes.
    pub max_upload_bytes: u64,
}

/// `[jobs]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Jobs at once in this process.
    pub concurrency: usize,
}

/// `[analysis]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Analysis {
    /// Memory before spilling, in MiB.
    pub memory_mib: usize,
}

/// `[cluster]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// `HOST:PORT` of its scheduler; empty for none.
    #[serde(default)]
    pub scheduler: String,
    /// How long it may be without an executor, or an answer, in seconds.
    pub patience_seconds: u64,
}

impl Cluster {
    /// Where its scheduler is, if there is one.
    ///
    /// # Errors
    /// What is written there is no address.
    pub fn address(&self) -> Result<Option<Address>, ClusterError> {
        if self.scheduler.is_empty() { Ok(None) } else { self.scheduler.parse().map(Some) }
    }
}

/// `[seal]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The key's file; empty for the data folder's.
    #[serde(default)]
    pub key_file: String,
    /// The key itself.
    #[serde(default)]
    pub key: SecretString,
    /// The file that checkpoints are appended to; empty for none.
    #[serde(default)]
    pub checkpoint_file: String,
    /// Where checkpoints are posted to; empty for nowhere. It may hold a secret.
    #[serde(default)]
    pub checkpoint_url: SecretString,
}

/// `[retention]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Months of the audit trail that stay in the database before the present one; 0 for all.
    pub audit_months: u32,
    /// Months of every other table that is partitioned by month; 0 for all.
    pub months: u32,
    /// `table=months` for single tables.
    pub tables: Vec<String>,
    /// How many minutes after its start a process looks for the first time; then daily.
    pub first_look_minutes: u32,
}

impl Retention {
    /// What is said of single tables.
    ///
    /// # Errors
    /// All that can't be read, and why.
    pub fn exceptions(&self) -> Result<BTreeMap<&str, u32>, Vec<String>> {
        let (mut read, mut faults) = (BTreeMap::new(), Vec::new());
        for line in &self.tables {
            let parts = line.split_once('=').map(|(table, months)| (table.trim(), months.trim()));
            match parts.and_then(|(table, months)| Some((table, months.parse().ok()?))) {
                None => faults.push(format!(
                    "`{line}` is not a table and its months, such as gateway.conversation_logs=6"
                )),
                Some(("audit.audit_logs", _)) => {
                    faults.push("the audit trail's months are retention.audit_months".to_owned());
                }
                Some((table, months)) => {
                    if read.insert(table, months).is_some() {
                        faults.push(format!("{table} is named twice"));
                    }
                }
            }
        }
        if faults.is_empty() { Ok(read) } else { Err(faults) }
    }

    /// How many months of each of `tables` stay; 0 for all.
    ///
    /// # Errors
    /// Tables that are named here and not there.
    pub fn of_tables(&self, tables: &[String]) -> Result<Vec<(String, u32)>, Vec<String>> {
        let exceptions = self.exceptions()?;
        let unknown: Vec<_> = exceptions
            .keys()
            .filter(|name| !tables.iter().any(|table| table == *name))
            .map(|name| {
                format!("{name} is not partitioned by month; these are: {}", tables.join(", "))
            })
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let keep = |table: &String| exceptions.get(table.as_str()).copied().unwrap_or(self.months);
        Ok(tables.iter().map(|table| (table.clone(), keep(table))).collect())
    }
}

/// `[secrets]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The key's file; empty for the data folder's.
    #[serde(default)]
    pub key_file: String,
    /// The key itself.
    #[serde(default)]
    pub key: SecretString,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// What is logged.
    pub filter: String,
    /// How.
    pub format: LogFormat,
}

/// `[telemetry]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// Where traces go; empty for nowhere.
    #[serde(default)]
    pub otlp_endpoint: String,
    /// The share of requests that are traced.
    pub sample_ratio: f64,
}
