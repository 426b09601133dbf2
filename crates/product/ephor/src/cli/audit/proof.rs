//! `ephor audit status`, `prove`, `consistency` and `check`

use std::{io::Write as _, path::Path, sync::Arc};

use ephor_kernel::{EntryId, OrganizationId, Scope};
use ephor_seal::{Checkpoint, ConsistencyProof, KeyRing, PublicKey, TlogProof, merkle};
use ephor_store::{
    Store,
    audit::{self, INSTANCE_LOG},
};
use object_store::ObjectStore;
use serde_json::json;

use crate::{
    cli::{Format, printed::Telling},
    exit::{Exit, UsageError},
};

pub(super) async fn status(store: &Store, format: Format) -> anyhow::Result<Exit> {
    let log = audit::instance_status(store).await?;
    let publications = audit::publication_list(store).await?;
    let mut out = std::io::stdout().lock();
    match format {
        Format::Json => {
            let told = json!({ "instance": log, "publications": publications });
            writeln!(out, "{}", serde_json::to_string_pretty(&told)?)?;
        }
        Format::Table => {
            writeln!(out, "{} entries wait to be sealed", log.queued)?;
            match (log.size, log.created_at) {
                (Some(size), Some(at)) => {
                    writeln!(out, "The instance log has {size} entries, signed {at}")?;
                }
                _ => writeln!(out, "The instance log is empty")?,
            }
            for one in &publications {
                let taken = one.published_size.zip(one.published_at).map_or_else(
                    || "nothing yet".to_owned(),
                    |(size, at)| format!("its checkpoint at {size} entries, {at}"),
                );
                writeln!(out, "Published to {}: {taken}", one.destination)?;
                if let Some(fault) = &one.fault {
                    let (attempts, at) = (one.attempts, one.attempted_at);
                    writeln!(out, "  FAILING: {fault}; tried {attempts} times, last {at}")?;
                }
            }
        }
    }
    let failing = publications.iter().any(|one| one.fault.is_some());
    Ok(if failing { Exit::Finding } else { Exit::Ok })
}

pub(super) async fn prove(
    store: &Store,
    objects: &Arc<dyn ObjectStore>,
    organization: OrganizationId,
    entry: EntryId,
) -> anyhow::Result<Exit> {
    let mut tx = store.begin_system(&Scope::platform(organization, "ephor audit prove")).await?;
    let mut proof = audit::receipt(&mut tx, entry).await?;
    tx.commit().await?;
    if proof.is_none() {
        proof = audit::archived_receipt(store, objects, organization, entry).await?;
    }
    let Some(proof) = proof else {
        return Err(UsageError(format!(
            "organization {organization} has no entry {entry}, or it is not sealed yet"
        ))
        .into());
    };
    write!(std::io::stdout(), "{proof}")?;
    Ok(Exit::Ok)
}

pub(super) async fn consistency(
    store: &Store,
    organization: Option<OrganizationId>,
    old: u64,
    new: u64,
) -> anyhow::Result<Exit> {
    let tree = organization.map_or(INSTANCE_LOG, OrganizationId::uuid);
    let Some(proof) = audit::consistency_between(store, tree, old, new).await? else {
        return Err(UsageError(format!(
            "no checkpoint was signed at {old} or at {new} entries, or {old} is not the older one"
        ))
        .into());
    };
    write!(std::io::stdout(), "{proof}")?;
    Ok(Exit::Ok)
}

/// Checks a proof; the origin is the one that its checkpoint names, and is printed.
pub(super) fn check(file: &Path, keys: &[PublicKey], json: bool) -> anyhow::Result<Exit> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| UsageError(format!("{}: {error}", file.display())))?;
    let keys = KeyRing::new(keys.iter().copied());
    let origin = |note: &str| note.lines().next().unwrap_or_default().to_owned();
    let outcome = if text.starts_with("c2sp.org/tlog-proof@v1") {
        TlogProof::parse(&text).and_then(|proof| {
            let leaf = merkle::leaf(proof.extra.as_deref().unwrap_or_default());
            let signed = proof.verify(&leaf, &origin(&proof.checkpoint), &keys)?;
            let Checkpoint { origin, size, .. } = signed;
            Ok(format!("proven: leaf {} of {origin}, as signed at {size} entries", proof.index))
        })
    } else {
        ConsistencyProof::parse(&text).and_then(|proof| {
            let (old, new) = proof.verify(&origin(&proof.old), &keys)?;
            let (before, after) = (old.size, new.size);
            Ok(format!(
                "proven: {} at {after} entries begins with what it was at {before}",
                new.origin
            ))
        })
    };
    let mut telling = Telling::new(json);
    telling.fact("proven", outcome.is_ok());
    let exit = match outcome {
        Ok(told) => {
            telling.line(&told)?;
            telling.fact("told", told);
            Exit::Ok
        }
        Err(error) => {
            telling.line(format_args!("NOT PROVEN: {error}"))?;
            telling.fact("told", error.to_string());
            Exit::Finding
        }
    };
    telling.end()?;
    Ok(exit)
}
