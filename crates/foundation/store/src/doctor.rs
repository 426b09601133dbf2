//! `ephor doctor`: is everything as it should be, and if not, what to do?
//!
//! Each check stands alone: what cannot be looked at is said, and the others go on.

mod database;
mod machine;

use std::path::PathBuf;

use serde::Serialize;

use crate::embedded::SearchPlaces;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and should be better.
    Warn,
    /// It does not work, or it is not safe.
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable word for it, such as `migrations`.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; always there unless the verdict is ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, found: found.into(), advice: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    fn fail(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

/// How much of a disk there is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Free, for who runs Ephor.
    pub free: u64,
    /// In all.
    pub total: u64,
}

/// The disk that a folder lies on; none when it cannot be looked at.
pub fn disk(folder: &std::path::Path) -> Option<Disk> {
    machine::disk(folder)
}

/// What is to be looked at. What is `None` is not in use, and not looked at.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The data folder.
    pub data_folder: Option<PathBuf>,
    /// Does Ephor run its own PostgreSQL? Then its programs must be here.
    pub embedded: bool,
    /// Where PostgreSQL's programs are looked for.
    pub places: SearchPlaces,
    /// The login that serves requests.
    pub app_url: Option<String>,
    /// The login for background work.
    pub system_url: Option<String>,
    /// The login that seals the audit trail.
    pub sealer_url: Option<String>,
    /// The login that migrates.
    pub migrate_url: Option<String>,
    /// The file with the sealing key.
    pub seal_key: Option<PathBuf>,
}

/// Looks at everything, in a fixed order.
pub async fn examine(subject: &Subject) -> Vec<Check> {
    let mut checks = vec![machine::programs(subject)];
    if let Some(folder) = &subject.data_folder {
        checks.extend(machine::data_folder(folder));
    }
    if let Some(key) = &subject.seal_key {
        checks.push(machine::private_file("seal_key", key, "the key that signs the audit trail"));
    }
    checks.extend(database::examine(subject).await);
    checks
}

/// The worst of the verdicts: what the command's exit code says.
pub fn worst(checks: &[Check]) -> Verdict {
    checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_counts() {
        let checks = [Check::ok("a", ""), Check::fail("b", "", ""), Check::warn("c", "", "")];
        assert_eq!(worst(&checks), Verdict::Fail);
        assert_eq!(worst(&checks[..1]), Verdict::Ok);
        assert_eq!(worst(&[]), Verdict::Ok);
    }

    #[tokio::test]
    async fn a_healthy_database_passes_every_check_and_a_sick_one_does_not() {
        let db = crate::testing::database().await;
        let subject = Subject {
            data_folder: None,
            embedded: true,
            places: SearchPlaces::of_this_machine(),
            app_url: Some(db.url(crate::bootstrap::Login::App)),
            system_url: Some(db.url(crate::bootstrap::Login::System)),
            sealer_url: Some(db.url(crate::bootstrap::Login::Sealer)),
            migrate_url: Some(db.url(crate::bootstrap::Login::Migrator)),
            seal_key: None,
        };
        let checks = examine(&subject).await;
        let verdict = |checks: &[Check], name: &str| {
            checks.iter().find(|check| check.name == name).map(|check| check.verdict)
        };
        for check in &checks {
            // The test server does not wait for the disk, which is worth a warning.
            let expected = if check.name == "durability" { Verdict::Warn } else { Verdict::Ok };
            assert_eq!(check.verdict, expected, "{check:?}");
        }
        for name in ["programs", "app_login", "roles", "set_config", "migrations", "partitions"] {
            assert!(verdict(&checks, name).is_some(), "{name} was looked at");
        }

        for sql in [
            "grant execute on function pg_catalog.set_config(text, text, boolean) to public",
            "drop table audit.audit_logs_default cascade",
            "delete from kernel.migrations where name = (select max(name) from kernel.migrations)",
        ] {
            sqlx::query(sql).execute(&db.admin()).await.unwrap();
        }
        let months = "select array_agg(inhrelid::regclass::text) from pg_inherits where inhparent = 'audit.audit_logs'::regclass";
        let months: Vec<String> = sqlx::query_scalar(months).fetch_one(&db.admin()).await.unwrap();
        for month in months {
            let sql = sqlx::AssertSqlSafe(format!("drop table {month} cascade"));
            sqlx::query(sql).execute(&db.admin()).await.unwrap();
        }
        let sick = Subject {
            app_url: Some(db.superuser_url()),
            places: SearchPlaces::of(vec!["/nowhere".into()]),
            ..subject
        };
        let checks = examine(&sick).await;
        for name in ["programs", "app_login", "set_config", "migrations", "partitions"] {
            assert_ne!(verdict(&checks, name), Some(Verdict::Ok), "{name}: {checks:?}");
        }
        assert!(
            checks.iter().all(|check| check.advice.is_some() != (check.verdict == Verdict::Ok))
        );
    }

    #[tokio::test]
    async fn a_database_that_is_gone_is_one_failed_check() {
        let subject = Subject {
            data_folder: None,
            embedded: false,
            places: SearchPlaces::of_this_machine(),
            app_url: Some("postgres://ephor_app@%2Fnowhere/ephor".to_owned()),
            system_url: None,
            sealer_url: None,
            migrate_url: None,
            seal_key: None,
        };
        let checks = examine(&subject).await;
        let failed: Vec<_> = checks.iter().filter(|check| check.verdict == Verdict::Fail).collect();
        assert_eq!(failed.len(), 1, "{checks:?}");
        assert_eq!(failed[0].name, "app_login");
    }
}
