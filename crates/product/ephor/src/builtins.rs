//! All that comes with Ephor as data, and the job that copies it into an organization.

use std::sync::LazyLock;

use async_trait::async_trait;
use ephor_compliance::builtin as compliance;
use ephor_deliberation::builtin as deliberation;
use ephor_guard::builtin as guard;
use ephor_store::{
    builtins::{self, Followed},
    jobs::{JobContext, JobFailure, JobHandler},
};
use ephor_workforce::builtin as workforce;
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The built-in files: names and texts.
pub fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    compliance::sources()
        .chain(deliberation::sources())
        .chain(workforce::sources())
        .chain(guard::sources())
}

/// Which edition of the built-in data this binary holds: SHA-256 of all of it, in hexadecimal.
pub fn edition() -> &'static str {
    static EDITION: LazyLock<String> = LazyLock::new(hash_of_sources);
    &EDITION
}

fn hash_of_sources() -> String {
    let mut hash = Sha256::new();
    for (name, text) in sources() {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hex::encode(hash.finalize())
}

/// Brings the copies of an organization up to date.
pub struct BuiltinFollower;

#[async_trait]
impl JobHandler for BuiltinFollower {
    fn kind(&self) -> &'static str {
        builtins::FOLLOW
    }

    async fn run(&self, job: JobContext) -> Result<(), JobFailure> {
        let mut tx = job.store().begin_system(job.scope()).await?;
        let active = compliance::active_frameworks(&mut tx).await?;
        let mut tables = compliance::builtins(&active).map_err(fatal)?;
        tables.push(deliberation::builtins().map_err(fatal)?);
        tables.push(workforce::builtins().map_err(fatal)?);
        tables.push(guard::builtins().map_err(fatal)?);
        let mut sum = Followed::default();
        for table in &tables {
            let Followed { created, followed, kept } =
                builtins::builtins_follow(&mut tx, table).await?;
            sum.created += created;
            sum.followed += followed;
            sum.kept += kept;
        }
        builtins::builtin_edition_note(&mut tx, edition()).await?;
        tx.commit().await?;
        job.set_result(json!(sum));
        Ok(())
    }
}

/// What is in the binary does not get better by trying again.
fn fatal(error: builtins::BuiltinError) -> JobFailure {
    JobFailure::fatal(format!("{:#}", anyhow::Error::from(error)))
}
