//! `ephor db archive`

use std::{io::Write as _, path::Path};

use ephor_kernel::{Clock as _, SystemClock};
use ephor_seal::KeyRing;
use ephor_store::audit;

use super::super::{audit::with_store, block_on};
use crate::{
    config::Config,
    exit::{Exit, UsageError},
    server,
};

/// Archives what is older than `keep` months, or reads all archives back.
pub(super) fn run(config: &Config, data: &Path, keep: u32, check: bool) -> anyhow::Result<Exit> {
    if keep == 0 && !check {
        return Err(UsageError(
            "retention.audit_months = 0 keeps everything; --keep 24 says otherwise".into(),
        )
        .into());
    }
    let objects = server::objects(config, data).open()?;
    block_on(with_store(config, data, async |store, key| {
        let mut out = std::io::stdout();
        let mut sound = true;
        if check {
            for (archive, fault) in audit::archive_check(&store, &objects).await? {
                let (object, rows) = (&archive.object, archive.row_count);
                match fault {
                    None => writeln!(out, "{object}: {rows} entries, as archived")?,
                    Some(fault) => {
                        sound = false;
                        writeln!(out, "DAMAGED {fault}")?;
                    }
                }
            }
        } else {
            let keys = KeyRing::new([key.public()]);
            let today = SystemClock.now().date_naive();
            let done = audit::archive_due(&store, &objects, &keys, keep, today).await?;
            if done.is_empty() {
                writeln!(out, "No month is older than that, or another process is at it.")?;
            }
            for archive in done {
                let (object, rows) = (&archive.object, archive.row_count);
                writeln!(out, "{object}: {rows} entries; the month is dropped")?;
            }
        }
        Ok(if sound { Exit::Ok } else { Exit::Finding })
    }))
}
